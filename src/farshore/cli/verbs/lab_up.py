"""`farshore lab up`: the project's lab as a process of its own, or, with --foreground, as this one.

The lab goes on from `.farshore/lab.db`, what an exercise left there included; a new one begins from estate.json. The
background process is this same verb with --foreground, so that both ways are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from farshore.cli.app import INTERRUPTED, App, common
from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.cli.projects import Folder


@click.command("up")
@click.option("--foreground", is_flag=True, help="Serve from this process until it is interrupted.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; any free one by default.")
@click.option("--speed", default=None, help="jump, hand, or a number; the project's own by default.")
@click.option("--fresh", is_flag=True, help="Forget the lab's state first and begin again from estate.json.")
@click.option("--runbooks", is_flag=True, help="Run Automation's Python runbooks here, with your own rights.")
@common
def command(app: App, foreground: bool, port: int, speed: str | None, fresh: bool, runbooks: bool) -> int | None:
    """Serve the project's lab over HTTPS on this machine.

    Time in the lab: jump goes on to the next event when a client polls, hand stands still until `farshore lab clock`
    turns it, a number is how many times as fast as ours it runs.

    With --runbooks (or runbooks: true under lab in farshore.yaml) a job of a Python runbook, a recovery plan's script
    action included, runs its text as a program on this machine, as you; nothing fences it in. Without, such jobs wait.
    """
    from farshore.cli.lab_beside import lab_folder
    from farshore.cli.views.lab import served_document, served_text
    from farshore.lab import processes
    from farshore.lab.served_clock import pace

    if speed is not None:
        pace(speed)
    folder = lab_folder(app)
    running = processes.status(folder.path)
    if running is not None:
        _already(app, running, port, speed, fresh, runbooks)
        return None
    if foreground:
        return _serve(app, folder, port, speed, fresh, runbooks)
    arguments = ["lab", "up", "--foreground", "--project", str(folder.path), "--port", str(port)]
    arguments += ["--speed", speed] if speed is not None else []
    arguments += ["--fresh"] if fresh else []
    arguments += ["--runbooks"] if runbooks else []
    arguments += ["--wait"] if app.wait else []
    app.view.status("the lab is starting")
    patience = None if app.wait else processes.PATIENCE
    found, ours = processes.start(folder.path, arguments, patience=patience)
    if not ours:
        _already(app, found, port, speed, fresh, runbooks)
        return None
    app.view.answer(served_document(found, already=False), served_text(found))
    return None


def _serve(app: App, folder: Folder, port: int, speed: str | None, fresh: bool, runbooks: bool) -> int | None:
    from farshore.cli.lab_beside import once_free
    from farshore.cli.projects import read_folder
    from farshore.cli.stage import forget_lab, lab_of
    from farshore.cli.views.lab import served_document, served_text
    from farshore.lab import processes
    from farshore.lab.server import serve

    if fresh or folder.estate.is_file() or not folder.lab_db.exists():
        # Read before anything is forgotten: a bad estate.json costs nobody a lab.
        project, estate = read_folder(folder.path)
        speed = speed or project.lab.speed
        runbooks = runbooks or project.lab.runbooks
    else:
        estate = None
    if fresh:
        once_free(app, lambda: forget_lab(folder))
    cloud = once_free(app, lambda: lab_of(folder, estate))

    def ready(url: str) -> None:
        found = processes.status(folder.path)
        assert found is not None, "a lab that is ready has said so"
        app.view.answer(served_document(found, already=False), served_text(found, foreground=True))

    try:
        serve(folder.state, cloud, speed=speed or "jump", port=port, runbooks=runbooks, ready=ready)
    except KeyboardInterrupt:
        app.view.progress(f"The lab has stopped; its state stays in {folder.lab_db}")
        return INTERRUPTED
    finally:
        cloud.store.close()
    return None


def _already(app: App, found: Mapping[str, Any], port: int, speed: str | None, fresh: bool, runbooks: bool) -> None:
    """It is up: said, and status 0, where that is what was asked for."""
    from farshore.cli.views.lab import served_document, served_text
    from farshore.lab import processes

    pid = found["pid"]
    if fresh:
        raise InputError(
            "This project's lab is being served, and --fresh would forget its state",
            value=f"process {pid}",
            remedy="farshore lab down first",
        )
    shown = processes.ask(found, "/_lab/clock")
    if shown is None:
        raise InputError(
            f"Process {pid} has this project's lab and does not answer",
            value=found["url"],
            remedy=f"farshore lab down, or kill -9 {pid}, then farshore lab up",
        )
    if port and not str(found["url"]).endswith(f":{port}"):
        app.view.progress(f"It is up on another port than {port}; farshore lab down first to move it.")
    if runbooks and not found.get("runbooks"):
        app.view.progress("It runs no runbooks; farshore lab down first, then farshore lab up --runbooks.")
    if speed is not None and speed != shown["speed"]:
        app.view.progress(f"Its pace is {shown['speed']}; farshore lab clock --speed {speed} changes that.")
    app.view.answer(served_document(found, already=True), served_text(found, already=True))
