"""A plan carried out verb by verb, as people do it: one run, its record, its report, and what is refused on the way."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.http import Request
from farshore.arm.versions import SITE_RECOVERY
from farshore.cli.stage import Stage
from farshore.holder import ProjectLock
from outside import answer, at_lab, farshore, run

PUBLISHED = "two-circuits-two-locations"


def fault(folder: Path, state: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.handles.fault("region", region="eastasia", state=state)
        await stage.clock.sleep(timedelta(minutes=5), "wait")

    at_lab(folder, act)


def refused(folder: Path, *arguments: str) -> Any:
    """The error of a command that could not be done."""
    return answer(folder, *arguments, status=1)["error"]


def test_there_and_back_verb_by_verb(project: Path) -> None:
    for verb in ("provision", "protect", "drill"):
        told = answer(project, verb)
        assert told["ok"] and told["run"] == "published-1"
    fault(project, "lost")
    over = answer(project, "failover")
    assert over["happened"] == ["disaster"] and over["next"] == "farshore commit"
    answer(project, "commit")
    fault(project, "returned")
    answer(project, "reprotect")
    assert answer(project, "failback")["status"] == "over"

    [row] = answer(project, "runs", "list")["value"]
    assert row["run"] == "published-1" and row["status"] == "over" and row["driven_by"] is None
    assert row["steps"]["done"] == sum(row["steps"].values())
    assert answer(project, "runs", "verify")["ok"]

    written = answer(project, "report")
    html = Path(written["report"]).read_text()
    assert "Slowest recovery time" in html and "not measured" in html, "what only an exercise measures is not made up"
    verified = answer(project, "report", "verify")
    assert verified["ok"] and verified["key_fingerprint"] == written["key_fingerprint"]
    _tampered(Path(written["bundle"]))
    assert answer(project, "report", "verify", status=2)["wrong"] == ["journal.jsonl: changed since it was signed"]


def _tampered(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    held["journal.jsonl"] = held["journal.jsonl"].replace(b'"done"', b'"DONE"', 1)
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data)


def test_what_comes_first_is_said_and_nothing_is_written(project: Path) -> None:
    error = refused(project, "failover")
    assert error["message"] == "Failover comes after protect, which has not begun: no run is under way"
    assert not (project / ".farshore" / "runs").exists()
    answer(project, "provision")
    assert refused(project, "failover")["remedy"] == "farshore protect"
    assert answer(project, "provision")["ok"], "what is done is done"


def test_a_disaster_waits_for_no_drill_and_no_drill_follows_it(protected: Path) -> None:
    # The drill would be next, and is nothing that a commit waits for.
    assert refused(protected, "commit")["remedy"] == "farshore failover"
    fault(protected, "lost")
    assert answer(protected, "failover")["next"] == "farshore commit"
    assert "past its drill" in refused(protected, "drill")["message"]
    assert answer(protected, "runs", "verify")["ok"]


@pytest.mark.parametrize("minutes", [1, 10])
def test_a_disaster_in_the_middle_of_a_drill_waits_for_its_test_failover(protected: Path, minutes: int) -> None:
    """The test of one machine is still being made, or stands: it is waited for, and cleaned up (S19, S42)."""
    plan = json.loads((protected / ".farshore" / "runs" / "published-1" / "plan.json").read_text())
    drill = {step["id"]: step["action"]["arguments"] for step in plan["steps"] if step["phase"] == "drill"}
    network, test = next(iter(drill.values())), drill["drill/test/db1"]

    async def drilled(stage: Stage) -> None:
        async def send(method: str, url: str, body: Any) -> None:
            assert (await stage.client.send(Request(method=method, url=url, body=body))).ok

        await send("PUT", f"{network['id']}?api-version={network['api_version']}", network["body"])
        await stage.clock.sleep(timedelta(minutes=1), "network")
        properties = {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": test["network"],
            "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointId": None},
        }
        url = f"{test['id']}/testFailover?api-version={SITE_RECOVERY}"
        await send("POST", url, {"properties": properties})
        await stage.clock.sleep(timedelta(minutes=minutes), "the drill's process is gone")
        await stage.handles.fault("region", region="eastasia", state="lost")

    at_lab(protected, drilled)
    assert answer(protected, "failover")["next"] == "farshore commit"
    assert answer(protected, "runs", "verify")["ok"]


def test_an_estate_with_errors_begins_no_run(project: Path) -> None:
    bodies = json.loads((project / "estate.json").read_text())
    nva = next(body for body in bodies if body["properties"].get("enableIPForwarding"))
    nva["properties"]["enableIPForwarding"] = False
    (project / "estate.json").write_text(json.dumps(bodies))
    told = answer(project, "provision", status=2)
    assert [f["subject"].lower() for f in told["findings"]] == [nva["id"].lower()]
    assert at_lab(project, lambda stage: stage.handles.get("requests"))["value"] == []


def test_a_plan_that_is_not_safe_begins_no_run(project: Path) -> None:
    plan = answer(project, "plan")
    plan["steps"] = [step for step in plan["steps"] if not (step["kind"] == "site" and step["id"].startswith("prov"))]
    (project / "edited.json").write_text(json.dumps(plan))
    told = answer(project, "provision", "--plan", "edited.json", status=2)
    assert any("10.1.0.0/24" in example["summary"] for example in told["proof"]["counterexamples"])
    assert at_lab(project, lambda stage: stage.handles.get("requests"))["value"] == []


def test_pause_resume_cancel(provisioned: Path) -> None:
    assert answer(provisioned, "runs", "pause")["written"]
    assert "is paused" in refused(provisioned, "protect")["message"]
    assert answer(provisioned, "runs", "resume")["status"] == "between phases"
    answer(provisioned, "runs", "cancel", "--by", "me")
    assert answer(provisioned, "runs", "show")["status"] == "cancelled"
    assert "was cancelled" in refused(provisioned, "runs", "resume")["message"]
    assert answer(provisioned, "provision")["run"] == "published-2", "a new run finds what stands"


def test_words_that_make_no_sense(project: Path) -> None:
    assert "no runs" in refused(project, "runs", "list")["message"].lower()
    answer(project, "provision")
    assert "no step nowhere" in refused(project, "runs", "retry", "nowhere")["message"]
    assert "makes no sense" in refused(project, "runs", "retry", "provision/network/Source-Hub-vNet")["message"]
    assert "no run exercise-9" in refused(project, "runs", "show", "exercise-9")["message"]


def test_a_step_that_safety_rests_on_is_not_skipped(protected: Path) -> None:
    """The fence waits for nothing but the disaster, so it could be skipped; the plan without it is not safe (D51)."""
    plan = json.loads((protected / ".farshore" / "runs" / "published-1" / "plan.json").read_text())
    site = [step["id"] for step in plan["steps"] if step["kind"] == "site" and step["id"].startswith("provision")]
    step = next(step["id"] for step in plan["steps"] if step["id"].startswith("failover/fence"))
    assert site and "makes no sense" in refused(protected, "runs", "skip", site[0], "--why", "no")["message"]
    fault(protected, "lost")
    at_lab(protected, lambda stage: stage.handles.fault("site-deaf", site="datacenter"))
    halted = answer(protected, "failover", status=2)
    assert halted["status"] == "halted" and [row["id"] for row in halted["failed"]] == [step]
    told = answer(protected, "runs", "skip", step, "--why", "it will do", status=2)
    assert not told["written"] and "10." in told["because"]
    at_lab(protected, lambda stage: stage.handles.fault("site-deaf", site="datacenter", state="up"))
    assert answer(protected, "runs", "retry", step)["written"]
    assert answer(protected, "runs", "resume")["ok"]


def test_a_person_is_asked_and_not_believed(project: Path) -> None:
    text = (project / "farshore.yaml").read_text()
    (project / "farshore.yaml").write_text(text.replace("{template: nva.json}", "manual"))
    asked = answer(project, "provision", status=2)
    [waiting] = asked["waiting"]
    assert "10.10.10.10" in waiting["instruction"]
    assert asked["status"] == "waiting" and waiting["id"] in asked["next"]
    answer(project, "runs", "approve", waiting["id"], "--by", "somebody")
    halted = answer(project, "runs", "resume", status=2)
    [failed] = halted["failed"]
    assert failed["id"] == "provision/appliance-check/nva-nic", "nobody has built it"


def test_a_failover_waits_for_those_who_must_approve_it(project: Path) -> None:
    text = (project / "farshore.yaml").read_text()
    (project / "farshore.yaml").write_text(
        text.replace("{failover: [], quorum: 1}", "{failover: [ann, bo], quorum: 2}")
    )
    for verb in ("provision", "protect"):
        answer(project, verb)
    fault(project, "lost")
    asked = answer(project, "failover", status=2)
    assert [row["id"] for row in asked["waiting"]] == ["failover/approved"] and asked["status"] == "waiting"
    assert "not for carol" in refused(project, "runs", "approve", "failover/approved", "--by", "carol")["message"]
    passed_over = answer(project, "runs", "skip", "failover/approved", "--why", "night", status=2)
    assert not passed_over["written"] and "for ann or bo to say" in passed_over["because"]
    answer(project, "runs", "approve", "failover/approved", "--by", "ann")
    assert answer(project, "runs", "resume", status=2)["status"] == "waiting"
    answer(project, "runs", "approve", "failover/approved", "--by", "bo")
    assert answer(project, "runs", "resume")["ok"]


def test_one_process_at_a_time(project: Path) -> None:
    with ProjectLock(project / ".farshore"):
        assert "held by process" in refused(project, "provision")["message"]
        waiting = farshore(project, "provision", "--wait")
        with pytest.raises(Exception, match="timed out"):
            waiting.communicate(timeout=2)
    said, told = waiting.communicate(timeout=120)
    assert waiting.returncode == 0, told + said


def test_a_run_is_resumed_with_its_own_plan_only(provisioned: Path) -> None:
    path = provisioned / ".farshore" / "runs" / "published-1" / "plan.json"
    plan = json.loads(path.read_text())
    plan["steps"] = [step for step in plan["steps"] if not step["id"].startswith("failover/fence")]
    path.write_text(json.dumps(plan))
    assert "not the one that the run was begun with" in refused(provisioned, "protect")["message"]
    path.unlink()
    assert "plan is not there" in refused(provisioned, "runs", "show")["message"]


def test_people_are_told_one_next_action(project: Path) -> None:
    text = run(project, "provision")
    assert "next    farshore protect" in text
    shown = run(project, "runs", "show", "--steps")
    assert "provision/" in shown and "20 of 20" in shown


def test_a_journal_that_was_lost_is_not_taken_for_none(provisioned: Path) -> None:
    (provisioned / ".farshore" / "runs.db").write_bytes(b"")
    for arguments in (("runs", "list"), ("protect",)):
        assert "knows nothing of run published-1" in refused(provisioned, *arguments)["message"]


def test_a_trace_says_what_it_was_computed_from(provisioned: Path) -> None:
    fault(provisioned, "lost")
    assert answer(provisioned, "trace", "datacenter", "10.1.0.6")["verdict"] == "delivered", (
        "by estate.json, which is told"
    )
    lost = answer(provisioned, "trace", "datacenter", "10.1.0.6", "--cloud", "lab", status=2)
    assert lost["verdict"] != "delivered"


def test_a_watch_that_nothing_can_end_is_refused(protected: Path) -> None:
    fault(protected, "lost")
    for verb in ("failover", "commit"):
        answer(protected, verb)
    error = refused(protected, "reprotect")
    assert "nothing will bring it back" in error["message"] and "returned" in error["remedy"]
    at_lab(protected, lambda stage: stage.handles.fault("region", region="eastasia", state="returned"))
    assert answer(protected, "reprotect")["ok"]
