"""The states of an item that Site Recovery protects (S18, S19), as its `protectionState` shows them.

The property is a plain text in Azure's own schema; these are the values that more than one of us looks for.
"""

from __future__ import annotations

PROTECTED = "Protected"
COMMIT_PENDING = "UnplannedFailoverCommitPendingStatesBegin"
"""Failed over, and the recovery point can be changed still."""
COMMITTED = "UnplannedFailoverCommitted"


def has_failed(state: str) -> bool:
    """Whether an item has come to an end that is none: `InitialReplicationFailed`, `UnplannedFailoverFailed`."""
    return state.endswith("Failed")
