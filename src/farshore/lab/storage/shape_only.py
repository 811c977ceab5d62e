"""Types of Microsoft.Storage that are shape only (`lab/kept.py`): what lies in an account beside the bytes of disks.

Its services are there with the account. A container that is made here says nothing of blobs: those that unmanaged disks
are, and what they hold, are the lab's own (`storage/blobs.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from farshore.lab.kept import Kind, keep
from farshore.lab.patterns import RESOURCES, STORAGE_PARTS, STORAGE_TASKS
from farshore.lab.storage.services import SPECIAL

_AT_ONCE = Kind(pattern=RESOURCES, states=False)
_SLOW = Kind(pattern=STORAGE_TASKS)
_ALWAYS_200 = Kind(pattern=STORAGE_PARTS, states=False)
_NO_RULES: dict[str, Any] = {"cors": {"corsRules": []}}


def _service(**shown: Any) -> Kind:
    return replace(_ALWAYS_200, patches=False, gone=None, born={**_NO_RULES, **shown})


KINDS = {
    "contextCaches": _SLOW,
    "contextCaches/contextCacheContainers": _SLOW,
    "storageAccounts/advancedPlatformMetrics": replace(_AT_ONCE, patches=False),
    "storageAccounts/blobAccessPointConfigurations": _SLOW,
    "storageAccounts/blobServices": _service(deleteRetentionPolicy={"allowPermanentDelete": False, "enabled": False}),
    "storageAccounts/blobServices/containers": replace(
        _AT_ONCE,
        shown={
            "defaultEncryptionScope": "$account-encryption-key",
            "denyEncryptionScopeOverride": False,
            "deleted": False,
            "remainingRetentionDays": 0,
            "legalHold": {"hasLegalHold": False, "tags": []},
            "hasImmutabilityPolicy": False,
            "hasLegalHold": False,
            "leaseState": "Available",
            "leaseStatus": "Unlocked",
            "publicAccess": "None",
        },
    ),
    "storageAccounts/blobServices/containers/immutabilityPolicies": replace(
        _ALWAYS_200, patches=False, shown={"state": "Unlocked"}
    ),
    "storageAccounts/connectors": _SLOW,
    "storageAccounts/dataShares": _SLOW,
    "storageAccounts/encryptionScopes": replace(_AT_ONCE, gone=None, shown={"state": "Enabled"}),
    "storageAccounts/fileServices": _service(
        protocolSettings={"smb": {}}, shareDeleteRetentionPolicy={"days": 7, "enabled": True}
    ),
    "storageAccounts/fileServices/shares": replace(_AT_ONCE, shown={"accessTier": "TransactionOptimized"}),
    "storageAccounts/inventoryPolicies": replace(_ALWAYS_200, patches=False),
    "storageAccounts/localUsers": replace(_ALWAYS_200, patches=False),
    "storageAccounts/managementPolicies": replace(_ALWAYS_200, patches=False),
    "storageAccounts/objectReplicationPolicies": replace(_ALWAYS_200, patches=False),
    "storageAccounts/queueServices": _service(),
    "storageAccounts/queueServices/queues": replace(_ALWAYS_200, gone=204),
    "storageAccounts/storageTaskAssignments": _SLOW,
    "storageAccounts/tableServices": _service(),
    "storageAccounts/tableServices/tables": replace(_ALWAYS_200, gone=204),
}
"""Type below the namespace to what answers for it."""

keep("Microsoft.Storage", KINDS, __name__, SPECIAL, put_takes="storageAccounts.put", delete_takes="storageAccounts.put")
