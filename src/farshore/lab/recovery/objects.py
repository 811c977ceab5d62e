"""The life that all objects of Site Recovery share.

A PUT, PATCH or DELETE answers 202 with an empty body and both polling headers, always (S17). The object is there when
the job is done, not before; a PUT of one that is there changes it. Bodies show no provisioningState.

A type says what it refuses (`check`), what the object looks like when the job is done (`built`), and what must be out
of the way before it may go (`on_delete`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab.answers import Refused, bad_request, child_not_found, not_implemented, quoted
from farshore.lab.call import Call
from farshore.lab.patterns import SITE_RECOVERY
from farshore.lab.recovery import jobs
from farshore.lab.recovery.names import shown_id
from farshore.lab.registry import action
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


class RecoveryType(ResourceType):
    pattern = SITE_RECOVERY
    tracked = False
    put_takes = "recovery.quick"
    delete_takes = "recovery.quick"
    noun: ClassVar[str] = ""
    """`fabric`: jobs are called after it."""
    titles: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """`Create`, `Update`, `Delete` to the scenario and the title of the job, where they are called otherwise."""
    tasks: ClassVar[Mapping[str, tuple[tuple[str, str], ...]]] = {}
    """`Create`, `Update`, `Delete` to the tasks of the job, by name and title, where there are others than one."""
    kind: ClassVar[str] = ""
    """`targetInstanceType` of jobs."""

    def check(self, put: Put) -> None:
        """Raise `Refused` for what the service would refuse at once."""

    def built(self, put: Put) -> Body:
        """The object's properties when the job is done."""
        return {}

    def may_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        """Raise `Refused` for what a client can't delete now; `on_delete` says what nobody can."""
        self.on_delete(cloud, id_)

    def holder(self, id_: ResourceId) -> ResourceId | None:
        """What must be there for as long as this is."""
        return id_.parent

    def entity(self, cloud: Cloud, id_: ResourceId) -> str:
        """`targetObjectId` of jobs."""
        return cloud.guid("entity", id_.key)

    def affected(self, cloud: Cloud, id_: ResourceId) -> Body:
        """What jobs tell of what is around the object."""
        return {}

    # The wire. -----------------------------------------------------------------------------------------------------

    def lock(self, cloud: Cloud, id_: ResourceId) -> ResourceId:
        return id_

    def full_id(self, call: Call) -> ResourceId:
        return resource_id(shown_id(super().full_id(call)))

    def put(self, call: Call) -> Response:
        cloud, id_ = call.cloud, self.full_id(call)
        body = call.object()
        before = cloud.body(id_)
        self.check_conditions(call, before)
        self.check_place(call, id_, body, before)
        call.must_be_free()
        put = Put(cloud=cloud, id=id_, body=body, before=before, query=call.query)
        self.check(put)
        call.id = id_
        return self.job(call, "put", "Create" if before is None else "Update", data={"body": body})

    def patch(self, call: Call) -> Response:
        if not self.patches:
            raise self.not_allowed("PATCH")
        call.must_exist()
        call.must_be_free()
        return self.job(call, "patch", "Update", data={"body": call.object()})

    def delete(self, call: Call) -> Response:
        body = call.cloud.body(call.id)
        if body is None:
            return Response(status=204)
        call.id = resource_id(str(body["id"]))
        call.must_be_free()
        self.may_delete(call.cloud, call.id)
        return self.job(call, "delete", "Delete", data={})

    def not_allowed(self, method: str) -> Refused:
        return Refused(405, "MethodNotAllowed", f"{self.type} takes no {method}.")

    def job(self, call: Call, verb: str, word: str, data: Any) -> Response:
        """Start a job that holds the object."""
        takes = self.takes(call.cloud, call.id, verb, verb == "put" and not call.cloud.exists(call.id))
        usual = f"{word}{self.noun[:1].upper()}{self.noun[1:].replace(' ', '')}"
        scenario, title = self.titles.get(word, (usual, f"{word} {self.noun}"))
        response, job = jobs.begin(
            call,
            verb,
            scenario=scenario,
            title=title,
            target=(self.kind, self.entity(call.cloud, call.id), call.id.name),
            takes=takes,
            data=data,
            details={"instanceType": "AsrJobDetails", "affectedObjectDetails": self.affected(call.cloud, call.id)},
        )
        for name, said in self.tasks.get(word, ((f"{word}Task", f"{word} the {self.noun}"),)):
            jobs.start_task(call.cloud, job, name, said)
        call.cloud.hold(call.id, job)
        return response

    def operation_done(self, cloud: Cloud, operation: Operation) -> Body | None:
        id_ = operation.resource_id
        cloud.let_go(id_, operation.id)
        try:
            self.finished(cloud, operation, id_)
        except Refused as refused:
            jobs.end_job(cloud, operation.id, refused)
            raise
        jobs.end_job(cloud, operation.id)
        return cloud.show(id_)

    def operation_failed(self, cloud: Cloud, operation: Operation, refused: Refused) -> None:
        cloud.let_go(operation.resource_id, operation.id)

    def finished(self, cloud: Cloud, operation: Operation, id_: ResourceId) -> None:
        """Do what the job was for. What was true when it began is asked once more: others had time."""
        if operation.verb == "delete":
            if cloud.exists(id_):
                self.on_delete(cloud, id_)
                self.take_away(cloud, id_)
            return
        holder = self.holder(id_)
        if holder is not None and not cloud.exists(holder):
            raise Refused(404, "ParentResourceNotFound", f"{holder.name} is not there any more.")
        sent = operation.data["body"]
        put = Put(cloud=cloud, id=id_, body=sent, before=cloud.body(id_), query={})
        if operation.verb == "put":
            self.check(put)
        keep(cloud, id_, self.type, self.built(put))

    def seed(self, cloud: Cloud, body: Body) -> Body:
        properties = {key: value for key, value in body["properties"].items() if key != "provisioningState"}
        return {**body, "id": shown_id(resource_id(str(body["id"]))), "properties": properties}


def removes(type_: str) -> None:
    """POST `remove` does what DELETE does."""

    @action(type_, "remove")
    def remove(call: Call) -> Response:
        kind: RecoveryType = call.cloud.type_of(call.id)
        return kind.delete(call)


class Shown(RecoveryType):
    """What the service shows, and no client writes: the API has no method for it but GET."""

    def put(self, call: Call) -> Response:
        raise self.not_allowed(call.request.method)

    patch = put
    delete = put


def keep(cloud: Cloud, id_: ResourceId, type_: str, properties: Body) -> None:
    """Write an object of Site Recovery."""
    cloud.write(id_, {"id": shown_id(id_), "name": id_.name, "type": type_, "properties": properties}, forwards=False)


_FROM_ELSEWHERE = re.compile(r"HyperV|InMage|VMware|Vmm|San", re.IGNORECASE)
"""How the instanceTypes of other providers begin."""


def must_be_ours(details: Body, ours: str = "A2A") -> None:
    """Refused where a request says that it is for machines from elsewhere (Hyper-V, VMware, physical)."""
    kind = details.get("instanceType")
    if kind is None or kind == ours:
        return
    if not isinstance(kind, str) or not _FROM_ELSEWHERE.match(kind):
        raise bad_request("InvalidParameter", f"The instanceType is {ours}, not '{kind}'.", "instanceType")
    raise not_implemented(f"the provider of instanceType {kind}: it replicates Azure to Azure, instanceType {ours}")


def must_be_of_azure(text: object, name: str) -> None:
    """Refused where the other side of machines from elsewhere is meant: `Microsoft Azure`, in the place of an id."""
    if text == "Microsoft Azure":
        raise not_implemented(f"the {name} 'Microsoft Azure', where machines from elsewhere go: name a region's own")


def must_find(cloud: Cloud, text: object, what: str) -> ResourceId:
    """The object that a request refers to, in the lab's spelling; refused where it is not there."""
    try:
        body = cloud.body(resource_id(str(text)))
    except InputError:
        body = None
    if body is None:
        raise bad_request("InvalidParameter", f"The {what} {quoted(text)} was not found.", what)
    return resource_id(str(body["id"]))


def must_find_child(cloud: Cloud, parent: ResourceId, kind: str, name: object) -> ResourceId:
    """What a request calls by its name alone; refused where there is none of this name, or no name could be so."""
    if not isinstance(name, str) or not name or "/" in name:
        raise bad_request("InvalidParameter", f"{quoted(name)} is no name of one of the {kind}.")
    child = parent.child(kind, name)
    body = cloud.body(child)
    if body is None:
        raise child_not_found(child)
    return resource_id(str(body["id"]))


def fabric_location(cloud: Cloud, fabric: ResourceId) -> str:
    """The region that a fabric stands for (S1)."""
    details = ((cloud.body(fabric) or {}).get("properties") or {}).get("customDetails") or {}
    return str(details.get("location") or "")


def affected_fabric(cloud: Cloud, fabric: ResourceId, name: str) -> Body:
    """How a job tells of the fabric that it was in (recorded)."""
    return {
        "primaryVmmId": cloud.guid("fabric", fabric.key),
        "primaryVmmName": name,
        "primaryFabricProviderId": "Azure",
    }


def fabric_of(id_: ResourceId) -> ResourceId:
    """The fabric that a container, an item or a mapping lies under."""
    while len(id_.pairs) > 2:
        parent = id_.parent
        assert parent is not None
        id_ = parent
    return id_


def objects(value: object, name: str) -> list[Body]:
    """A list of objects in a request; none where it says nothing. Refused where it is something else."""
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise bad_request("InvalidRequestContent", f"{name} is a list of objects.", name)
    return found


def object_(value: object, name: str) -> Body:
    """An object in a request; empty where it says nothing. Refused where it is something else."""
    found = {} if value is None else value
    if not isinstance(found, dict):
        raise bad_request("InvalidRequestContent", f"{name} is an object.", name)
    return found


def first(properties: Body, *names: str) -> Any:
    """The first of these that a request has said."""
    return next((properties[name] for name in names if properties.get(name) is not None), None)
