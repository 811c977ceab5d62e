"""Some machines go home, the others stay: where networks are told apart by new addresses, and nowhere else (D93)."""

from __future__ import annotations

import pytest

from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.project import Link, Machines
from farshore.plan import Plan, make_plan
from farshore.plan.interruption import staying
from farshore.plan.model import Phase
from farshore.prove import prove
from plan.estates import LINKS, NEW, ONE, TWO, example, with_project

FIRST = {"db1", "file1"}
"""The example's first boot group."""


def to_machines_only(link: Link) -> Estate:
    """Nobody is promised from machine to machine, so that no network needs the way to the other one (E38)."""
    estate = example(NEW, link=link)
    assert estate.project is not None
    return with_project(estate, objectives=estate.project.objectives[:1])


def _moved(plan: Plan, phase: Phase) -> set[str]:
    return {step.id.rsplit("/", 1)[-1] for step in plan.of_phase(phase) if step.action.verb == "failover"}


@pytest.mark.parametrize("link", LINKS)
def test_the_first_boot_group_goes_home_and_the_others_stay_protected_towards_it(link: Link) -> None:
    estate = to_machines_only(link)
    plan = make_plan(estate, None, "partial")
    assert _moved(plan, Phase.FAILOVER) > _moved(plan, Phase.FAILBACK) == FIRST
    assert {m.id.name for m in plan.machines if m.id.key not in staying(plan)} == FIRST
    protected = [step.id for step in plan.of_phase(Phase.REPROTECT) if step.action.verb != "configure_item"]
    assert len(protected) == len(plan.machines), "each is protected towards home first"
    again = {step.id for step in plan.of_phase(Phase.FAILBACK) if "/reprotect/" in step.id}
    assert again == {f"failback/reprotect/{name}" for name in FIRST}
    assert not any("silence/" in step.id or "disconnect/" in step.id for step in plan.of_phase(Phase.FAILBACK))
    proof = prove(estate, plan)
    assert proof.ok and proof.exhaustive, [example.summary for example in proof.counterexamples[:2]]


def test_who_is_promised_to_those_who_stay_is_told_that_no_way_leads_there() -> None:
    """Two networks of one circuit reach each other only where their gateways say so (E38); the example's don't."""
    estate = example(NEW)
    proof = prove(estate, make_plan(estate, None, "partial"))
    assert not proof.ok
    assert {example.kind for example in proof.counterexamples} == {"unreachable"}
    assert all("failback/" in example.summary for example in proof.counterexamples)


@pytest.mark.parametrize("name", [TWO, ONE])
def test_with_kept_addresses_all_go_home_or_none(name: str) -> None:
    with pytest.raises(InputError, match=r"announced as a whole .*\(D93\)"):
        make_plan(example(name), None, "partial")


def test_one_group_can_t_be_parted() -> None:
    with pytest.raises(InputError, match="one boot group"):
        make_plan(example(NEW, machines=Machines(include=("*",))), None, "partial")


def test_who_stays_is_read_from_the_plan() -> None:
    estate = example(NEW)
    everyone = {machine.id.key for machine in make_plan(estate).machines}
    assert staying(make_plan(estate)) == frozenset()
    assert staying(make_plan(estate, None, "stay")) == everyone
    assert staying(make_plan(estate, None, "never+no-way-back")) == everyone
