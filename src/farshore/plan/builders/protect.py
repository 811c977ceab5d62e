"""PROTECT: the vault, what it needs in both directions, and every machine replicated (S11).

Both directions from the start: reprotect after a disaster needs the way back, and then is no time to find that a
mapping is missing (S3, S45). Cache accounts stand where the machine runs (S27): one in the source now, one in the
target for the way back; disks of unmanaged machines go to an account in the target (D3).

A machine that a vault in the source's region protects is let go of there first (S10), last of all that comes before its
own protection, because it is replicated nowhere from then until its first copy is made anew.
"""

from __future__ import annotations

from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.errors import InputError
from farshore.plan import actions, durations
from farshore.plan.carried import places
from farshore.plan.carried.rows import placed_by
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.machines import settings_there
from farshore.plan.model import Phase
from farshore.plan.recovery import STORAGE_ACCOUNTS

LET_GO = f"{Phase.PROTECT.value}/let-go/"
"""How ids of steps begin that disable a machine's replication where its vault must not be."""
LETTING_GO = 30
"""Attempts, 20 s apart: what holds the item while it is being disabled refuses the next."""


def build(design: Design, draft: Draft) -> None:
    draft.begin(Phase.PROTECT)
    recovery = design.recovery
    source, target = recovery.source, recovery.target
    draft.begin(
        Phase.PROTECT,
        [
            draft.put(
                f"vault/{recovery.vault.name}",
                recovery.vault_body(),
                title=f"Create the Recovery Services vault {recovery.vault.name} in {target}",
                forwarding=False,
            )
        ],
    )
    ready = _replication_objects(design, draft)
    accounts = _accounts(design, draft)
    for machine in design.machines:
        replicated = recovery.protecting(machine.id) is not None
        decided = None if replicated else places.ask(design, draft, machine, placed_by(design, machine))
        before = [*ready, *accounts, decided]
        enabled = draft.add(
            f"enable/{machine.label}",
            actions.enable_replication(machine.planned.item, machine.id, _enable(design, machine)),
            title=f"Replicate machine {machine.label} to {target}"
            if not replicated
            else f"Machine {machine.label} is replicated to {target} already",
            subject=machine.planned.item,
            expected=durations.ENABLE if not replicated else durations.ALREADY_THERE,
            after=_let_go(design, draft, machine, before),
        )
        draft.add(
            f"configure/{machine.label}",
            actions.configure_item(machine.planned.item, settings_there(design, machine)),
            title=f"Machine {machine.label} will have the address {machine.planned.target_address} in {target}",
            subject=machine.planned.item,
            expected=durations.CONFIGURE,
            after=[enabled],
        )
    assert source != target


def _let_go(design: Design, draft: Draft, machine: Machine, after: list[str | None]) -> list[str | None]:
    """The step that disables a machine's replication where its vault must not be, else what it would come after."""
    item = design.recovery.misplaced(machine.id)
    if item is None:
        return after
    return [
        draft.add(
            f"let-go/{machine.label}",
            actions.delete(item, attempts=LETTING_GO),
            title=f"Disable the replication of machine {machine.label} from vault {item.top.name}, which is in"
            f" {design.recovery.source} itself (S10); it has none until it is protected anew",
            subject=item,
            expected=durations.for_delete(item.type),
            after=after,
        )
    ]


def source_cache(design: Design, machine: Machine) -> ResourceId:
    """The cache account beside a machine at home: one for each resource group that machines live in."""
    assert machine.id.group_id is not None
    return design.recovery.account(machine.id.group_id, design.recovery.source, "cache")


def target_cache(design: Design) -> ResourceId:
    return design.recovery.account(design.recovery.group, design.recovery.target, "cache")


def target_disks(design: Design) -> ResourceId:
    """The account that unmanaged disks go to (S28)."""
    return design.recovery.account(design.recovery.group, design.recovery.target, "disks")


def home_account(design: Design, machine: Machine) -> ResourceId:
    """The account that an unmanaged machine's disks come from, by the first label of their address."""
    uri = next((disk.vhd_uri for disk in machine.vm.disks if disk.vhd_uri is not None), "")
    name = uri.split("://", 1)[-1].split(".", 1)[0].lower()
    for body in design.estate.of_type(STORAGE_ACCOUNTS):
        id_ = resource_id(str(body["id"]))
        if id_.name.lower() == name:
            return id_
    raise InputError(
        f"The storage account {name} of machine {machine.label}'s disks is not in the estate",
        value=uri,
        expected="the account in estate.json",
    )


def _replication_objects(design: Design, draft: Draft) -> list[str]:
    """Fabrics, containers, policy, mappings and network mappings; what every item comes after."""
    recovery = design.recovery
    source, target = recovery.source, recovery.target
    policy = draft.put("policy", recovery.policy_body(), title="Keep a day of recovery points (S25)", forwarding=False)
    containers = {}
    for region in (source, target):
        fabric = draft.put(
            f"fabric/{region}",
            recovery.fabric_body(region),
            title=f"Register region {region} in the vault",
            forwarding=False,
        )
        containers[region] = draft.put(
            f"container/{region}",
            recovery.container_body(region),
            title=f"Create the protection container of {region}",
            after=[fabric],
            forwarding=False,
        )
    made = []
    before: list[str] = []
    for from_, to in ((source, target), (target, source)):
        mapping = draft.put(
            f"mapping/{from_}-{to}",
            recovery.mapping_body(from_, to),
            title=f"Let machines of {from_} be protected into {to}",
            after=[policy, *containers.values(), *before],
            forwarding=False,
        )
        # The two mappings of a pair of containers change both: one after the other.
        before = [mapping]
        made.append(mapping)
    for network in _machine_networks(design):
        label, there = design.label(network), design.counterparts.of(network)
        for from_, to, here, other in ((source, target, network, there), (target, source, there, network)):
            made.append(
                draft.put(
                    f"network-mapping/{from_}-{to}/{label}",
                    recovery.network_mapping_body(from_, to, label, here, other),
                    title=f"Map network {here.name} to {other.name}",
                    after=list(containers.values()),
                    forwarding=False,
                )
            )
    return made


def _machine_networks(design: Design) -> list[ResourceId]:
    found: dict[ResourceId, None] = {}
    for machine in design.machines:
        for card in machine.cards:
            subnet = card.configuration.subnet
            if subnet is not None and subnet.parent is not None:
                found[subnet.parent] = None
    return sorted(found)


def _accounts(design: Design, draft: Draft) -> list[str]:
    recovery = design.recovery
    wanted: dict[ResourceId, tuple[str, str]] = {}
    for machine in design.machines:
        wanted[source_cache(design, machine)] = (recovery.source, "Changes wait here on their way to the target")
    wanted[target_cache(design)] = (recovery.target, "Changes wait here on their way back")
    if not all(machine.planned.managed for machine in design.machines):
        wanted[target_disks(design)] = (recovery.target, "Unmanaged disks are replicated to this account")
    return [
        draft.put(
            f"storage/{id_.name}",
            recovery.account_body(id_, region),
            title=f"Create storage account {id_.name} in {region}: {why}",
            forwarding=False,
        )
        for id_, (region, why) in wanted.items()
    ]


def _enable(design: Design, machine: Machine) -> dict[str, Any]:
    """S12. Disks by id where they are managed, by the address of their blob where not (D2, D3)."""
    recovery, planned = design.recovery, machine.planned
    group = planned.target_id.group_id
    subnet = machine.cards[0].configuration.subnet
    assert group is not None and subnet is not None and subnet.parent is not None
    cache = source_cache(design, machine).text
    details: dict[str, Any] = {
        "instanceType": "A2A",
        "fabricObjectId": machine.id.text,
        "recoveryContainerId": recovery.containers[recovery.target].text,
        "recoveryResourceGroupId": group.text,
        "recoveryAzureNetworkId": design.counterparts.of(subnet.parent).text,
        "recoverySubnetName": subnet.name,
        **places.there(design, machine),
        **({} if machine.group is None else {"multiVmGroupName": machine.group}),
    }
    if planned.managed:
        details["vmManagedDisks"] = [
            {
                "diskId": disk.managed_disk.text,
                "primaryStagingAzureStorageAccountId": cache,
                "recoveryResourceGroupId": group.text,
                **_account_type(design, disk.managed_disk),
                **places.encryption_of(design, disk.managed_disk),
            }
            for disk in machine.vm.disks
            if disk.managed_disk is not None
        ]
    else:
        details["vmDisks"] = [
            {
                "diskUri": disk.vhd_uri,
                "primaryStagingAzureStorageAccountId": cache,
                "recoveryAzureStorageAccountId": target_disks(design).text,
            }
            for disk in machine.vm.disks
            if disk.vhd_uri is not None
        ]
    return {"policyId": recovery.policy.text, "protectableItemId": "", "providerSpecificDetails": details}


def _account_type(design: Design, disk: ResourceId) -> dict[str, str]:
    """The replica and the disk made of it are of the source disk's kind."""
    sku = ((design.estate.get(disk) or {}).get("sku") or {}).get("name")
    if not isinstance(sku, str):
        return {}
    return {"recoveryReplicaDiskAccountType": sku, "recoveryTargetDiskAccountType": sku}
