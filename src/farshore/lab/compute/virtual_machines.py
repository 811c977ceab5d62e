"""Microsoft.Compute/virtualMachines: made of NICs and disks, running as soon as they are there.

A PUT makes a machine of NICs and disks that are there, makes the disks that it asks for (`FromImage`, `Empty`), and
starts it. What hangs on it points back: a disk's `managedBy`, a NIC's `virtualMachine`. Whether it runs stands in its
instance view only (`$expand=instanceView`, `/instanceView`). Deleting a machine leaves its NICs and disks unless
their `deleteOption` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.lab import machines
from farshore.lab.answers import Refused, bad_request
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.compute import attached, extensions, guests, quotas, reservations, reserved
from farshore.lab.compute.attached import VIRTUAL_MACHINES
from farshore.lab.compute.availability_sets import check_set, domains_of, member_links, take_domain
from farshore.lab.compute.disks import (
    DEFAULT_SIZE_GB,
    DISKS,
    GIB,
    MOST_GB,
    attach,
    detach,
    holders,
    make_volume,
    shares_of,
)
from farshore.lab.compute.placement_groups import check_place, place_links
from farshore.lab.compute.power import let_go
from farshore.lab.compute.sizes import must_be_sold
from farshore.lab.network import interfaces
from farshore.lab.network.references import configurations, ref
from farshore.lab.patterns import COMPUTE
from farshore.lab.registry import resource_type, view
from farshore.lab.storage import volumes
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

NEVER_SHOWN = ("adminPassword", "customData")
FILLED = ("deleteOption", "osType", "caching", "toBeDetached")
"""What Azure fills into a disk's entry."""
DISPLAY = {
    "running": "VM running",
    "starting": "VM starting",
    "stopped": "VM stopped",
    "deallocated": "VM deallocated",
}


@resource_type(VIRTUAL_MACHINES)
class VirtualMachines(ResourceType):
    pattern = COMPUTE
    patches = True
    forwards = True
    put_takes = "virtualMachines.put"
    update_takes = "virtualMachines.update"
    delete_takes = "virtualMachines.delete"
    read_only = ("provisioningState", "vmId", "timeCreated", "instanceView")

    def validate(self, put: Put) -> None:
        cloud = put.cloud
        for nic in attached.nics(put.body):
            held = must_have(cloud, nic.text, put.id.text)
            owner = (held.get("properties") or {}).get("virtualMachine") or {}
            if owner and str(owner.get("id", "")).lower() != put.id.key:
                raise bad_request(
                    "NicInUse", f"Network Interface {nic.text} is used by existing resource {owner['id']}."
                )
        if put.created and not attached.nics(put.body):
            raise bad_request("NetworkProfileNotSpecified", "A machine needs at least one network interface.")
        _check_nics(put)
        _check_place(put)
        _check_profile(put)
        check_set(put)
        check_place(put)
        _check_size(put)
        for disk in attached.disks(put.body):
            if disk.id is None or _makes(disk.entry):
                continue
            body = cloud.body(disk.id)
            if body is None:
                raise Refused(404, "NotFound", f"Disk {disk.id.name} is not found.")
            if body["properties"].get("provisioningState") == "Deleting":
                raise Refused(409, "OperationNotAllowed", f"Disk '{disk.id.name}' is being deleted.")
            owner, others = str(body.get("managedBy") or ""), holders(body)
            if put.id.key not in (text.lower() for text in others) and len(others) >= shares_of(body):
                message = f"Disk '{disk.id.name}' cannot be attached as the disk is already owned by VM '{owner}'."
                raise Refused(409, "ConflictingUserInput", message)

    def on_put(self, put: Put) -> Body:
        cloud, body = put.cloud, self.standard(put)
        properties = body["properties"]
        if put.created:
            properties["vmId"] = cloud.guid("vm", put.id.key, cloud.count("vm", put.id.key))
            properties["timeCreated"] = stamp(cloud.now)
        held = put.before_properties.get("storageProfile") or {}
        profile = dict(properties.get("storageProfile") or {})
        system = guests.system_of(properties)
        # What Azure fills in is filled in when a machine is made; what an estate brought goes on as it was told.
        fills = put.created or "exactVersion" in (held.get("imageReference") or {})
        if fills and isinstance(profile.get("imageReference"), dict):
            profile["imageReference"] = guests.image_shown(profile["imageReference"])
        if isinstance(profile.get("osDisk"), dict):
            profile["osDisk"] = _with_disk(cloud, put, _known(profile["osDisk"], [held.get("osDisk")]), None)
        profile["dataDisks"] = [
            _with_disk(cloud, put, _known(entry, held.get("dataDisks") or []), index)
            for index, entry in enumerate(profile.get("dataDisks") or [])
        ]
        properties["storageProfile"] = profile
        if isinstance(properties.get("osProfile"), dict):
            sent = {key: value for key, value in properties["osProfile"].items() if key not in NEVER_SHOWN}
            filled = put.created or "secrets" in (put.before_properties.get("osProfile") or {})
            properties["osProfile"] = guests.profile_shown(sent, system) if filled else sent
        return body

    def first_answer(self, put: Put) -> Body | None:
        """A disk that is being made has no id yet, and no name that nobody gave it (recorded)."""
        shown = super().first_answer(put)
        profile = ((shown or {}).get("properties") or {}).get("storageProfile")
        if shown is None or not profile:
            return shown
        sent = put.properties.get("storageProfile") or {}
        had = {disk.id.key for disk in attached.disks(put.before or {}) if disk.id is not None}
        ordered, asked = _ordered(had), chain(sent.get("dataDisks") or [], repeat({}))
        found = {**profile, "dataDisks": [ordered(*pair) for pair in zip(profile["dataDisks"], asked, strict=False)]}
        if isinstance(profile.get("osDisk"), dict):
            found["osDisk"] = ordered(profile["osDisk"], sent.get("osDisk") or {})
        return {**shown, "properties": {**shown["properties"], "storageProfile": found}}

    def after_put(self, put: Put) -> None:
        body = put.cloud.body(put.id)
        assert body is not None
        bind(put.cloud, put.id, body, put.before)
        if put.created:
            machines.set_power(put.cloud, put.id, "starting")

    def on_ready(self, cloud: Cloud, id_: ResourceId) -> None:
        if machines.power(cloud, id_) == "starting":
            reserved.must_find_room(cloud, cloud.body(id_) or {})
            machines.set_power(cloud, id_, "running")

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        unbind(cloud, id_, body)
        let_go(cloud, id_, body)
        for disk in attached.disks(body):
            if disk.id is not None and disk.entry.get("deleteOption") == "Delete" and cloud.exists(disk.id):
                cloud.type_of(disk.id).take_away(cloud, disk.id)
        for entry in ((body.get("properties") or {}).get("networkProfile") or {}).get("networkInterfaces") or []:
            nic = attached.nics({"properties": {"networkProfile": {"networkInterfaces": [entry]}}})
            if nic and (entry.get("properties") or {}).get("deleteOption") == "Delete" and cloud.exists(nic[0]):
                cloud.type_of(nic[0]).take_away(cloud, nic[0])

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = {**body, **extensions.resources(cloud, id_)}
        if "instanceview" not in query.get("$expand", "").lower():
            return body
        return {**body, "properties": {**body["properties"], "instanceView": instance_view(cloud, id_, body)}}

    def links(self, body: Body) -> Iterator[Link]:
        yield from member_links(body)
        yield from reserved.member_links(body)
        yield from place_links(body)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        id_ = resource_id(str(body["id"]))
        properties = {key: value for key, value in (body.get("properties") or {}).items() if key != "instanceView"}
        properties.setdefault("vmId", cloud.guid("vm", id_.key, cloud.count("vm", id_.key)))
        kept = {**body, "properties": properties}
        for disk in attached.disks(kept):
            if disk.id is None:
                size = int(disk.entry.get("diskSizeGB") or DEFAULT_SIZE_GB) * GIB
                volumes.ensure(cloud, disk.key, size, "image:os" if disk.lun is None else "image:data")
            elif (held := cloud.body(disk.id)) is not None:
                make_volume(cloud, held, None, seeded=True)
        bind(cloud, id_, kept, None)
        machines.set_power(cloud, id_, _power_of(body))
        return kept


@view(VIRTUAL_MACHINES, "instanceView")
def view_of_instance(call: Call) -> Response:
    return Response(status=200, body=instance_view(call.cloud, call.id, call.must_exist()))


def instance_view(cloud: Cloud, id_: ResourceId, body: Body) -> Body:
    """What runs where: statuses of provisioning and power, and of each disk."""
    state = str(body["properties"].get("provisioningState", "Succeeded"))
    power = machines.power(cloud, id_) or "stopped"
    time = str(body["properties"].get("timeCreated") or stamp(cloud.now))
    done = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": time,
    }
    view = {
        **domains_of(cloud, id_, body),
        **(guests.guest_view(body, time) if power == "running" else {}),
        "computerName": (body["properties"].get("osProfile") or {}).get("computerName", id_.name),
        "disks": [{"name": disk.name, "statuses": [done]} for disk in attached.disks(body)],
        "statuses": [
            {
                "code": f"ProvisioningState/{state.lower()}",
                "level": "Info",
                "displayStatus": f"Provisioning {state.lower()}",
                "time": time,
            },
            {"code": f"PowerState/{power}", "level": "Info", "displayStatus": DISPLAY[power]},
        ],
    }
    return extensions.extended(cloud, id_, view)


def bind(cloud: Cloud, vm: ResourceId, body: Body, before: Body | None) -> None:
    """Let disks and NICs point back at their machine; what hangs on it no longer points nowhere."""
    mine = {disk.id.key for disk in attached.disks(body) if disk.id is not None}
    if before is not None:
        _let_nics_go(cloud, vm, [nic for nic in attached.nics(before) if nic not in attached.nics(body)])
        for disk in attached.disks(before):
            if disk.id is not None and disk.id.key not in mine:
                detach(cloud, disk.id, vm)
    for disk in attached.disks(body):
        if disk.id is not None:
            attach(cloud, disk.id, vm)
    for at, nic in enumerate(attached.nics(body)):
        interfaces.attach(cloud, nic, vm, primary=at == 0)
    take_domain(cloud, vm, body)


def unbind(cloud: Cloud, vm: ResourceId, body: Body) -> None:
    for disk in attached.disks(body):
        if disk.id is not None:
            detach(cloud, disk.id, vm)
    _let_nics_go(cloud, vm, attached.nics(body))


def _let_nics_go(cloud: Cloud, vm: ResourceId, nics: list[ResourceId]) -> None:
    for nic in nics:
        if (ref(cloud.body(nic), "virtualMachine") or "").lower() == vm.key:
            interfaces.attach(cloud, nic, None)


def _check_nics(put: Put) -> None:
    """One of several is the primary; a machine gets others while it is deallocated (azure-powershell 4565)."""
    entries = (put.properties.get("networkProfile") or {}).get("networkInterfaces") or []
    primary = [entry for entry in entries if (entry.get("properties") or {}).get("primary")]
    if len(entries) > 1 and len(primary) != 1:
        raise bad_request(
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            f"Virtual machine {put.id.name} must have one network interface set as the primary.",
        )
    if put.before is None or machines.power(put.cloud, put.id) in (None, "deallocated"):
        return
    if set(attached.nics(put.before)) != set(attached.nics(put.body)):
        raise bad_request(
            "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported",
            f"The network interfaces of virtual machine {put.id.text} can only be changed while it is deallocated.",
        )


def _check_place(put: Put) -> None:
    """A machine, its NICs and its disks are in one region, and the NICs in one network (L17)."""
    cloud, networks = put.cloud, set()
    for nic in attached.nics(put.body):
        if cloud.region_of(nic) != put.location:
            raise bad_request(
                "InvalidResourceReference",
                f"Resource {nic.text} referenced by resource {put.id.text} was not found. Please make sure that the "
                "referenced resource exists, and that both resources are in the same region.",
            )
        for item in configurations(cloud.body(nic) or {}):
            if (subnet := ref(item, "subnet")) is not None:
                networks.add(resource_id(subnet).parent)
    if len(networks) > 1:
        raise bad_request(
            "SubnetsNotInSameVnet", f"The network interfaces of {put.id.text} are in different virtual networks."
        )
    for disk in attached.disks(put.body):
        if disk.id is not None and cloud.exists(disk.id) and cloud.region_of(disk.id) != put.location:
            # No page names this code for a disk elsewhere: ours.
            raise bad_request(
                "InvalidParameter", f"Disk {disk.id.text} is not in region {put.location}.", "managedDisk"
            )


def _check_size(put: Put) -> None:
    """Its size is sold, has a place in its reservation group, and fits into what the quotas leave."""
    size, before = attached.size_of(put.body), attached.size_of(put.before or {})
    if put.created or size.lower() != before.lower():
        must_be_sold(put.cloud, put.location, size)
    reservations.check_machine(put)
    more = quotas.of_machine(put.cloud, put.body, there=False)
    if put.before is not None:
        had = quotas.of_machine(put.cloud, put.before, there=True)
        more = {name: count - had.get(name, 0) for name, count in more.items()}
        same = reserved.reservation_of(put.cloud, put.body) == reserved.reservation_of(put.cloud, put.before)
        more = {} if same and size.lower() == before.lower() else more
    quotas.must_fit(put.cloud, str(put.id.subscription), put.location, more)


def _check_profile(put: Put) -> None:
    """Sizes that a disk can have, and one disk at a LUN."""
    profile = put.properties.get("storageProfile") or {}
    data = profile.get("dataDisks") or []
    for entry in [*([profile["osDisk"]] if profile.get("osDisk") else []), *data]:
        size = entry.get("diskSizeGB")
        if size is not None and not 0 < size <= MOST_GB:
            raise bad_request("InvalidParameter", f"The value {size} of parameter diskSizeGB is invalid.", "diskSizeGB")
    luns = [entry.get("lun") for entry in data]
    for lun in luns:
        if lun not in range(64):
            raise bad_request("InvalidParameter", f"The value {lun} of parameter lun is invalid.", "dataDisk.lun")
        if luns.count(lun) > 1:
            raise bad_request(
                "InvalidParameter", f"A disk at LUN {lun} already exists on VM '{put.id.name}'.", "dataDisk.lun"
            )


def _known(entry: Body, held: list[Body | None]) -> Body:
    """An entry that names no disk means the one that the machine has in that place: nothing is made twice."""
    if (entry.get("managedDisk") or {}).get("id") or entry.get("vhd"):
        return entry
    for old in held:
        if old is None or old.get("lun") != entry.get("lun") or not (old.get("managedDisk") or {}).get("id"):
            continue
        if entry.get("name") in (None, old.get("name")):
            managed = {**(entry.get("managedDisk") or {}), "id": old["managedDisk"]["id"]}
            filled: Body = {key: old[key] for key in FILLED if key in old}
            return {**filled, **entry, "name": old.get("name"), "managedDisk": managed}
    return entry


def _ordered(had: set[str]) -> Callable[[Body, Body], Body]:
    """An entry of a disk as the answer to its order shows it; `had` are the disks that were there before."""

    def shown(entry: Body, sent: Body) -> Body:
        managed = entry.get("managedDisk") or {}
        if not managed.get("id") or str(managed["id"]).lower() in had or (sent.get("managedDisk") or {}).get("id"):
            return entry
        named = {key: value for key, value in entry.items() if key != "name" or sent.get("name")}
        return {**named, "managedDisk": {key: value for key, value in managed.items() if key != "id"}}

    return shown


def _makes(entry: Body) -> bool:
    return str(entry.get("createOption") or "").lower() in ("fromimage", "empty")


def _with_disk(cloud: Cloud, put: Put, entry: Body, index: int | None) -> Body:
    """The disk's entry with its name and managed disk filled in; the disk itself made if the entry asks for one."""
    if (entry.get("vhd") or {}).get("uri"):
        size = int(entry.get("diskSizeGB") or DEFAULT_SIZE_GB)
        image = "image:os" if index is None else None
        volumes.ensure(cloud, str(entry["vhd"]["uri"]), size * GIB, image if _makes(entry) else None)
        return {**entry, "diskSizeGB": size}
    managed = entry.get("managedDisk") or {}
    held = cloud.body(str(managed["id"])) if managed.get("id") else None
    if held is None and _makes(entry):
        held = _make_disk(cloud, put, entry, index)
    if held is None:
        return entry
    sku = (held.get("sku") or {}).get("name") or managed.get("storageAccountType") or "Standard_LRS"
    option = str(entry.get("createOption") or "Attach")
    system = (held.get("properties") or {}).get("osType") if index is None else None
    made: Body = {"deleteOption": "Detach", **({"osType": system} if system else {})}
    if index is not None:
        made |= {"caching": "None", "toBeDetached": False}
    if not put.created:
        made = {key: value for key, value in made.items() if key in _in_place(put, index)}
    return {
        **made,
        **{key: value for key, value in entry.items() if value is not None},
        "createOption": guests.CREATE_OPTIONS.get(option.lower(), option),
        "name": held["name"],
        "managedDisk": {**managed, "storageAccountType": sku, "id": held["id"]},
        "diskSizeGB": (held.get("properties") or {}).get("diskSizeGB"),
    }


def _in_place(put: Put, index: int | None) -> Body:
    """The entry that a disk's entry takes the place of."""
    profile = put.before_properties.get("storageProfile") or {}
    if index is None:
        return profile.get("osDisk") or {}
    held = profile.get("dataDisks") or []
    return held[index] if index < len(held) else {"deleteOption": None}


def _make_disk(cloud: Cloud, put: Put, entry: Body, index: int | None) -> Body:
    kind = "OsDisk_1" if index is None else f"disk{index + 2}"
    made = cloud.guid("diskname", put.id.key, kind, cloud.count("diskname", put.id.key)).replace("-", "")
    name = str(entry.get("name") or f"{put.id.name}_{kind}_{made}")
    id_ = make_id(put.id.subscription, str(put.id.resource_group), DISKS, name)
    image = str(entry.get("createOption") or "").lower() == "fromimage"
    system = guests.system_of(put.properties) or guests.WINDOWS
    usual = guests.IMAGE_GB.get(system, guests.IMAGE_GB[guests.WINDOWS]) if image else DEFAULT_SIZE_GB
    properties: Body = {
        "creationData": {"createOption": "FromImage" if image else "Empty"},
        "diskSizeGB": int(entry.get("diskSizeGB") or usual),
    }
    if index is None:
        properties["osType"] = entry.get("osType") or system
    size = (put.properties.get("hardwareProfile") or {}).get("vmSize")
    sku = (entry.get("managedDisk") or {}).get("storageAccountType") or guests.default_sku(size)
    body: Body = {"location": put.location, "sku": {"name": sku}, "properties": properties}
    disks: Any = cloud.type_of(id_)
    disks.keep(Put(cloud=cloud, id=id_, body=body, before=None, query={}), "Succeeded")
    held = cloud.body(id_)
    assert held is not None
    return held


def _power_of(body: Body) -> str:
    """What an estate's body says of the machine's power; running where it says nothing."""
    statuses = ((body.get("properties") or {}).get("instanceView") or {}).get("statuses") or []
    codes = [str(item.get("code")) for item in statuses if str(item.get("code", "")).startswith("PowerState/")]
    power = codes[0].split("/", 1)[1] if codes else "running"
    return power if power in DISPLAY else "stopped"
