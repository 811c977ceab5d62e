"""The standard life of a resource: what every type does unless its file says otherwise.

    PUT     validate ─► keep with provisioningState Updating ─► 201 and an operation ─► on_ready ─► Succeeded
            one that changes nothing (or tags alone) is Succeeded when it is answered (recorded), but for `may_stay`
    DELETE  on_delete ─► Deleting ─► 202 and an operation ─► gone, children first ─► on_gone
    PATCH   tags, at once; where `patches` is set, the body merged with what is there, and then as a PUT
    GET     the kept body, its children inside, what `show` adds, its etag, as its api-version has it

One write at a time on one root resource (L12, L16): a PUT of a subnet holds the network. A full PUT replaces (L12);
children that the body does not mention at all are kept where `keep_omitted` says so, as newer api-versions do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.lab import operations, places, shapes, versions
from farshore.lab.answers import Refused
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.merging import merged, stayed
from farshore.lab.patterns import NETWORK, Pattern
from farshore.lab.principals import identity_shown

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

SHOWN_FIRST = ("name", "id", "etag", "type", "location", "tags", "properties")
NOT_SENT = {*SHOWN_FIRST, "provisioningState"}
"""What of a body's top is not simply kept as it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A PUT that is being thought about."""

    cloud: Cloud
    id: ResourceId
    body: Body
    """As it was sent."""
    before: Body | None
    """The kept body that it replaces."""
    query: Mapping[str, str]
    inside: ResourceId | None = None
    """The parent whose PUT carries this child."""
    parent_location: str | None = None
    children: dict[tuple[str, int], Put] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By their kind and what was sent of each (`child_of`)."""

    @property
    def created(self) -> bool:
        return self.before is None

    @property
    def properties(self) -> Body:
        found = self.body.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def before_properties(self) -> Body:
        found = (self.before or {}).get("properties")
        return found if isinstance(found, dict) else {}

    def unasked(self, shown: Body) -> Body:
        """Of properties that Azure shows though nobody chose them: all for what is made here, and for what an estate
        brought those that it told. So a change changes what it is about and no more."""
        if self.before is None:
            return shown
        return {key: value for key, value in shown.items() if key in self.before_properties or key in self.before}

    @property
    def location(self) -> str:
        """The region it is or will be in."""
        text = self.body.get("location") or (self.before or {}).get("location")
        return normal_location(text) if text else self.parent_location or self.cloud.region_of(self.id) or ""


class ResourceType:
    """See the theory above and `lab/registry.py`."""

    type: ClassVar[str] = ""
    pattern: ClassVar[Pattern] = NETWORK
    tracked: ClassVar[bool] = True
    """Has a location and tags of its own. A child has not."""
    everywhere: ClassVar[bool] = False
    """Whether its location may be `global`."""
    apart: ClassVar[bool] = False
    """A child that its parent does not show inside, though a packet's way may depend on it."""
    shape_only: ClassVar[bool] = False
    """Kept and shown, and nothing more (`lab/network/shape_only.py`)."""
    extends: ClassVar[bool] = False
    """It stands on any other resource, and a list of it at a scope shows all that stand on something in there."""
    formed: ClassVar[bool] = True
    """Whether names in its bodies mean what `lab/shapes.py` says; a template's do not."""
    forwards: ClassVar[bool] = False
    """Whether a packet's way can depend on it."""
    nested: ClassVar[tuple[str, ...]] = ()
    """Children that the body shows inside, each kind in the property of its own name, or of the name in `labels`."""
    labels: ClassVar[Mapping[str, str]] = {}
    keep_omitted: ClassVar[tuple[str, ...]] = ()
    put_takes: ClassVar[str] = "network.put"
    update_takes: ClassVar[str | None] = None
    delete_takes: ClassVar[str] = "network.delete"
    patches: ClassVar[bool] = False
    """PATCH may change more than tags."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Names that hold secrets in bodies of this type, beside those that do everywhere: the journal leaves them out."""
    read_only: ClassVar[tuple[str, ...]] = ("provisioningState", "resourceGuid")
    """Properties that a client may send and that count for nothing; the kept ones stay."""

    # Hooks. --------------------------------------------------------------------------------------------------------

    def validate(self, put: Put) -> None:
        """Raise `Refused` for a PUT that Azure would refuse."""

    def on_put(self, put: Put) -> Body:
        """The body to keep. `standard` takes what was sent and keeps what is read-only."""
        return self.standard(put)

    def after_put(self, put: Put) -> None:
        """The body has been kept: write what others show because of it (a peering's other half)."""

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        """The operation is over: write what Azure only knows now. Raise `Refused` and it has failed."""

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        """Raise `Refused` for what can't be deleted now."""

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        """It is gone: mend what referred to it."""

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """The kept body with what only a GET adds."""
        return body

    def links(self, body: Body) -> Iterable[Link]:
        """What a body refers to that somebody will ask for by its target."""
        return ()

    def seed(self, cloud: Cloud, body: Body) -> Body:
        """The body to keep of an estate's body; called when everything it may refer to is there or soon will be."""
        return body

    def may_stay(self, put: Put) -> bool:
        """Whether this PUT is over when it is answered if it changes nothing, or tags alone."""
        return True

    def is_quick(self, put: Put) -> bool:
        """Whether a PUT is over when it is answered, though its operation can be polled."""
        return False

    def region(self, cloud: Cloud, id_: ResourceId) -> str | None:
        body = cloud.body(id_)
        text = None if body is None else body.get("location")
        if text:
            return normal_location(str(text))
        parent = id_.parent
        return None if parent is None else cloud.region_of(parent)

    def lock(self, cloud: Cloud, id_: ResourceId) -> ResourceId:
        """What a write holds while it lasts."""
        return id_.top

    def takes(self, cloud: Cloud, id_: ResourceId, verb: str, created: bool) -> timedelta:
        name = self.delete_takes if verb == "delete" else self.put_takes
        if verb != "delete" and not created and self.update_takes is not None:
            name = self.update_takes
        return cloud.duration(name, id_.key, cloud.count("attempt", id_.key, verb))

    # What clients call. --------------------------------------------------------------------------------------------

    def get(self, call: Call) -> Response:
        body = call.show()
        return Response(status=200, headers=_etag_header(body), body=body)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """The bodies of a list; `found` are the kept ones in scope."""
        return [self.shown(call.cloud, call.cloud.id_of(body), body, call.query) for body in found]

    def put(self, call: Call) -> Response:
        return self.write(call, call.object())

    def write(self, call: Call, body: Body) -> Response:
        """The answer to a PUT of this body."""
        cloud, id_, pattern = call.cloud, self.full_id(call), self.pattern
        before = cloud.body(id_)
        self.check_conditions(call, before)
        self.check_place(call, id_, body, before)
        call.must_be_free()
        put = Put(cloud=cloud, id=id_, body=body, before=before, query=call.query)
        self.check_children(put)
        self.validate(put)
        at_once = pattern.sync or pattern.put_at_once or (pattern.only_creation_waits and before is not None)
        shown = cloud.show(id_) if pattern.etags and before is not None and self.may_stay(put) else None
        self.keep(put, "Succeeded" if at_once else pattern.state_of(created=before is None))
        status = pattern.put_created if before is None else pattern.put_updated
        if at_once:
            self.on_ready(cloud, id_)
            return Response(status=status, body=self.first_answer(put))
        quick = self.is_quick(put) or (shown is not None and stayed(shown, cloud.show(id_)))
        if quick:
            set_state(cloud, id_, "Succeeded")
        elif before is None:
            cloud.table("young")[id_.key] = True
        operation = self.begin(call, id_, "put", created=before is None, takes=timedelta(0) if quick else None)
        headers = operations.headers(operation, pattern.put_headers, call.base)
        return Response(status=status, headers=headers, body=self.first_answer(put) if pattern.put_body else None)

    def first_answer(self, put: Put) -> Body | None:
        """What a PUT is answered with."""
        return put.cloud.show(put.id, put.query)

    def patch(self, call: Call) -> Response:
        """Tags, at once (L6); more than that where the type's `patches` says so."""
        if not self.tracked:
            raise Refused(405, "MethodNotAllowed", f"{self.type} takes no PATCH.")
        cloud, body, sent = call.cloud, call.must_exist(), call.object()
        if self.patches and set(sent) - {"tags"}:
            return self.write(call, merged(body, sent))
        self.check_conditions(call, body)
        call.must_be_free()
        if set(sent) - {"tags"}:
            raise Refused(400, "InvalidRequestContent", "Only tags can be updated by PATCH.")
        if "tags" in sent:
            cloud.write(call.id, {**body, "tags": sent["tags"] or {}}, forwards=False)
        return self.get(call)

    def delete(self, call: Call) -> Response:
        cloud = call.cloud
        body = cloud.body(call.id)
        if body is None:
            return Response(status=204)
        id_ = resource_id(str(body["id"]))
        self.check_conditions(call, body)
        call.must_be_free()
        self.on_delete(cloud, id_)
        if self.pattern.sync or self.pattern.only_creation_waits or self.pattern.deleted_at_once:
            self.take_away(cloud, id_)
            return Response(status=200)
        set_state(cloud, id_, "Deleting")
        status = self.delete_status(call)
        operation = self.begin(call, id_, "delete", created=False, empty_status=200 if status == 200 else 204)
        headers = operations.headers(operation, self.pattern.delete_headers, call.base)
        return Response(status=status, headers=headers)

    def delete_status(self, call: Call) -> int:
        """With what a deletion that takes time is answered."""
        return self.pattern.delete_status

    # Building blocks. ----------------------------------------------------------------------------------------------

    def standard(self, put: Put) -> Body:
        """What was sent, in Azure's order; read-only properties stay what they were."""
        before = put.before_properties
        properties = {key: value for key, value in put.properties.items() if key not in self.read_only}
        if self.pattern.etags:
            # Null is as good as nothing at all (recorded).
            properties = {key: value for key, value in properties.items() if value is not None}
        kept = {key: before[key] for key in self.read_only if key in before}
        if self.pattern.etags and "resourceGuid" not in kept and self.tracked:
            kept["resourceGuid"] = put.cloud.guid("resourceGuid", put.id.key, put.cloud.count("made", put.id.key))
        body: Body = {"name": put.id.name, "id": put.id.text, "type": self.type}
        if self.tracked:
            body["location"] = put.location
        for key, value in put.body.items():
            # Recorded: nor is an empty list of zones shown.
            if key not in NOT_SENT and value is not None and (key, value) != ("zones", []):
                body[key] = value
        if self.tracked and "identity" in body:
            body["identity"] = identity_shown(put.cloud, put.id, body["identity"])
        if self.tracked and put.body.get("tags") is not None:
            body["tags"] = put.body["tags"]
        body["properties"] = {"provisioningState": self.pattern.state, **kept, **properties}
        return body

    def keep(self, put: Put, state: str) -> None:
        """Write the body and its nested children; `provisioningState` is `state` in all of them."""
        body = self.on_put(put)
        properties = dict(body["properties"])
        properties["provisioningState"] = state
        children = {name: properties.pop(self.label(name), None) for name in self.nested}
        put.cloud.write(put.id, {**body, "properties": properties})
        for name, sent in children.items():
            if sent is not None or name not in self.keep_omitted:
                self._keep_children(put, name, sent or [], state)
        self.after_put(put)

    def _keep_children(self, put: Put, name: str, sent: list[Body], state: str) -> None:
        cloud = put.cloud
        named = {str(child.get("name", "")).lower() for child in sent}
        for old in cloud.children(put.id, name):
            if str(old["name"]).lower() not in named:
                gone = resource_id(str(old["id"]))
                kind = cloud.type_of(gone)
                kind.take_away(cloud, gone)
        for child in sent:
            child_put = child_of(put, name, child)
            cloud.type_of(child_put.id).keep(child_put, state)

    def shown(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """The whole body of a GET: children inside, additions, etag, Azure's order."""
        if self.nested:
            inside = {}
            for name in self.nested:
                kind = cloud.type_of(id_.child(name, "x"))
                inside[self.label(name)] = [
                    kind.shown(cloud, cloud.id_of(child), child, query) for child in cloud.children(id_, name)
                ]
            body = {**body, "properties": {**body["properties"], **inside}}
        body = versions.as_of(self.show(cloud, id_, body, query), self.type, query)
        if self.pattern.etags:
            body = {**body, "etag": cloud.etag(id_)}
        first = {key: body[key] for key in SHOWN_FIRST if key in body}
        return first | {key: value for key, value in body.items() if key not in first}

    def label(self, name: str) -> str:
        """The property in which children of a kind are shown."""
        return self.labels.get(name, name)

    def full_id(self, call: Call) -> ResourceId:
        """The id as it will be shown: an existing resource's own, else the URL's under the group's own spelling, and
        of Microsoft.Network with its type as that spells it (recorded)."""
        return places.spelled(call.cloud, call.id, self.type if self.pattern.etags else None)

    def check_conditions(self, call: Call, before: Body | None) -> None:
        """If-Match and If-None-Match (L10)."""
        match, none = call.headers.get("if-match"), call.headers.get("if-none-match")
        current = None if before is None else call.cloud.etag(call.id)
        forms = (
            () if current is None else ("*", current, current.removeprefix("W/"), current.removeprefix("W/").strip('"'))
        )
        if match is not None and match not in forms:
            said = "there is nothing yet" if current is None else f"etag '{current}'"
            raise Refused(412, "PreconditionFailed", f"Precondition failed: If-Match '{match}', {said}.")
        if none == "*" and before is not None:
            raise Refused(412, "PreconditionFailed", f"Precondition failed: {call.id.text} already exists.")

    def check_place(self, call: Call, id_: ResourceId, body: Body, before: Body | None) -> None:
        """The group and the parent are there; the location is given, reachable and not changed."""
        places.check(call.cloud, id_, body, before, tracked=self.tracked, everywhere=self.everywhere)
        if before is None and self.pattern.etags:
            shapes.must_be_name(id_.name)

    def check_children(self, put: Put) -> None:
        """Children inside a PUT have names, each its own."""
        for name in self.nested:
            seen: set[str] = set()
            sent = put.properties.get(self.label(name)) or []
            shapes.must_be_objects(sent, f"properties.{self.label(name)}")
            if sent:
                # All that are there at once: after that nothing is looked for alone that is not among them.
                put.cloud.children(put.id, name)
            for child in sent:
                inner = child_of(put, name, child).id
                if self.pattern.etags:
                    shapes.must_be_name(inner.name)
                if inner.key in seen:
                    raise Refused(
                        400, "InvalidRequestFormat", f"Two children in {name} of {put.id.text} are named {inner.name}."
                    )
                seen.add(inner.key)

    def begin(
        self,
        call: Call,
        id_: ResourceId,
        verb: str,
        *,
        created: bool,
        data: Any = None,
        takes: timedelta | None = None,
        empty_status: int = 204,
    ) -> Operation:
        """Start the operation of a PUT or DELETE; it holds the resource's lock. `takes` None: as long as it does."""
        cloud = call.cloud
        operation = operations.start(
            cloud,
            id_,
            verb,
            takes=self.takes(cloud, id_, verb, created) if takes is None else takes,
            pattern=self.pattern,
            type_=self.type,
            api_version=call.api_version,
            data=data,
            empty_status=empty_status,
            told=self.pattern.delete_headers if verb == "delete" else self.pattern.put_headers,
        )
        cloud.hold(self.lock(cloud, id_), operation.id)
        return operation

    def take_away(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.remove(id_)
        if body is not None:
            self.on_gone(cloud, id_, body)

    def operation_done(self, cloud: Cloud, operation: Operation) -> Body | None:
        id_ = operation.resource_id
        cloud.let_go(self.lock(cloud, id_), operation.id)
        if operation.verb == "delete":
            self.take_away(cloud, id_)
            return None
        cloud.table("young").pop(id_.key, None)
        if cloud.body(id_) is None:
            return None
        self.on_ready(cloud, id_)
        for name in self.nested:
            for child in cloud.children(id_, name):
                inner = resource_id(str(child["id"]))
                cloud.type_of(inner).on_ready(cloud, inner)
        set_state(cloud, id_, "Succeeded")
        return cloud.show(id_, {"api-version": operation.api_version})

    def operation_failed(self, cloud: Cloud, operation: Operation, refused: Refused) -> None:
        id_ = operation.resource_id
        cloud.let_go(self.lock(cloud, id_), operation.id)
        if cloud.body(id_) is not None:
            set_state(cloud, id_, "Failed")


def is_young(cloud: Cloud, id_: ResourceId) -> bool:
    """Its first PUT is still under way: it can be seen and does nothing yet."""
    return id_.key in cloud.table("young")


def make(cloud: Cloud, body: Body) -> ResourceId:
    """Create or replace a resource at once, as a service inside Azure does (Site Recovery makes machines and NICs):
    the type's own validation and hooks, no operation. Raises `Refused`."""
    id_ = resource_id(str(body["id"]))
    kind: ResourceType = cloud.type_of(id_)
    before = cloud.body(id_)
    put = Put(cloud=cloud, id=id_, body=body, before=before, query={})
    kind.validate(put)
    kind.keep(put, "Succeeded")
    try:
        kind.on_ready(cloud, id_)
    except Refused:
        if before is None:
            kind.take_away(cloud, id_)
        raise
    return id_


def unmake(cloud: Cloud, id_: ResourceId) -> None:
    """Delete a resource at once; what is not there is gone already. Raises `Refused`."""
    if cloud.exists(id_):
        kind: ResourceType = cloud.type_of(id_)
        kind.on_delete(cloud, id_)
        kind.take_away(cloud, id_)


def child_of(put: Put, name: str, child: Body) -> Put:
    """The PUT of a child inside its parent's; the same one as long as what it replaces is the same."""
    cloud, known = put.cloud, put.children.get((name, id(child)))
    if known is not None and cloud.body(known.id) is known.before:
        return known
    text = str(child.get("name") or str(child.get("id", "")).rsplit("/", 1)[-1])
    if not text or "/" in text:
        raise Refused(400, "InvalidRequestFormat", f"A child in {name} of {put.id.text} has no name, but '{text}'.")
    id_ = resource_id(f"{put.id.text}/{name}/{text}")
    before = cloud.body(id_)
    found = put.children[name, id(child)] = Put(
        cloud=cloud,
        id=id_ if before is None else resource_id(str(before["id"])),
        body=child,
        before=before,
        query=put.query,
        inside=put.id,
        parent_location=put.location,
    )
    return found


def set_state(cloud: Cloud, id_: ResourceId, state: str) -> None:
    """`provisioningState` of a resource and of the children that show one."""
    body = cloud.body(id_)
    if body is None:
        return
    properties = body.get("properties") or {}
    if properties.get("provisioningState") != state:
        cloud.write(id_, {**body, "properties": {**properties, "provisioningState": state}})
    kind = cloud.type_of(id_)
    for name in kind.nested:
        for child in cloud.children(id_, name):
            set_state(cloud, resource_id(str(child["id"])), state)


def _etag_header(body: Body) -> dict[str, str]:
    return {"etag": body["etag"]} if body.get("etag") else {}
