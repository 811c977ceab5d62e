"""replicationVaultHealth: how a vault's items are, counted, and what they suffer from (S8, S21, S22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.recovery import jobs
from farshore.lab.recovery.health import summary_of
from farshore.lab.recovery.names import CONTAINERS, FABRICS, ITEMS, VAULTS, shown_id
from farshore.lab.recovery.objects import Shown
from farshore.lab.recovery.vault_views import under
from farshore.lab.registry import action, resource_type, view

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

HEALTH = f"{VAULTS}/replicationVaultHealth"


@view(VAULTS, "replicationVaultHealth")
def health(call: Call) -> Response:
    call.must_exist()
    rows = [row["properties"] for row in under(call, ITEMS)]
    counts = {
        "testFailoverApplicableProtectedItemsCount": sum("TestFailover" in row["allowedOperations"] for row in rows),
        "testFailoverInProgressProtectedItemsCount": sum(
            row["currentScenario"]["scenarioName"] == "TestFailover" for row in rows
        ),
        "testFailoverWaitingProtectedItemsCount": sum(
            row["testFailoverState"] == "WaitingForCompletion" for row in rows
        ),
        "protectedItemsCriticalCount": sum(row["replicationHealth"] == "Critical" for row in rows),
        "protectedItemsWarningCount": sum(row["replicationHealth"] == "Warning" for row in rows),
        "protectedItemsNeutralCount": 0,
        "protectedItemsTestFailoverCriticalCount": 0,
        "protectedItemsTestFailoverWarningCount": sum(row["failoverHealth"] == "Warning" for row in rows),
        "protectedItemsConfigurationCriticalCount": 0,
        "protectedItemsConfigurationWarningCount": 0,
        "protectedItemsFailoverHealthCriticalCount": 0,
        "protectedItemsFailoverHealthWarningCount": sum(row["failoverHealth"] == "Warning" for row in rows),
    }
    fabrics, held = under(call, FABRICS), under(call, CONTAINERS)
    properties = {
        "vaultErrors": [],
        "protectedItemsHealth": {
            "resourceCount": len(rows),
            "issues": _issues(rows),
            "categorizedResourceCounts": counts,
        },
        "fabricsHealth": {"resourceCount": len(fabrics), "issues": [], "categorizedResourceCounts": None},
        "containersHealth": {"resourceCount": len(held), "issues": [], "categorizedResourceCounts": None},
    }
    id_ = shown_id(call.id.child("replicationVaultHealth", "Default"))
    return Response(status=200, body={"id": id_, "name": "Default", "type": HEALTH, "properties": properties})


@resource_type(HEALTH)
class VaultHealth(Shown):
    """Only what `refresh` is asked of."""

    noun = "vault health"
    kind = "Vault"


@action(HEALTH, "refresh")
def refresh(call: Call) -> Response:
    response, job = jobs.begin(
        call,
        "refresh",
        scenario="RefreshVaultHealth",
        title="Refresh vault health",
        target=("Vault", call.cloud.guid("entity", call.id.key), ""),
        takes=call.cloud.duration("recovery.quick", call.id.key, call.cloud.count("refresh", call.id.key)),
    )
    jobs.start_task(call.cloud, job, "RefreshFailoverHealthTask", "Refreshing failover health")
    return response


@jobs.job_done(HEALTH, "refresh")
def refreshed(cloud: Cloud, operation: Operation) -> Body | None:
    return None


def _issues(rows: list[Body]) -> list[Body]:
    """What the vault's items suffer from: one row a code, with the items that it is about."""
    found: dict[str, Body] = {}
    for error in (error for row in rows for error in row["healthErrors"]):
        issue = found.setdefault(
            error["errorCode"],
            {
                "summaryCode": error["errorCode"],
                "category": error["errorCategory"],
                "severity": "Error" if error["errorLevel"] == "Critical" else error["errorLevel"],
                "summaryMessage": summary_of(error),
                "affectedResourceType": "replicationProtectedItems",
                "affectedResourceSubtype": "",
                "affectedResourceCorrelationIds": [],
            },
        )
        issue["affectedResourceCorrelationIds"].append(error["entityId"])
    return [found[code] for code in sorted(found)]
