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
    assert answer.status == 202 and "/runbooks/empty/operationResults/" in answer.headers["location"]
    assert lab.follow(answer).status == 200
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
    assert shown["properties"]["error"] == {"code": None, "message": ""}
    assert "contentLink" not in shown["properties"] and shown["etag"] is None


def test_early_versions_follow_a_runbook_below_what_is_done_to_it() -> None:
    lab = Lab()
    account(lab)
    made(lab, "runbooks/empty", runbookType="Python3", draft={})
    answer = lab.post(f"{ACCOUNT}/runbooks/empty/publish?api-version={OLD}")
    assert "/runbooks/empty/publish/operationResults/" in answer.headers["location"]
    assert lab.follow(answer).status == 200


def test_an_account_says_what_its_version_knows_and_a_list_says_less() -> None:
    lab = Lab()
    created = lab.put(ACCOUNT, {"location": "eastasia", "properties": {"sku": {"name": "Basic"}}}).body["properties"]
    assert "privateEndpointConnections" not in created and not {"description", "publicNetworkAccess"} & set(created)
    assert set(created["RuntimeConfiguration"]) == {"powershell", "powershell7"}
    assert lab.properties(ACCOUNT)["privateEndpointConnections"] == []
    assert "RuntimeConfiguration" not in lab.properties(f"{ACCOUNT}?api-version={OLD}")
    [row] = lab.body(ACCOUNT.rsplit("/", 1)[0])["value"]
    assert set(row["properties"]) == {"creationTime", "lastModifiedTime", "state", "disableLocalAuth"}
    assert "systemData" not in row and row["name"] == "auto"
    for runs in ("softwareUpdateConfigurationRuns", "softwareUpdateConfigurationMachineRuns"):
        assert lab.body(f"{ACCOUNT}/{runs}") == {"value": []}


def test_a_change_of_a_runbook_is_answered_without_its_draft() -> None:
    lab = Lab()
    account(lab)
    book = f"{ACCOUNT}/runbooks/tide"
    created = lab.put(book, {"location": "eastasia", "properties": {"runbookType": "PowerShell", "draft": {}}}).body
    assert "draft" not in created["properties"] and "draft" in lab.properties(book)
    assert "draft" not in lab.patch(book, {"properties": {"logVerbose": True}}).body["properties"]


def test_who_started_a_job_is_known_a_moment_later() -> None:
    lab = Lab()
    account(lab)
    made(lab, "runbooks/tide", runbookType="Python3", draft={})
    lab.follow(lab.post(f"{ACCOUNT}/runbooks/tide/publish"))
    job = f"{ACCOUNT}/jobs/one"
    started = lab.put(job, {"properties": {"runbook": {"name": "tide"}}}).body["properties"]
    assert started["startedBy"] is None and started["runOn"] is None
    assert isinstance(lab.properties(job)["startedBy"], str)
    [row] = lab.body(f"{ACCOUNT}/jobs")["value"]
    assert "startedBy" not in row["properties"] and row["properties"]["runOn"] is None


def test_a_package_is_fetched_first_and_a_list_shows_little_of_it() -> None:
    lab = Lab()
    account(lab)
    package = f"{ACCOUNT}/python3Packages/tide"
    answer = lab.put(package, {"properties": {"contentLink": {"uri": "https://kept.example/tide.whl"}}})
    assert answer.status == 201 and answer.body["properties"]["provisioningState"] == "Creating"
    assert answer.body["properties"]["error"] == {"code": None, "message": None}
    [row] = lab.body(f"{ACCOUNT}/python3Packages")["value"]
    assert set(row) == {"id", "name", "properties"} and "error" not in row["properties"]


def test_a_group_of_workers_says_when_it_was_made_beside_its_properties() -> None:
    lab = Lab()
    account(lab)
    group = f"{ACCOUNT}/hybridRunbookWorkerGroups/crew"
    answer = lab.put(group, {"name": "crew"})
    assert answer.status == 201 and set(answer.body["systemData"]) == {"createdAt", "lastModifiedAt"}
    usual = {"groupType": "User", "credential": {"name": None}, "hybridRunbookWorkers": None}
    assert lab.properties(group) == usual and lab.body(f"{group}/hybridRunbookWorkers") == {"value": []}
    assert lab.delete(group).status == 200
