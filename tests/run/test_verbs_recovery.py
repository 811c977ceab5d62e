"""The verbs of Site Recovery, held by hand: done already, under way, lost, refused, failed underneath."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from farshore.arm.http import Request, Response
from farshore.azure.lro import Pending
from farshore.errors import TransportError
from farshore.run.verbs import VERBS
from farshore.run.verbs.base import Absent, Accepted, InProgress, Present, Refused
from farshore.times import stamp
from run.talk import ARM, GROUP, NOW, SILENCE, Held, answer, gone, hold, refusal, situation

VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v"
FABRICS = f"{VAULT}/replicationFabrics"
CONTAINER = f"{FABRICS}/f1/replicationProtectionContainers/c1"
REVERSE = f"{FABRICS}/f2/replicationProtectionContainers/c2"
ITEM = f"{CONTAINER}/replicationProtectedItems/vm1"
BACK = f"{REVERSE}/replicationProtectedItems/vm1"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic1"
OPERATION = f"{ARM}{VAULT}/replicationOperationStatus/job-1?api-version=2024-10-01"
ACCEPTED = answer(202, None, azure_asyncoperation=OPERATION, location=f"{OPERATION}&x=1")

ARGUMENTS: dict[str, dict[str, Any]] = {
    "failover": {"id": ITEM, "vm": VM, "direction": "PrimaryToRecovery", "shutdown": False, "point": "Latest"},
    "commit": {"id": ITEM},
    "test_failover": {"id": ITEM, "vm": VM, "network": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/drill"},
    "test_failover_cleanup": {"id": ITEM, "vm": VM},
    "switch_protection": {
        "id": ITEM,
        "reverse_item": BACK,
        "container": REVERSE,
        "policy": f"{VAULT}/replicationPolicies/p",
        "vm": VM,
        "recovery_group": GROUP,
        "staging_account": "staging",
    },
    "reprotect_unmanaged": {
        "id": ITEM,
        "container": REVERSE,
        "policy": f"{VAULT}/replicationPolicies/p",
        "vm": VM,
        "recovery_group": GROUP,
        "staging_account": "staging",
        "recovery_account": "recovery",
    },
    "enable_replication": {"id": ITEM, "vm": VM, "properties": {"policyId": "p"}},
}
DONE: dict[str, dict[str, Any]] = {
    "failover": {"protectionState": "UnplannedFailoverCommitPendingStatesBegin", "failoverRecoveryPointId": "point-7"},
    "commit": {"protectionState": "UnplannedFailoverCommitted"},
    "test_failover": {"protectionState": "Protected", "testFailoverState": "WaitingForCompletion"},
    "test_failover_cleanup": {"testFailoverState": "None", "allowedOperations": ["TestFailover"]},
    "switch_protection": {"protectionState": "Protected"},
    "reprotect_unmanaged": {"protectionState": "Protected"},
    "enable_replication": {"protectionState": "Protected"},
}
SCENARIO = {
    "failover": "UnplannedFailover",
    "commit": "CommitFailover",
    "test_failover": "TestFailover",
    "test_failover_cleanup": "TestFailoverCleanup",
    "switch_protection": "SwitchReplicationGroupProtection",
    "reprotect_unmanaged": "ReprotectReplication",
}
NOT_DONE = {"protectionState": "SomethingElse", "testFailoverState": "WaitingForCompletion", "allowedOperations": []}


def not_done(verb: str) -> dict[str, Any]:
    return {**NOT_DONE, "testFailoverState": "None"} if verb == "test_failover" else NOT_DONE


class Vault:
    """Answers GETs by what is there; keeps nothing that was not asked for."""

    def __init__(self, item: dict[str, Any] | None, *jobs: dict[str, Any]) -> None:
        self.item, self.jobs = item, list(jobs)
        self.machine: dict[str, Any] = {"storageProfile": {"osDisk": {"managedDisk": {"id": "/disks/os"}}}}
        self.operation: list[Response] = []
        self.write: Response = ACCEPTED
        self.after: Callable[[], None] = lambda: None

    def __call__(self, request: Request) -> Response:
        path = request.url.split("?")[0].removeprefix(ARM)
        if request.method != "GET":
            self.after()
            return self.write
        if path.endswith("/replicationJobs"):
            return answer(200, {"value": self.jobs})
        if "/replicationJobs/" in path:
            found = next((job for job in self.jobs if job["name"] == path.rsplit("/", 1)[-1]), None)
            return gone() if found is None else answer(200, found)
        if "/replicationOperationStatus/" in path:
            return self.operation.pop(0) if self.operation else answer(200, {"status": "Succeeded"})
        if path == VM:
            return answer(200, {"properties": self.machine})
        return (
            gone()
            if self.item is None
            else answer(200, {"properties": self.item}, date="Mon, 05 Jan 2026 06:09:00 GMT")
        )

    def hold(self, talk: Any, **more: Any) -> Held:
        return hold(talk, (self for _ in range(400)), **more)


def job(verb: str, state: str = "InProgress", *, begun: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
    properties = {
        "scenarioName": SCENARIO[verb],
        "targetObjectName": "vm1",
        "state": state,
        "startTime": stamp(NOW + begun),
        "endTime": stamp(NOW + begun + timedelta(minutes=3)) if state in ("Succeeded", "Failed") else None,
        **more,
    }
    return {"name": "job-1", "properties": properties}


POSTS = sorted(SCENARIO)


# Looking. ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", POSTS)
def test_what_is_done_already_is_not_done_again(verb: str) -> None:
    held = Vault(DONE[verb]).hold(VERBS[verb].look(situation(ARGUMENTS[verb], attempt=0)))
    assert isinstance(held.result, Present) and not held.writes
    assert held.result.result["ended_at"] == "2026-01-05T06:09:00.000000Z", "the service's own clock"


@pytest.mark.parametrize("verb", POSTS)
def test_what_was_never_sent_is_looked_for_no_further_than_the_item(verb: str) -> None:
    item = None if verb == "switch_protection" else not_done(verb)
    held = Vault(item).hold(VERBS[verb].look(situation(ARGUMENTS[verb], attempt=0)))
    assert held.result == Absent()
    assert not any("replicationJobs" in request.url for request in held.requests)


@pytest.mark.parametrize("verb", POSTS)
@pytest.mark.parametrize(
    "known",
    [
        {"doubted": True},
        {"attempt": 2},
        # A step that was retried by a person: its attempts are counted anew, but it was sent before (R-13 of the run).
        {"attempt": 0, "sent_at": NOW},
    ],
)
def test_a_post_whose_answer_was_lost_is_found_by_its_job(verb: str, known: dict[str, Any]) -> None:
    vault = Vault(None if verb == "switch_protection" else not_done(verb), job(verb, begun=timedelta(seconds=5)))
    held = vault.hold(VERBS[verb].look(situation(ARGUMENTS[verb], **known)))
    assert isinstance(held.result, InProgress), held.result
    assert held.result.pending.resource is not None and "/replicationJobs/job-1?" in held.result.pending.resource
    assert not held.writes


@pytest.mark.parametrize(
    "other",
    [
        {"targetObjectName": "vm2"},
        {"scenarioName": "SomethingElse"},
        {"state": "Failed"},
        {"state": "Cancelled"},
        {"startTime": stamp(NOW - timedelta(minutes=10))},
    ],
)
def test_a_job_that_is_not_this_steps(other: dict[str, Any]) -> None:
    found = job("failover")
    found["properties"] |= other
    held = Vault(NOT_DONE, found).hold(VERBS["failover"].look(situation(ARGUMENTS["failover"], doubted=True)))
    assert held.result == Absent()


def test_the_vaults_clock_may_be_a_little_slow() -> None:
    found = job("failover", begun=timedelta(seconds=-45))
    held = Vault(NOT_DONE, found).hold(VERBS["failover"].look(situation(ARGUMENTS["failover"], doubted=True)))
    assert isinstance(held.result, InProgress)


def test_the_scenario_that_runs_on_the_item_is_found_even_before_the_list_has_it() -> None:
    current = {"scenarioName": "UnplannedFailover", "jobId": f"{VAULT}/replicationJobs/job-1", "startTime": stamp(NOW)}
    vault = Vault({**NOT_DONE, "currentScenario": current}, job("failover"))
    held = vault.hold(VERBS["failover"].look(situation(ARGUMENTS["failover"], attempt=0)))
    assert isinstance(held.result, InProgress)


@pytest.mark.parametrize("start", [None, "None", "", "1753-01-01T01:01:01.1610000Z"])
def test_an_item_on_which_nothing_runs(start: str | None) -> None:
    for name in ("None", "UnplannedFailover"):
        current = {"scenarioName": name, "jobId": "None", "startTime": start}
        vault = Vault({**NOT_DONE, "currentScenario": current})
        assert vault.hold(VERBS["failover"].look(situation(ARGUMENTS["failover"], attempt=0))).result == Absent()


def test_the_list_of_jobs_has_pages() -> None:
    pages = [
        answer(200, {"properties": NOT_DONE}),
        answer(200, {"value": [], "nextLink": f"{ARM}{VAULT}/replicationJobs?page=2"}),
        answer(200, {"value": [job("failover")]}),
    ]
    held = hold(VERBS["failover"].look(situation(ARGUMENTS["failover"], doubted=True)), pages)
    assert isinstance(held.result, InProgress) and held.requests[2].url.endswith("page=2")


# Acting. -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", POSTS)
def test_a_post_is_sent_once_and_never_again_by_itself(verb: str) -> None:
    vault = Vault(not_done(verb))
    if verb == "reprotect_unmanaged":
        vault.machine = {"storageProfile": {"osDisk": {"vhd": {"uri": "https://a/b.vhd"}}}}
    held = vault.hold(VERBS[verb].act(situation(ARGUMENTS[verb])))
    assert held.result == Accepted(pending=Pending(operation=OPERATION, location=f"{OPERATION}&x=1"))
    assert [write.method for write in held.writes] == ["POST"] and not held.writes[0].repeatable
    assert held.writes[0].url.startswith((ITEM, CONTAINER)) and "api-version=2024-10-01" in held.writes[0].url


@pytest.mark.parametrize("verb", [*POSTS, "enable_replication"])
@pytest.mark.parametrize("status", [500, 503])
def test_5xx_is_doubt(verb: str, status: int) -> None:
    vault = Vault(not_done(verb))
    vault.machine = {"storageProfile": {"osDisk": {"vhd": {"uri": "u"}, "managedDisk": {"id": "d"}}}}
    vault.write = refusal(status, "InternalServerError", retry_after="1")
    held = vault.hold(VERBS[verb].act(situation(ARGUMENTS[verb])))
    assert isinstance(held.error, TransportError) and len(held.writes) == 1


def test_another_job_on_the_item_is_waited_for() -> None:
    vault = Vault(NOT_DONE)
    vault.write = refusal(409, "OperationNotAllowed", retry_after="33")
    held = vault.hold(VERBS["failover"].act(situation(ARGUMENTS["failover"])))
    assert isinstance(held.result, Refused) and held.result.wait == timedelta(seconds=33)
    vault.write = refusal(400, "BadRequest")
    assert vault.hold(VERBS["failover"].act(situation(ARGUMENTS["failover"]))).code == "BadRequest"


def test_a_job_that_takes_long_is_waited_for_in_one_attempt() -> None:
    """A test failover takes longer than all attempts together would."""
    vault = Vault({**NOT_DONE, "testFailoverState": "None", "currentScenario": {"jobId": "/x/job-1"}})
    running = job("test_failover")
    vault.jobs, vault.write = [running], refusal(409, "OperationNotAllowed")
    ended = iter([False] * 30 + [True])

    def look(request: Request) -> Response:
        if "/replicationJobs/" in request.url and next(ended):
            running["properties"]["state"] = "Succeeded"
        return vault(request)

    held = hold(VERBS["failover"].act(situation(ARGUMENTS["failover"])), (look for _ in range(400)))
    assert isinstance(held.result, Refused) and held.result.wait == timedelta(0)
    assert len(held.writes) == 1 and sum(held.waits, timedelta(0)) == timedelta(minutes=5)


def test_a_job_without_end_is_not_waited_for_for_ever() -> None:
    vault = Vault({**NOT_DONE, "currentScenario": {"jobId": "/x/job-1"}}, job("test_failover"))
    vault.write = refusal(409, "OperationNotAllowed")
    held = hold(VERBS["failover"].act(situation(ARGUMENTS["failover"])), (vault for _ in range(2000)))
    assert isinstance(held.result, Refused) and sum(held.waits, timedelta(0)) == timedelta(hours=1)


def test_a_test_failover_that_stands_is_cleaned_up_first() -> None:
    vault = Vault(NOT_DONE)

    def said(request: Request) -> Response:
        return refusal(409, "OperationNotAllowed") if "/unplannedFailover" in request.url else vault(request)

    held = hold(VERBS["failover"].act(situation(ARGUMENTS["failover"])), (said for _ in range(400)))
    assert isinstance(held.result, Refused) and "its cleanup has begun" in held.result.fault.message
    assert [request.url.split("?")[0].rsplit("/", 1)[-1] for request in held.writes] == [
        "unplannedFailover",
        "testFailoverCleanup",
    ]


def test_a_machine_without_disks_of_its_kind_is_told_before_anything_is_sent() -> None:
    vault = Vault(NOT_DONE)
    vault.machine = {"storageProfile": {"osDisk": {"vhd": {"uri": "u"}}}}
    assert (
        vault.hold(VERBS["switch_protection"].act(situation(ARGUMENTS["switch_protection"]))).code == "NoManagedDisks"
    )
    vault.machine = {"storageProfile": {"osDisk": {"managedDisk": {"id": "d"}}}}
    held = vault.hold(VERBS["reprotect_unmanaged"].act(situation(ARGUMENTS["reprotect_unmanaged"])))
    assert held.code == "NoUnmanagedDisks" and not held.writes


@pytest.mark.parametrize(
    ("location", "direction"), [("Primary", "PrimaryToRecovery"), ("Recovery", "RecoveryToPrimary")]
)
def test_which_way_an_unmanaged_machine_is_protected_again(location: str, direction: str) -> None:
    vault = Vault({**NOT_DONE, "activeLocation": location})
    vault.machine = {"storageProfile": {"osDisk": {"vhd": {"uri": "o"}}, "dataDisks": [{"vhd": {"uri": "d"}}]}}
    held = vault.hold(VERBS["reprotect_unmanaged"].act(situation(ARGUMENTS["reprotect_unmanaged"])))
    sent = held.writes[0].body["properties"]
    assert [disk["diskUri"] for disk in sent["providerSpecificDetails"]["vmDisks"]] == ["o", "d"]
    assert sent["failoverDirection"] == direction


# Following. ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", POSTS)
@pytest.mark.parametrize("found", [False, True], ids=["accepted", "found by a look"])
def test_it_is_followed_to_the_item_and_not_to_the_operation(verb: str, found: bool) -> None:
    """Also where only the job is known, because the answer was lost: a test takes longer than a minute or two."""
    vault = Vault(not_done(verb), job(verb, begun=timedelta(seconds=1)))
    resource = f"{VAULT}/replicationJobs/job-1?api-version=2024-10-01"
    pending = Pending(resource=resource) if found else Pending(operation=OPERATION, location=f"{OPERATION}&x=1")
    polls = 0

    def world(request: Request) -> Response:
        nonlocal polls
        polls += 1
        if polls == 40:  # some minutes later
            vault.jobs[0]["properties"] |= {"state": "Succeeded", "endTime": stamp(NOW + timedelta(minutes=7))}
        if polls == 45:
            vault.item = DONE[verb]
        vault.operation = [answer(200, {"status": "InProgress" if polls < 30 else "Succeeded"})]
        return vault(request)

    talk = VERBS[verb].follow(situation(ARGUMENTS[verb], pending=pending, accepted_at=NOW))
    held = hold(talk, (world for _ in range(400)))
    assert held.error is None, held.error
    assert held.result["job"] == "job-1" and held.result["ended_at"] == stamp(NOW + timedelta(minutes=7))
    assert held.result["started_at"] == stamp(NOW + timedelta(seconds=1))
    assert not held.writes


@pytest.mark.parametrize("verb", POSTS)
def test_an_operation_that_succeeded_may_hide_a_job_that_failed(verb: str) -> None:
    errors = [{"serviceErrorDetails": {"code": "150097", "message": "the agent does not answer"}}]
    vault = Vault(DONE[verb] if verb == "test_failover" else not_done(verb), job(verb, "Failed", errors=errors))
    pending = Pending(operation=OPERATION)
    held = vault.hold(VERBS[verb].follow(situation(ARGUMENTS[verb], pending=pending, accepted_at=NOW)))
    assert held.code == "150097" and not held.writes


def test_a_failed_operation_fails_the_step() -> None:
    vault = Vault(NOT_DONE)
    vault.operation = [answer(200, {"status": "Failed", "error": {"code": "X", "message": "m"}})]
    held = vault.hold(VERBS["failover"].follow(situation(ARGUMENTS["failover"], pending=Pending(operation=OPERATION))))
    assert held.code == "X"


def test_an_item_that_ends_as_failed_fails_the_step() -> None:
    item = {"protectionState": "UnplannedFailoverFailed", "healthErrors": [{"errorMessage": "no capacity"}]}
    held = Vault(item).hold(VERBS["failover"].follow(situation(ARGUMENTS["failover"])))
    assert held.code == "UnplannedFailoverFailed" and "no capacity" in str(held.error)


def test_a_test_that_never_waits_for_its_cleanup_is_told() -> None:
    vault = Vault(not_done("test_failover"))
    held = vault.hold(
        VERBS["test_failover"].follow(situation(ARGUMENTS["test_failover"], pending=Pending(operation=OPERATION)))
    )
    assert held.code == "NoTest"


# Replication. --------------------------------------------------------------------------------------------------------


def test_replication_is_enabled_once_and_waited_for() -> None:
    verb = VERBS["enable_replication"]
    assert hold(verb.look(situation(ARGUMENTS["enable_replication"])), [gone()]).result == Absent()
    there = answer(200, {"properties": {"protectionState": "EnablingProtection"}})
    assert hold(verb.look(situation(ARGUMENTS["enable_replication"])), [there]).result == InProgress(pending=Pending())
    done = Vault(DONE["enable_replication"]).hold(verb.look(situation(ARGUMENTS["enable_replication"])))
    assert isinstance(done.result, Present)
    failed = answer(200, {"properties": {"protectionState": "EnablingFailed"}})
    assert hold(verb.look(situation(ARGUMENTS["enable_replication"])), [failed]).code == "EnablingFailed"
    put = hold(verb.act(situation(ARGUMENTS["enable_replication"])), [ACCEPTED]).writes[0]
    assert put.method == "PUT" and put.headers["if-none-match"] == "*" and not put.repeatable


def test_protected_is_the_end_and_a_crash_in_between_is_no_matter() -> None:
    talk = VERBS["enable_replication"].follow(situation(ARGUMENTS["enable_replication"]))
    waiting = answer(200, {"properties": {"protectionState": "InitialReplicationInProgress"}})
    done = answer(200, {"properties": {"protectionState": "Protected"}}, date="Mon, 05 Jan 2026 09:00:00 GMT")
    held = hold(talk, [waiting, waiting, SILENCE, done])
    assert held.result["ended_at"] == "2026-01-05T09:00:00.000000Z"


def test_an_item_that_was_switched_already_is_only_waited_for() -> None:
    vault = Vault({"protectionState": "InitialReplicationInProgress"})
    held = vault.hold(VERBS["switch_protection"].look(situation(ARGUMENTS["switch_protection"], attempt=0)))
    assert held.result == InProgress(pending=Pending())


# Settings. -----------------------------------------------------------------------------------------------------------


def item_with_nic(address: str, name: str | None = "ipconfig1") -> dict[str, Any]:
    nic = {
        "nicId": "298f05e1-6bbd-538e-8b81-5c6b50a6938c",
        "sourceNicArmId": NIC.upper().replace("/SUBSCRIPTIONS", "/subscriptions"),
        "ipConfigs": [{"name": name, "recoveryStaticIPAddress": address}],
    }
    return {"providerSpecificDetails": {"vmNics": [nic]}}


SETTINGS = {
    "id": ITEM,
    "properties": {
        "recoveryAzureVMName": "vm1",
        "vmNics": [{"nicId": NIC, "ipConfigs": [{"ipConfigName": "ipconfig1", "recoveryStaticIPAddress": "10.1.0.4"}]}],
    },
}


def test_a_nic_is_named_as_the_item_names_it() -> None:
    script = [answer(200, {"properties": item_with_nic("")}), ACCEPTED]
    held = hold(VERBS["configure_item"].act(situation(SETTINGS)), script)
    patch = held.writes[0]
    assert patch.method == "PATCH" and not patch.repeatable
    assert patch.body["properties"]["vmNics"][0]["nicId"] == "298f05e1-6bbd-538e-8b81-5c6b50a6938c"
    assert patch.body["properties"]["recoveryAzureVMName"] == "vm1"
    assert SETTINGS["properties"]["vmNics"][0]["nicId"] == NIC, "the plan is a value"  # type: ignore[index]


def test_settings_without_a_nic_are_sent_as_they_are() -> None:
    held = hold(
        VERBS["configure_item"].act(situation({"id": ITEM, "properties": {"recoveryAzureVMName": "x"}})), [ACCEPTED]
    )
    assert held.writes[0].body == {"properties": {"recoveryAzureVMName": "x"}}


def test_a_nic_that_the_item_does_not_know_is_told() -> None:
    script = [answer(200, {"properties": {"providerSpecificDetails": {"vmNics": []}}}), ACCEPTED]
    held = hold(VERBS["configure_item"].act(situation(SETTINGS)), script)
    assert held.code == "NoSuchNic" and not held.writes


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (item_with_nic("10.1.0.4"), None),
        (item_with_nic("10.1.0.4", name=None), None),
        (item_with_nic("10.1.0.9"), "NotAsWritten"),
        (item_with_nic(""), "NotAsWritten"),
        ({"providerSpecificDetails": {"vmNics": []}}, "NotAsWritten"),
    ],
)
def test_an_address_that_was_not_taken_is_told(shown: dict[str, Any], code: str | None) -> None:
    """D68: it would be another address at failover, without any error."""
    held = hold(VERBS["configure_item"].follow(situation(SETTINGS)), [answer(200, {"properties": shown})])
    if code is None:
        assert held.error is None, held.error
    else:
        assert held.code == code
