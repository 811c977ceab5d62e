"""Types of any provider that are shape only: validated as every body is, stored, and returned whole.

Each provider has a table of its own (`compute/shape_only.py`, `storage/shape_only.py`): a type below the namespace to
the pattern by which the provider answers for it, which is what its clients take. Microsoft.Network's have more to show
(`network/shape_only.py`).

A few are there with their parent and were never made (a storage account's blob service): they are shown as their
provider shows them unasked, and a PUT sets what is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused
from farshore.lab.call import Call
from farshore.lab.merging import merged
from farshore.lab.patterns import Pattern
from farshore.lab.registry import TYPES, resource_type
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type: the pattern of its answers, and what it shows."""

    pattern: Pattern
    states: bool = True
    """Whether it shows a `provisioningState`."""
    patches: bool = True
    placed: bool = False
    """A child with a location and tags of its own."""
    gone: int | None = 200
    """With what a DELETE that takes no time is answered; None of what can't be deleted."""
    born: Mapping[str, Any] | None = None
    """Of what is there with its parent, under the name `default`: its properties unasked."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """Properties that are shown unasked."""


class Kept(ResourceType):
    """Any of them."""

    kind: ClassVar[Kind]
    shape_only = True

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        return {**body, "properties": {**(self.kind.born or {}), **self.kind.shown, **body["properties"]}}

    def get(self, call: Call) -> Response:
        unasked = self.unasked(call.cloud, call.id)
        return Response(status=200, body=unasked) if unasked is not None else super().get(call)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """What is there with its parent is listed as long as nobody has set anything, too."""
        rows = super().rows(call, found)
        if rows or self.kind.born is None or not call.cloud.exists(call.id):
            return rows
        unasked = self.unasked(call.cloud, call.id.child(self.type.rsplit("/", 1)[1], "default"))
        return [] if unasked is None else [unasked]

    def patch(self, call: Call) -> Response:
        """What is sent, and nothing else; a child takes one too."""
        if not self.kind.patches:
            raise Refused(405, "MethodNotAllowed", f"{self.type} takes no PATCH.")
        body, sent = self.unasked(call.cloud, call.id) or call.must_exist(), call.object()
        tags = {"tags": sent["tags"]} if "tags" in sent else {}
        return self.write(call, {**merged(body, sent), **tags})

    def delete(self, call: Call) -> Response:
        if self.kind.gone is None:
            raise Refused(405, "MethodNotAllowed", f"{self.type} is not deleted.")
        response = super().delete(call)
        return replace(response, status=self.kind.gone) if response.status == 200 else response

    def check_place(self, call: Call, id_: ResourceId, body: Body, before: Body | None) -> None:
        parent = id_.parent
        kind = None if parent is None else TYPES.get(parent.type.lower())
        if parent is not None and isinstance(kind, Kept) and (unasked := kind.unasked(call.cloud, parent)) is not None:
            call.cloud.write(parent, unasked)
        place = call.cloud.region_of(parent) if self.kind.placed and parent is not None else None
        super().check_place(call, id_, body if place is None else {"location": place, **body}, before)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        if self.kind.states:
            return body
        properties = {key: value for key, value in body["properties"].items() if key != "provisioningState"}
        return {**body, "properties": properties}

    def unasked(self, cloud: Cloud, id_: ResourceId) -> Body | None:
        """What is there with its parent, as long as nobody has set anything."""
        parent = id_.parent
        there = parent is not None and id_.name == "default" and cloud.exists(parent) and not cloud.exists(id_)
        if self.kind.born is None or not there:
            return None
        return {"id": id_.text, "name": id_.name, "type": self.type, "properties": dict(self.kind.born)}


def keep(
    namespace: str,
    kinds: Mapping[str, Kind],
    module: str,
    special: Mapping[str, type[Kept]] = MappingProxyType({}),
    **more: str,
) -> None:
    """Register types below a namespace: each is `Kept`, or what `special` has for it. `more`: what else their class
    says (`put_takes`)."""
    for name, kind in kinds.items():
        is_child = "/" in name
        parts: dict[str, Any] = {
            "__doc__": f"{namespace}/{name}: shape only.",
            "__module__": module,
            "kind": kind,
            "pattern": kind.pattern,
            "tracked": kind.placed or not is_child,
            "apart": is_child,
            **more,
        }
        base = special.get(name, Kept)
        resource_type(f"{namespace}/{name}")(type(base.__name__, (base,), parts))
