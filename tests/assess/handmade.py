"""A target network as a person builds it beforehand: the source's bodies, copied by hand into the target's group.

Made from the text of the example alone, so that it owes nothing to the planner. The connection is left out: it is the
last thing to make (D85), and with one circuit it must not be there yet (D60).
"""

from __future__ import annotations

import re
from functools import cache

from farshore.arm.json import Body, dumps, loads

from .bench import SOURCE_GROUP, TARGET_GROUP, TWO, Bench, bench

SUFFIX = "-asr"
COPIED = ("virtualNetworks", "routeTables", "networkSecurityGroups", "virtualNetworkGateways", "publicIPAddresses")
APPLIANCE = ("nva", "nva-nic", "nva-os")
NAMED_ANEW = re.compile(
    "(Source-Hub-vNet|Source-vNet[12]|rt-source-[a-z0-9]+|nsg-source-[a-z0-9-]+|ergw-source-hub|pip-ergw-source-hub)"
    '(?=["/])'
)


def handmade(example: str = TWO, *, suffix: str = SUFFIX, gateway: bool = True) -> Bench:
    """The example with its target network standing: networks, peerings, tables, groups, appliance and gateway.

    Without the `gateway`, spokes do not ask for it either (R29). Another `suffix` than the project's leaves only
    addresses and references to tell what is whose counterpart.
    """
    made = bench(example)
    made.resources += loads(_copies(example, suffix, gateway))
    return made


@cache
def _copies(example: str, suffix: str, gateway: bool) -> bytes:
    source = bench(example)
    made: list[Body] = []
    for body in source.resources:
        kind = str(body.get("type", "")).rsplit("/", 1)[-1]
        skipped = not gateway and kind in ("virtualNetworkGateways", "publicIPAddresses")
        if (kind in COPIED or body.get("name") in APPLIANCE) and not skipped:
            made.append(loads(_moved(dumps(body).decode(), source, suffix)))
    for body in (body for body in made if body["type"] == "Microsoft.Network/virtualNetworks"):
        for item in body["properties"].get("subnets", ()):
            item["properties"].pop("ipConfigurations", None)
        for peering in body["properties"].get("virtualNetworkPeerings", ()):
            peering["properties"]["useRemoteGateways"] &= gateway
    return dumps(made)


def _moved(text: str, source: Bench, suffix: str) -> str:
    text = NAMED_ANEW.sub(rf"\1{suffix}", text)
    text = text.replace(f"/{SOURCE_GROUP}/", f"/{TARGET_GROUP}/").replace('"eastasia"', '"southeastasia"')
    addresses = source.project["addresses"]
    for row in [] if addresses == "keep" else addresses["map"]:
        old, new = (str(row[end]).rsplit(".", 1)[0] + "." for end in ("from", "to"))
        text = re.sub(rf'(?<=[",-]){re.escape(old)}', new, text)
    return text
