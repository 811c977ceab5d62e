"""Types of Microsoft.Compute that are shape only (`lab/kept.py`): scale sets, galleries, hosts, restore points, keys.

A disk encryption set is one too: disks name it (S63), and nothing is encrypted here.
"""

from __future__ import annotations

from dataclasses import replace

from farshore.lab.kept import Kind, keep
from farshore.lab.patterns import COMPUTE, COMPUTE_AT_ONCE, DISKS, PLACES

_SLOW = Kind(pattern=COMPUTE)
_DISKS = Kind(pattern=DISKS)
_AT_ONCE = Kind(pattern=PLACES)
_NO_PATCH = Kind(pattern=COMPUTE, patches=False)

KINDS = {
    "diskAccesses": _DISKS,
    "diskAccesses/privateEndpointConnections": replace(_DISKS, patches=False),
    "diskEncryptionSets": _DISKS,
    "galleries": _SLOW,
    "galleries/applications": _SLOW,
    "galleries/applications/versions": _SLOW,
    "galleries/images": _SLOW,
    "galleries/images/versions": _SLOW,
    "galleries/inVMAccessControlProfiles": _SLOW,
    "galleries/inVMAccessControlProfiles/versions": _SLOW,
    "galleries/scripts": _SLOW,
    "galleries/scripts/versions": _SLOW,
    "hostGroups": replace(_AT_ONCE, states=False),
    "hostGroups/hosts": _SLOW,
    "interconnectBlocks": _SLOW,
    "restorePointCollections": Kind(pattern=COMPUTE_AT_ONCE),
    "restorePointCollections/restorePoints": _NO_PATCH,
    "sshPublicKeys": replace(_AT_ONCE, states=False),
    "virtualMachineScaleSets": _SLOW,
    "virtualMachineScaleSets/extensions": _SLOW,
    "virtualMachineScaleSets/virtualMachines": Kind(pattern=DISKS, patches=False),
    "virtualMachineScaleSets/virtualMachines/diagnosticRunCommands": _SLOW,
    "virtualMachineScaleSets/virtualMachines/extensions": _SLOW,
    "virtualMachineScaleSets/virtualMachines/runCommands": _SLOW,
    "virtualMachines/diagnosticRunCommands": _SLOW,
}
"""Type below the namespace to what answers for it."""

keep("Microsoft.Compute", KINDS, __name__, put_takes="disks.put", delete_takes="disks.delete")
