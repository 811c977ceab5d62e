"""Runbooks as programs beside a served lab (`lab/programs.py`): what they get, how they end, what they change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from farshore.lab import programs
from farshore.times import moment
from lab.automation.account import ACCOUNT, Automation
from lab.automation.served import Served
from lab.core.bench import GROUP, SUBSCRIPTION, Lab
from lab.recovery.estate import TARGET, VAULT, plan_id, vm_id
from lab.recovery.test_recovery_plan_scripts import RUNBOOK, scripted

GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
OF_RECOVERY = "api-version=2025-08-01"
PATCHING = """
import json, os, ssl, urllib.request
def tag(id_, tags, token):
    request = urllib.request.Request(
        os.environ["FARSHORE_LAB_URL"] + id_ + "?api-version=2024-07-01", method="PATCH",
        data=json.dumps({"tags": tags}).encode(),
        headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    trusted = ssl.create_default_context(cafile=os.environ["FARSHORE_LAB_CA"])
    with urllib.request.urlopen(request, context=trusted) as answer:
        print(id_.rsplit("/", 1)[-1], answer.status)
"""
"""The beginning of a runbook that tags a resource."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    here = Automation(identity={"type": "SystemAssigned"})
    here.asset("variables", "Ranges", value='["10.0.0.0/8"]', isEncrypted=False)
    here.asset("variables", "Key", value='"hidden"', isEncrypted=True)
    here.asset("credentials", "Login", userName="me", password="pass")
    with Served(tmp_path, here.lab.cloud) as found:
        yield found


def test_a_runbook_runs_with_its_parameters_and_the_accounts_assets(served: Served) -> None:
    served.publish(
        "Show",
        """
        import sys
        import automationassets as assets
        print(sys.argv[1:])
        print(assets.get_automation_variable("ranges"), assets.get_automation_variable("Key"))
        print(assets.get_automation_credential("Login"))
        assets.set_automation_variable("Ranges", {"now": 1})
        print(assets.get_automation_variable("Ranges"))
        print("as wished", file=sys.stderr)
        """,
    )
    job = served.start("Show", **{"[PARAMETER 2]": 'two "words"', "[PARAMETER 1]": "one"})
    assert served.over(job)["status"] == "Completed"
    assert served.output(job).splitlines() == [
        """['one', 'two "words"']""",
        "['10.0.0.0/8'] hidden",
        "{'username': 'me', 'password': 'pass'}",
        "{'now': 1}",
    ]
    errors = [row["properties"]["summary"] for row in served.ask("GET", f"{job}/streams")["value"]][-1:]
    assert errors == ["as wished"]
    assert served.ask("GET", f"{ACCOUNT}/variables/Ranges")["properties"]["value"] == '{"now": 1}'


def test_a_runbook_has_nothing_of_the_users_logins(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of the real Azure")
    monkeypatch.setenv("AWS_ANYTHING", "at all")
    served.publish("Show", "import os; print(os.environ['AZURE_CLIENT_SECRET'], 'AWS_ANYTHING' in os.environ)")
    job = served.start("Show")
    served.over(job)
    assert served.output(job) == "lab False"


def test_a_runbook_that_raises_fails_and_says_why(served: Served) -> None:
    served.publish("Break", "print('so far')\nraise RuntimeError('no such gateway')")
    job = served.start("Break")
    shown = served.over(job)
    assert shown["status"] == "Failed" and "no such gateway" in shown["exception"]
    assert served.output(job) == "so far"


def test_a_runbook_is_stopped(served: Served) -> None:
    served.publish("Wait", "import time\nprint('begun', flush=True)\ntime.sleep(600)")
    job = served.start("Wait")
    served.until(lambda: bool(served.ask("GET", job)) and served.output(job) == "begun")
    served.ask("POST", f"{job}/stop")
    assert served.over(job)["status"] == "Stopped"


def test_a_runbook_has_its_time_and_no_more(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "LIMIT", 1.0)
    served.publish("Wait", "import time\ntime.sleep(600)")
    shown = served.over(served.start("Wait"))
    assert shown["status"] == "Failed" and "after 1 seconds" in shown["exception"]


def test_a_lab_that_stops_ends_its_programs(tmp_path: Path) -> None:
    here = Automation(Lab(tmp_path / "lab.db"))
    with Served(tmp_path, here.lab.cloud) as found:
        found.publish("Wait", "import time\nprint('begun', flush=True)\ntime.sleep(600)")
        job = found.start("Wait")
        found.until(lambda: bool(found.ask("GET", job)) and found.output(job) == "begun")
    again = Lab(tmp_path / "lab.db", groups={})
    shown = again.properties(job)
    assert shown["status"] == "Failed" and "stopped while the runbook ran" in shown["exception"]
    again.cloud.store.close()


def test_nothing_runs_unless_it_was_asked_for(tmp_path: Path) -> None:
    here = Automation()
    with Served(tmp_path, here.lab.cloud, runbooks=False) as found:
        found.publish("Show", "print(1)")
        job = found.start("Show")
        found.until(lambda: found.ask("GET", job)["properties"]["status"] == "Activating")
        for _ in range(5):
            assert "lab up --runbooks" in found.ask("GET", job)["properties"]["statusDetails"]


def test_a_managed_identity_is_who_its_account_is(served: Served) -> None:
    """Role assignments are about its principal: a reader may not write, a contributor may."""
    pytest.importorskip("azure.identity")
    served.publish(
        "Tag",
        PATCHING
        + f"""
from azure.identity import ManagedIdentityCredential
token = ManagedIdentityCredential().get_token(os.environ["FARSHORE_LAB_URL"] + "/.default").token
tag("{GROUP_ID}", {{"by": "runbook"}}, token)
""",
    )
    principal = served.ask("GET", ACCOUNT)["identity"]["principalId"]
    roles = (
        ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Failed"),
        ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Completed"),
    )
    for number, (role, status) in enumerate(roles):
        place = "/providers/Microsoft.Authorization"
        definition = f"/subscriptions/{SUBSCRIPTION}{place}/roleDefinitions/{role}"
        given = {"roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal"}
        name = f"00000000-0000-0000-0000-00000000000{number}"
        served.ask("PUT", f"{GROUP_ID}{place}/roleAssignments/{name}?api-version=2022-04-01", {"properties": given})
        shown = served.over(served.start("Tag", f"job{number}"))
        assert shown["status"] == status, shown
    assert served.ask("GET", GROUP_ID)["tags"] == {"by": "runbook"}


def test_a_plans_script_action_runs_a_runbook_that_changes_the_lab(tmp_path: Path) -> None:
    """S54, S55: failed over, its group started, and the runbook tags the machine that it is told of."""
    text = """
import sys, time
time.sleep(2)
context = json.loads(sys.argv[1])
for machine in context["VmMap"].values():
    group = "/subscriptions/" + machine["SubscriptionId"] + "/resourceGroups/" + machine["ResourceGroupName"]
    tag(group + "/providers/Microsoft.Compute/virtualMachines/" + machine["RoleName"],
        {"plan": context["RecoveryPlanName"]}, os.environ["FARSHORE_LAB_TOKEN"])
"""
    listed = f"{VAULT}/replicationJobs?{OF_RECOVERY}"
    with Served(tmp_path, scripted().cloud) as found:
        found.ask("PUT", f"{RUNBOOK}/draft/content", PATCHING + text)
        found.ask("POST", f"{RUNBOOK}/publish")
        found.until(lambda: found.ask("GET", RUNBOOK)["properties"]["state"] == "Published")
        before = {row["name"] for row in found.ask("GET", listed)["value"]}
        body = {"failoverDirection": "PrimaryToRecovery", "sourceSiteOperations": "NotRequired"}
        found.ask("POST", f"{plan_id('plan')}/unplannedFailover?{OF_RECOVERY}", {"properties": body})
        [name] = {row["name"] for row in found.ask("GET", listed)["value"]} - before
        polled = f"{VAULT}/replicationOperationStatus/{name}?{OF_RECOVERY}"
        found.until(lambda: found.ask("GET", polled)["status"] != "InProgress")
        job = found.ask("GET", f"{VAULT}/replicationJobs/{name}?{OF_RECOVERY}")["properties"]
        assert job["state"] == "Succeeded", job["errors"]
        [task] = [task for task in job["tasks"] if task["name"] == "connect"]
        assert task["customDetails"]["jobOutput"] == "web1 200"
        assert found.ask("GET", vm_id("web1", TARGET))["tags"] == {"plan": "plan"}
        took = moment(job["endTime"]) - moment(job["startTime"])
        assert took < timedelta(hours=2), "whoever polls is not years ahead of the program"
