"""`Edit`, and how bodies are changed: always a copy, of one resource or child, as ARM would be sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body, dumps, loads
from farshore.estate.estate import Change, Estate
from farshore.estate.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One thing to do. `subject`: the ARM id to change, or a path in farshore.yaml."""

    subject: str
    text: str
    changes: tuple[Change, ...] = ()
    project: Callable[[Project], Project] | None = None
    weakens: bool = False
    """Whether it promises less, where any other edit changes what is."""

    def apply(self, estate: Estate) -> Estate:
        """The estate as it would be; the project's sites come along. Raises `InputError` where it can't be."""
        after = estate.with_changes(self.changes) if self.changes else estate
        if after.project is None:
            return after
        if self.project is None:
            # What the project names is looked for again: an edit may have made it, or taken it away.
            return after.with_project(after.project)
        return after.with_project(self.project(after.project))

    def weaker(self) -> Edit:
        return replace(self, weakens=True)


def copied(body: Body) -> Body:
    made: Body = loads(dumps(body))
    return made


def changed(id_: ResourceId, body: Body, edit: Callable[[dict[str, Any]], object], text: str) -> Edit:
    """A body with something done to its properties."""
    made = copied(body)
    made.setdefault("id", id_.text)
    made["id"] = id_.text
    edit(made.setdefault("properties", {}))
    return Edit(subject=id_.text, text=text, changes=(Change(put=made),))


def with_property(id_: ResourceId, body: Body, path: str, value: object, text: str = "") -> Edit:
    """One property set: `path` with dots, inside `properties`."""

    def edit(properties: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for key in above:
            properties = properties.setdefault(key, {})
        if value is None:
            properties.pop(last, None)
        else:
            properties[last] = value

    return changed(id_, body, edit, text or f"set {path} to {shown(value)} on {id_.short}")


def at_top(id_: ResourceId, body: Body, key: str, value: object) -> Edit:
    """A value beside `properties`: location, sku."""
    made = copied(body)
    made["id"] = id_.text
    made[key] = value
    return Edit(subject=id_.text, text=f"set {key} to {shown(value)} on {id_.short}", changes=(Change(put=made),))


def deleted(id_: ResourceId) -> Edit:
    return Edit(subject=id_.text, text=f"delete {id_.short}", changes=(Change(delete=id_),))


def both(first: Edit, second: Edit) -> Edit:
    """Two edits that only make sense together."""
    return Edit(
        subject=first.subject, text=f"{first.text}, and {second.text}", changes=(*first.changes, *second.changes)
    )


def properties_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("properties")
    return found if isinstance(found, Mapping) else {}


def children_of(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = properties_of(body).get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def reference(properties: Mapping[str, Any], key: str) -> str:
    """The id that a property refers to, or nothing."""
    found = properties.get(key)
    return str(found.get("id") or "") if isinstance(found, Mapping) else ""


def shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping) and isinstance(value.get("id"), str):
        return str(value["id"]).rsplit("/", 1)[-1]
    if isinstance(value, Mapping) and "name" in value:
        return str(value["name"])
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "nothing"
    return str(value)


_SOUND = {
    "provisioningState": ("Succeeded", "get {} provisioned again: its state is {}"),
    "peeringState": ("Connected", "connect {} from both sides: its state is {}"),
    "serviceProviderProvisioningState": ("Provisioned", "have the provider provision {}: it says {}"),
    "circuitProvisioningState": ("Enabled", "get {} enabled: it says {}"),
    "connectionStatus": ("Connected", "get {} connected: it says {}"),
}


def states(id_: ResourceId, body: Body) -> Iterator[Edit]:
    """What a resource says of itself that isn't sound, made sound."""
    properties = properties_of(body)
    for key, (sound, words) in _SOUND.items():
        said = properties.get(key)
        if isinstance(said, str) and said.lower() != sound.lower():
            yield with_property(id_, body, key, sound, words.format(id_.short, said))
