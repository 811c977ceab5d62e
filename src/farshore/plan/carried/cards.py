"""What Site Recovery has no field for on a NIC (S13), and the step that puts it there: application security groups,
DNS servers of the NIC's own, tags. Without its groups a NIC is met by no rule that names them.

After the failover the target's NIC gets the counterparts, after the failback the source's its own again. Between
failover and put the NIC stands without them: the proof looks at that moment too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import NETWORK_INTERFACES
from farshore.plan.design import Card, Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.model import Phase

GROUPS = "applicationSecurityGroups"


def there(design: Design, draft: Draft, machine: Machine, after: str) -> str:
    """The target's NICs; returns the last step, `after` itself where there is nothing to put."""
    region = design.project.target.region

    def group(id_: ResourceId) -> ResourceId:
        return design.counterparts.of(id_)

    for card in machine.cards:
        body = _missing(design, card, card.target_id, region, group, design.target.network_text)
        after = _put(design, draft, card, body, after)
    return after


def home(design: Design, draft: Draft, machine: Machine, after: str) -> str:
    """The source's NICs, as they were."""
    for card in machine.cards:
        body = _missing(design, card, card.nic.id, card.nic.location, lambda id_: id_, lambda text: text)
        after = _put(design, draft, card, body, after)
    return after


def groups_of(design: Design) -> tuple[ResourceId, ...]:
    """Every application security group that a planned NIC is in."""
    found: dict[ResourceId, None] = {}
    for machine in design.machines:
        for card in machine.cards:
            for configuration in _configurations(design.estate.get(card.nic.id) or {}):
                found.update(dict.fromkeys(_groups(configuration)))
    return tuple(found)


def without(body: Body) -> Body:
    """A NIC as a failover makes it: without what these steps put."""
    properties = dict(body.get("properties") or {})
    properties["ipConfigurations"] = [
        {**item, "properties": {key: value for key, value in (item.get("properties") or {}).items() if key != GROUPS}}
        for item in _configurations(body)
    ]
    return {**body, "properties": properties}


def step_names(design: Design, nic: str) -> tuple[str, ...]:
    """Ids that the steps of a NIC would have."""
    name = f"card/{design.label(resource_id(nic))}"
    return tuple(f"{phase.value}/{name}" for phase in (Phase.FAILOVER, Phase.FAILBACK))


def _put(design: Design, draft: Draft, card: Card, body: Body | None, after: str) -> str:
    if body is None:
        return after
    id_ = resource_id(str(body["id"]))
    return draft.put(
        f"card/{design.label(card.nic.id)}",
        body,
        title=f"Put on NIC {id_.name} what Site Recovery has no field for: {_says(body)} (S13)",
        after=[after],
        forwarding=_has_groups(body),
    )


def _missing(
    design: Design,
    card: Card,
    id_: ResourceId,
    location: str,
    group: Callable[[ResourceId], ResourceId],
    address: Callable[[Any], Any],
) -> Body | None:
    source = design.estate.get(card.nic.id) or {}
    properties: dict[str, Any] = {}
    configurations = [
        {"name": str(item["name"]), "properties": {GROUPS: [{"id": group(held).text} for held in _groups(item)]}}
        for item in _configurations(source)
        if _groups(item)
    ]
    if configurations:
        properties["ipConfigurations"] = configurations
    settings = (source.get("properties") or {}).get("dnsSettings")
    servers = settings.get("dnsServers") if isinstance(settings, Mapping) else None
    if servers:
        properties["dnsSettings"] = {"dnsServers": [address(server) for server in servers]}
    tags = source.get("tags")
    if not properties and not tags:
        return None
    body: Body = {"id": id_.text, "name": id_.name, "type": NETWORK_INTERFACES, "location": location}
    body["properties"] = properties
    if tags:
        body["tags"] = tags
    return body


def _says(body: Body) -> str:
    properties = body["properties"]
    parts = ["its application security groups"] if _has_groups(body) else []
    parts += ["its DNS servers"] if "dnsSettings" in properties else []
    parts += ["its tags"] if "tags" in body else []
    return ", ".join(parts)


def _has_groups(body: Body) -> bool:
    return "ipConfigurations" in body["properties"]


def _configurations(nic: Body) -> list[Body]:
    found = (nic.get("properties") or {}).get("ipConfigurations")
    return [item for item in found if isinstance(item, dict) and item.get("name")] if isinstance(found, list) else []


def _groups(configuration: Body) -> list[ResourceId]:
    found = (configuration.get("properties") or {}).get(GROUPS)
    items = found if isinstance(found, list) else []
    texts = [item.get("id") for item in items if isinstance(item, Mapping)]
    return [resource_id(text) for text in texts if isinstance(text, str) and text.startswith("/")]
