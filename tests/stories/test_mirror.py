"""There for good, and then home for good: a run that stays, the mirror of its project, and the mirror carried out in
the same lab: provisioned, protected from another vault, and failed over when the region that serves is lost."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farshore import examples
from farshore.assess import assess
from farshore.cli import runs
from farshore.cli.exercise import verdicts
from farshore.cli.exercise.residents import Residents, traffic_of
from farshore.cli.projects import Folder
from farshore.cli.stage import Stage
from farshore.estate.estate import Estate
from farshore.estate.files import write_estate
from farshore.estate.project import Link
from farshore.plan.builders.protect import LET_GO
from farshore.plan.make import make_plan
from farshore.prove import prove
from outside import answer, at_lab
from plan.estates import example
from plan.mirrors import mirror_of, with_circuits_elsewhere


@pytest.mark.parametrize("name", ["two-circuits-two-locations", "single-circuit-kept-addresses"])
def test_a_mirror_is_carried_out_in_the_same_lab(name: str, tmp_path: Path) -> None:
    there, home = mirrored(name, tmp_path)
    (home / ".farshore").mkdir()
    for file in (there / ".farshore").glob("lab.db*"):
        shutil.copy(file, home / ".farshore")
    assert answer(home, "estate", "diff", "estate.json", "lab")["differences"] == []
    assert [f["code"] for f in answer(home, "assess")["findings"] if f["severity"] == "error"] == []
    answer(home, "provision")
    protected = answer(home, "protect")
    assert protected["ok"]
    assert not [f for f in answer(home, "assess")["findings"] if f["severity"] == "error"]
    at_lab(home, lambda stage: lost(stage, "southeastasia"))
    assert answer(home, "failover")["ok"]
    assert answer(home, "commit")["ok"]
    assert at_lab(home, lambda stage: unmet(stage, home)) == []
    vms = at_lab(home, lambda stage: stage.client.list_all(machines(home)))
    assert {str(vm["location"]) for vm in vms} == {"eastasia"}


def test_a_mirror_has_a_whole_story_of_its_own(tmp_path: Path) -> None:
    """In a lab of its own, begun from the estate as it was read: to the old shore and back."""
    _, home = mirrored("single-circuit-new-addresses", tmp_path)
    told = answer(home, "exercise")
    assert told["ok"], told["halted"]


def test_a_mirror_that_is_given_up_tells_which_machines_are_replicated_nowhere(tmp_path: Path) -> None:
    _, home = mirrored("two-circuits-two-locations", tmp_path)
    told = [answer(home, verb)["run"] for verb in ("provision", "protect")]
    plan = json.loads((home / ".farshore" / "runs" / told[0] / "plan.json").read_text())
    let_go = {step["subject"] for step in plan["steps"] if step["id"].startswith(LET_GO)}
    given_up = answer(home, "runs", "abandon")
    assert given_up["ok"] and given_up["status"] == "over"
    assert {row["id"] for row in given_up["remains"]} == let_go and len(let_go) == 6


@pytest.mark.parametrize("link", Link)
@pytest.mark.parametrize("name", examples.names())
def test_a_mirror_is_as_sound_as_what_it_is_of(name: str, link: Link) -> None:
    """Whatever the link before a disaster: what is wrong with the one is wrong with the other, and no more."""
    begun = with_circuits_elsewhere(example(name, link=link))
    _, estate = mirror_of(begun)
    assert errors(estate) == errors(begun)
    assert prove(estate, make_plan(estate, None, "no-drill")).ok == prove(begun, make_plan(begun, None, "no-drill")).ok


def errors(estate: Estate) -> list[str]:
    return [finding.code for finding in assess(estate).findings if finding.severity == "error"]


def mirrored(name: str, folder: Path) -> tuple[Path, Path]:
    """The project of an example whose machines have stayed, and its mirror."""
    there, home = folder / "there", folder / "home"
    shutil.copytree(examples.path(name), there, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    _, estate = examples.read(name)
    write_estate(there / "estate.json", with_circuits_elsewhere(estate))
    assert answer(there, "exercise", "--scenario", "stay+no-drill")["ok"]
    answer(there, "new", str(home), "--mirror", ".")
    return there, home


async def lost(stage: Stage, region: str) -> None:
    await stage.handles.fault("region", region=region, state="lost")
    await stage.clock.sleep(timedelta(minutes=5), "wait")


async def unmet(stage: Stage, folder: Path) -> list[Any]:
    """The objectives that no packet shows to be met where the machines are now."""
    from farshore.cli.projects import read_folder

    run = runs.latest(Folder(folder), stage.journal, None)
    proof = runs.proof_of(Folder(folder), run.id)
    assert proof is not None
    project, _ = read_folder(folder)
    residents = Residents(stage.handles, traffic_of(runs.begun_with(Folder(folder), run.id, project), run.plan))
    await residents.watch_for(away=True)
    await residents.round()
    return list(verdicts.unmet(run.plan, verdicts.objectives(run.plan, proof, residents.diary, "failover")))


def machines(folder: Path) -> str:
    return (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-source"
        "/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01"
    )
