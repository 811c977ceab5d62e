"""`farshore twin`: the estate as network namespaces, and whether the engine is right about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common
from farshore.cli.failing import fail_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from farshore.cli.witness.gaps import Gap
    from farshore.cli.witness.states import State
    from farshore.estate.estate import Estate
    from farshore.twin.blueprint import Blueprint
    from farshore.twin.running import Twin


@click.command("twin")
@fail_option
@click.option("--after", metavar="STEP", help="The moment of a plan in which this step is done.")
@click.option("--states", type=click.IntRange(1), default=None, help="So many moments and failures of a plan.")
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), default=None, help="The plan; else one is made.")
@click.option("--scenario", default="published", show_default=True, help="The story to plan when no file is given.")
@click.option("--gap", is_flag=True, help="With --fail: how long traffic is missing when each of them fails.")
@click.option("--swap", nargs=2, metavar="OLD NEW", help="How long traffic is missing when NEW takes over from OLD.")
@click.option("--port", type=click.IntRange(1, 65535), default=443, show_default=True, help="The TCP port asked for.")
@click.option("--flows", type=click.IntRange(1, 10000), default=2000, show_default=True, help="At most, of a state.")
@click.option("--seed", type=int, default=1, show_default=True, help="Chooses states and flows where not all fit.")
@common
def command(
    app: App,
    names: tuple[str, ...],
    after: str | None,
    states: int | None,
    plan_file: Path | None,
    scenario: str,
    gap: bool,
    swap: tuple[str, str] | None,
    port: int,
    flows: int,
    seed: int,
) -> int:
    """Build the estate as Linux network namespaces with real BGP, send real packets, and compare with the engine.

    Each virtual network, machine, gateway instance, circuit link and site router becomes a namespace; BIRD speaks BGP,
    nftables are the security groups, the kernel chooses routes. Every machine and every site asks every other, by TCP
    and by ping, and follows each ping with a traceroute. The answer is where engine and twin differ, and status 2 if
    they do anywhere.

    Needs Linux with bird2, nftables and iproute2; no root where users may have namespaces of their own. Nothing of the
    machine is touched, and nothing is left behind.
    """
    from farshore.cli.options import STORY, refuse_given, refuse_scenario
    from farshore.cli.projects import read_folder
    from farshore.cli.views.lines import shown
    from farshore.cli.witness.witnessed import Witnessed
    from farshore.errors import InputError
    from farshore.twin.running import Twin

    if states is not None:
        refuse_given(
            {"after": "--after", "names": "--fail"},
            "chooses a moment or a failure, and --states chooses them itself",
            "--states, or --after and --fail",
            "leave out one of the two",
        )
    if gap and not names:
        raise InputError(
            "--gap measures what a failure costs",
            value="--gap",
            expected="--fail ELEMENT with it",
            remedy="say what fails: --fail ELEMENT",
        )
    if gap or swap is not None:
        refuse_given(
            {"after": "--after", "states": "--states"},
            "is about moments of a plan, and gaps are measured in the estate as it is",
            "--gap or --swap without it",
            "measure gaps in a command of their own",
        )
    if states is None and after is None:
        refuse_given(
            STORY,
            "is about a plan, and the estate as it is has none",
            "--after STEP or --states N with it",
            "say which moments of the plan are meant, or leave it out",
        )
    refuse_scenario(plan_file)
    _, estate = read_folder(app.project_dir)
    # What is asked for in vain is told before anything is built.
    asked = _states(estate, names, after, states, plan_file, scenario, seed)
    chosen: Iterable[State] = asked if states is not None else list(asked)
    swapped = None if swap is None else _swapped(estate, *swap)
    _check_machine()
    found = Witnessed(port=port, seed=seed, most_flows=flows)
    with Twin() as twin:
        if gap:
            found.gaps += [_gap(twin, estate, name, port) for name in names]
        if swapped is not None:
            found.gaps += _swap(twin, estate, *swapped, port)
        found.see_all(twin, chosen, app.view.status)
    app.view.answer(found.as_json(), shown(found.described()))
    return GOOD if found.good else BAD_ANSWER


def _states(
    estate: Estate,
    names: tuple[str, ...],
    after: str | None,
    states: int | None,
    plan_file: Path | None,
    scenario: str,
    seed: int,
) -> Iterator[State]:
    from farshore.cli.planned import plan_for
    from farshore.cli.witness.states import as_it_is, at_cut, of_plan

    if after is None and states is None:
        yield as_it_is(estate, names)
        return
    plan = plan_for(estate, scenario, plan_file).plan
    if after is not None:
        yield at_cut(estate, plan, after, names)
    if states is not None:
        yield from of_plan(estate, plan, states, seed)


def _check_machine() -> None:
    from farshore.errors import InputError
    from farshore.twin.running import why_not

    why = why_not()
    if why is not None:
        raise InputError(
            "No twin can be built on this machine",
            value=why,
            expected="Linux with namespaces, BIRD 2, nftables and iproute2",
            remedy="apt-get install bird2 nftables iproute2",
        )


def _gap(twin: Twin, estate: Estate, name: str, port: int) -> Gap:
    from farshore.cli.witness import gaps
    from farshore.cli.witness.flows import ends_of
    from farshore.cli.witness.states import as_it_is

    before, after = as_it_is(estate, ()).blueprint, as_it_is(estate, (name,)).blueprint
    twin.do("build", plan=before.plan)
    return gaps.failure(twin, before, after, name, ends_of(estate, frozenset(before.hosts)), port)


def _swapped(estate: Estate, old: str, new: str) -> tuple[Blueprint, Blueprint, Blueprint]:
    """The estate with both connections, without the old one, and without the new one."""
    from farshore.cli.witness.states import as_it_is
    from farshore.errors import InputError

    known = [connection.id.name for connection in estate.connections]
    for name in (old, new):
        if name not in known:
            shown = ", ".join(known[:8]) or "a connection, and there is none"
            raise InputError(
                "There is no such connection", value=name, expected=f"one of {shown}", remedy="correct the name"
            )
    if old == new:
        raise InputError(
            "A connection can't take over from itself",
            value=new,
            expected="two connections: OLD NEW",
            remedy="name the connection that takes over second",
        )
    names: tuple[tuple[str, ...], ...] = ((), (f"connection {old}",), (f"connection {new}",))
    both, without_old, without_new = (as_it_is(estate, failed).blueprint for failed in names)
    return both, without_old, without_new


def _swap(
    twin: Twin, estate: Estate, both: Blueprint, without_old: Blueprint, without_new: Blueprint, port: int
) -> Iterator[Gap]:
    from farshore.cli.witness import gaps
    from farshore.cli.witness.flows import ends_of

    ends = ends_of(estate, frozenset(both.hosts))
    for first in ("make", "break"):
        twin.do("build", plan=both.plan)
        yield gaps.takeover(twin, both, (without_old, without_new), ends, port, first=first)
