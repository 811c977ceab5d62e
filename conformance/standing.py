"""Resources that a recording needs and never makes.

What it reads before it makes it is seeded by a PUT of the body it read, minus read-only properties; where the lab
takes no such PUT (Site Recovery's objects, a machine with disks of its own) the estate's door is used. What a request
only refers to (the NIC of a machine, the network of a mapping) is a stand-in: the least that such a resource can be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from conformance.recordings import Row, found_there, id_of
from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId
from farshore.lab import Cloud, registry

READ_ONLY = frozenset(
    ("etag", "id", "name", "type", "provisioningState", "resourceGuid", "systemData", "creationTime", "timeCreated")
)
TELLING = ("microsoft.compute/virtualmachines", "microsoft.network/networkinterfaces")
"""Types whose location says most about what stands beside them."""


class Standing:
    """Sees to it that what a row needs is there. `seeded` holds the keys of what no row has read since."""

    def __init__(self, cloud: Cloud, rows: list[Row], drive: Callable[[Response], None]) -> None:
        self._cloud = cloud
        self._drive = drive
        once = frozenset(name for name, kind in registry.TYPES.items() if kind.pattern.put_created == 200)
        self._found = found_there(rows, once)
        self._where = _locations(rows)
        self._made: set[str] = set()
        self._known: dict[str, dict[str, Any]] = {}
        """Stand-ins of which something is known."""
        self.seeded: set[str] = set()

    def before(self, row: Row, now: datetime) -> None:
        """Seed what the row's path and body refer to."""
        if row.is_poll:
            return
        own = row.id
        for id_ in _named_in(row):
            # A group that the row makes, or asks for in vain, is not there.
            if not (id_ == own and id_ == id_.group_id and (row.status == 201 or row.status >= 400)):
                self._group(id_, now)
        if row.status >= 400:
            return
        made = _made_by_template(row.request_body)
        for id_ in _named_in(row):
            inside = own is not None and id_.key.startswith(own.key + "/")
            if _is_made(id_, made):
                continue
            if own is not None and id_ == own and row.method in ("PUT", "DELETE", "PATCH", "POST"):
                if id_.key in self._found:
                    self._seed(id_, now)
            elif not inside:
                self._seed(id_, now)
        if row.is_list:
            for item in row.body["value"]:
                found = id_of(str(item.get("id") or "")) if isinstance(item, dict) else None
                if found is not None and found.key in self._found:
                    self._seed(found, now)

    def after(self, row: Row) -> None:
        """What a row has written needs no seed."""
        if row.method in ("PUT", "PATCH", "DELETE") and row.id is not None and row.status < 400:
            self._made.add(row.id.key)

    def _seed(self, id_: ResourceId, now: datetime) -> None:
        cloud = self._cloud
        if id_.key in self._made or cloud.exists(id_) or id_.type.lower() not in registry.TYPES:
            return
        self._made.add(id_.key)
        self._group(id_, now)
        if id_.parent is not None:
            self._seed(id_.parent, now)
            if cloud.exists(id_):
                return
        known = self._found.get(id_.key)
        body = known or self._known.get(id_.key) or _stand_in(id_, self._location(id_))
        if body is None:
            return
        self._disks(body)
        for other in ids_in(body):
            if other != id_ and not other.key.startswith(id_.key + "/"):
                self._seed(other, now)
        if known is not None:
            self.seeded.add(id_.key)
        self._put(id_, body, now)

    def _disks(self, body: dict[str, Any]) -> None:
        """A machine's body tells how large its disks are and of which kind."""
        storage = (body.get("properties") or {}).get("storageProfile") or {}
        for disk in [storage.get("osDisk"), *(storage.get("dataDisks") or [])]:
            managed = (disk or {}).get("managedDisk") or {}
            id_ = id_of(str(managed.get("id") or ""))
            if id_ is None or id_.key in self._found:
                continue
            made = _disk(id_, self._location(id_))
            made["sku"] = {"name": managed.get("storageAccountType") or "Standard_LRS"}
            made["properties"]["diskSizeGB"] = disk.get("diskSizeGB") or 30
            self._known[id_.key] = made

    def _put(self, id_: ResourceId, body: dict[str, Any], now: datetime) -> None:
        cloud = self._cloud
        if "/vaults/" in id_.key:
            # A PUT of Site Recovery's says other things than its GET.
            cloud.seed([{**body, "id": id_.text, "name": id_.name, "type": id_.type}])
            return
        answer = cloud.handle(
            Request(method="PUT", url=f"{id_.text}?api-version=2022-09-01", body=_writable(body)), max(now, cloud.now)
        )
        if answer.status < 300:
            self._drive(answer)
            self._machine(id_, body)
            return
        cloud.seed([{**body, "id": id_.text, "name": id_.name, "type": id_.type}])

    def _machine(self, nic: ResourceId, body: dict[str, Any]) -> None:
        """A NIC that belongs to a machine stands for it too, where nothing else is known of that."""
        machine = id_of(str(((body.get("properties") or {}).get("virtualMachine") or {}).get("id") or ""))
        if machine is None or machine.key in self._found or self._cloud.exists(machine):
            return
        self._cloud.seed([machine_of(nic, machine, str(body.get("location") or self._location(nic)))])

    def _group(self, id_: ResourceId, now: datetime) -> None:
        group = id_.group_id
        if group is None or self._cloud.exists(group):
            return
        body = self._found.get(group.key) or {}
        if body:
            self.seeded.add(group.key)
        sent = {"location": body.get("location") or self._location(id_), "tags": body.get("tags") or {}}
        self._cloud.handle(
            Request(method="PUT", url=f"{group.text}?api-version=2022-09-01", body=sent), max(now, self._cloud.now)
        )

    def _location(self, id_: ResourceId) -> str:
        group = id_.group_id
        return self._where.get("" if group is None else group.key) or self._where.get("") or "eastus"


def _named_in(row: Row) -> Iterator[ResourceId]:
    """Ids of the path, whole or of what stands before a list, a view or an action, and of the request's body."""
    parts = row.segments
    for length in (len(parts), len(parts) - 1, len(parts) - 2, 4):
        found = id_of("/" + "/".join(parts[:length]))
        if found is not None:
            yield found
    yield from ids_in(row.request_body)


def _made_by_template(body: Any) -> set[tuple[str, str]]:
    """Type and name of what a deployment makes; names as the template has them, perhaps expressions."""
    properties = body.get("properties") if isinstance(body, dict) else None
    template = properties.get("template") if isinstance(properties, dict) else None
    resources = template.get("resources") if isinstance(template, dict) else None
    return {
        (str(item.get("type")).lower(), str(item.get("name")).lower())
        for item in (resources if isinstance(resources, list) else [])
        if isinstance(item, dict)
    }


def _is_made(id_: ResourceId, made: set[tuple[str, str]]) -> bool:
    root = id_.top
    kind = root.type.lower()
    return any(type_ == kind and (name == root.name.lower() or name.startswith("[")) for type_, name in made)


def ids_in(value: Any) -> Iterator[ResourceId]:
    if isinstance(value, dict):
        for item in value.values():
            yield from ids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from ids_in(item)
    elif isinstance(value, str) and (found := id_of(value)) is not None:
        yield found


def _writable(value: Any, depth: int = 0) -> Any:
    """A body without what only the service writes. Names and ids inside are references or children's names; a `type`
    beside neither is a property of that name."""
    if isinstance(value, dict):
        kept = {"id", "name"} if depth > 0 else set()
        if not {"id", "name"} & value.keys():
            kept.add("type")
        return {key: _writable(item, depth + 1) for key, item in value.items() if key not in READ_ONLY or key in kept}
    return [_writable(item, depth + 1) for item in value] if isinstance(value, list) else value


def _locations(rows: list[Row]) -> dict[str, str]:
    """Group's key to the location of what is in it, of machines and networks first; under "" the first one of all."""
    found: dict[str, tuple[int, str]] = {}
    for row in rows:
        bodies = row.body["value"] if row.is_list else [row.body]
        for body in bodies:
            text = body.get("location") if isinstance(body, dict) else None
            id_ = id_of(str(body.get("id") or "")) if isinstance(body, dict) else None
            if not isinstance(text, str) or id_ is None:
                continue
            rank = 0 if id_.type.lower() in TELLING else 2 if id_.group_id == id_ else 1
            for key in ("", *(() if id_.group_id is None else (id_.group_id.key,))):
                if key not in found or rank < found[key][0]:
                    found[key] = (rank, text)
    return {key: text for key, (_, text) in found.items()}


def _stand_in(id_: ResourceId, location: str) -> dict[str, Any] | None:
    """The least body of a resource of which nothing is known."""
    make = _LEAST.get(id_.type.lower())
    return None if make is None else make(id_, location)


def _network(id_: ResourceId, location: str) -> dict[str, Any]:
    """Each network has a range of its own, so that they can be peered."""
    return {"location": location, "properties": {"addressSpace": {"addressPrefixes": [f"10.{_number(id_)}.0.0/16"]}}}


def _number(id_: ResourceId) -> int:
    """50 to 249, by the name."""
    return 50 + int(hashlib.sha256(id_.key.encode()).hexdigest(), 16) % 200


def _subnet(id_: ResourceId, location: str) -> dict[str, Any]:
    """A part of the stand-in for its network."""
    network = id_.parent
    assert network is not None
    return {"properties": {"addressPrefix": f"10.{_number(network)}.{_number(id_)}.0/24"}}


def _interface(id_: ResourceId, location: str) -> dict[str, Any]:
    network = f"/subscriptions/{id_.subscription}/resourceGroups/{id_.resource_group}/providers/Microsoft.Network"
    subnet = {"id": f"{network}/virtualNetworks/stand-in-{location}/subnets/default"}
    item = {"name": "ipconfig1", "properties": {"subnet": subnet, "privateIPAllocationMethod": "Dynamic"}}
    return {"location": location, "properties": {"ipConfigurations": [item]}}


def _disk(id_: ResourceId, location: str) -> dict[str, Any]:
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 30}
    return {"location": location, "sku": {"name": "Standard_LRS"}, "properties": properties}


def _vault(id_: ResourceId, location: str) -> dict[str, Any]:
    return {"location": location, "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}}


def _account(id_: ResourceId, location: str) -> dict[str, Any]:
    return {"location": location, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}


def _table(id_: ResourceId, location: str) -> dict[str, Any]:
    return {"location": location, "properties": {}}


def _gateway(id_: ResourceId, location: str) -> dict[str, Any]:
    """A VPN gateway with a network of its own."""
    network = f"/subscriptions/{id_.subscription}/resourceGroups/{id_.resource_group}/providers/Microsoft.Network"
    subnet = {"id": f"{network}/virtualNetworks/stand-in-{id_.name}/subnets/GatewaySubnet"}
    item = {"name": "default", "properties": {"subnet": subnet, "privateIPAllocationMethod": "Dynamic"}}
    properties = {"gatewayType": "Vpn", "vpnType": "RouteBased", "sku": {"name": "VpnGw1", "tier": "VpnGw1"}}
    return {"location": location, "properties": {**properties, "ipConfigurations": [item]}}


def _local_gateway(id_: ResourceId, location: str) -> dict[str, Any]:
    space = {"addressPrefixes": [f"172.16.{_number(id_)}.0/24"]}
    return {"location": location, "properties": {"gatewayIpAddress": "192.0.2.1", "localNetworkAddressSpace": space}}


def machine_of(nic: ResourceId, machine: ResourceId, location: str) -> dict[str, Any]:
    """The machine that a NIC says it belongs to."""
    return {
        "id": machine.text,
        "name": machine.name,
        "type": machine.type,
        "location": location,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
            "storageProfile": {"dataDisks": []},
            "networkProfile": {"networkInterfaces": [{"id": nic.text}]},
            "provisioningState": "Succeeded",
        },
    }


def _fabric(id_: ResourceId, location: str) -> dict[str, Any]:
    details = {"instanceType": "Azure", "location": location}
    return {"properties": {"friendlyName": id_.name, "customDetails": details}}


def _container(id_: ResourceId, location: str) -> dict[str, Any]:
    return {"properties": {"friendlyName": id_.name, "fabricType": "Azure", "pairingStatus": "Unpaired"}}


def _address(id_: ResourceId, location: str) -> dict[str, Any]:
    return {
        "location": location,
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static"},
    }


_LEAST: dict[str, Callable[[ResourceId, str], dict[str, Any]]] = {
    "microsoft.network/virtualnetworks": _network,
    "microsoft.network/virtualnetworks/subnets": _subnet,
    "microsoft.network/networkinterfaces": _interface,
    "microsoft.network/routetables": _table,
    "microsoft.network/networksecuritygroups": _table,
    "microsoft.network/publicipaddresses": _address,
    "microsoft.network/localnetworkgateways": _local_gateway,
    "microsoft.network/virtualnetworkgateways": _gateway,
    "microsoft.network/virtualwans": _table,
    "microsoft.network/virtualhubs": _table,
    "microsoft.compute/disks": _disk,
    "microsoft.recoveryservices/vaults": _vault,
    "microsoft.recoveryservices/vaults/replicationfabrics": _fabric,
    "microsoft.recoveryservices/vaults/replicationfabrics/replicationprotectioncontainers": _container,
    "microsoft.storage/storageaccounts": _account,
}
