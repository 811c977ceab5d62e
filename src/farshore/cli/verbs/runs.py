"""`farshore runs`: what runs there are, how they stand, and what a person may say to one.

list, show, verify                      read
pause, retry, skip, approve, cancel     a word that is written in the journal, by whoever drives the run if
                                        somebody does
resume                                  goes on where a run stopped, however it stopped
abandon                                 gives a run up and brings the estate back, by a plan of its own
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common
from farshore.cli.options import user
from farshore.run.events import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from farshore.cli.carrying import Carried
    from farshore.cli.projects import Folder
    from farshore.cli.runs import Run
    from farshore.run.journal import Journal


@click.group("runs", invoke_without_command=True)
@click.pass_context
@common
def command(app: App, ctx: click.Context) -> int:
    """List, show, resume and steer runs; without a verb, list them."""
    return _listed(app) if ctx.invoked_subcommand is None else GOOD


@command.command("list")
@common
def list_(app: App) -> int:
    """Every run of the project, the oldest first."""
    return _listed(app)


def _listed(app: App) -> int:
    from farshore.cli import runs
    from farshore.cli.carrying import run_as_json
    from farshore.cli.views.runs import runs_text

    with _journal(app) as (folder, journal):
        found = [runs.read(folder, journal, id_) for id_ in journal.runs()]
        holders = [journal.holder(run.id) for run in found]
        rows = [
            {"run": run.id, **run_as_json(run), "driven_by": None if holder is None else holder.as_json()}
            for run, holder in zip(found, holders, strict=True)
        ]
        shown = [None if holder is None else f"process {holder.pid} on {holder.host}" for holder in holders]
        app.view.answer({"value": rows}, runs_text(found, shown))
    return GOOD


@command.command("show")
@click.argument("run_id", required=False, metavar="[RUN]")
@click.option("--steps", "all_steps", is_flag=True, default=False, help="Every step with its times.")
@common
def show(app: App, run_id: str | None, all_steps: bool) -> int:
    """How a run stands (default: the latest), what failed or waits, and what to do next."""
    from farshore.cli import runs
    from farshore.cli.carrying import run_as_json
    from farshore.cli.views.runs import run_text
    from farshore.report.steps import step_rows

    with _journal(app) as (folder, journal):
        run = runs.latest(folder, journal, run_id)
        holder = journal.holder(run.id)
        document = {
            "run": run.id,
            **run_as_json(run),
            "driven_by": None if holder is None else holder.as_json(),
            "step_rows": step_rows(run.plan, run.events),
        }
        driver = "" if holder is None else f"process {holder.pid} on {holder.host}"
        app.view.answer(document, run_text(run, driver, all_steps=all_steps))
    return GOOD


@command.command("resume")
@click.argument("run_id", required=False, metavar="[RUN]")
@common
def resume(app: App, run_id: str | None) -> int:
    """Go on where a run stopped: after a crash, a pause, a person's word. Resuming twice is harmless."""
    from farshore.cli.views.runs import carried_text

    carried = asyncio.run(_resume(app, run_id))
    app.view.answer(carried.as_json(), carried_text("resume", carried))
    return GOOD if carried.ok else BAD_ANSWER


async def _resume(app: App, run_id: str | None) -> Carried:
    from farshore.cli import runs
    from farshore.cli.carrying import Carried, drive
    from farshore.cli.projects import Folder, read_folder
    from farshore.cli.stage import open_stage
    from farshore.errors import InputError
    from farshore.run.states import RunStatus

    folder = Folder(app.project_dir)
    _, declared = read_folder(folder.path)
    async with open_stage(folder, declared, cloud=app.cloud, wait=app.wait) as stage:
        run = runs.latest(folder, stage.journal, run_id)
        if run.state.status is RunStatus.CANCELLED:
            raise InputError(f"Run {run.id} was cancelled", value=run.id, remedy="the next command begins a new run")
        if run.state.status is RunStatus.PAUSED:
            runs.tell(stage.journal, run, Kind.RESUMED, stage.clock.now(), body={"by": user()})
            run = runs.read(folder, stage.journal, run.id)
        phases = run.open_phases
        if not phases:
            return Carried(run=run, phases=run.state.ended, done_before=True)
        return await drive(run, phases, stage, app.view)


@command.command("abandon")
@click.argument("run_id", required=False, metavar="[RUN]")
@click.option("--show", "only_show", is_flag=True, default=False, help="Make, prove and show the way back; do nothing.")
@click.option("--yes", is_flag=True, default=False, help="Do not ask, on a terminal, before the way back begins.")
@common
def abandon(app: App, run_id: str | None, only_show: bool, yes: bool) -> int:
    """Give up a run that stopped on its way, and bring the estate back to how it was before: machines go home, and what
    the run has built and only it uses is taken down. The way back is a plan, proven and shown before it begins, and
    then a run of its own. What the run's scenario took away has to be back by then."""
    return asyncio.run(_abandon(app, run_id, only_show=only_show, yes=yes))


async def _abandon(app: App, run_id: str | None, *, only_show: bool, yes: bool) -> int:
    import sys

    from farshore.cli.abandoning import go_back, way_back
    from farshore.cli.projects import Folder, read_folder
    from farshore.cli.stage import open_stage
    from farshore.cli.views.runs import carried_text, way_text
    from farshore.errors import InputError
    from farshore.plan.file import plan_as_json
    from farshore.prove.file import proof_as_json

    folder = Folder(app.project_dir)
    _, declared = read_folder(folder.path)
    async with open_stage(folder, declared, cloud=app.cloud, wait=app.wait) as stage:
        way = await way_back(stage, declared, app.view, run_id)
        if only_show:
            document = {"run": way.run.id, "plan": plan_as_json(way.plan), "proof": proof_as_json(way.proof)}
            app.view.answer(document, way_text(way))
            return GOOD if way.proof.ok else BAD_ANSWER
        asks = app.format == "human" and sys.stdin.isatty() and sys.stderr.isatty() and not yes
        if way.proof.ok and asks:
            click.echo(way_text(way), err=True)
            if not click.confirm(f"Give run {way.run.id} up and go back this way?", err=True):
                remedy = f"farshore runs resume {way.run.id} goes on with it"
                raise InputError("Nothing was done", code="NotConfirmed", remedy=remedy)
        carried = await go_back(stage, app.view, way, user())
        remains = [{"id": row.id, "why": row.why} for row in way.plan.remains]
        app.view.answer(
            {**carried.as_json(), "abandoned": way.run.id, "remains": remains}, carried_text("abandon", carried)
        )
        return GOOD if carried.ok else BAD_ANSWER


def _word(
    name: str, kind: Kind, said: str, *, of_step: bool, why: str | None = None, done: str | None = None
) -> click.Command:
    """A verb that writes one word of a person's in the journal: what it says in its help, and, where that is not what
    has been done, what it says then."""

    def write(
        app: App, run_id: str | None, step: str | None = None, by: str | None = None, why: str | None = None
    ) -> int:
        from farshore.cli import runs

        body = {"by": by or user(), **({"why": why} if why else {})}
        with _journal(app) as (folder, journal):
            run = runs.latest(folder, journal, run_id)
            written = True
            for id_ in _steps_meant(run, kind, step) if of_step else ("",):
                run = runs.read(folder, journal, run.id)
                with _making_sense(name, id_ or run.id):
                    runs.check(run, kind, _now(app, folder, run), id_, body)
                    if kind is Kind.SKIPPED and (unproven := _unproven(folder, run, id_)) is not None:
                        answer = {"run": run.id, "written": False, "because": unproven}
                        app.view.answer(answer, f"Not skipped. {unproven}")
                        return BAD_ANSWER
                    told = runs.tell(journal, run, kind, _now(app, folder, run), step=id_, body=body)
                    written = written and told
            run = runs.read(folder, journal, run.id)
            if kind is Kind.APPROVED and step is not None and run.deciders(step):
                text = f"{body['by']} has approved it" + ("; others are still asked" if step in run.waiting else "")
            else:
                text = done or said
            text = text if written else f"{text}: left for the process that drives the run"
            app.view.answer(
                {"run": run.id, "written": written, "next": run.next_action()},
                f"{run.id}: {text}\nnext  {run.next_action()}",
            )
        return GOOD

    options: list[Any] = [click.option("--by", default=None, help="Who says so; default the user's name.")]
    if why is not None:
        options.append(click.option("--why", required=True, help=why))
    if of_step:
        options.append(click.argument("step", required=kind is not Kind.RETRIED))
        options.append(click.option("--run", "run_id", default=None, help="Default: the latest."))
    else:
        options.append(click.argument("run_id", required=False, metavar="[RUN]"))
    decorated = common(write)
    for option in options:
        decorated = option(decorated)
    return click.command(name, help=said + ".")(decorated)


def _steps_meant(run: Run, kind: Kind, step: str | None) -> tuple[str, ...]:
    """The step that was named; of a retry that names none, all that failed."""
    from farshore.errors import InputError

    if step is None:
        assert kind is Kind.RETRIED
        if not run.failed:
            raise InputError(f"Nothing has failed in run {run.id}", value=run.id, remedy=run.next_action())
        return run.failed
    if run.plan.step(step) is None:
        raise InputError(
            f"Run {run.id} has no step {step}",
            value=step,
            expected="the id of a step of its plan",
            remedy=f"farshore runs show {run.id} --steps lists them",
        )
    return (step,)


@contextmanager
def _making_sense(name: str, of: str) -> Iterator[None]:
    from farshore.errors import InputError, JournalError

    try:
        yield
    except JournalError as error:
        raise InputError(f"farshore runs {name} makes no sense here: {error}", value=of) from None


def _now(app: App, folder: Folder, run: Run) -> datetime:
    """The run's own time: the lab's in a lab, where a word of the wall's would stand before its cause."""
    from datetime import UTC, datetime

    from farshore.cli.readings import cloud_of

    last = run.events[-1].at
    return last if cloud_of(app, folder) == "lab" else max(datetime.now(UTC), last)


for _made in (
    _word("pause", Kind.PAUSED, "No further step begins; what is under way comes to its end", of_step=False),
    _word("cancel", Kind.CANCELLED, "The run ends here; what it has built stays", of_step=False),
    _word(
        "retry",
        Kind.RETRIED,
        "What failed (STEP, or all of it) is tried again on resume",
        of_step=True,
        done="What failed is tried again on resume",
    ),
    _word("skip", Kind.SKIPPED, "The step counts as done without being done", of_step=True, why="Why this is right."),
    _word(
        "approve",
        Kind.APPROVED,
        "The step that a person was asked for is done; what can be read of it is verified",
        of_step=True,
    ),
):
    command.add_command(_made)


@command.command("verify")
@click.argument("run_id", required=False, metavar="[RUN]")
@common
def verify(app: App, run_id: str | None) -> int:
    """Check a run's journal: whole, in order, the plan's own, and every moment of it among the proof's cuts."""
    from farshore.cli import runs
    from farshore.cli.verifying import verify_run

    with _journal(app) as (folder, journal):
        run = runs.latest(folder, journal, run_id)
        checks = verify_run(folder, run)
    wrong = [check for check in checks if not check.ok]
    document = {
        "run": run.id,
        "ok": not wrong,
        "checks": [{"name": check.name, "ok": check.ok, "said": check.said} for check in checks],
    }
    lines = [f"{'ok ' if check.ok else 'BAD'}  {check.name:<24}  {check.said}" for check in checks]
    app.view.answer(document, "\n".join([run.id, *lines]))
    return BAD_ANSWER if wrong else GOOD


def _unproven(folder: Folder, run: Run, step_id: str) -> str | None:
    """Why the plan without this step, and without those skipped before, is not safe; None where it is proven."""
    from farshore.cli.evidence import kept_estate
    from farshore.cli.projects import read_folder
    from farshore.estate.estate import Estate
    from farshore.plan.file import without_steps
    from farshore.prove import prove
    from farshore.run.states import StepState

    if (refuted := _refuted(run, step_id)) is not None:
        return refuted
    skipped = [id_ for id_, record in run.state.steps.items() if record.state is StepState.SKIPPED]
    gone = [id_ for id_ in (*skipped, step_id) if (found := run.plan.step(id_)) is not None and found.effects]
    if not gone:
        return None
    bodies = kept_estate(folder, run.id)
    if bodies is None:
        return "The run's estate is not kept, so nothing can be proven of the plan without this step."
    project, _ = read_folder(folder.path)
    proof = prove(Estate.from_resources(bodies, project), without_steps(run.plan, *gone))
    first = next((example for example in proof.counterexamples if not example.exempt), None)
    if proof.ok or first is None:
        return None
    return f"Without this step: {first.summary} If it has been done by hand, farshore runs retry finds it done."


def _refuted(run: Run, step_id: str) -> str | None:
    """Why a step must not be passed over: certain people's word is asked for; or what it has read is not so: a network
    that has to be gone before another is connected to its circuit is still there, and two of them split its traffic
    (D60, D62)."""
    from farshore.arm.ids import resource_id
    from farshore.arm.network import CONNECTIONS
    from farshore.plan.model import order

    step = run.plan.step(step_id)
    if step is not None and step.action.verb == "person" and (deciders := run.deciders(step_id)):
        return f"It is for {' or '.join(deciders)} to say: farshore runs approve {step_id} --by NAME."
    if step is None or step_id not in run.failed or step.action.verb != "read_circuit":
        return None
    arguments: Any = step.action.arguments
    if not arguments["expect"].get("absent"):
        return None
    waiting = {step_id}
    for id_ in order(run.plan.steps, run.plan.events):
        later = run.plan.step(id_)
        if later is not None and waiting & set(later.after):
            waiting.add(id_)
            if later.action.verb == "put" and resource_id(str(later.action.arguments["id"])).is_a(CONNECTIONS):
                absent = ", ".join(arguments["expect"]["absent"])
                return (
                    f"The circuit still has {absent}, and {later.id} would connect another network that answers for it:"
                    f" traffic would be split between the two (D62). farshore runs retry {step_id} reads it again."
                )
    return None


@contextmanager
def _journal(app: App) -> Iterator[tuple[Folder, Journal]]:
    """The project's journal, for reading it or leaving a word; nobody has to hold the project for that."""
    from farshore.cli.projects import Folder
    from farshore.cli.runs import open_journal
    from farshore.errors import InputError

    folder = Folder(app.project_dir)
    if not folder.runs_db.is_file():
        raise InputError(
            "There are no runs in this project yet", value=str(folder.path), remedy="farshore provision begins one"
        )
    journal = open_journal(folder)
    try:
        yield folder, journal
    finally:
        journal.close()
