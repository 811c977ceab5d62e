"""`farshore report`: what was promised, proven and done, as one HTML file and a signed bundle."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common
from farshore.cli.words import many


@click.group("report", invoke_without_command=True)
@click.option("--run", "run_id", default=None, help="The run; default the latest.")
@click.pass_context
@common
def command(app: App, ctx: click.Context, run_id: str | None) -> int:
    """Write the report of a run and its signed bundle, from what the run has kept: no cloud is asked. An exercise has
    written its own, with what it measured; that one is kept."""
    if ctx.invoked_subcommand is not None:
        return GOOD
    from farshore.cli import runs
    from farshore.cli.evidence import kept_estate, write_report
    from farshore.cli.projects import Folder, read_folder
    from farshore.errors import InputError
    from farshore.estate.estate import Estate

    folder = Folder(app.project_dir)
    project, _ = read_folder(folder.path)
    if not folder.runs_db.is_file():
        raise InputError("There are no runs in this project yet", remedy="farshore provision begins one")
    journal = runs.open_journal(folder)
    try:
        run = runs.latest(folder, journal, run_id)
    finally:
        journal.close()
    place = folder.run(run.id)
    report, bundle = place / "report.html", place / "bundle"
    if run.id.startswith("exercise-") and report.is_file():
        document = {"run": run.id, "report": str(report), "bundle": str(bundle), "written": False}
        app.view.answer(document, f"report  {report}\nbundle  {bundle}\n\nThe exercise wrote them; they are kept.")
        return GOOD
    bodies = kept_estate(folder, run.id)
    if bodies is None:
        raise InputError("This run's estate is not there", file=str(place / "estate.json"))
    _, fingerprint = write_report(folder, run, Estate.from_resources(bodies, project))
    document = {
        "run": run.id,
        "report": str(report),
        "bundle": str(bundle),
        "written": True,
        "key_fingerprint": fingerprint,
    }
    app.view.answer(document, f"report  {report}\nbundle  {bundle}\nsigned  by the key {fingerprint}")
    return GOOD


@command.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@common
def verify(app: App, bundle: Path | None) -> int:
    """Check that a bundle is whole and signed (default: the latest run's). Needs nothing but the file."""
    from farshore.errors import InputError
    from farshore.report.bundle import verify_bundle

    path = bundle or _latest(app)
    if not path.is_file():
        raise InputError(
            "There is no such bundle",
            value=str(path),
            expected="the bundle of a run",
            remedy="farshore report writes it",
        )
    found = verify_bundle(path)
    document = {
        "bundle": str(path),
        "ok": found.ok,
        "key_fingerprint": found.key_fingerprint,
        "files": list(found.files),
        "wrong": list(found.wrong),
    }
    lines = [str(path), f"signed by the key {found.key_fingerprint}"]
    lines += [f"  BAD  {name}" for name in found.wrong] or [
        f"{many(len(found.files), 'file')}, nothing has changed since"
    ]
    app.view.answer(document, "\n".join(lines))
    return GOOD if found.ok else BAD_ANSWER


def _latest(app: App) -> Path:
    from farshore.cli.projects import Folder
    from farshore.errors import InputError

    folder = Folder(app.project_dir)
    bundles = sorted((folder.state / "runs").glob("*/bundle"), key=lambda path: path.stat().st_mtime)
    if not bundles:
        raise InputError("No run of this project has a bundle yet", remedy="farshore report writes one")
    return bundles[-1]
