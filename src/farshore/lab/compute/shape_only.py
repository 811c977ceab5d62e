"""Types of Microsoft.Compute that are shape only (`lab/kept.py`): scale sets, galleries, hosts, restore points, keys.

A disk encryption set is one too: disks name it (S63), and nothing is encrypted here.
"""

from __future__ import annotations

from dataclasses import replace

from farshore.lab.compute.shown import SPECIAL
from farshore.lab.kept import Kind, keep
from farshore.lab.patterns import COMPUTE, COMPUTE_AT_ONCE, DISKS, GALLERIES, PLACES

_SLOW = Kind(pattern=COMPUTE)
_DISKS = Kind(pattern=DISKS)
_AT_ONCE = Kind(pattern=PLACES)
_GALLERIES = Kind(pattern=GALLERIES)
_IN_A_GALLERY = replace(_GALLERIES, placed=True)
_NO_PATCH = Kind(pattern=COMPUTE, patches=False)

KINDS = {
    "diskAccesses": _DISKS,
    "diskAccesses/privateEndpointConnections": replace(_DISKS, patches=False),
    "diskEncryptionSets": _DISKS,
    "galleries": replace(_GALLERIES, shown={"softDeletePolicy": {"isSoftDeleteEnabled": False}}),
    "galleries/applications": replace(_AT_ONCE, states=False, placed=True),
    "galleries/applications/versions": _IN_A_GALLERY,
    "galleries/images": replace(_IN_A_GALLERY, shown={"hyperVGeneration": "V1", "architecture": "x64"}),
    "galleries/images/versions": _IN_A_GALLERY,
    "galleries/inVMAccessControlProfiles": _IN_A_GALLERY,
    "galleries/inVMAccessControlProfiles/versions": _IN_A_GALLERY,
    "galleries/scripts": _IN_A_GALLERY,
    "galleries/scripts/versions": _IN_A_GALLERY,
    "hostGroups": replace(_AT_ONCE, states=False, shown={"supportAutomaticPlacement": False}),
    "hostGroups/hosts": replace(_SLOW, placed=True, shown={"autoReplaceOnFailure": True}),
    "interconnectBlocks": _SLOW,
    "restorePointCollections": Kind(pattern=COMPUTE_AT_ONCE),
    "restorePointCollections/restorePoints": _NO_PATCH,
    "sshPublicKeys": replace(_AT_ONCE, states=False),
    "virtualMachineScaleSets": _SLOW,
    "virtualMachineScaleSets/extensions": _SLOW,
    "virtualMachineScaleSets/virtualMachines": Kind(pattern=DISKS, patches=False),
    "virtualMachineScaleSets/virtualMachines/diagnosticRunCommands": replace(_SLOW, placed=True),
    "virtualMachineScaleSets/virtualMachines/extensions": _SLOW,
    "virtualMachineScaleSets/virtualMachines/runCommands": replace(_SLOW, placed=True),
    "virtualMachines/diagnosticRunCommands": replace(_SLOW, placed=True),
}
"""Type below the namespace to what answers for it."""

keep("Microsoft.Compute", KINDS, __name__, SPECIAL, put_takes="disks.put", delete_takes="disks.delete")
