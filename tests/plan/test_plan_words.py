"""What plans and refusals say to people, where it was misread when read aloud."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from farshore.arm.ids import resource_id
from farshore.errors import InputError
from farshore.plan import make_plan
from farshore.routing.values import Disposition, Flow, Hop, Trace
from farshore.routing.verdicts import judge
from plan.estates import ONE, TWO, example


@pytest.mark.parametrize(
    ("asked", "write"),
    [
        ("never", "never+no-way-back"),
        ("armed+nothing-ahead", "cold+nothing-ahead"),
        ("early+grey", "grey"),
        ("never+circuit", "circuit"),
    ],
)
def test_words_that_contradict_each_other_are_no_matter_of_the_estate(asked: str, write: str) -> None:
    with pytest.raises(InputError, match="contradicts itself, whatever the estate") as refused:
        make_plan(example(TWO), None, asked)
    assert refused.value.remedy == f"write the whole scenario: --scenario {write}"
    make_plan(example(TWO), None, write)


def test_a_person_who_waits_for_arm_hears_what_to_do_when_it_answers() -> None:
    plan = make_plan(example(ONE), None, "grey")
    (asked,) = [
        str(step.action.arguments["instruction"]) for step in plan.steps if step.id.startswith("failover/withd")
    ]
    assert "If ARM answers again while you wait, delete that connection yourself" in asked


def test_nothing_is_lost_in_maintenance_and_no_step_says_so() -> None:
    titles = [step.title for step in make_plan(example(ONE), None, "maintenance").steps]
    assert not [title for title in titles if "lost network" in title]
    assert any("the source's networks are gone from both links (D60)" in title for title in titles)


def test_a_fence_says_that_it_cuts_others_too() -> None:
    plan = make_plan(example(TWO), None, "grey")
    fences = [step for step in plan.steps if "/fence/" in step.id]
    assert fences and all("no other network on it reaches the site" in step.title for step in fences)


def test_two_nics_of_one_name_are_told_apart_by_their_groups() -> None:
    nic = "/subscriptions/s/resourceGroups/{}/providers/Microsoft.Network/networkInterfaces/db1-nic"
    flow = Flow(source="hq", source_address=ip_address("192.168.0.10"), destination_address=ip_address("10.1.0.6"))
    trace = Trace(
        flow=flow,
        hops=(Hop(kind="machine", name="db1-nic", id=nic.format("rg-source")),),
        disposition=Disposition.DELIVERED,
        because="",
        delivered_to=resource_id(nic.format("rg-source")),
    )
    said = judge(trace, trace, promised=nic.format("rg-dr")).because
    assert said == "db1-nic in rg-source took it, promised is db1-nic in rg-dr"
