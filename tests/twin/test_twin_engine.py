"""The engine beside a twin of real BGP and real packets: every flow, its way there and back, and what BIRD has learned.

FARSHORE_TWIN=all builds what `make twin` promises: 200 states of each example and 100 generated estates; a number
builds so many of both and every corner; without it a few.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from farshore.arm.ids import resource_id
from farshore.cli.projects import read_folder
from farshore.cli.witness.states import State, as_it_is, of_plan
from farshore.cli.witness.witnessed import Witnessed
from farshore.estate.estate import Change, Estate
from farshore.plan import make_plan
from farshore.twin.blueprint import blueprint_of
from farshore.twin.running import Twin
from twin.corners import CORNERS
from twin.corners.sites import round_and_round
from twin.edits import edited
from twin.generated import generated
from twin.needs import needs_a_twin

pytestmark = needs_a_twin

EXAMPLES = Path(__file__).parents[2] / "src/farshore/examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if (path / "estate.json").exists())
ASKED = os.environ.get("FARSHORE_TWIN", "2")
STATES = 200 if ASKED == "all" else int(ASKED)
ESTATES = 100 if ASKED == "all" else int(ASKED)
FEW = "FARSHORE_TWIN" not in os.environ
SHOWN = sorted(CORNERS)[::6] if FEW else sorted(CORNERS)
EACH = 10
"""Generated estates of one test."""
MOST_HOSTS = 60


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with Twin() as running:
        yield running


def witnessed(twin: Twin, *states: State) -> Witnessed:
    found = Witnessed(port=443, seed=1)
    found.see_all(twin, states, lambda _: None)
    return found


def agreed(found: Witnessed) -> None:
    print(found.described())
    assert found.good, found.described()
    assert found.flows == sum(found.words.values()) + sum(found.apart.values())
    assert found.flows == found.pings + found.pings_apart
    assert found.flows == found.traceroutes + found.traceroutes_apart


def of(estate: Estate) -> State:
    return State("as it is", estate, blueprint_of(estate))


@pytest.mark.parametrize("name", SHOWN)
def test_a_corner(twin: Twin, name: str) -> None:
    make, words = CORNERS[name]
    found = witnessed(twin, of(make()))
    agreed(found)
    assert words <= set(found.words), f"{name} shows {sorted(found.words)}: it tests nothing of {sorted(words)}"
    assert not found.left_out


@pytest.mark.skipif(FEW, reason="make twin waits for what never settles")
def test_bgp_that_never_settles_in_the_engine_does_not_in_the_twin(twin: Twin) -> None:
    # By chance, and on a busy machine sooner, what never settles comes to rest for the while that is waited for. Then
    # its flows are apart all the same, since the engine claims nothing of them.
    reasons = set()
    for _ in range(3):
        found = witnessed(twin, of(round_and_round()))
        (reason,) = found.apart
        assert found.good
        reasons.add(reason)
        if "settles neither" in reason:
            break
    assert "BGP settles neither in the twin nor in the engine" in reasons


@pytest.mark.parametrize("name", NAMES[:1] if FEW else NAMES)
def test_an_example_in_every_distinct_state(twin: Twin, name: str) -> None:
    _, estate = read_folder(EXAMPLES / name)
    states = list(of_plan(estate, make_plan(estate, None, "published"), STATES, seed=1))
    assert len(states) == STATES, "an example has more states than were asked for"
    assert all(len(state.blueprint.hosts) <= MOST_HOSTS for state in states)
    agreed(witnessed(twin, *states))


@pytest.mark.parametrize("first", range(0, ESTATES, EACH))
def test_generated_estates(twin: Twin, first: int) -> None:
    seeds = range(first, min(first + EACH, ESTATES))
    states = []
    for seed in seeds:
        estate, told = edited(generated(seed), seed)
        states.append(State(f"seed {seed}, {', '.join(told) or 'as it is'}", estate, blueprint_of(estate)))
        assert len(states[-1].blueprint.hosts) <= MOST_HOSTS
    agreed(witnessed(twin, *states))


def test_a_state_is_the_same_however_its_resources_are_listed() -> None:
    """Distinct states differ in what is built, not in the order of a file; and a route less is another state."""
    _, estate = read_folder(EXAMPLES / NAMES[0])
    assert estate.project is not None
    bodies = list(estate.resources.values())
    turned = Estate.from_resources(bodies[::-1]).with_project(estate.project)
    assert list(turned.resources) != list(estate.resources)
    plan = as_it_is(estate, ()).blueprint.plan
    assert as_it_is(turned, ()).blueprint.plan == plan
    tables = [body for body in bodies if body["id"].lower().endswith("/rt-source-gateway")]
    fewer = estate.with_changes([Change(delete=resource_id(tables[0]["id"]))])
    assert as_it_is(fewer, ()).blueprint.plan != plan
