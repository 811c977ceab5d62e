"""The lab's writes and bodies against what Azure was recorded to answer (L5, L6, S17)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.http import Response
from lab.core.bench import NETWORK, Lab
from lab.core.kinds import KINDS

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data") / "recordings"

SCOPED = {
    "network": f"{NETWORK}/virtualNetworks",
    "subnet": f"{NETWORK}/virtualNetworks/subnets",
    "peering": f"{NETWORK}/virtualNetworks/virtualNetworkPeerings",
    "route table": f"{NETWORK}/routeTables",
    "route": f"{NETWORK}/routeTables/routes",
    "security group": f"{NETWORK}/networkSecurityGroups",
    "interface": f"{NETWORK}/networkInterfaces",
    "public address": f"{NETWORK}/publicIPAddresses",
    "circuit": f"{NETWORK}/expressRouteCircuits",
    "circuit peering": f"{NETWORK}/expressRouteCircuits/peerings",
    "authorization": f"{NETWORK}/expressRouteCircuits/authorizations",
    "gateway": f"{NETWORK}/virtualNetworkGateways",
    "connection": f"{NETWORK}/connections",
}
FOLLOWED = ("azure-asyncoperation", "location")
Pattern = tuple[str, int, tuple[str, ...]]


def exchanges() -> Iterator[dict[str, Any]]:
    for path in sorted(DATA.glob("net-*.jsonl")) + sorted(DATA.glob("sdk17-*.jsonl")):
        for line in path.read_text().splitlines():
            yield json.loads(line)


def type_of(url: str) -> str:
    tail = url.split("?")[0].rsplit("/providers/", 1)[-1].split("/")
    return "/".join([tail[0], *tail[1::2]]).lower()


@pytest.fixture(scope="module")
def recorded() -> dict[str, set[Pattern]]:
    """Type to (method, status, headers to follow) of every recorded write."""
    if not DATA.is_dir():
        pytest.skip("FARSHORE_REAL_DATA does not name the recordings")
    found: dict[str, set[Pattern]] = {}
    for row in exchanges():
        if row["method"] in ("PUT", "DELETE") and row["status"] < 400:
            headers = tuple(name for name in FOLLOWED if name in row["response_headers"])
            found.setdefault(type_of(row["url"]), set()).add((row["method"], row["status"], headers))
    return found


def pattern(method: str, answer: Response) -> Pattern:
    return method, answer.status, tuple(name for name in FOLLOWED if name in answer.headers)


@pytest.mark.parametrize("name", SCOPED)
def test_writes_are_answered_as_recorded(name: str, recorded: dict[str, set[Pattern]]) -> None:
    lab, kind = Lab(), KINDS[name]
    kind.before(lab)
    seen = set()
    for method, body in (("PUT", kind.body), ("PUT", kind.body), ("DELETE", None), ("DELETE", None)):
        answer = lab.send(method, kind.url, body)
        seen.add(pattern(method, answer))
        lab.follow(answer)
    known = recorded.get(SCOPED[name].lower(), set())
    # A method that was never recorded for a type is not judged, nor one that nobody did twice.
    judged = {one for one in seen if any(one[:2] == other[:2] for other in known)}
    assert judged <= known, f"recorded {sorted(known)}"
    assert {one[0] for one in known} <= {one[0] for one in judged}, f"none of {sorted(known)} was met"


def test_bodies_have_the_fields_that_recorded_bodies_have(recorded: dict[str, set[Pattern]]) -> None:
    """A new resource's first answer: every property of the lab's is one that Azure was seen to send, or sent by us."""
    seen: dict[str, set[str]] = {}
    for row in exchanges():
        body = row["response_body"]
        if row["status"] in (200, 201) and isinstance(body, dict) and isinstance(body.get("properties"), dict):
            seen.setdefault(type_of(row["url"]), set()).update(body["properties"])
    strange = {}
    for name, type_ in SCOPED.items():
        lab, kind = Lab(), KINDS[name]
        kind.before(lab)
        ours = set(lab.made(kind.url, kind.body)["properties"]) - set(kind.body.get("properties") or {})
        more = ours - seen.get(type_.lower(), set())
        if type_.lower() in seen and more:
            strange[name] = sorted(more)
    # Newer api-versions than the recorded ones.
    newer = {
        "connection": ["expressRouteGatewayBypass", "peer", "enablePrivateLinkFastPath"],
        "gateway": ["allowRemoteVnetTraffic", "allowVirtualWanTraffic"],
        "interface": ["disableTcpStateTracking"],
        "public address": ["ddosSettings"],
    }
    assert {name: [item for item in more if item not in newer.get(name, ())] for name, more in strange.items()} == {
        name: [] for name in strange
    }
