"""Site Recovery's own objects, where a vault holds some already (S1 to S27, S33, S52).

The plan makes what is absent. What is there was made by somebody, and Site Recovery trusts it: a mapping to the wrong
network sends machines there, an item that is not Protected does not fail over.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.decode import Reader
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.recovery import COMMITTED, PROTECTED
from farshore.assess.context import Context
from farshore.assess.findings import Finding, error, rule, warning
from farshore.estate.counterparts import mapped_address
from farshore.estate.vaults import VAULTS, lies_in

FABRICS = VAULTS + "/replicationFabrics"
POLICIES = VAULTS + "/replicationPolicies"
CONTAINERS = FABRICS + "/replicationProtectionContainers"
ITEMS = CONTAINERS + "/replicationProtectedItems"
NETWORK_MAPPINGS = FABRICS + "/replicationNetworks/replicationNetworkMappings"
LONGEST_MANAGED_DAYS, LONGEST_UNMANAGED_DAYS = 15, 3
UNTESTED = "161011"
"""Site Recovery's code for a machine without a successful test failover (S22)."""
HEALTHY = ("normal", "none", "warning")


@rule("FS501", "The vault lies in the source region", "S10", "L36")
def vault(context: Context) -> Iterator[Finding]:
    """The plan makes another; what such a vault protects it protects anew where it has been told to, for a price."""
    source, target = context.project.source_region, context.project.target.region
    by_vm = {machine.id: machine.name for machine in context.machines}
    for body in context.estate.of_type(VAULTS):
        id_ = resource_id(str(body["id"]))
        if not lies_in(context.estate, id_, source):
            continue
        items = _objects(context, ITEMS)
        names = [by_vm[vm] for item, read in items if item.top == id_ and (vm := _fabric_object(read)) in by_vm]
        if not context.project.replace_vault and (names or _serves(context, id_)):
            yield error(
                id_,
                f"The vault {id_.name} is in {source}, the region that it has to recover from",
                f"location is {source}" + (f"; it protects {_some(sorted(names))}" if names else ""),
                remedy=f"use a vault in {target}, for a vault can't be moved; with replace_vault: true the plan makes"
                " one, and protects anew what this one protects",
            )
        elif names:
            yield warning(
                id_,
                f"The vault {id_.name} is in {source}, the region that it has to recover from, and protects machines",
                f"location is {source}; it protects {_some(sorted(names))}",
                f"the plan disables these replications and protects the machines from a vault in {target}: in between,"
                " until their first copies are made anew, they are replicated nowhere",
                remedy="choose the hour of farshore protect: a vault can't be moved",
            )
        else:
            yield warning(
                id_,
                f"The vault {id_.name} is in {source}: it may hold backups, and can't serve a recovery from {source}",
                f"location is {source}",
                remedy=f"leave it; the plan makes a vault in {target}",
            )


@rule("FS502", "A network mapping leads to another network than the plan's", "S33", "D44", "D22")
def network_mapping(context: Context) -> Iterator[Finding]:
    for id_, read in _used(context, NETWORK_MAPPINGS):
        primary = _id(read, "properties.fabricSpecificDetails.primaryNetworkId") or _id(
            read, "properties.primaryNetworkId"
        )
        recovery = _id(read, "properties.recoveryNetworkId")
        home = next((n for n in context.source.networks if n.id == primary), None)
        if home is None or recovery is None:
            continue
        wanted = context.counterparts.of(home.id)
        if recovery != wanted:
            yield error(
                id_,
                f"The mapping {id_.name} sends {home.name} to {recovery.name}, and the plan builds {wanted.name}",
                "Site Recovery would place machines by the mapping",
                remedy="delete the mapping so that the plan makes it, or give target.names the pattern that fits",
            )


@rule("FS503", "A replication policy asks for what there is not", "S25", "S4")
def policy(context: Context) -> Iterator[Finding]:
    managed = all(disk.vhd_uri is None for machine in context.machines for disk in machine.vm.disks)
    days = LONGEST_MANAGED_DAYS if managed else LONGEST_UNMANAGED_DAYS
    for id_, read in _used(context, POLICIES):
        details = "properties.providerSpecificDetails"
        kind = read.text(f"{details}.instanceType") or read.text("properties.providerSpecificInput.instanceType")
        if (kind or "A2A") != "A2A":
            continue
        history = read.number(f"{details}.recoveryPointHistory") or read.number(
            "properties.providerSpecificInput.recoveryPointHistory"
        )
        if history is not None and history > days * 24 * 60:
            yield error(
                id_,
                f"The policy {id_.name} keeps recovery points for {history} minutes; the most is {days} days here",
                "unmanaged disks keep them for 3 days" if not managed else "managed disks keep them for 15 days",
                remedy=f"set recoveryPointHistory to {days * 24 * 60} or less",
            )


@rule("FS504", "A machine's replication is not well", "S18", "S21", "S22")
def item_state(context: Context) -> Iterator[Finding]:
    for id_, read, name in _items(context):
        state = read.text("properties.protectionState") or ""
        health = read.text("properties.replicationHealth") or "Normal"
        if health.lower() not in HEALTHY:
            yield error(
                id_,
                f"Replication of {name} is {health}: what it has may be too old to promise",
                f"protectionState {state}, replicationHealth {health}",
                remedy=f"mend the replication of {name} before relying on it",
            )
        elif state and state.lower() not in (PROTECTED.lower(), COMMITTED.lower()):
            finding = error if "failed" in state.lower() else warning
            yield finding(
                id_,
                f"Replication of {name} is in state {state}, not Protected",
                f"protectionState {state}",
                remedy="wait until it is Protected, or finish what is pending",
            )


@rule("FS508", "A replicated machine has never had a drill", "D14", "S22", "S42")
def no_drill(context: Context) -> Iterator[Finding]:
    """Site Recovery says so by a health error of its own; a test counts only once it has been cleaned up."""
    for id_, read, name in _items(context):
        if any(item.text("errorCode") == UNTESTED for item in read.items("properties.healthErrors")):
            yield warning(
                id_,
                f"No test failover of {name} has succeeded since it was replicated",
                f"health error {UNTESTED}",
                remedy="run a drill, and clean it up: farshore drill",
            )


@rule("FS505", "A replicated machine's drill network is its failover network", "D16", "S36", "S37")
def item_drill(context: Context) -> Iterator[Finding]:
    for id_, read, name in _items(context):
        drill = _id(read, "properties.providerSpecificDetails.selectedTfoAzureNetworkId")
        real = _id(read, "properties.providerSpecificDetails.selectedRecoveryAzureNetworkId")
        if drill is not None and drill == real:
            yield error(
                id_,
                f"A drill of {name} would start in {drill.name}, where it fails over to",
                "the item's own setting wins over the network that a test failover is given",
                remedy="set another test failover network on the item",
            )


@rule("FS506", "A replicated machine fails over to another place than the plan's", "S33", "S34", "D68")
def item_place(context: Context) -> Iterator[Finding]:
    by_vm = {machine.id: machine for machine in context.machines}
    for id_, read, name in _items(context):
        machine = by_vm.get(_fabric_object(read))
        network = context.index.network_of(machine.subnets[0]) if machine is not None and machine.subnets else None
        if machine is None or network is None or machine.address is None:
            continue
        wanted = context.counterparts.of(network.id)
        chosen = _id(read, "properties.providerSpecificDetails.selectedRecoveryAzureNetworkId")
        if chosen is not None and chosen != wanted:
            yield error(
                id_,
                f"{name} fails over to {chosen.name}, and the plan's network is {wanted.name}",
                remedy="set the item's network, or delete the item so that the plan makes it",
            )
        address = mapped_address(context.project, machine.address)
        for nic in read.items("properties.providerSpecificDetails.vmNics"):
            for item in nic.items("ipConfigs"):
                given = item.text("recoveryStaticIPAddress")
                mine = item.text("staticIPAddress") in (None, str(machine.address))
                if given is not None and item.flag("isPrimary") and mine and given != str(address):
                    yield warning(
                        id_,
                        f"{name} is set to {given} in the target, and is promised {address}",
                        remedy="the plan sets it; run protect before relying on it",
                    )


@rule("FS507", "A replicated machine's cache account is not in its region", "S27")
def cache(context: Context) -> Iterator[Finding]:
    for _, read, name in _items(context):
        for disk in read.items("properties.providerSpecificDetails.protectedManagedDisks"):
            account = _id(disk, "primaryStagingAzureStorageAccountId")
            body = None if account is None else context.estate.get(account)
            if account is not None and body is not None:
                where = normal_location(body.get("location"))
                if where and where != context.project.source_region:
                    yield error(
                        account,
                        f"{name} writes its changes to {account.name} in {where}; the cache belongs in"
                        f" {context.project.source_region}",
                        remedy=f"enable replication with a cache account in {context.project.source_region}",
                    )
                    break


def is_ours(context: Context, vault_id: ResourceId) -> bool:
    """Whether a vault is the one of this recovery: in the target's group, in the target region, or with the objects of
    Site Recovery for one of our regions. Another vault may hold backups, whose place is beside their machines; and one
    in the source's region is never used."""
    return not lies_in(context.estate, vault_id, context.project.source_region) and _serves(context, vault_id)


def _serves(context: Context, vault_id: ResourceId) -> bool:
    """As `is_ours`, wherever it is."""
    body = context.estate.get(vault_id)
    if body is None:
        return False
    groups = {context.counterparts.group(machine.id) for machine in context.machines}
    if vault_id.group_id in groups or normal_location(body.get("location")) == context.project.target.region:
        return True
    inside = vault_id.key + "/replication"
    return any(key.startswith(inside) for key in context.estate.resources)


def _objects(context: Context, kind: str) -> Iterator[tuple[ResourceId, Reader]]:
    for body in _of_kind(context, kind):
        yield resource_id(str(body["id"])), Reader(body)


def _used(context: Context, kind: str) -> Iterator[tuple[ResourceId, Reader]]:
    """Objects of vaults that the plan may use: of the others it is enough that they are in the wrong place."""
    for id_, read in _objects(context, kind):
        if not lies_in(context.estate, id_, context.project.source_region):
            yield id_, read


def _of_kind(context: Context, kind: str) -> Iterator[Body]:
    """Network mappings lie under the literal `azureNetwork` (S5); types compare without regard to case."""
    yield from context.estate.of_type(kind)


def _items(context: Context) -> Iterator[tuple[ResourceId, Reader, str]]:
    """Protected items of selected machines."""
    by_vm = {machine.id: machine.name for machine in context.machines}
    for id_, read in _used(context, ITEMS):
        found = _fabric_object(read)
        if found in by_vm:
            yield id_, read, by_vm[found]


def _some(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _fabric_object(read: Reader) -> ResourceId:
    found = _id(read, "properties.providerSpecificDetails.fabricObjectId") or _id(
        read, "properties.providerSpecificDetails.dataSourceInfo.resourceId"
    )
    return found or resource_id("/subscriptions/none")


def _id(read: Reader, path: str) -> ResourceId | None:
    text = read.text(path)
    return resource_id(text) if text is not None and text.startswith("/subscriptions/") else None
