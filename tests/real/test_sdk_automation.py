"""azure-mgmt-automation on the lab: accounts, runbooks with their texts, assets, and jobs that somebody runs."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.lab.automation import queue
from lab.core.bench import GROUP
from real.clients import Azure, done

automation = pytest.importorskip(
    "azure.mgmt.automation", reason="azure-mgmt-automation is not installed: make real installs it"
)
errors = pytest.importorskip("azure.core.exceptions")

TEXT = b"print('1.0')\n"
OF_ACCOUNT = {"location": "southeastasia", "properties": {"sku": {"name": "Basic"}}}


@pytest.fixture
def azure() -> Azure:
    return Azure()


@pytest.fixture
def client(azure: Azure) -> Any:
    found = azure.client(automation.AutomationClient)
    made = found.automation_account.create_or_update(GROUP, "auto", OF_ACCOUNT)
    assert (made.name, made.properties.state) == ("auto", "Ok")
    return found


def published(client: Any) -> None:
    body = {"location": "southeastasia", "properties": {"runbookType": "Python3", "logVerbose": False}}
    assert client.runbook.create_or_update(GROUP, "auto", "Connect", body).properties.state == "New"
    done(client.runbook_draft.begin_replace_content(GROUP, "auto", "Connect", TEXT))
    assert client.runbook_draft.get_content(GROUP, "auto", "Connect") == TEXT.decode()
    done(client.runbook.begin_publish(GROUP, "auto", "Connect"))


def test_a_runbook_is_written_published_and_listed(client: Any) -> None:
    published(client)
    assert client.runbook.get_content(GROUP, "auto", "Connect") == TEXT.decode()
    [listed] = client.runbook.list_by_automation_account(GROUP, "auto")
    assert (listed.name, listed.properties.state, listed.properties.runbook_type) == ("Connect", "Published", "Python3")
    changed = client.runbook.update(GROUP, "auto", "Connect", {"properties": {"description": "joins"}})
    assert changed.properties.description == "joins"
    client.runbook.delete(GROUP, "auto", "Connect")
    client.runbook.delete(GROUP, "auto", "Connect")
    with pytest.raises(errors.ResourceNotFoundError):
        client.runbook.get(GROUP, "auto", "Connect")


def test_assets_are_kept_and_secrets_not_shown(client: Any) -> None:
    made = client.variable.create_or_update(
        GROUP, "auto", "key", {"name": "key", "properties": {"value": '"x"', "isEncrypted": True}}
    )
    assert made.properties.is_encrypted and made.properties.value is None
    given = {"name": "login", "properties": {"userName": "me", "password": "pass"}}
    assert client.credential.create_or_update(GROUP, "auto", "login", given).properties.user_name == "me"
    when = {
        "name": "nightly",
        "properties": {"startTime": "2026-03-02T00:00:00+00:00", "frequency": "Day", "interval": 1},
    }
    assert client.schedule.create_or_update(GROUP, "auto", "nightly", when).properties.is_enabled
    assert [each.name for each in client.variable.list_by_automation_account(GROUP, "auto")] == ["key"]
    for kind, name in (("variable", "key"), ("credential", "login"), ("schedule", "nightly")):
        getattr(client, kind).delete(GROUP, "auto", name)
        with pytest.raises(errors.ResourceNotFoundError):
            getattr(client, kind).delete(GROUP, "auto", name)
    client.automation_account.delete(GROUP, "auto")
    client.automation_account.delete(GROUP, "auto")


def test_a_job_is_started_and_heard_out(azure: Azure, client: Any) -> None:
    published(client)
    body = {"properties": {"runbook": {"name": "Connect"}, "parameters": {"[PARAMETER 1]": "a"}}}
    made = client.job.create(GROUP, "auto", "job1", body)
    assert made.properties.status == "New" and made.properties.creation_time is not None
    azure.lab.wait(minutes=5)
    client.job.suspend(GROUP, "auto", "job1")
    client.job.resume(GROUP, "auto", "job1")
    azure.lab.wait(minutes=5)
    program = queue.take(azure.lab.cloud)
    assert program is not None and program.arguments == ("a",)
    queue.told(azure.lab.cloud, program.job, "Output", ["1.0"])
    queue.ended(azure.lab.cloud, program.job, 0)
    over = client.job.get(GROUP, "auto", "job1").properties
    assert over.status == "Completed" and over.end_time >= over.start_time
    assert client.job.get_output(GROUP, "auto", "job1") == "1.0"
    assert client.job.get_runbook_content(GROUP, "auto", "job1") == TEXT.decode()
    [row] = client.job_stream.list_by_job(GROUP, "auto", "job1")
    assert row.properties.stream_type == "Output"
    found = client.job_stream.get(GROUP, "auto", "job1", row.properties.job_stream_id)
    assert found.properties.stream_text == "1.0"
    [listed] = client.job.list_by_automation_account(GROUP, "auto")
    assert listed.properties.runbook.name == "Connect"
    client.job.create(GROUP, "auto", "job2", body)
    client.job.stop(GROUP, "auto", "job2")
    assert client.job.get(GROUP, "auto", "job2").properties.status == "Stopped"
