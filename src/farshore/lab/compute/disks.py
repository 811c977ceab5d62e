"""Microsoft.Compute/disks and snapshots: bytes with a name.

A disk is as long as its `diskSizeGB` says and keeps its bytes in a volume of the write log. `creationData` says what
it starts with: nothing (`Empty`, `Upload`), an installed system (`FromImage`), or what another disk or snapshot holds
at that moment (`Copy`, `Restore`). A snapshot is a disk that nobody can attach.

`managedBy` names the machine that has a disk; machines set it (`attach`, `detach`) and a disk in use can't be deleted.
With `maxShares` several machines may have one disk: `managedBy` is the first of them, `managedByExtended` all; it is
written to while one of them runs, at the rate of the one that came first.

`beginGetAccess` lends a URL that reads the bytes (`lab/storage/disk_urls.py`); `endGetAccess` takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute import disk_bodies
from farshore.lab.merging import merged
from farshore.lab.patterns import DISKS as DISK_PATTERN
from farshore.lab.registry import action, completion, resource_type
from farshore.lab.storage import disk_urls, volumes
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

DISKS = "Microsoft.Compute/disks"
SNAPSHOTS = "Microsoft.Compute/snapshots"
GIB = 1 << 30
DEFAULT_SIZE_GB = 4
"""Of a disk that says nothing of its size: the lab's choice."""
MOST_GB, MOST_SHARES = 65536, 10
"""The lab's own limits: what Azure takes depends on a disk's kind and size."""
HOLDERS = ("managedBy", "managedByExtended")
STARTS_EMPTY = ("empty", "upload", "uploadpreparedsecure", "attach", "import")
STARTS_AS_COPY = ("copy", "restore", "copystart")


class _Bytes(ResourceType):
    """What disks and snapshots have in common."""

    pattern = DISK_PATTERN
    patches = True
    put_takes = "disks.put"
    delete_takes = "disks.delete"
    read_only = ("provisioningState", "timeCreated", "uniqueId", "diskSizeBytes", "diskState")

    def validate(self, put: Put) -> None:
        option = str((put.properties.get("creationData") or {}).get("createOption") or "")
        if put.created and not option:
            raise bad_request(
                "InvalidParameter", "Required parameter 'creationData' is missing (null).", "creationData"
            )
        size = put.properties.get("diskSizeGB")
        if size is not None and not 0 < size <= MOST_GB:
            raise bad_request("InvalidParameter", f"The value {size} of parameter diskSizeGB is invalid.", "diskSizeGB")
        before = put.before_properties.get("diskSizeGB")
        if before is not None and size is not None and size < before:
            raise bad_request("OperationNotAllowed", f"Disk {put.id.name} can't shrink from {before} GB to {size} GB.")
        if put.created and option.lower() in STARTS_AS_COPY and self._source(put.cloud, put.body) is None:
            raise Refused(404, "NotFound", f"The source of disk {put.id.name} was not found.")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        properties = {**put.before_properties, **body["properties"]}
        if put.created:
            source = self._source(put.cloud, put.body)
            size = properties.get("diskSizeGB") or self._source_size(put.cloud, source) or DEFAULT_SIZE_GB
            properties |= {
                "diskSizeGB": size,
                "timeCreated": stamp(put.cloud.now),
                "uniqueId": put.cloud.guid("disk", put.id.key, put.cloud.count("disk", put.id.key)),
            }
            if source is not None:
                properties["creationData"] = disk_bodies.origin(properties["creationData"], put.cloud.body(source))
        elif "creationData" in put.before_properties:
            properties["creationData"] = put.before_properties["creationData"]
        body["sku"] = {**(body.get("sku") or {"name": "Standard_LRS"})}
        body["sku"]["tier"] = _tier(str(body["sku"].get("name")))
        kind = str(body["sku"].get("name"))
        if properties["diskSizeGB"] != put.before_properties.get("diskSizeGB") or kind != _kind(put.before):
            properties = disk_bodies.chosen(properties, kind)
            if put.properties.get("tier") == put.before_properties.get("tier"):
                properties.pop("tier", None)
        body["properties"] = {**put.unasked(self.unasked(properties, kind)), **properties}
        for name in HOLDERS:
            body.pop(name, None)
            if put.before is not None and name in put.before:
                body[name] = put.before[name]
        make_volume(put.cloud, body, self._source(put.cloud, put.body))
        return body

    def patch(self, call: Call) -> Response:
        """Takes its time whatever it changes, tags too (recorded)."""
        body, sent = call.must_exist(), call.object()
        tags = {"tags": sent["tags"]} if "tags" in sent else {}
        response = self.write(call, {**merged(body, sent), **tags})
        return replace(response, body=self._ordered(call.cloud, call.id, sent, call.query, patched=True))

    def first_answer(self, put: Put) -> Body | None:
        return self._ordered(put.cloud, put.id, put.body, put.query, patched=False)

    def _ordered(self, cloud: Cloud, id_: ResourceId, sent: Body, query: Mapping[str, str], *, patched: bool) -> Body:
        kept, version = cloud.body(id_) or {}, query.get("api-version", "")[:10]
        return disk_bodies.ordered(kept, sent, patched=patched, named=self.type == DISKS, version=version)

    def unasked(self, properties: Body, sku: str) -> Body:
        """What is shown though nobody wrote it."""
        return disk_bodies.open_to_all()

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = dict(body.get("properties") or {})
        state = "Unattached" if not body.get("managedBy") else "Attached" if _runs(cloud, body) else "Reserved"
        properties["diskState"] = "ActiveSAS" if disk_urls.lent(cloud, id_) else state
        properties["diskSizeBytes"] = int(properties.get("diskSizeGB") or 0) * GIB
        return {**body, "properties": properties}

    def seed(self, cloud: Cloud, body: Body) -> Body:
        properties = {"provisioningState": "Succeeded", **(body.get("properties") or {})}
        properties.setdefault("diskSizeGB", DEFAULT_SIZE_GB)
        body = {**body, "properties": properties}
        make_volume(cloud, body, None, seeded=True)
        return body

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_) or {}
        if body.get("managedBy"):
            raise Refused(
                409, "OperationNotAllowed", f"Disk {id_.name} is attached to VM {body['managedBy']}. Please detach it."
            )
        if disk_urls.lent(cloud, id_):
            raise Refused(409, "OperationNotAllowed", f"Disk {id_.name} has an active shared access signature (SAS).")

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        volumes.forget(cloud, id_.text)

    def _source(self, cloud: Cloud, body: Body) -> ResourceId | None:
        data = (body.get("properties") or {}).get("creationData") or {}
        if str(data.get("createOption") or "").lower() not in STARTS_AS_COPY:
            return None
        try:
            source = resource_id(str(data.get("sourceResourceId") or data.get("sourceUri") or ""))
        except InputError:
            return None
        return source if cloud.exists(source) else None

    def _source_size(self, cloud: Cloud, source: ResourceId | None) -> int | None:
        body = None if source is None else cloud.body(source)
        return None if body is None else (body.get("properties") or {}).get("diskSizeGB")


@resource_type(DISKS)
class Disks(_Bytes):
    def validate(self, put: Put) -> None:
        super().validate(put)
        shares, had = put.properties.get("maxShares"), holders(put.before or {})
        if shares is None:
            return
        if isinstance(shares, bool) or not isinstance(shares, int) or not 1 <= shares <= MOST_SHARES:
            raise bad_request("InvalidParameter", f"The value {shares} of parameter maxShares is invalid.", "maxShares")
        if had and shares != put.before_properties.get("maxShares", 1):
            # No page names the code for a change while it is attached: Compute's own for what is in use.
            raise Refused(
                409, "OperationNotAllowed", f"maxShares of disk {put.id.name} can't be changed while it is attached."
            )

    def unasked(self, properties: Body, sku: str) -> Body:
        size = int(properties.get("diskSizeGB") or DEFAULT_SIZE_GB)
        return {**disk_bodies.speed(sku, size), **disk_bodies.tier(sku, size), **super().unasked(properties, sku)}


@resource_type(SNAPSHOTS)
class Snapshots(_Bytes):
    def unasked(self, properties: Body, sku: str) -> Body:
        return {"incremental": False, **super().unasked(properties, sku)}


def _kind(body: Body | None) -> str | None:
    return ((body or {}).get("sku") or {}).get("name")


def _tier(name: str) -> str:
    """The tier that Azure shows of a disk's kind: `StandardSSD_LRS` is Standard, `PremiumV2_LRS` Premium."""
    return next((tier for tier in ("Standard", "Premium", "Ultra") if name.startswith(tier)), "Standard")


def make_volume(cloud: Cloud, body: Body, source: ResourceId | None, *, seeded: bool = False) -> int:
    """The volume of a disk's body, made as its `creationData` says if it is not there yet."""
    properties = body.get("properties") or {}
    size = int(properties.get("diskSizeGB") or DEFAULT_SIZE_GB) * GIB
    name = str(body["id"])
    parent = None if source is None else volumes.volume_of(cloud, source.text)
    if parent is not None and volumes.volume_of(cloud, name) is None:
        return volumes.branch(cloud, name, parent, volumes.log(cloud).last_sequence, size)
    option = str((properties.get("creationData") or {}).get("createOption") or "").lower()
    system = bool(properties.get("osType")) or option == "fromimage"
    image = "image:os" if system else "image:data" if seeded or option not in STARTS_EMPTY else None
    return volumes.ensure(cloud, name, size, image)


def attach(cloud: Cloud, disk: ResourceId, vm: ResourceId) -> None:
    """The disk belongs to this machine: to it alone, unless it is shared."""
    body = cloud.body(disk)
    if body is None or vm.key in (text.lower() for text in holders(body)):
        return
    _hold(cloud, disk, body, [*(holders(body) if shares_of(body) > 1 else ()), vm.text])


def detach(cloud: Cloud, disk: ResourceId, vm: ResourceId) -> None:
    """The disk does not belong to this machine any more."""
    body = cloud.body(disk)
    if body is None:
        return
    left = [text for text in holders(body) if text.lower() != vm.key]
    if len(left) < len(holders(body)):
        _hold(cloud, disk, body, left)


def holders(body: Body) -> list[str]:
    """The ids of the machines that have a disk."""
    found = body.get("managedByExtended") or [body.get("managedBy")]
    return [str(text) for text in found if text]


def shares_of(body: Body) -> int:
    """How many machines may have it."""
    return int((body.get("properties") or {}).get("maxShares") or 1)


def _hold(cloud: Cloud, disk: ResourceId, body: Body, machines: list[str]) -> None:
    kept = {key: value for key, value in body.items() if key not in HOLDERS}
    if machines:
        kept["managedBy"] = machines[0]
        if shares_of(body) > 1:
            kept["managedByExtended"] = machines
    cloud.write(disk, kept)


def _runs(cloud: Cloud, body: Body) -> bool:
    number = volumes.volume_of(cloud, str(body["id"]))
    return number is not None and volumes.log(cloud).writing(number)


def _begin_get_access(call: Call) -> Response:
    call.must_exist()
    sent = call.body if isinstance(call.body, dict) else {}
    if str(sent.get("access") or "").lower() not in ("read", "write"):
        raise bad_request("InvalidParameter", "The value of parameter access is invalid.", "access")
    seconds = sent.get("durationInSeconds", 3600)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= 2**32:
        raise bad_request("InvalidParameter", "The value of parameter durationInSeconds is invalid.")
    data = {"base": call.base, "seconds": seconds}
    return call.accept("beginGetAccess", duration="disks.access", data=data)


def _lend(cloud: Cloud, operation: Operation) -> Body:
    id_ = operation.resource_id
    if not cloud.exists(id_):
        raise Refused(404, "NotFound", f"Disk {id_.name} was not found.")
    return {"accessSAS": disk_urls.lend(cloud, id_, **operation.data)}


def _end_get_access(call: Call) -> Response:
    call.must_exist()
    return call.accept("endGetAccess", duration="disks.access")


def _take_back(cloud: Cloud, operation: Operation) -> None:
    disk_urls.take_back(cloud, operation.resource_id)


for _type in (DISKS, SNAPSHOTS):
    action(_type, "beginGetAccess")(_begin_get_access)
    action(_type, "endGetAccess")(_end_get_access)
    completion(_type, "beginGetAccess")(_lend)
    completion(_type, "endGetAccess")(_take_back)
