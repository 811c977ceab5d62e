"""The states of a protected item and what each allows (S18, S19).

    Enabling ─► InitialReplication ─► FirstPointPending ─► Protected ◄─────────────┐
                                                           │  ▲                    │
                                       testFailover ─► TestPending ─► cleanup ─────┘
                                                           │
                          unplannedFailover ─► FailingOver ─┬─► FailedOver ─► Committing ─► Committed
                                                            └─► FailoverFailed        │
                                 switchprotection (a new item under the other fabric) ◄┘ or reProtect

A verb that a state does not allow is refused (`require`). While a job runs on an item nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from farshore.arm.recovery import COMMIT_PENDING, COMMITTED, PROTECTED
from farshore.lab.answers import Refused


class Phase(StrEnum):
    ENABLING = "enabling"
    INITIAL_REPLICATION = "initialReplication"
    FIRST_POINT_PENDING = "firstPointPending"
    PROTECTED = "protected"
    TEST_PENDING = "testPending"
    FAILING_OVER = "failingOver"
    FAILED_OVER = "failedOver"
    FAILOVER_FAILED = "failoverFailed"
    COMMITTING = "committing"
    COMMITTED = "committed"
    REPROTECTING = "reprotecting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a phase shows on the wire."""

    state: str
    description: str
    allowed: tuple[str, ...] = ()


SHOWN = {
    Phase.ENABLING: Shown(state="UnprotectedStatesBegin", description="Enabling protection"),
    Phase.INITIAL_REPLICATION: Shown(
        state="InitialReplicationInProgress",
        description="Initial replication is in progress",
        allowed=("DisableProtection",),
    ),
    Phase.FIRST_POINT_PENDING: Shown(
        state="InitialReplicationRecoveryCompletionPending",
        description="Waiting for first recovery point",
        allowed=("DisableProtection",),
    ),
    Phase.PROTECTED: Shown(
        state=PROTECTED, description="Protected", allowed=("UnplannedFailover", "DisableProtection", "TestFailover")
    ),
    Phase.TEST_PENDING: Shown(
        state=PROTECTED, description="Cleanup test failover pending", allowed=("TestFailoverCleanup",)
    ),
    Phase.FAILING_OVER: Shown(state="UnplannedFailoverInitiated", description="Failover is in progress"),
    Phase.FAILED_OVER: Shown(
        state=COMMIT_PENDING,
        description="Failover completed",
        allowed=("Commit", "ChangePit", "DisableProtection", "CompleteMigration"),
    ),
    Phase.FAILOVER_FAILED: Shown(
        state="UnplannedFailoverFailed",
        description="Failover failed",
        allowed=("UnplannedFailover", "TestFailover", "DisableProtection"),
    ),
    Phase.COMMITTING: Shown(state="CommitFailoverInProgressOnRecovery", description="Commit is in progress"),
    Phase.COMMITTED: Shown(
        state=COMMITTED,
        description="Failover committed",
        allowed=("ReverseReplicate", "DisableProtection"),
    ),
    Phase.REPROTECTING: Shown(state="ReprotectInitiated", description="Reprotection is in progress"),
}

NOT_YET = frozenset({Phase.ENABLING, Phase.INITIAL_REPLICATION, Phase.FIRST_POINT_PENDING})
"""Phases of an item that is not protected yet."""
REPLICATING = frozenset({Phase.PROTECTED, Phase.TEST_PENDING, Phase.FAILOVER_FAILED})
"""Phases in which changes are shipped and recovery points made."""


def require(phase: Phase, operation: str, machine: str, busy: bool) -> None:
    """Refuse a verb that the item does not allow now."""
    if operation in SHOWN[phase].allowed and not busy:
        return
    why = f"its protection state is '{SHOWN[phase].state}'"
    if busy:
        why = "another job is in progress on it"
    elif phase is Phase.TEST_PENDING:
        why = "a test failover of it still stands, and is cleaned up first"
    allowed = ", ".join(() if busy else SHOWN[phase].allowed) or "none"
    raise Refused(
        409,
        "OperationNotAllowed",
        f"The operation '{operation}' can't be done on machine '{machine}': {why}. Allowed operations: {allowed}.",
    )
