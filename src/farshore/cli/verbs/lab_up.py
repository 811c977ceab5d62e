"""`farshore lab up`: the project's lab as a process of its own, or, with --foreground, as this one.

The lab goes on from `.farshore/lab.db`, what an exercise left there included; a new one begins from estate.json, or,
with --empty, from nothing and in any folder. The background process is this same verb with --foreground, so that both
ways are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from farshore.cli.app import INTERRUPTED, App, common
from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.cli.projects import Folder


@click.command("up")
@click.option("--foreground", is_flag=True, help="Serve from this process until it is interrupted.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port; the last one or any free one by default."
)
@click.option("--speed", default=None, help="jump, hand, or a number; the project's own by default.")
@click.option("--fresh", is_flag=True, help="Forget the lab's state first and begin again from estate.json.")
@click.option("--runbooks", is_flag=True, help="Run Automation's Python runbooks here, with your own rights.")
@click.option(
    "--empty", is_flag=True, help="Begin a lab with nothing in it, in any folder; no farshore.yaml is needed."
)
@click.option(
    "--subscription",
    "subscriptions",
    metavar="ID",
    multiple=True,
    help="With --empty: a subscription that is there; may be repeated. One of zeros by default.",
)
@common
def command(app: App, subscriptions: tuple[str, ...], **said: Any) -> int | None:
    """Serve the project's lab over HTTPS on this machine.

    Time in the lab: jump goes on to the next event when a client polls, hand stands still until `farshore lab clock`
    turns it, a number is how many times as fast as ours it runs.

    With --runbooks (or runbooks: true under lab in farshore.yaml) a job of a Python runbook, a recovery plan's script
    action included, runs its text as a program on this machine, as you; nothing fences it in. Without, such jobs wait.

    With --empty a new lab holds nothing: clients come and build. A project in the folder gives what stands outside
    Azure and the lab's settings. A lab that is there already goes on as it is, unless --fresh forgets it.
    """
    from farshore.cli.views.lab import served_document, served_text
    from farshore.lab import processes
    from farshore.lab.served_clock import pace

    asked = Asked(subscriptions=_subscriptions(said["empty"], subscriptions), **said)
    if asked.speed is not None:
        pace(asked.speed)
    folder = _folder(app, asked)
    running = processes.status(folder.path)
    if running is not None:
        _already(app, running, asked)
        return None
    if asked.foreground:
        return _serve(app, folder, asked)
    if asked.empty and folder.lab_db.exists() and not asked.fresh:
        app.view.progress(f"{folder.lab_db} goes on as it is; --fresh with --empty begins an empty one.")
    arguments = ["lab", "up", "--foreground", "--project", str(folder.path), *asked.arguments()]
    arguments += ["--wait"] if app.wait else []
    app.view.status("the lab is starting")
    patience = None if app.wait else processes.PATIENCE
    found, ours = processes.start(folder.path, arguments, patience=patience)
    if not ours:
        _already(app, found, asked)
        return None
    app.view.answer(served_document(found, already=False), served_text(found))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The verb's options."""

    foreground: bool
    port: int
    speed: str | None
    fresh: bool
    runbooks: bool
    empty: bool
    subscriptions: tuple[str, ...]

    def arguments(self) -> list[str]:
        """The same for the process that serves."""
        found = ["--port", str(self.port)]
        found += ["--speed", self.speed] if self.speed is not None else []
        found += [f"--{name}" for name in ("fresh", "runbooks", "empty") if getattr(self, name)]
        return found + [word for id_ in self.subscriptions for word in ("--subscription", id_)]


def _subscriptions(empty: bool, given: tuple[str, ...]) -> tuple[str, ...]:
    if given and not empty:
        raise InputError(
            "The subscriptions of a lab are those of its estate",
            value=given[0],
            expected="--subscription with --empty",
            remedy="add --empty, or leave --subscription out",
        )
    for text in given:
        try:
            UUID(text)
        except ValueError:
            raise InputError(
                "A subscription's id is a GUID",
                value=text,
                expected="00000000-0000-0000-0000-000000000001, for example",
            ) from None
    return tuple({text.lower(): text for text in given}.values())


def _folder(app: App, asked: Asked) -> Folder:
    from farshore.cli.lab_beside import lab_folder
    from farshore.cli.projects import Folder

    if not asked.empty:
        return lab_folder(app)
    folder = Folder((app.project or Path.cwd()).resolve())
    if folder.path.exists() and not folder.path.is_dir():
        raise InputError(
            "A lab needs a folder for its state", value=str(folder.path), expected="a folder, or a new name"
        )
    return folder


def _serve(app: App, folder: Folder, asked: Asked) -> int | None:
    from farshore.cli.lab_beside import once_free
    from farshore.cli.projects import read_folder
    from farshore.cli.stage import empty_lab, forget_lab, lab_of
    from farshore.cli.views.lab import served_document, served_text
    from farshore.lab import processes
    from farshore.lab.resources.scopes import DEFAULT_SUBSCRIPTION
    from farshore.lab.server import serve

    speed, runbooks, estate = asked.speed, asked.runbooks, None
    here = folder.estate.is_file() and (folder.yaml.is_file() or not asked.empty)
    if here or not (asked.empty or folder.lab_db.exists()) or (asked.fresh and not asked.empty):
        # Read before anything is forgotten: a bad estate.json costs nobody a lab.
        project, estate = read_folder(folder.path)
        speed = speed or project.lab.speed
        runbooks = runbooks or project.lab.runbooks
    if asked.fresh:
        once_free(app, lambda: forget_lab(folder))
    subscriptions = asked.subscriptions or (DEFAULT_SUBSCRIPTION,)
    begin = (lambda: empty_lab(folder, estate, subscriptions)) if asked.empty else (lambda: lab_of(folder, estate))
    cloud = once_free(app, begin)

    def ready(url: str) -> None:
        found = processes.status(folder.path)
        assert found is not None, "a lab that is ready has said so"
        app.view.answer(served_document(found, already=False), served_text(found, foreground=True))

    try:
        serve(folder.state, cloud, speed=speed or "jump", port=asked.port, runbooks=runbooks, ready=ready)
    except KeyboardInterrupt:
        app.view.progress(f"The lab has stopped; its state stays in {folder.lab_db}")
        return INTERRUPTED
    finally:
        cloud.store.close()
    return None


def _already(app: App, found: Mapping[str, Any], asked: Asked) -> None:
    """It is up: said, and status 0, where that is what was asked for."""
    from farshore.cli.views.lab import served_document, served_text
    from farshore.lab import processes

    pid = found["pid"]
    if asked.fresh:
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
    if asked.port and not str(found["url"]).endswith(f":{asked.port}"):
        app.view.progress(f"It is up on another port than {asked.port}; farshore lab down first to move it.")
    if asked.runbooks and not found.get("runbooks"):
        app.view.progress("It runs no runbooks; farshore lab down first, then farshore lab up --runbooks.")
    if asked.empty:
        app.view.progress("It goes on as it is; farshore lab down first, then farshore lab up --empty --fresh.")
    if asked.speed is not None and asked.speed != shown["speed"]:
        app.view.progress(f"Its pace is {shown['speed']}; farshore lab clock --speed {asked.speed} changes that.")
    app.view.answer(served_document(found, already=True), served_text(found, already=True))
