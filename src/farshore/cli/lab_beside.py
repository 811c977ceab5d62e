"""What the verbs beside the lab share: its handles, whether it is served or lies there as a file.

They never begin a lab: there must be one, served or left by an exercise.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from farshore.errors import ArmError, HeldError, InputError

if TYPE_CHECKING:
    from farshore.cli.app import App
    from farshore.cli.projects import Folder
    from farshore.cli.stage import Stage

T = TypeVar("T")


def lab_folder(app: App) -> Folder:
    """The project whose lab is meant: `--project`, else this folder or the nearest one above that holds a farshore.yaml
    or a lab of its own (`lab up --empty`). Raises `InputError` where there is none."""
    from farshore.cli.projects import Folder

    if app.project is None:
        here = Path.cwd()
        for folder in map(Folder, (here, *here.parents)):
            if folder.yaml.is_file() or folder.lab_db.is_file():
                return folder
    folder = Folder(app.project_dir.resolve())
    if not folder.yaml.is_file() and not folder.lab_db.is_file():
        raise InputError(
            "This folder holds no farshore.yaml", value=str(folder.path), remedy="farshore new NAME begins one"
        )
    return folder


def once_free(app: App, work: Callable[[], T]) -> T:
    """Do it, or, with --wait, do it as soon as no other process has the lab open. It is told so before it does
    anything."""
    while True:
        try:
            return work()
        except HeldError:
            if not app.wait:
                raise
            app.view.status("another process has the lab open; waiting")
            time.sleep(0.2)


@asynccontextmanager
async def beside_the_lab(folder: Folder) -> AsyncIterator[Stage]:
    """The stage of the project's lab, for looking and turning, not for acting."""
    from farshore.cli.stage import open_stage

    if not folder.lab_db.is_file():
        raise InputError(
            "There is no lab here yet",
            value=str(folder.path),
            expected=".farshore/lab.db",
            remedy="farshore lab up begins one from estate.json; farshore exercise leaves one",
        )
    try:
        async with open_stage(folder, None, cloud="lab", acting=False) as stage:
            yield stage
    except ArmError as error:
        # What a handle refuses, a person asked for: its sentence is the message, and how we asked is no matter.
        raise InputError(error.fault.message, code=error.fault.code) from None
