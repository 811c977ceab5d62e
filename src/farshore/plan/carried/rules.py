"""What a reference means for a move, by where it stands. First match wins, so that each is said exactly once.

`{here}` is the name of the thing referred to, `{there}` its name in the target, `{machine}` the target's machine,
`{nic}` the target's NIC, `{holder}` the resource that the reference stands in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from farshore.plan.carried.values import How


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    path: re.Pattern[str]
    how: How
    why: str
    instruction: str | None = None
    answered_by: tuple[str, ...] = ()
    """What of farshore.yaml answers it (`places.py`): fields of a `Placement`, the one that is asked for first; or
    `SETS`."""


def _rule(path: str, how: How, why: str, instruction: str | None = None, *answered_by: str) -> Rule:
    return Rule(
        path=re.compile(path, re.IGNORECASE), how=how, why=why, instruction=instruction, answered_by=answered_by
    )


_CONFIGURATION = r"^properties\.ipConfigurations\[\d+\]\.properties\."
_DISKS = r"^properties\.storageProfile\.(osDisk|dataDisks\[\d+\])\."
UNKNOWN = "no rule knows what this is"
SETS = "disk_encryption_sets"
LOOK = "Look at it before the failover: {path} of {holder} names {here}, and nothing here knows what the target needs."

MACHINE = (
    _rule(r"^properties\.networkProfile\.networkInterfaces\[", How.ITEM, "the item makes each NIC anew (S13)"),
    _rule(rf"{_DISKS}managedDisk\.id$", How.ITEM, "the item replicates the disk (S12)"),
    _rule(
        rf"{_DISKS}managedDisk\.(diskEncryptionSet|securityProfile\.diskEncryptionSet)\.id$",
        How.HAND,
        "a disk of a customer-managed key needs a set in the target (S63)",
        "Before replication is enabled: create a disk encryption set in {region} with its own key, and name it in"
        " disk_encryption_sets of farshore.yaml: recoveryDiskEncryptionSetId of the disk (S12).",
        SETS,
    ),
    _rule(
        rf"{_DISKS}encryptionSettings\.",
        How.HAND,
        "Azure Disk Encryption needs its keys in the target (S63)",
        "Before the failover: copy the keys and secrets of {here} to a key vault in {region}.",
    ),
    _rule(r"^properties\.storageProfile\.imageReference\.", How.NOTHING, "the machine is made of its disks (S46)"),
    _rule(
        r"^properties\.availabilitySet\.id$",
        How.HAND,
        "an availability set is one region's",
        "Before replication is enabled: create an availability set in {region}, and name it in machines: placement of"
        " farshore.yaml: recoveryAvailabilitySetId of the machine's item (S12).",
        "availability_set",
        "zone",
    ),
    _rule(
        r"^properties\.proximityPlacementGroup\.id$",
        How.HAND,
        "a proximity placement group is one region's (S63)",
        "Before replication is enabled: create a proximity placement group in {region}, and name it in machines:"
        " placement of farshore.yaml: recoveryProximityPlacementGroupId of the machine's item (S12).",
        "proximity_placement_group",
    ),
    _rule(
        r"^properties\.capacityReservation\.",
        How.HAND,
        "a capacity reservation is one region's",
        "Before replication is enabled: reserve capacity in {region}, and name its group in machines: placement of"
        " farshore.yaml: recoveryCapacityReservationGroupId of the machine's item (S12).",
        "capacity_reservation_group",
    ),
    _rule(
        r"^properties\.virtualMachineScaleSet\.id$",
        How.HAND,
        "a flexible scale set needs one in the target (S63)",
        "Before the failover: create a flexible scale set in {region} and name it as"
        " recoveryVirtualMachineScaleSetId of the machine's item (S12).",
    ),
    _rule(
        r"^properties\.(host|hostGroup)\.id$",
        How.HAND,
        "dedicated hosts are not supported (S63)",
        "After the failover: {machine} stands on no dedicated host; where it must, move it to one in {region}.",
    ),
    _rule(
        r"^zones\[",
        How.HAND,
        "a zone is one region's (S63)",
        "Before replication is enabled: choose a zone of {region}, and name it in machines: placement of farshore.yaml:"
        " recoveryAvailabilityZone of the machine's item (S12).",
        "zone",
        "availability_set",
    ),
    _rule(
        r"^identity\.userAssignedIdentities\[",
        How.HAND,
        "an identity is no part of what Site Recovery makes (S35)",
        "After the failover: add {here} to identity.userAssignedIdentities of {machine}.",
    ),
    _rule(
        r"^identity\.type$",
        How.HAND,
        "a system-assigned identity belongs to one machine (S35)",
        "After the failover: turn the system-assigned identity of {machine} on, and give its new principal every role"
        " that the source machine's has.",
    ),
    _rule(
        r"^(resources|extensions)\[",
        How.HAND,
        "extensions are not carried (S35)",
        "After the failover: install the extension {here} on {machine}, with its protected settings.",
    ),
    _rule(
        r"^properties\.diagnosticsProfile\.bootDiagnostics\.storageUri$",
        How.HAND,
        "boot diagnostics write to an account of the machine's region",
        "Before the failover: name an account in {region} as recoveryBootDiagStorageAccountId of the machine's item"
        " (S12).",
    ),
    _rule(
        r"^properties\.securityProfile\.encryptionAtHost$",
        How.HAND,
        "host encryption is not carried (S35, S63)",
        "After the failover: stop {machine}, set properties.securityProfile.encryptionAtHost to true, start it.",
    ),
    _rule(r"^tags\.", How.ITEM, "the machine's tags are synced every 24 hours (S35)"),
)

NIC = (
    _rule(r"^properties\.virtualMachine\.id$", How.NOTHING, "it says which machine holds the NIC"),
    _rule(rf"{_CONFIGURATION}subnet\.id$", How.ITEM, "the item names the subnet and the address (S13, S34)"),
    _rule(r"^properties\.networkSecurityGroup\.id$", How.ITEM, "the item names the target's security group (S13)"),
    _rule(rf"{_CONFIGURATION}applicationSecurityGroups\[", How.STEP, "the item has no field for it (S13)"),
    _rule(r"^properties\.dnsSettings\.dnsServers\[", How.STEP, "the item has no field for it (S13)"),
    _rule(r"^tags\.", How.STEP, "the item has no field for it (S13)"),
    _rule(
        rf"{_CONFIGURATION}publicIPAddress\.id$",
        How.HAND,
        "public addresses are never kept (S35)",
        "Before the failover: create a public address in {region} and name it as recoveryPublicIPAddressId of the"
        " configuration in the machine's item (S13); it has another value, so change the names that lead to {here}.",
    ),
    _rule(
        rf"{_CONFIGURATION}loadBalancerBackendAddressPools\[",
        How.HAND,
        "a load balancer is one region's",
        "Before the failover: create the load balancer's counterpart in {region} with a pool {here}, and name the pool"
        " in recoveryLBBackendAddressPoolIds of the configuration in the machine's item (S13).",
    ),
    _rule(
        rf"{_CONFIGURATION}loadBalancerInboundNatRules\[",
        How.HAND,
        "the item has no field for it (S13)",
        "After the failover: add an inbound NAT rule like {here} of the target's load balancer to {nic}.",
    ),
    _rule(
        rf"{_CONFIGURATION}applicationGatewayBackendAddressPools\[",
        How.HAND,
        "the item has no field for it (S13)",
        "After the failover: add {nic} to the pool {here} of an application gateway in {region}.",
    ),
    _rule(
        rf"{_CONFIGURATION}gatewayLoadBalancer\.id$",
        How.HAND,
        "the item has no field for it (S13)",
        "After the failover: chain {nic} to a gateway load balancer in {region}, as {here} is.",
    ),
)

DISK = (
    _rule(r"^managedBy(Extended\[\d+\])?$", How.NOTHING, "it says which machine holds the disk"),
    _rule(r"^properties\.creationData\.", How.NOTHING, "it says what the disk was made of"),
    _rule(
        r"^properties\.encryption\.diskEncryptionSetId$",
        How.HAND,
        "a disk of a customer-managed key needs a set in the target (S63)",
        "Before replication is enabled: create a disk encryption set in {region} with its own key, and name it in"
        " disk_encryption_sets of farshore.yaml: recoveryDiskEncryptionSetId of the disk {holder} (S12).",
        SETS,
    ),
    _rule(
        r"^properties\.encryptionSettingsCollection\.",
        How.HAND,
        "Azure Disk Encryption needs its keys in the target (S63)",
        "Before the failover: copy the keys and secrets of {here} to a key vault in {region}.",
    ),
    _rule(
        r"^properties\.diskAccessId$",
        How.HAND,
        "the item has no field for it (S12)",
        "After the failover: set diskAccessId and networkAccessPolicy of the target's disk to a disk access in"
        " {region}, as {holder} has.",
    ),
)

_ARM_KEEPS = (
    "networkInterfaces|ipConfigurations?|backendIPConfigurations?|virtualMachines(Associated)?|managedBy"
    "|managedByExtended|networkInterfaceIPConfiguration|associatedNetworkInterfaces"
)
_ROLE = "microsoft.authorization/roleassignments"

OTHER: tuple[tuple[str, Rule], ...] = (
    (
        r"^microsoft\.recoveryservices/vaults/replication",
        _rule(r".*", How.NOTHING, "it is replication's own"),
    ),
    (
        r"^microsoft\.recoveryservices/vaults/backup",
        _rule(
            r".*",
            How.HAND,
            "a backup is of one machine",
            "After the failover: back {machine} up, in a vault in {region}, with the policy that {holder} names.",
        ),
    ),
    (
        r"^microsoft\.network/privatednszones/|^microsoft\.network/dnszones/",
        _rule(
            r".*",
            How.HAND,
            "an alias record follows one resource",
            "After the failover: let the record {holder} lead to what stands for {here} in the target.",
        ),
    ),
    (
        r"^microsoft\.(network|compute)/",
        _rule(rf"(^|\.)({_ARM_KEEPS})(\[\d+\])?(\.id)?$", How.NOTHING, "a list that ARM keeps of who refers to it"),
    ),
    (
        r"^microsoft\.(insights|alertsmanagement|operationalinsights)/",
        _rule(
            r".*",
            How.HAND,
            "monitoring names the machine by its id",
            "After the failover: let {holder} name {machine} too ({path}).",
        ),
    ),
)
"""By the type of what refers, then by path."""

BESIDE: tuple[tuple[str, Rule], ...] = (
    (
        r"^microsoft\.network/privatednszones/virtualnetworklinks$",
        _rule(
            r"^properties\.virtualNetwork\.id$",
            How.HAND,
            "a private zone answers in the networks that it is linked to",
            "Before the failover: link the zone of {holder} to {there}.",
        ),
    ),
    (
        r"^microsoft\.network/privateendpoints$",
        _rule(
            r"^properties\.subnet\.id$",
            How.HAND,
            "a private endpoint stands in one subnet, and has an address of it",
            "Before the failover: create a private endpoint like {holder} in {there}, with its DNS zone group; the"
            " records of its zone then name its address.",
        ),
    ),
)
"""What stands beside the machines in their networks and is not mirrored, by its type."""

ATTACHED: tuple[tuple[str, Rule], ...] = (
    (
        r"/extensions$",
        _rule(
            r".*",
            How.HAND,
            "extensions are not carried (S35)",
            "After the failover: install the extension {holder} on {machine}, with its protected settings.",
        ),
    ),
    (
        rf"^{_ROLE}$",
        _rule(
            r".*",
            How.HAND,
            "role assignments are not carried (S35)",
            "After the failover: assign the role of {holder} on {machine}, to the same principal.",
        ),
    ),
    (
        r"^microsoft\.authorization/locks$",
        _rule(
            r".*",
            How.HAND,
            "a lock is on one resource",
            "After the failover is committed: put the lock {holder} on {machine}. A lock on the source may stop"
            " reprotect from removing it (S46): take it off before.",
        ),
    ),
)
"""What stands under the machine's id, by its type."""


_FRONTS = (
    _rule(
        rf"{_CONFIGURATION}publicIPAddress\.id$",
        How.STEP,
        "the item names a public address of the target (S13); its value is another (S35)",
    ),
    _rule(rf"{_CONFIGURATION}loadBalancerBackendAddressPools\[", How.STEP, "the item names the target's pool (S13)"),
)


def of_front(path: str) -> Rule | None:
    """The rule of a NIC's pool or public address whose counterpart is made, or stands already."""
    return of_path(_FRONTS, path)


def of_path(rules: tuple[Rule, ...], path: str) -> Rule | None:
    return next((rule for rule in rules if rule.path.search(path)), None)


def of_type(rules: tuple[tuple[str, Rule], ...], type_: str, path: str) -> Rule | None:
    """The first rule whose type and path both match."""
    lower = type_.lower()
    return next((rule for kind, rule in rules if re.search(kind, lower) and rule.path.search(path)), None)
