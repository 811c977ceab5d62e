"""Protected items that an estate brings: what the service would know of them beside the body that it shows.

Whoever reads a subscription whose machines are protected already gets items as GET shows them. From such a body, and
from the machines and disks that came with it, the record is made that a client's own PUT would have led to: the item
can be tested, failed over, committed and reprotected from where it stands (S18, S19).

    the machine            `fabricObjectId`; one that the estate has not is as one that was deleted since
    its disks              `protectedManagedDisks`, `protectedDisks`; bytes are those of the machine's disks here
    the replicas           hold what the disks hold now; one that the estate has not is made
    recovery points        nobody told of any: one of now, and new ones every five minutes (S25)
    failed over, tested    the machine that `recoveryFabricObjectId` or `testFailoverRecoveryFabricObjectId` names

A job that was under way has not begun: an item that was being failed over is Protected, one that was being committed
is to be committed, one that was being reprotected is committed. Initial replication begins again.

What says too little to be acted on, what is of another provider, and what stands in a state that Azure to Azure has
not here, is kept as it was read: `records.of` refuses its verbs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId, make_id, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab import machines
from farshore.lab.compute import attached
from farshore.lab.compute.attached import VIRTUAL_MACHINES, Attached
from farshore.lab.compute.disks import DISKS, GIB
from farshore.lab.recovery import records, shipping
from farshore.lab.recovery.disks import REPLICA, TEST, blobs_of, carried, in_place
from farshore.lab.recovery.health import NEW_DISKS, unprotected
from farshore.lab.recovery.item_bodies import managed, properties_of, unmanaged
from farshore.lab.recovery.item_nics import nics_of
from farshore.lab.recovery.names import shown_id
from farshore.lab.recovery.network_mappings import default_network
from farshore.lab.recovery.objects import fabric_of
from farshore.lab.recovery.records import Record
from farshore.lab.recovery.replicating import begin_replication
from farshore.lab.recovery.states import REPLICATING, SHOWN, Phase
from farshore.lab.seeding import seed
from farshore.lab.storage import volumes
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

AS_BEFORE = {
    Phase.ENABLING: Phase.INITIAL_REPLICATION,
    Phase.FIRST_POINT_PENDING: Phase.INITIAL_REPLICATION,
    Phase.FAILING_OVER: Phase.PROTECTED,
    Phase.COMMITTING: Phase.FAILED_OVER,
    Phase.REPROTECTING: Phase.COMMITTED,
}
"""Where an item stands whose job nobody goes on with."""
SHOWN_ONLY: Body = {
    "friendlyName": "",
    "activeLocation": "Primary",
    "protectionState": "Protected",
    "testFailoverState": "None",
    "allowedOperations": [],
    "replicationHealth": "Normal",
    "failoverHealth": "Normal",
    "healthErrors": [],
    "providerSpecificDetails": {},
}
"""What every item shows, for one that the estate told less of."""
MOVED = frozenset({Phase.FAILED_OVER, Phase.COMMITTED})


def take_over(cloud: Cloud, item: ResourceId, properties: Body) -> Body:
    """The properties of an item that an estate brought, whole; the lab replicates it, if they say enough for that."""
    details = properties.get("providerSpecificDetails") or {}
    phase, vm, into = _phase(properties), _id(details.get("fabricObjectId")), _id(properties.get("recoveryContainerId"))
    if details.get("instanceType") != "A2A" or phase is None or vm is None or into is None or not _goes(details):
        return {**SHOWN_ONLY, "currentScenario": records.no_scenario(item), **properties}
    record = _record(cloud, item, properties, phase, vm)
    whole = _whole(cloud, item, record, properties, into)
    records.put(cloud, item, record)
    for disk in record["disks"]:
        _make_replica(cloud, disk)
    left = unprotected(cloud, record)
    noticed = {str(error.get("errorCode")) for error in properties.get("healthErrors") or []}
    records.change(cloud, item, excluded=[] if NEW_DISKS in noticed else [disk.key.lower() for disk in left])
    return whole


def begin(cloud: Cloud, item: ResourceId) -> None:
    """What an item does from now on, once its body is kept."""
    record, body = records.get(cloud, item), cloud.body(item)
    if record is None or body is None:
        return
    phase = records.phase_of(record)
    if phase == Phase.INITIAL_REPLICATION:
        begin_replication(cloud, item, "recovery.seed")
    elif phase in REPLICATING:
        shipping.begin(cloud, item, cloud.now)
        if phase == Phase.TEST_PENDING:
            _tested(cloud, item, body["properties"])
    else:
        _moved(cloud, item, body["properties"])


def _goes(details: Body) -> bool:
    """Whether it is told of each disk where it goes."""
    group = details.get("recoveryAzureResourceGroupId")
    shown = _shown(details)
    ways = [
        (
            _id(disk.get("recoveryResourceGroupId") or group)
            if "diskId" in disk
            else _id(disk.get("recoveryAzureStorageAccountId"))
        )
        for disk in shown
    ]
    return bool(shown) and None not in ways


def _shown(details: Body) -> list[Body]:
    return [*(details.get("protectedManagedDisks") or []), *(details.get("protectedDisks") or [])]


def _phase(properties: Body) -> Phase | None:
    state = properties.get("protectionState")
    found = next((phase for phase, shown in SHOWN.items() if shown.state == state), None)
    if found == Phase.PROTECTED and properties.get("testFailoverState") not in (None, "", "None"):
        return Phase.TEST_PENDING
    return None if found is None else AS_BEFORE.get(found, found)


def _id(text: object) -> ResourceId | None:
    try:
        return resource_id(str(text)) if text else None
    except InputError:
        return None


def _record(cloud: Cloud, item: ResourceId, properties: Body, phase: Phase, vm: ResourceId) -> Record:
    details = properties["providerSpecificDetails"]
    machine = cloud.body(vm) or {}
    if machine:
        vm = resource_id(str(machine["id"]))
    moved = phase in MOVED
    active = properties.get("activeLocation") or ("Recovery" if moved else "Primary")
    # Before a failover the active location is where the machine comes from, after it where it went.
    back = (active == "Recovery") != moved
    region = str(details.get("primaryFabricLocation" if back else "recoveryFabricLocation") or "")
    lifecycle = details.get("lifecycleId") or cloud.guid("lifecycle", vm.key, cloud.count("lifecycle", vm.key))
    began = details.get("initialPrimaryFabricLocation") or details.get("primaryFabricLocation")
    switched = began != details.get("primaryFabricLocation")
    nics = details.get("vmNics") or []
    network = details.get("selectedRecoveryAzureNetworkId") or next(
        (nic.get("recoveryVMNetworkId") for nic in nics), None
    )
    other = _other_machine(details)
    # Before a failover the other machine is the one that reprotection came from, where that was left.
    left = (switched or back) and other is not None and cloud.body(other) is not None
    return {
        **records.new(
            vm,
            str(properties.get("policyId") or ""),
            _disks(cloud, machine, details, region),
            direction="RecoveryToPrimary" if back else "PrimaryToRecovery",
            lifecycle=str(lifecycle),
        ),
        "phase": phase,
        "switched": switched,
        "tested": bool(properties.get("lastSuccessfulTestFailoverTime")),
        "protected_at": stamp(cloud.now),
        "network": network or default_network(cloud, fabric_of(item), machine),
        "home_nics": _home_nics(cloud, item, machine, nics) if switched else [],
        "cluster": details.get("protectionClusterId"),
        "other": other if moved or left else None,
    }


def _other_machine(details: Body) -> str | None:
    """The machine on the other side: the one that is named, else the one that the item's own settings lead to."""
    named, group = _id(details.get("recoveryFabricObjectId")), _id(details.get("recoveryAzureResourceGroupId"))
    name = details.get("recoveryAzureVMName")
    if named is None and group is not None and name:
        named = make_id(group.subscription, str(group.resource_group), VIRTUAL_MACHINES, str(name))
    return None if named is None else named.text


def _home_nics(cloud: Cloud, item: ResourceId, machine: Body, nics: list[Body]) -> list[Body]:
    """What brings a reprotected machine home: its item's NICs, whose configurations have no names yet while it is
    replicated for the first time."""
    fresh = nics_of(cloud, item, machine, None, None)
    if len(fresh) != len(nics) or not all("recoveryNicName" in nic for nic in nics):
        return []
    return [
        {
            **nic,
            "ipConfigs": [
                {**config, "name": config.get("name") or now["name"]}
                for config, now in zip(nic.get("ipConfigs") or [], here["ipConfigs"], strict=False)
            ],
        }
        for nic, here in zip(nics, fresh, strict=True)
    ]


# Disks. --------------------------------------------------------------------------------------------------------------


def _disks(cloud: Cloud, machine: Body, details: Body, region: str) -> list[Record]:
    there = {disk.key.lower(): disk for disk in attached.disks(machine)}
    return in_place(
        {**_disk(cloud, disk, there.get(_source(disk).lower()), number, details), "region": region}
        for number, disk in enumerate(_shown(details))
    )


def _source(shown: Body) -> str:
    return str(shown.get("diskId") or shown.get("diskUri") or "")


def _disk(cloud: Cloud, shown: Body, disk: Attached | None, number: int, details: Body) -> Record:
    source = _source(shown)
    system = shown.get("diskType") == "OperatingSystem"
    entry = {} if disk is None else disk.entry
    # What is attached says where; a disk that is not there any more has the place that the item lists it in.
    lun = disk.lun if disk is not None else None if system else number
    name = str(shown.get("diskName") or source.rsplit("/", 1)[-1])
    size = int(shown.get("diskCapacityInBytes") or 0) or int(entry.get("diskSizeGB") or 1) * GIB
    volume = volumes.ensure(cloud, source, size, "image:os" if lun is None else "image:data")
    record = {
        "name": name,
        "lun": lun,
        "size": volumes.log(cloud).size(volume),
        "volume": volume,
        "os_type": entry.get("osType") or (details.get("osType") if lun is None else None),
        "caching": entry.get("caching") or ("ReadWrite" if lun is None else "None"),
        "staging": str(shown.get("primaryStagingAzureStorageAccountId") or ""),
        "original": shown.get("recoveryOrignalTargetDiskId") or None,
        "target_name": shown.get("failoverDiskName") or name,
        "test_name": shown.get("tfoDiskName") or f"{name}{TEST}",
        "managed": "diskId" in shown,
        "source": source if disk is None else disk.key,
    }
    return record | (_managed(cloud, shown, source, details) if record["managed"] else _blob(shown, source))


def _managed(cloud: Cloud, shown: Body, source: str, details: Body) -> Record:
    body = cloud.body(source) or {}
    sku = str((body.get("sku") or {}).get("name") or "Standard_LRS")
    group = str(shown.get("recoveryResourceGroupId") or details.get("recoveryAzureResourceGroupId"))
    into = resource_id(group)
    replica = make_id(into.subscription, str(into.resource_group), DISKS, source.rsplit("/", 1)[-1] + REPLICA).text
    kind = shown.get("recoveryTargetDiskAccountType") or sku
    return {
        "group": group,
        "replica": shown.get("recoveryReplicaDiskId") or replica,
        "replica_type": shown.get("recoveryReplicaDiskAccountType") or sku,
        "account_type": kind,
        "carried": carried(body, kind),
        "account": None,
        "target_uri": None,
    }


def _blob(shown: Body, source: str) -> Record:
    account = resource_id(str(shown["recoveryAzureStorageAccountId"]))
    target, replica = blobs_of(source, account)
    return {
        "group": None,
        "replica": replica,
        "replica_type": None,
        "account_type": None,
        "carried": {},
        "account": account.text,
        "target_uri": shown.get("recoveryDiskUri") or target,
    }


def _make_replica(cloud: Cloud, disk: Record) -> None:
    """The replica is the service's own: nothing is on it but what has been shipped."""
    if disk["managed"] and cloud.body(disk["replica"]) is None:
        properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": disk["size"] // GIB}
        sku = {"name": disk["replica_type"]}
        seed(cloud, [{"id": disk["replica"], "location": disk["region"], "sku": sku, "properties": properties}])
    volumes.forget(cloud, disk["replica"])
    volumes.ensure(cloud, disk["replica"], disk["size"])


# The body. -----------------------------------------------------------------------------------------------------------


def _whole(cloud: Cloud, item: ResourceId, record: Record, properties: Body, into: ResourceId) -> Body:
    """What the estate says of an item, and of what it does not say what the service shows."""
    said = properties["providerSpecificDetails"]
    machine = cloud.body(record["vm"]) or {}
    group = str(
        said.get("recoveryAzureResourceGroupId") or next((d["group"] for d in record["disks"] if d["group"]), "")
    )
    usual = properties_of(
        cloud,
        item,
        record,
        into=into,
        group=group,
        vm_name=str(said.get("recoveryAzureVMName") or resource_id(record["vm"]).name),
        vm_size=str(said.get("recoveryAzureVMSize") or attached.size_of(machine)),
        os_type=str(record["disks"][0]["os_type"] or "Windows"),
        nics=[],
        settings={},
    )
    details = {
        **usual["providerSpecificDetails"],
        "lifecycleId": record["lifecycle"],
        "selectedRecoveryAzureNetworkId": record["network"],
        **said,
        "vmNics": _nics(cloud, item, record, machine, said.get("vmNics") or []),
        "protectedManagedDisks": _over(managed(record), said.get("protectedManagedDisks"), "diskId"),
        "protectedDisks": _over(unmanaged(record), said.get("protectedDisks"), "diskUri"),
    }
    return {
        **usual,
        **properties,
        "providerSpecificDetails": details,
        "currentScenario": records.no_scenario(item),
    }


def _over(usual: list[Body] | None, said: list[Body] | None, key: str) -> list[Body] | None:
    """Rows as they were read, with what they do not say."""
    by_key = {str(row[key]).lower(): row for row in usual or []}
    return [{**by_key[str(row.get(key)).lower()], **row} for row in said or []] or None


def _nics(cloud: Cloud, item: ResourceId, record: Record, machine: Body, said: list[Body]) -> list[Body]:
    if record["phase"] == Phase.INITIAL_REPLICATION:
        return said
    fresh = nics_of(cloud, item, machine, record["network"], record["subnet"])
    if not said:
        return fresh
    by_source = {str(nic["sourceNicArmId"]).lower(): nic for nic in fresh}
    found = []
    for nic in said:
        usual = by_source.get(str(nic.get("sourceNicArmId")).lower(), {})
        configs = nic.get("ipConfigs") or usual.get("ipConfigs") or []
        found.append({**usual, **nic, "ipConfigs": configs})
    return found


# What stands on the other side. --------------------------------------------------------------------------------------


def _moved(cloud: Cloud, item: ResourceId, properties: Body) -> None:
    """The machine that was failed over runs there, of the point that it was made of; the old one is stale."""
    record = records.of(cloud, item)
    old = resource_id(record["vm"])
    if cloud.exists(old):
        machines.supersede(cloud, old)
    if records.phase_of(record) == Phase.COMMITTED:
        return
    # No earlier point: the bytes of a seeded disk are there since the lab began.
    record = shipping.take(cloud, item, record, cloud.now, _point_name(properties))
    used = record["points"][-1]
    records.change(cloud, item, failover={"used": used}, landed=_landed(cloud, record, record["other"]))
    point = shown_id(item.child("recoveryPoints", used["name"]))
    records.properties(cloud, item, failoverRecoveryPointId=point)


def _tested(cloud: Cloud, item: ResourceId, properties: Body) -> None:
    record = records.of(cloud, item)
    vm = properties["providerSpecificDetails"].get("testFailoverRecoveryFabricObjectId")
    landed = _landed(cloud, record, None if _id(vm) is None else str(vm))
    records.change(cloud, item, test={"used": record["points"][-1], **landed})


def _point_name(properties: Body) -> str | None:
    text = properties.get("failoverRecoveryPointId")
    return str(text).rstrip("/").rsplit("/", 1)[-1] if text else None


def _landed(cloud: Cloud, record: Record, vm: str | None) -> Record:
    """What a landing made, as its record has it: read off the machine that stands there."""
    body = {} if vm is None else cloud.body(vm) or {}
    by_lun = {disk.lun: disk for disk in attached.disks(body)}
    disks = []
    for disk in record["disks"]:
        made = by_lun.get(disk["lun"])
        number = None if made is None else volumes.volume_of(cloud, made.key)
        if made is not None and number is not None:
            row = {"source": disk["source"], "disk": made.key, "volume": number, "managed": made.id is not None}
            disks.append(row)
    return {"vm": vm, "nics": [nic.text for nic in attached.nics(body)], "disks": disks}
