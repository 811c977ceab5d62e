"""Making a machine on the other side: disks of a recovery point, NICs in the right subnets, the machine itself.

A landing is a failover or a test. Names, network, subnets and addresses come from the item (S13), and what it does
not say from the rules of S34 to S36. Site Recovery makes everything at once and in one go; what can't be made (a name
that is taken, a subnet without an address, a network that is not there) fails the whole job, and what had been made
is taken away again.

The machine that lands has no `osProfile` and no image: it was not installed here, its disks were attached (recorded).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import Refused
from farshore.lab.compute import attached
from farshore.lab.compute.attached import NETWORK_INTERFACES, VIRTUAL_MACHINES
from farshore.lab.compute.disks import DISKS, GIB
from farshore.lab.network.references import taken
from farshore.lab.recovery.addresses import Placed, Subnet, failover_address, pick_subnet, test_address
from farshore.lab.recovery.disks import TEST, disks_at
from farshore.lab.recovery.points import Point
from farshore.lab.recovery.records import Record
from farshore.lab.storage import disk_urls, volumes
from farshore.lab.types import make, unmake

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TEST_NIC = "-test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What a landing made."""

    vm: ResourceId
    nics: tuple[ResourceId, ...]
    disks: tuple[Record, ...]
    """For each: `source`, `disk` (id or URL) and `volume`."""


def land(cloud: Cloud, body: Body, record: Record, point: Point, *, network: ResourceId, test: bool) -> Landed:
    """Make the machine of an item as of a recovery point; it is `starting` afterwards. Raises `Refused`."""
    details = body["properties"]["providerSpecificDetails"]
    group = _group(cloud, str(details["recoveryAzureResourceGroupId"]))
    wanted = details["tfoAzureVMName"] if test else details["recoveryAzureVMName"]
    vm = make_id(group.subscription, str(group.resource_group), VIRTUAL_MACHINES, str(wanted))
    location = target_region(body, record)
    if cloud.region_of(network) != location:
        raise Refused(400, "NetworkNotInRegion", f"Network {network.text} is not in the recovery region {location}.")
    made: list[ResourceId] = []
    uris: list[str] = []
    try:
        if cloud.exists(vm):
            raise Refused(409, "VirtualMachineNameInUse", f"A machine named {vm.name} is in {group.name} already.")
        nics = [_nic(cloud, details, nic, group, network, location, test) for nic in details["vmNics"]]
        for nic in nics:
            ours = not cloud.exists(resource_id(str(nic["id"])))
            make(cloud, nic)
            if ours:
                made.append(resource_id(str(nic["id"])))
        disks, held = [], disks_at(record, point.time)
        zones = {} if _goes_home(record) else _zones(details)
        for disk in held:
            landed = _disk(cloud, disk, point, location, zones, test)
            disks.append(landed)
            made.append(resource_id(landed["disk"])) if landed["managed"] else uris.append(landed["disk"])
        machine = _machine(details, vm, location, nics, list(zip(held, disks, strict=True)))
        make(cloud, machine if _goes_home(record) else _placed(cloud, machine, details, test))
    except Refused:
        for id_ in reversed(made):
            unmake(cloud, id_)
        for uri in uris:
            volumes.forget(cloud, uri)
        raise
    machines.set_power(cloud, vm, "starting")
    return Landed(vm=vm, nics=tuple(id_ for id_ in made if id_.is_a(NETWORK_INTERFACES)), disks=tuple(disks))


def undo(cloud: Cloud, landed: Record) -> None:
    """Take away all that a landing made, also where a person has taken away a part of it; what is somebody else's by
    now stays. Raises `Refused` before anything has gone if a disk is being read by a SAS."""
    disks = [resource_id(disk["disk"]) for disk in landed["disks"] if disk["managed"]]
    _must_be_unread(cloud, disks)
    unmake(cloud, resource_id(landed["vm"]))
    for id_ in (*map(resource_id, landed["nics"]), *disks):
        with suppress(Refused):
            unmake(cloud, id_)
    for disk in landed["disks"]:
        if not disk["managed"]:
            volumes.forget(cloud, disk["disk"])


def take_off(cloud: Cloud, vm: ResourceId, *, with_disks: bool, with_nics: bool = True) -> None:
    """Take away a machine that Site Recovery made, with its NICs, and with its disks if it says so. Raises `Refused`
    before anything has gone if one of these is being read by a SAS."""
    body = cloud.body(vm)
    if body is None:
        return
    _must_be_unread(cloud, [disk.id for disk in attached.disks(body) if with_disks and disk.id is not None])
    unmake(cloud, vm)
    for nic in attached.nics(body) if with_nics else ():
        unmake(cloud, nic)
    for disk in attached.disks(body) if with_disks else ():
        if disk.id is not None:
            unmake(cloud, disk.id)
        else:
            volumes.forget(cloud, disk.key)


def must_be_there(cloud: Cloud, vm: ResourceId) -> None:
    """A machine that was made, and that a person may have deleted before it is started."""
    if not cloud.exists(vm):
        raise Refused(404, "VirtualMachineNotFound", f"Machine {vm.name} is not there any more.")


def must_answer(cloud: Cloud, region: str) -> None:
    """What has to be done at once in a region that does not answer fails, and can be asked for again."""
    if cloud.is_lost(region):
        raise Refused(503, "RecoveryRegionUnavailable", f"Region {region} can't be reached.")


def _must_be_unread(cloud: Cloud, disks: list[ResourceId]) -> None:
    for id_ in disks:
        if disk_urls.lent(cloud, id_):
            raise Refused(409, "OperationNotAllowed", f"Disk {id_.name} has an active shared access signature (SAS).")


def target_region(body: Body, record: Record) -> str:
    """The region that a failover goes to: the recovery region, or back in the item's own roles (S50)."""
    details = body["properties"]["providerSpecificDetails"]
    return str(details["primaryFabricLocation" if _goes_home(record) else "recoveryFabricLocation"])


def _goes_home(record: Record) -> bool:
    """Back in the item's own roles, where nothing that it names for the recovery region is."""
    return bool(record["direction"] == "RecoveryToPrimary")


def target_network(cloud: Cloud, body: Body, given: str | None = None) -> ResourceId:
    """The network that a machine goes to: the one given, else the item's."""
    details = body["properties"]["providerSpecificDetails"]
    text = given or details.get("selectedRecoveryAzureNetworkId")
    if not text:
        name = body["properties"]["friendlyName"]
        raise Refused(
            400, "NetworkNotMapped", f"No network is mapped or selected for machine {name} in the recovery region."
        )
    held = cloud.body(str(text))
    if held is None:
        raise Refused(400, "NetworkNotFound", f"The network {text} was not found.")
    return resource_id(str(held["id"]))


def _group(cloud: Cloud, text: str) -> ResourceId:
    body = cloud.body(text)
    if body is None:
        raise Refused(404, "ResourceGroupNotFound", f"Resource group '{text}' could not be found.")
    return resource_id(str(body["id"]))


# NICs. ---------------------------------------------------------------------------------------------------------------


def _nic(
    cloud: Cloud, details: Body, nic: Body, group: ResourceId, network: ResourceId, location: str, test: bool
) -> Body:
    source = str(nic["sourceNicArmId"]).rsplit("/", 1)[-1]
    name = nic.get("recoveryNicName") or source
    holder = nic.get("recoveryNicResourceGroupName") or group.resource_group
    if test:
        name = nic.get("tfoRecoveryNicName") or f"{name}{TEST_NIC}"
        holder = nic.get("tfoRecoveryNicResourceGroupName") or holder
    id_ = make_id(group.subscription, str(holder), NETWORK_INTERFACES, str(name))
    _group(cloud, str(id_.group_id))
    if cloud.exists(id_) and not nic.get("tfoReuseExistingNic" if test else "reuseExistingNic"):
        message = f"A network interface named {id_.name} is in {id_.resource_group} already."
        raise Refused(409, "NetworkInterfaceNameInUse", message)
    accelerated = nic.get("enableAcceleratedNetworkingOnTfo" if test else "enableAcceleratedNetworkingOnRecovery")
    properties: Body = {
        "ipConfigurations": _configurations(cloud, details, nic, network, test),
        "enableAcceleratedNetworking": bool(accelerated),
    }
    secured = nic.get("tfoNetworkSecurityGroupId" if test else "recoveryNetworkSecurityGroupId")
    if secured and cloud.body(str(secured)) is not None:
        properties["networkSecurityGroup"] = {"id": str(secured)}
    return {"id": id_.text, "location": location, "properties": properties}


def _configurations(cloud: Cloud, details: Body, nic: Body, network: ResourceId, test: bool) -> list[Body]:
    """The IP configurations of a NIC on the other side: the primary, and others that the item selects (S35)."""
    found: list[Body] = []
    given: dict[str, set[IPv4Address]] = {}
    for config in nic["ipConfigs"]:
        if not (config["isPrimary"] or config.get("isSeletedForFailover")):
            continue
        subnet = _subnet(cloud, network, config, given, test)
        placed = _address(cloud, details, config, subnet, network, test)
        if placed.address is None:
            raise Refused(400, "SubnetIsFull", f"Subnet {subnet.name} of {network.name} has no free address.")
        given.setdefault(subnet.name.lower(), set()).add(placed.address)
        properties: Body = {
            "subnet": {"id": network.child("subnets", subnet.name).text},
            "primary": bool(config["isPrimary"]),
            "privateIPAllocationMethod": "Static" if placed.static else "Dynamic",
            "privateIPAddress": str(placed.address),
        }
        public = config.get("tfoPublicIPAddressId" if test else "recoveryPublicIPAddressId")
        if public:
            properties["publicIPAddress"] = {"id": public}
        pools = config.get("tfoLBBackendAddressPoolIds" if test else "recoveryLBBackendAddressPoolIds")
        if pools:
            properties["loadBalancerBackendAddressPools"] = [{"id": str(pool)} for pool in pools]
        found.append({"name": config["name"], "properties": properties})
    return found


def _subnet(cloud: Cloud, network: ResourceId, config: Body, given: dict[str, set[IPv4Address]], test: bool) -> Subnet:
    subnets = {str(body["name"]): body for body in cloud.children(network, "subnets")}
    configured = config.get("tfoSubnetName") if test else None
    configured = configured or config.get("recoverySubnetName")
    name = pick_subnet(list(subnets), configured=configured, source=config.get("subnetName"))
    if name is None:
        raise Refused(400, "SubnetNotFound", f"Network {network.name} has no subnet that a machine can be in.")
    properties = subnets[name]["properties"]
    texts = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    prefixes = tuple(IPv4Network(text) for text in texts if text and ":" not in text)
    held = {address for address in taken(cloud, network.child("subnets", name)) if isinstance(address, IPv4Address)}
    return Subnet(name=name, prefixes=prefixes, taken=held | given.get(name.lower(), set()))


def _address(cloud: Cloud, details: Body, config: Body, subnet: Subnet, network: ResourceId, test: bool) -> Placed:
    configured = _ip(config.get("recoveryStaticIPAddress"))
    source, static = _ip(config.get("staticIPAddress")), config.get("ipAddressType") == "Static"
    if not test:
        return failover_address(subnet, configured=configured, source=source, source_static=static)
    wanted = _ip(config.get("tfoStaticIPAddress"))
    if wanted is not None and subnet.free(wanted):
        return Placed(address=wanted, static=True)
    reserved = configured or (source if static else None)
    selected = str(details.get("selectedRecoveryAzureNetworkId") or "").lower() == network.key
    may = cloud.settings.test_failover_takes_reserved_address
    return test_address(subnet, reserved=reserved, failover_network=selected, may_take_reserved=may)


def _ip(text: Any) -> IPv4Address | None:
    """None also for a version 6 address: a machine's first address is of version 4 (S35)."""
    return IPv4Address(text) if text and ":" not in text else None


# Disks and the machine. ----------------------------------------------------------------------------------------------


def _disk(cloud: Cloud, disk: Record, point: Point, location: str, zones: Body, test: bool) -> Record:
    """A disk made of a replica as of a point, in its machine's zone; its bytes descend from the source's as of the
    point's write."""
    if disk["managed"]:
        name = disk["test_name"] if test else disk["target_name"]
        group = resource_id(disk["group"])
        id_ = make_id(group.subscription, str(group.resource_group), DISKS, name)
        if cloud.exists(id_):
            raise Refused(409, "DiskNameInUse", f"A disk named {name} is in {group.name} already.")
        _group(cloud, disk["group"])
        key = id_.text
    else:
        account = resource_id(disk["account"])
        if not cloud.exists(account):
            raise Refused(404, "StorageAccountNotFound", f"The storage account {account.name} was not found.")
        stem, dot, suffix = str(disk["target_uri"]).rpartition(".")
        key = f"{stem}{TEST}{dot}{suffix}" if test else str(disk["target_uri"])
    number = volumes.branch(cloud, key, disk["volume"], point.sequence, disk["size"])
    if disk["managed"]:
        properties: Body = {
            "creationData": {"createOption": "Restore", "sourceResourceId": disk["replica"]},
            "diskSizeGB": disk["size"] // GIB,
            **disk["carried"],
        }
        if disk["os_type"]:
            properties["osType"] = disk["os_type"]
        body = {
            "id": key,
            "location": location,
            "sku": {"name": disk["account_type"]},
            "properties": properties,
            **zones,
        }
        try:
            make(cloud, body)
        except Refused:
            volumes.forget(cloud, key)
            raise
    return {"source": disk["source"], "disk": key, "volume": number, "managed": disk["managed"]}


def _machine(
    details: Body, vm: ResourceId, location: str, nics: list[Body], disks: list[tuple[Record, Record]]
) -> Body:
    profile: Body = {"dataDisks": []}
    for disk, landed in disks:
        entry: Body = {"name": landed["disk"].rsplit("/", 1)[-1] if landed["managed"] else disk["name"]}
        entry |= {"createOption": "Attach", "caching": disk["caching"], "diskSizeGB": disk["size"] // GIB}
        if landed["managed"]:
            entry["managedDisk"] = {"storageAccountType": disk["account_type"], "id": landed["disk"]}
            entry["deleteOption"] = "Detach"
        else:
            entry["vhd"] = {"uri": landed["disk"]}
        if disk["lun"] is None:
            profile["osDisk"] = {"osType": disk["os_type"], **entry}
        else:
            profile["dataDisks"].append({"lun": disk["lun"], **entry})
    properties: Body = {
        "hardwareProfile": {"vmSize": details["recoveryAzureVMSize"]},
        "storageProfile": profile,
        "networkProfile": {
            "networkInterfaces": [{"id": nic["id"], "properties": {"primary": at == 0}} for at, nic in enumerate(nics)]
        },
    }
    body: Body = {"id": vm.text, "location": location, "properties": properties}
    tags = (details.get("vmSyncedConfigDetails") or {}).get("tags")
    if tags:
        body["tags"] = tags
    return body


def _placed(cloud: Cloud, machine: Body, details: Body, test: bool) -> Body:
    """A machine with the set, the zone and the groups that the item names in the recovery region."""
    properties: Body = {}
    if details.get("recoveryAvailabilitySet"):
        properties["availabilitySet"] = {"id": details["recoveryAvailabilitySet"]}
    if details.get("recoveryCapacityReservationGroupId") and not test:
        group = {"id": details["recoveryCapacityReservationGroupId"]}
        properties["capacityReservation"] = {"capacityReservationGroup": group}
    close = details.get("recoveryProximityPlacementGroupId")
    if close and cloud.body(str(close)) is not None:
        properties["proximityPlacementGroup"] = {"id": close}
    return {**machine, "properties": {**machine["properties"], **properties}, **_zones(details)}


def _zones(details: Body) -> Body:
    """The zone that the item names for the recovery region."""
    zone = details.get("recoveryAvailabilityZone")
    return {"zones": [zone]} if zone else {}
