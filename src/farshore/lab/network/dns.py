"""Microsoft.Network/privateDnsZones and dnsZones: names, their records, and the networks that ask for them.

    zones, links   of no region: `global`. A PUT of a private zone or of a link is answered 202 with an empty object
                   and both addresses, which lie in the group (recorded)
    record sets    at once; a zone has its SOA from the beginning
    etags          a bare GUID, unlike the rest of Microsoft.Network, and each resource's own
    If-Match       what does not hold fails the operation of a zone or link, though its PUT was accepted; a record set
                   is refused at once, by an error that stands outermost

No name is looked up here: the records are kept and shown (`docs/lab-fidelity.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import operations, registry
from farshore.lab.answers import Refused, not_found
from farshore.lab.call import Call
from farshore.lab.merging import merged
from farshore.lab.network.references import only_ids
from farshore.lab.paging import page
from farshore.lab.patterns import PRIVATE_DNS, RESOURCES, Pattern
from farshore.lab.registry import completion, resource_type, view
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

PRIVATE, PUBLIC = "Microsoft.Network/privateDnsZones", "Microsoft.Network/dnsZones"
LINKS = f"{PRIVATE}/virtualNetworkLinks"
RECORDS: Mapping[str, tuple[str, Any]] = {
    "A": ("aRecords", []),
    "AAAA": ("aaaaRecords", []),
    "CNAME": ("cnameRecord", None),
    "MX": ("mxRecords", []),
    "PTR": ("ptrRecords", []),
    "SOA": ("soaRecord", None),
    "SRV": ("srvRecords", []),
    "TXT": ("txtRecords", []),
}
"""Kind of record to the property that holds them, and what that is where there is none."""
SOA: Body = {
    "email": "azureprivatedns-host.microsoft.com",
    "expireTime": 2419200,
    "host": "azureprivatedns.net",
    "minimumTtl": 10,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}
MOST = {
    "maxNumberOfRecordSets": 25000,
    "maxNumberOfVirtualNetworkLinks": 1000,
    "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
}


class Named(ResourceType):
    """What all of them are: kept and shown."""

    shape_only = True
    pattern: ClassVar[Pattern] = PRIVATE_DNS
    patches = True
    everywhere = True
    read_only = ("provisioningState",)

    def on_put(self, put: Put) -> Body:
        return only_ids(self.standard(put))

    def lock(self, cloud: Cloud, id_: ResourceId) -> ResourceId:
        return id_

    def called(self, id_: ResourceId) -> str:
        """What an error calls it (recorded)."""
        return f"Zone {id_.name}"

    def check_conditions(self, call: Call, before: Body | None) -> None:
        if call.headers.get("if-none-match") == "*" and before is not None:
            raise Unmet(f"The {self.called(call.id)} exists already and hence cannot be created again.")
        match = call.headers.get("if-match")
        if match is not None and match not in (() if before is None else ("*", *_forms(call.cloud, call.id))):
            raise Unmet(f"The {self.called(call.id)} has been modified (etag mismatch).")

    def write(self, call: Call, body: Body) -> Response:
        try:
            return super().write(call, body)
        except Unmet as unmet:
            if self.pattern is not PRIVATE_DNS:
                raise
            id_ = self.full_id(call)
            operation = self.begin(call, id_, "condition", created=False, data=unmet.message)
            found = operations.headers(operation, self.pattern.put_headers, call.base)
            return Response(status=202, headers=found, body={})

    def first_answer(self, put: Put) -> Body | None:
        return {}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return {**body, "etag": _forms(cloud, id_)[0]}


class Bare(Refused):
    """An error that is the whole body, not inside another (recorded)."""

    def response(self) -> Response:
        return Response(status=self.status, body={"code": self.code, "message": self.message})


class Unmet(Bare):
    """A condition that does not hold."""

    def __init__(self, message: str) -> None:
        super().__init__(412, "PreconditionFailed", message)


def _forms(cloud: Cloud, id_: ResourceId) -> tuple[str, str, str]:
    """A resource's own etag: as it is shown, and as the rest of Microsoft.Network writes one."""
    bare = cloud.guid("etag", id_.key, cloud.bodies.rev(id_.key))
    return bare, f'"{bare}"', f'W/"{bare}"'


@completion(PRIVATE, "condition")
@completion(LINKS, "condition")
def _unmet(cloud: Cloud, operation: Operation) -> None:
    raise Unmet(str(operation.data))


@resource_type(PRIVATE)
class PrivateZones(Named):
    def after_put(self, put: Put) -> None:
        soa = put.id.child("SOA", "@")
        if not put.cloud.exists(soa):
            own = Put(cloud=put.cloud, id=soa, body={"properties": {"ttl": 3600}}, before=None, query={})
            put.cloud.type_of(soa).keep(own, "Succeeded")

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        links = cloud.children(id_, "virtualNetworkLinks")
        if links:
            named = ", ".join(f"'{PRIVATE}/{id_.name}/virtualNetworkLinks/{link['name']}'" for link in links)
            said = (
                "Cannot delete resource while nested resources exist. "
                f"Some existing nested resource IDs include: {named}. "
                "Please delete all nested resources before deleting this resource."
            )
            raise Refused(409, "CannotDeleteResource", said)
        super().on_delete(cloud, id_)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        records = sum(len(cloud.children(id_, kind)) for kind in RECORDS)
        links = cloud.children(id_, "virtualNetworkLinks")
        registering = [link for link in links if link["properties"].get("registrationEnabled")]
        counted = {
            **MOST,
            "numberOfRecordSets": records,
            "numberOfVirtualNetworkLinks": len(links),
            "numberOfVirtualNetworkLinksWithRegistration": len(registering),
        }
        return super().show(cloud, id_, {**body, "properties": {**counted, **body["properties"]}}, query)


@resource_type(LINKS)
class Links(Named):
    def get(self, call: Call) -> Response:
        if not call.cloud.exists(call.id):
            raise not_found(call.id)
        return super().get(call)

    def called(self, id_: ResourceId) -> str:
        zone = id_.parent
        assert zone is not None
        return f"Virtual Network link {id_.name} for the Private DNS zone {zone.name}"

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = {"registrationEnabled": False, **body["properties"]}
        return {**body, "properties": {**properties, "virtualNetworkLinkState": "InProgress"}}

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        body = cloud.body(id_)
        if body is not None:
            done = {**body["properties"], "virtualNetworkLinkState": "Completed"}
            cloud.write(id_, {**body, "properties": done})


@resource_type(PUBLIC)
class PublicZones(Named):
    pattern = RESOURCES


class RecordSets(Named):
    tracked = False
    pattern = RESOURCES
    holds: ClassVar[tuple[str, Any]]
    private: ClassVar[bool]

    def called(self, id_: ResourceId) -> str:
        return f"Record set {id_.name}"

    def get(self, call: Call) -> Response:
        id_ = call.id
        if not call.cloud.exists(id_) and id_.parent is not None and call.cloud.exists(id_.parent):
            where = f"in resource group '{id_.resource_group}' of subscription '{id_.subscription}'"
            raise Bare(404, "NotFound", f"The resource record '{id_.name}' does not exist {where}.")
        return super().get(call)

    def patch(self, call: Call) -> Response:
        return self.write(call, merged(call.must_exist(), call.object()))

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        zone = put.id.parent
        assert zone is not None
        name, nothing = self.holds
        full = zone.name if put.id.name == "@" else f"{put.id.name}.{zone.name}"
        shown: Body = {"fqdn": f"{full}.", "ttl": 3600}
        if nothing is not None:
            shown[name] = nothing
        elif name == "soaRecord":
            shown[name] = SOA
        if self.private:
            shown["isAutoRegistered"] = False
        return {**body, "properties": {**shown, **body["properties"]}}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = dict(body["properties"])
        if self.private:
            properties.pop("provisioningState", None)
        return super().show(cloud, id_, {**body, "properties": properties}, query)


def _register() -> None:
    for zone in (PRIVATE, PUBLIC):
        for kind, holds in RECORDS.items():
            name = f"{zone}/{kind}"
            parts = {"__doc__": f"{name}: shape only.", "holds": holds, "private": zone == PRIVATE}
            resource_type(name)(type("Records", (RecordSets,), parts))


_register()


def _all(call: Call) -> Response:
    """The record sets of every kind."""
    call.must_exist()
    rows: list[Body] = []
    for kind in RECORDS:
        type_ = registry.TYPES[f"{call.id.type}/{kind}".lower()]
        rows += type_.rows(call, list(call.cloud.children(call.id, kind)))
    return page(call, rows)


view(PRIVATE, "ALL")(_all)
view(PUBLIC, "all")(lambda call: _all(call))
view(PUBLIC, "recordsets")(lambda call: _all(call))
