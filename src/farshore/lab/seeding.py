"""An estate put into the lab in steady state: nothing under way, everything Succeeded.

Bodies come as ARM showed them, children nested in their parents. First every body is written, so that references
find each other, groups before what is in them; then each type's `seed` hook makes it what the lab would have made.
A group that nobody mentions is made where the first resource in it lies. A resource of a type that the lab does not
have is kept as it is: it can be read, and packets know of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import registry
from farshore.lab.inert import INERT

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

GROUPS = "Microsoft.Resources/resourceGroups"


def seed(cloud: Cloud, resources: list[Body]) -> None:
    flat: list[tuple[ResourceId, Body]] = []
    for body in resources:
        _flatten(resource_id(str(body["id"])), body, flat)
    flat.sort(key=lambda item: (not item[0].is_a(GROUPS), len(item[0].pairs)))
    for id_, body in flat:
        _ensure_group(cloud, id_, body)
        cloud.write(id_, body)
    for id_, _ in flat:
        kept = cloud.body(id_)
        assert kept is not None
        seeded = cloud.type_of(id_).seed(cloud, kept)
        if seeded is not kept:
            cloud.write(id_, seeded)


def _flatten(id_: ResourceId, body: Body, flat: list[tuple[ResourceId, Body]]) -> None:
    kind = registry.TYPES.get(id_.type.lower(), INERT)
    properties = dict(body.get("properties") or {})
    for name in kind.nested:
        for child in properties.pop(kind.label(name), None) or []:
            label = str(child.get("name") or str(child.get("id", "")).rsplit("/", 1)[-1])
            child_id = id_.child(name, label)
            _flatten(child_id, {**child, "name": label, "id": child_id.text}, flat)
    properties.setdefault("provisioningState", "Succeeded")
    kept = {key: value for key, value in body.items() if key not in ("etag", "properties")}
    head = {"name": id_.name, "id": id_.text, "type": kind.type or body.get("type") or id_.type}
    flat.append((id_, {**head, **kept, "type": head["type"], "properties": properties}))


def _ensure_group(cloud: Cloud, id_: ResourceId, body: Body) -> None:
    group = id_.group_id
    if group is None or id_.is_a(GROUPS) or cloud.exists(group):
        return
    location = body.get("location") or "eastus"
    cloud.write(
        group,
        {
            "id": group.text,
            "name": group.name,
            "type": GROUPS,
            "location": location,
            "properties": {"provisioningState": "Succeeded"},
        },
    )
