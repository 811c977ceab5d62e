"""Microsoft.Network/privateDnsZones and dnsZones: names, their records, and the networks that ask for them.

    zones, links   of no region: `global`. A PUT of a private zone or of a link is answered 202 with an empty object
                   and both addresses, which lie in the group (recorded)
    record sets    at once; a zone has its SOA from the beginning, a public one its NS too
    public zones   at once, too; only a deletion takes time. Ids and types are spelled `dnszones`, and records `TTL`,
                   `ARecords` where private ones are spelled `ttl`, `aRecords` (recorded)
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
from farshore.arm.json import Body, dumps
from farshore.lab import operations, registry
from farshore.lab.answers import Refused, not_found
from farshore.lab.call import Call
from farshore.lab.merging import merged
from farshore.lab.network.references import only_ids
from farshore.lab.paging import page
from farshore.lab.patterns import PRIVATE_DNS, PUBLIC_DNS, RESOURCES, Pattern
from farshore.lab.registry import completion, resource_type, view
from farshore.lab.types import Put, ResourceType

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

PRIVATE, PUBLIC = "Microsoft.Network/privateDnsZones", "Microsoft.Network/dnsZones"
LINKS = f"{PRIVATE}/virtualNetworkLinks"
RECORDS: Mapping[str, Mapping[str, tuple[str, Any]]] = {
    PRIVATE: {
        "A": ("aRecords", []),
        "AAAA": ("aaaaRecords", []),
        "CNAME": ("cnameRecord", None),
        "MX": ("mxRecords", []),
        "PTR": ("ptrRecords", []),
        "SOA": ("soaRecord", None),
        "SRV": ("srvRecords", []),
        "TXT": ("txtRecords", []),
    },
    PUBLIC: {
        "A": ("ARecords", []),
        "AAAA": ("AAAARecords", []),
        "CAA": ("caaRecords", []),
        "CNAME": ("CNAMERecord", None),
        "DS": ("DSRecords", []),
        "MX": ("MXRecords", []),
        "NAPTR": ("NAPTRRecords", []),
        "NS": ("NSRecords", []),
        "PTR": ("PTRRecords", []),
        "SOA": ("SOARecord", None),
        "SRV": ("SRVRecords", []),
        "TLSA": ("TLSARecords", []),
        "TXT": ("TXTRecords", []),
    },
}
"""Of a zone's type: kind of record to the property that holds them, and what that is where there is none."""
SOA: Body = {
    "email": "azureprivatedns-host.microsoft.com",
    "expireTime": 2419200,
    "host": "azureprivatedns.net",
    "minimumTtl": 10,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}
PUBLIC_SOA: Body = {
    "email": "azuredns-hostmaster.microsoft.com",
    "expireTime": 2419200,
    "minimumTTL": 300,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}
SERVERS = (
    *("ns1-{:02d}.azure-dns.com.", "ns2-{:02d}.azure-dns.net.", "ns3-{:02d}.azure-dns.org."),
    "ns4-{:02d}.azure-dns.info.",
)
NS_TTL = 172800
MOST = {
    "maxNumberOfRecordSets": 25000,
    "maxNumberOfVirtualNetworkLinks": 1000,
    "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
}


COUNTED = ("numberOfRecordSets", "numberOfVirtualNetworkLinks", "numberOfVirtualNetworkLinksWithRegistration")


class Named(ResourceType):
    """What all of them are: kept and shown."""

    shape_only = True
    pattern: ClassVar[Pattern] = PRIVATE_DNS
    patches = True
    everywhere = True
    read_only = ("provisioningState", "nameServers", *MOST, *COUNTED)

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
        return {} if self.pattern is PRIVATE_DNS else super().first_answer(put)

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
    """A resource's own etag: as it is shown, and as the rest of Microsoft.Network writes one. A zone's stays what it is
    whatever its records become (recorded), so it is made of what the zone was told itself."""
    bare = cloud.guid("etag", id_.key, cloud.bodies.rev(id_.key) if id_.parent else dumps(cloud.body(id_)))
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
        records = sum(len(cloud.children(id_, kind)) for kind in RECORDS[PRIVATE])
        links = cloud.children(id_, "virtualNetworkLinks")
        registering = [link for link in links if link["properties"].get("registrationEnabled")]
        counted = dict(zip(COUNTED, (records, len(links), len(registering)), strict=True))
        return super().show(cloud, id_, {**body, "properties": {**MOST, **body["properties"], **counted}}, query)


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
    pattern = PUBLIC_DNS

    def after_put(self, put: Put) -> None:
        servers = _servers(put.cloud, put.id)
        own: Mapping[str, Body] = {
            "NS": {"TTL": NS_TTL, "NSRecords": [{"nsdname": server} for server in servers]},
            "SOA": {"TTL": 3600, "SOARecord": {**PUBLIC_SOA, "host": servers[0]}},
        }
        for kind, properties in own.items():
            id_ = put.id.child(kind, "@")
            if not put.cloud.exists(id_):
                made = Put(cloud=put.cloud, id=id_, body={"properties": properties}, before=None, query={})
                put.cloud.type_of(id_).keep(made, "Succeeded")

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        own = {
            "maxNumberOfRecordSets": 10000,
            "maxNumberOfRecordsPerRecordSet": None,
            "nameServers": _servers(cloud, id_),
            "zoneType": "Public",
        }
        kept = {key: value for key, value in body["properties"].items() if key != "provisioningState"}
        records = sum(len(cloud.children(id_, kind)) for kind in RECORDS[PUBLIC])
        properties = {**own, **kept, "numberOfRecordSets": records}
        whole = {**body, "tags": body.get("tags") or {}, "properties": properties}
        return _in_lower_case(super().show(cloud, id_, whole, query))


def _servers(cloud: Cloud, zone: ResourceId) -> list[str]:
    place = 1 + int(cloud.chance("dns", zone.key) * 9)
    return [server.format(place) for server in SERVERS]


def _in_lower_case(body: Body) -> Body:
    """With the type of the zone as Azure spells it when it shows one (recorded)."""
    theirs, ours = f"/{PUBLIC}".lower(), f"/{PUBLIC}"
    theirs = theirs.replace("microsoft.network", "Microsoft.Network")
    return {**body, "id": str(body["id"]).replace(ours, theirs), "type": f"/{body['type']}".replace(ours, theirs)[1:]}


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
        """However a client spells what it sends, it is shown in Azure's own spelling."""
        body = super().on_put(put)
        spelled = {key.lower(): key for key in self._unasked(put.id)} | {self.holds[0].lower(): self.holds[0]}
        sent = {spelled.get(key.lower(), key): value for key, value in body["properties"].items()}
        return {**body, "properties": sent}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = {**body, "properties": {**self._unasked(id_), **body["properties"]}}
        if not self.private:
            return _in_lower_case(super().show(cloud, id_, body, query))
        properties = {key: value for key, value in body["properties"].items() if key != "provisioningState"}
        return super().show(cloud, id_, {**body, "properties": properties}, query)

    def _unasked(self, id_: ResourceId) -> Body:
        """What is shown of a record set whoever made it."""
        zone = id_.parent
        assert zone is not None
        name, nothing = self.holds
        full = zone.name if id_.name == "@" else f"{id_.name}.{zone.name}"
        shown: Body = {"fqdn": f"{full}.", "ttl" if self.private else "TTL": 3600}
        if nothing is not None:
            shown[name] = nothing
        elif name == "soaRecord":
            shown[name] = SOA
        more: Body = {"isAutoRegistered": False} if self.private else {"targetResource": {}}
        return {**shown, **more}


def _register() -> None:
    for zone, kinds in RECORDS.items():
        for kind, holds in kinds.items():
            name = f"{zone}/{kind}"
            parts = {"__doc__": f"{name}: shape only.", "holds": holds, "private": zone == PRIVATE}
            resource_type(name)(type("Records", (RecordSets,), parts))


_register()


def _all(call: Call) -> Response:
    """The record sets of every kind, by name."""
    call.must_exist()
    rows: list[Body] = []
    for kind in RECORDS[PRIVATE if call.id.type.lower() == PRIVATE.lower() else PUBLIC]:
        type_ = registry.TYPES[f"{call.id.type}/{kind}".lower()]
        rows += type_.rows(call, list(call.cloud.children(call.id, kind)))
    return page(call, sorted(rows, key=lambda row: str(row["name"])))


view(PRIVATE, "ALL")(_all)
view(PUBLIC, "all")(lambda call: _all(call))
view(PUBLIC, "recordsets")(lambda call: _all(call))
