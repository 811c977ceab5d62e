"""`farshore provision|protect|drill|failover|commit|reprotect|failback`: one part of the plan each, in that order.

The first of them begins a run: the estate is read, judged, planned and proven, and nothing is touched until all of it
is good. Each goes on where the run is; what is done already is found done, and nothing is done twice.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from farshore.cli.app import BAD_ANSWER, GOOD, VERBS, App, common
from farshore.cli.words import many

if TYPE_CHECKING:
    from farshore.cli.carrying import Beginning, Carried
    from farshore.plan.model import Plan

NAMES = ("provision", "protect", "drill", "failover", "commit", "reprotect", "failback")


def _command(name: str) -> click.Command:
    @click.command(name, help=VERBS[name][1] + ".", epilog=__doc__.split("\n\n", 1)[1])
    @click.option("--run", "run_id", default=None, help="The run; default the one under way, else a new one.")
    @click.option("--new", "anew", is_flag=True, default=False, help="Begin a new run even where one is under way.")
    @click.option("--scenario", default="published", show_default=True, help="The story to plan where a run begins.")
    @click.option("--plan", "plan_file", type=click.Path(path_type=Path), default=None, help="The plan to carry out.")
    @click.option("--yes", is_flag=True, default=False, help="Do not ask, on a terminal, before a failover.")
    @common
    def command(
        app: App,
        run_id: str | None,
        anew: bool,
        scenario: str,
        plan_file: Path | None,
        yes: bool,
        anyway: bool = False,
    ) -> int:
        from farshore.cli.carrying import Beginning
        from farshore.cli.looking import ContradictedError
        from farshore.cli.options import user
        from farshore.cli.views.runs import carried_text

        beginning = Beginning(scenario=scenario, plan_file=plan_file, anew=anew, run_id=run_id)
        beginning.anyway = user() if anyway else None
        if name == "failover" and not yes and _may_ask(app):
            beginning.confirm = _confirm
        try:
            carried = asyncio.run(_carry_out(app, name, beginning))
        except ContradictedError as error:
            app.view.error(error)
            return BAD_ANSWER
        app.view.answer(carried.as_json(), carried_text(name, carried))
        return GOOD if carried.ok else BAD_ANSWER

    return command


async def _carry_out(app: App, name: str, beginning: Beginning) -> Carried:
    from farshore.cli.carrying import carry_out
    from farshore.cli.projects import Folder, read_folder
    from farshore.cli.stage import open_stage

    folder = Folder(app.project_dir)
    _, declared = read_folder(folder.path)
    async with open_stage(folder, declared, cloud=app.cloud, wait=app.wait) as stage:
        return await carry_out(name, stage, declared, app.view, beginning)


def _may_ask(app: App) -> bool:
    return app.format == "human" and sys.stdin.isatty() and sys.stderr.isatty()


def _confirm(plan: Plan) -> None:
    """A failover says that what the plan's first event tells has happened. A person is asked whether it has."""
    from farshore.errors import InputError

    if not click.confirm(f"{declared(plan)} Go on?", err=True):
        raise InputError("Nothing was done", code="NotConfirmed", remedy="farshore failover, when it is so")


def declared(plan: Plan) -> str:
    """What whoever gives the command of a failover says of the world, and what is done then: in a sentence or two."""
    from farshore.plan.interruption import struck
    from farshore.plan.model import Lose, Phase

    event, steps = struck(plan), plan.of_phase(Phase.FAILOVER)
    moved = [step for step in steps if step.action.verb == "failover"]
    lost = event is not None and any(isinstance(effect, Lose) for effect in event.effects)
    said = "" if event is None else f"This declares: {event.title}. " if lost else f"{event.title}. "
    if not moved:
        changed = any(step.kind.value not in ("check",) for step in steps)
        return said + (
            "Connectivity goes over; no machine moves." if changed else "Nothing is changed, only looked at."
        )
    stopped = all(step.action.arguments.get("shutdown") for step in moved)
    how = "stopped, and started again" if stopped else "started"
    point = "with nothing lost" if stopped else "from their recovery points"
    count = many(len(moved), "machine")
    return f"{said}{count} will be {how} in {plan.target_region} {point}."


def _drill(acting: click.Command) -> click.Command:
    """`drill`, which also tells a plan round a table, and what the drills of the past have proved."""
    carry_out = acting.callback
    assert carry_out is not None

    def drill(*, tabletop: bool, record: bool, history: bool, **options: Any) -> Any:
        if record and not tabletop:
            raise click.UsageError("--record keeps a tabletop, and comes with --tabletop")
        if tabletop and history:
            raise click.UsageError("--tabletop tells a plan and --history the past: one of them")
        if not tabletop and not history:
            return carry_out(**options)
        where = {name: options[name] for name in ("format_", "project", "cloud", "wait")}
        if history:
            return _history(**where)
        return _tabletop(scenario=options["scenario"], plan_file=options["plan_file"], record=record, **where)

    acting.callback = drill
    acting.params += [
        click.Option(["--tabletop"], is_flag=True, help="Tell the plan step by step; nothing acts, no cloud is asked."),
        click.Option(["--record"], is_flag=True, help="With --tabletop: keep it in the history."),
        click.Option(["--history"], is_flag=True, help="Every drill, what it proved, whether that still counts."),
    ]
    return acting


@common
def _tabletop(app: App, *, scenario: str, plan_file: Path | None, record: bool) -> int:
    from farshore.cli.drilling import tell_tabletop
    from farshore.cli.projects import Folder
    from farshore.cli.views.lines import shown
    from farshore.report.tabletop import tabletop_text

    told = tell_tabletop(Folder(app.project_dir), scenario, plan_file, record=record)
    app.view.answer(told.as_json(), shown(tabletop_text(told)))
    return GOOD


@common
def _history(app: App) -> int:
    from farshore.cli.drilling import history
    from farshore.cli.projects import Folder
    from farshore.cli.views.lines import shown
    from farshore.report.history import history_as_json, history_text

    found = history(Folder(app.project_dir))
    app.view.answer(history_as_json(found), shown(history_text(found)))
    return GOOD


commands: dict[str, click.Command] = {name: _command(name) for name in NAMES}
commands["drill"] = _drill(commands["drill"])
commands["failover"].params.append(
    click.Option(
        ["--anyway"], is_flag=True, help="Go on though what is seen is not the outage planned; it is recorded."
    )
)
