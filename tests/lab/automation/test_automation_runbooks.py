"""Runbooks, their drafts, and what an account keeps beside them."""

from __future__ import annotations

from farshore.arm.ids import resource_id
from farshore.lab.automation.asset import ACCOUNTS
from farshore.lab.automation.variables import for_runbooks
from lab.automation.account import ACCOUNT, Automation
from lab.core.bench import Lab, refusal

TEXT = "print('1.0')\n"


def test_an_account_is_there_when_it_is_answered() -> None:
    here = Automation(identity={"type": "SystemAssigned"})
    shown = here.lab.body(ACCOUNT)
    assert shown["properties"]["state"] == "Ok" and "provisioningState" not in shown["properties"]
    assert shown["identity"]["principalId"] and shown["identity"]["tenantId"] == here.lab.cloud.guid("tenant")
    again = here.lab.put(ACCOUNT, {"location": "southeastasia", "properties": {}})
    assert (again.status, again.body["properties"]["creationTime"]) == (200, shown["properties"]["creationTime"])
    assert here.lab.patch(ACCOUNT, {"tags": {"a": "b"}}).body["tags"] == {"a": "b"}
    assert here.lab.delete(ACCOUNT).status == 200
    assert here.lab.delete(ACCOUNT).status == 204


def test_a_draft_is_edited_and_published_and_given_up() -> None:
    here = Automation()
    place, lab = f"{ACCOUNT}/runbooks/Connect", here.lab
    made = lab.put(place, {"properties": {"runbookType": "Python3", "logVerbose": False}})
    assert (made.status, made.body["properties"]["state"], made.body["location"]) == (201, "New", "southeastasia")
    assert refusal(lab.get(f"{place}/content"), 404)
    assert refusal(lab.post(f"{place}/publish")) == "BadRequest"
    answer = lab.put(f"{place}/draft/content", TEXT)
    assert answer.status == 202 and "/operationResults/" in answer.headers["location"]
    assert lab.follow(answer).status == 200
    assert lab.get(f"{place}/draft/content").body == TEXT.encode()
    assert lab.body(f"{place}/draft")["inEdit"] is False
    assert lab.follow(lab.post(f"{place}/publish")).status == 200
    assert lab.get(f"{place}/content").body == TEXT.encode()
    assert lab.properties(place)["state"] == "Published"
    assert refusal(lab.get(f"{place}/draft/content"), 404)
    lab.follow(lab.put(f"{place}/draft/content", b"print(2)"))
    assert lab.properties(place)["state"] == "Edit"
    assert lab.get(f"{place}/content").body == TEXT.encode(), "jobs run what was published"
    assert lab.post(f"{place}/draft/undoEdit").status == 200
    assert lab.properties(place)["state"] == "Published"


def test_a_runbook_keeps_its_text_when_its_properties_change() -> None:
    here = Automation()
    place = here.runbook("Connect", TEXT)
    changed = here.lab.patch(place, {"properties": {"description": "joins"}})
    assert (changed.status, changed.body["properties"]["state"]) == (200, "Published")
    assert here.lab.get(f"{place}/content").body == TEXT.encode()
    here.lab.must(here.lab.delete(place))
    here.lab.must(here.lab.put(place, {"properties": {"runbookType": "Python3"}}))
    assert refusal(here.lab.get(f"{place}/content"), 404), "a new one of the same name begins empty"


def test_what_a_runbook_refuses() -> None:
    here = Automation()
    place = f"{ACCOUNT}/runbooks/Connect"
    assert refusal(here.lab.put(place, {"properties": {}})) == "BadRequest"
    assert refusal(here.lab.put(place, {"properties": {"runbookType": "Cobol"}})) == "BadRequest"
    assert refusal(here.lab.put(place, {"properties": {"runbookType": 3}})) == "BadRequest"
    assert refusal(here.lab.put(f"{place}/draft/content", TEXT), 404)
    here.lab.must(here.lab.put(place, {"properties": {"runbookType": "Python3"}}))
    assert refusal(here.lab.put(f"{place}/draft/content", {"text": TEXT})) == "BadRequest"
    assert refusal(here.lab.put(f"{place}/draft/content", b"\xff\xfe")) == "BadRequest"
    assert refusal(here.lab.put(f"{place}/draft/content", "#" * (2 << 20)), 413)
    assert refusal(here.lab.put(f"{place}/draft/testJob", {}), 501) == "NotImplementedByLab"


def test_secrets_are_never_shown() -> None:
    here = Automation()
    made = here.asset("variables", "key", value='"hidden"', isEncrypted=True)
    assert "value" not in made["properties"] and made["properties"]["isEncrypted"] is True
    here.lab.must(here.lab.patch(f"{ACCOUNT}/variables/key", {"properties": {"value": '"hidden too"'}}))
    made = here.asset("credentials", "login", userName="me", password="hidden as well")
    assert made["properties"]["userName"] == "me" and "password" not in made["properties"]
    plain = here.asset("variables", "place", value='"eastasia"', isEncrypted=False)
    assert plain["properties"]["value"] == '"eastasia"'
    everything = [here.lab.body(f"{ACCOUNT}/{kind}") for kind in ("variables", "credentials")]
    assert "hidden" not in str([everything, here.lab.journal()])
    refused = here.lab.patch(f"{ACCOUNT}/variables/key", {"properties": {"isEncrypted": False}})
    assert refusal(refused) == "BadRequest"
    assert here.lab.delete(f"{ACCOUNT}/variables/key").status == 200
    assert refusal(here.lab.delete(f"{ACCOUNT}/variables/key"), 404), "its client takes no 204"


def test_what_an_estate_has_told_of_can_be_read_and_used() -> None:
    lab = Lab(groups={})
    bare = [("", {"location": "eastasia"}), ("/runbooks/r", {}), ("/variables/v", {}), ("/credentials/c", {})]
    kinds = {"": "", "/runbooks/r": "/runbooks", "/variables/v": "/variables", "/credentials/c": "/credentials"}
    resources = [
        {"id": ACCOUNT + path, "name": path[-1:] or "auto", "type": f"{ACCOUNTS}{kinds[path]}", **more}
        for path, more in bare
    ]
    lab.cloud.seed(resources)
    assert {lab.get(ACCOUNT + path).status for path, _ in bare} == {200}
    assert for_runbooks(lab.cloud, resource_id(ACCOUNT)) == {
        "variables": {"v": None},
        "credentials": {"c": {"username": "", "password": ""}},
    }
    refused = lab.put(f"{ACCOUNT}/jobs/j", {"properties": {"runbook": {"name": "r"}}})
    assert refusal(refused) == "BadRequest", "an estate holds no texts"
    assert lab.follow(lab.put(f"{ACCOUNT}/runbooks/r/draft/content", TEXT)).ok
    assert lab.patch(ACCOUNT, {"properties": {"description": "ours"}}).ok


def test_schedules_and_modules_are_kept() -> None:
    here = Automation()
    here.runbook("Connect", TEXT)
    here.asset("schedules", "nightly", frequency="Day", interval=1, startTime="2026-03-02T00:00:00+00:00")
    link = here.asset(
        "jobSchedules", here.lab.cloud.guid("x"), runbook={"name": "Connect"}, schedule={"name": "nightly"}
    )
    assert link["properties"]["jobScheduleId"] == link["name"]
    lost = here.lab.put(
        f"{ACCOUNT}/jobSchedules/b", {"properties": {"runbook": {"name": "Connect"}, "schedule": {"name": "weekly"}}}
    )
    assert refusal(lost, 404) == "NotFound"
    assert refusal(here.lab.put(f"{ACCOUNT}/schedules/b", {"properties": {"frequency": "Day", "startTime": "soon"}}))
    module = here.asset("modules", "Az", contentLink={"uri": "https://packages.lab/az"})
    assert module["properties"]["provisioningState"] == "Creating" and module["location"] == "southeastasia"
    assert here.lab.properties(str(module["id"]))["provisioningState"] == "Succeeded"
    assert here.lab.delete(f"{ACCOUNT}/modules/Az").status == 200
