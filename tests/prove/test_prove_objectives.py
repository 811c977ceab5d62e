"""Objectives as a proof takes them: ends by prefix and name, denial, appliances, how much asymmetry is allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from farshore.errors import InputError
from farshore.estate.project import Asymmetry, Objective
from farshore.estate.project_reading import parse_project
from farshore.examples import path
from farshore.plan.file import plan_as_json, plan_from_json
from farshore.prove import Proof, prove
from prove.estates import estate, planned, prefer, reach, site
from prove.plans import plan

VM1 = planned()


def proven(*objectives: Objective, firewall: bool = True) -> Proof:
    here = estate().with_sites((site(prefer_home=True, firewall=firewall),))
    made = plan(
        [prefer()],
        machines=(VM1,),
        objectives=objectives,
        source_region="eastasia",
        target_region="southeastasia",
    )
    return prove(here, made)


@pytest.mark.parametrize("to", ["machines", "10.1.0.0/24", "10.1.0.4/32", "vm1", "vm*"])
def test_an_end_is_named_in_every_way(to: str) -> None:
    proof = proven(reach(to=to))
    assert proof.ok
    assert proof.verdicts[0].flows == 1


@pytest.mark.parametrize("to", ["10.9.0.0/24", "fd00:1::/64", "nobody", "2001:db8::/32"])
def test_an_end_that_is_nowhere_is_one_clear_error(to: str) -> None:
    with pytest.raises(InputError) as caught:
        proven(reach(to=to))
    assert to in str(caught.value) and caught.value.expected


def test_a_bad_port_is_one_clear_error() -> None:
    with pytest.raises(InputError, match="port"):
        proven(reach(ports=("tcp/https",)))


def test_an_appliance_that_is_not_on_the_way_is_a_bypass() -> None:
    proof = proven(reach(through="gw"))
    assert {item.kind for item in proof.counterexamples} == {"bypass"}


def test_what_is_denied_must_not_arrive_by_prefix_either() -> None:
    denied = reach(name="closed", from_="192.168.0.0/16", to="10.1.0.0/24", deny=True, through=None)
    proof = proven(denied)
    assert [item.kind for item in proof.counterexamples] == ["admitted"]
    assert "which the objective denies" in proof.counterexamples[0].summary


def test_a_reply_by_the_same_way_is_no_asymmetry() -> None:
    assert proven(replace(reach(), asymmetry=Asymmetry.NONE)).ok


def test_a_reply_past_the_hub_is_asymmetric_only_where_none_is_allowed() -> None:
    """Two routers of the site on one circuit, of which the site prefers one and the circuit's edge uses both."""
    home = site(prefer_home=True, firewall=False)
    ce1 = home.routers[0]
    first = replace(ce1, links=("primary",))
    second = replace(ce1, name="ce1b", links=("secondary",), local_preference=100)
    here = estate().with_sites((replace(home, routers=(first, second, *home.routers[1:])),))
    kinds = {}
    for allowed in Asymmetry:
        objective = replace(reach(survive=()), asymmetry=allowed)
        made = plan(
            [prefer()],
            machines=(VM1,),
            objectives=(objective,),
            source_region="eastasia",
            target_region="southeastasia",
        )
        kinds[allowed] = {item.kind for item in prove(here, made).counterexamples}
    assert kinds[Asymmetry.STATELESS] == set()
    assert kinds[Asymmetry.NONE] == {"asymmetric"}


def test_the_key_is_read_refused_and_kept_in_a_plan() -> None:
    file = path("two-circuits-two-locations") / "farshore.yaml"
    text = file.read_text()
    told = text.replace("    through: nva-nic\n", "    through: nva-nic\n    asymmetry: none\n", 1)
    assert [o.asymmetry.value for o in parse_project(told, file=str(file)).objectives] == ["none", *["stateless"] * 2]
    with pytest.raises(InputError) as caught:
        parse_project(told.replace("asymmetry: none", "asymmetry: some"), file=str(file))
    assert caught.value.value == "some" and "stateless" in str(caught.value.expected)
    made = plan([prefer()], machines=(VM1,), objectives=(replace(reach(), asymmetry=Asymmetry.NONE),))
    document: dict[str, Any] = plan_as_json(made)
    assert plan_from_json(document).objectives[0].asymmetry is Asymmetry.NONE
    del document["objectives"][0]["asymmetry"]
    assert plan_from_json(document).objectives[0].asymmetry is Asymmetry.STATELESS
