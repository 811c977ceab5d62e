"""What Azure answers about automation accounts and what is in them, as recorded by its own clients."""

from __future__ import annotations

from farshore.arm.json import Body
from lab.automation.account import ACCOUNT
from lab.core.bench import Lab, refusal

OLD = "2015-10-31"


def account(lab: Lab) -> Body:
    return lab.made(ACCOUNT, {"location": "eastasia", "properties": {"sku": {"name": "Free"}}})


def made(lab: Lab, path: str, **properties: object) -> Body:
    return lab.made(f"{ACCOUNT}/{path}", {"location": "eastasia", "properties": properties})


def test_what_is_new_is_answered_with_its_place_and_its_type_in_capitals() -> None:
    lab = Lab()
    account(lab)
    answer = lab.put(f"{ACCOUNT}/variables/tide", {"properties": {"value": '"low"'}})
    assert answer.status == 201 and answer.headers["location"].split("?")[0].endswith(f"{ACCOUNT}/variables/tide")
    assert answer.body["type"] == "Microsoft.Automation/AutomationAccounts/Variables"
    again = lab.put(f"{ACCOUNT}/variables/tide", {"properties": {"value": '"high"'}})
    assert again.status == 200 and "location" not in again.headers


def test_every_account_is_of_one_kind_and_early_versions_know_less_of_it() -> None:
    lab = Lab()
    assert account(lab)["properties"]["sku"] == {"name": "Basic", "family": None, "capacity": None}
    shown = lab.send("GET", f"{ACCOUNT}?api-version={OLD}").body
    assert set(shown["properties"]) >= {"RegistrationUrl", "state"} and shown["etag"] is None
    assert not set(shown["properties"]) & {"automationHybridServiceUrl", "disableLocalAuth", "encryption"}
    assert lab.body(f"{ACCOUNT}/linkedWorkspace") == {"id": None}


def test_a_runbook_with_an_empty_draft_can_be_published() -> None:
    lab = Lab()
    account(lab)
    made(lab, "runbooks/empty", runbookType="Python3", draft={})
    made(lab, "runbooks/none", runbookType="Python3")
    assert refusal(lab.post(f"{ACCOUNT}/runbooks/none/publish")) == "BadRequest"
    answer = lab.post(f"{ACCOUNT}/runbooks/empty/publish")
    assert answer.status == 202 and "/runbooks/empty/publish/operationResults/" in answer.headers["location"]
    lab.follow(answer)
    shown = lab.body(f"{ACCOUNT}/runbooks/empty")
    assert shown["properties"]["state"] == "Published" and shown["properties"]["serviceManagementTags"] is None


def test_a_runbook_published_by_a_link_is_published_and_its_jobs_say_why_they_fail() -> None:
    lab = Lab()
    account(lab)
    shown = made(lab, "runbooks/far", runbookType="Python3", publishContentLink={"uri": "https://kept.example/far.py"})
    assert shown["properties"]["state"] == "Published" and "publishContentLink" not in shown["properties"]
    job = f"{ACCOUNT}/jobs/one"
    assert lab.put(job, {"properties": {"runbook": {"name": "far"}}}).body["properties"]["status"] == "New"
    lab.wait(minutes=5)
    assert lab.properties(job)["status"] == "Failed" and "link" in str(lab.properties(job)["exception"])


def test_schedules_count_in_numbers_and_webhooks_keep_their_address() -> None:
    lab = Lab()
    account(lab)
    made(lab, "runbooks/tide", runbookType="Python3")
    shown = made(lab, "schedules/often", frequency="Hour", interval="6", startTime="2030-01-01T00:00:00Z")
    assert shown["properties"]["interval"] == 6
    hook = {"runbook": {"name": "tide"}, "uri": "https://hooks.example/?token=hidden", "expiryTime": "2031-01-01"}
    answer = lab.put(f"{ACCOUNT}/webhooks/call", {"properties": hook})
    assert answer.status == 201 and answer.body["properties"]["uri"] == ""
    assert "hidden" not in str(lab.body(f"{ACCOUNT}/webhooks"))
    gone = lab.put(f"{ACCOUNT}/webhooks/call2", {"properties": {**hook, "runbook": {"name": "never"}}})
    assert refusal(gone, 404) == "NotFound"


def test_a_module_tells_no_source_and_no_error() -> None:
    lab = Lab()
    account(lab)
    shown = made(lab, "modules/tools", contentLink={"uri": "https://kept.example/tools.zip"})
    assert shown["properties"]["error"] == {"code": None, "message": None}
    assert "contentLink" not in shown["properties"] and shown["etag"] is None
