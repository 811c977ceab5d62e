"""What options are given together, and what files they may write: nothing asked for is ignored, nothing is lost."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from farshore.errors import InputError

STORY = {"plan_file": "--plan", "scenario": "--scenario"}
"""Which plan is meant: parameters, and the options that set them."""


def refuse_given(names: dict[str, str], why: str, expected: str, remedy: str) -> None:
    """Refuses options that would mean nothing. `names`: the parameters, and the options that set them, in the current
    command. Raises `InputError` for the first that was given."""
    context = click.get_current_context()
    for name, option in names.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise InputError(f"{option} {why}", value=option, expected=expected, remedy=remedy)


def refuse_scenario(plan_file: Path | None) -> None:
    """A plan file holds its story: no other can be asked for beside it. Raises `InputError`."""
    if plan_file is not None:
        refuse_given(
            {"scenario": "--scenario"},
            "chooses what is planned, and --plan is planned already",
            "the plan's own story",
            "leave --scenario out, or leave --plan out to have a plan made",
        )


def user() -> str:
    """Who says something, where nobody is named."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def check_new_folder(folder: Path) -> None:
    """Raises `InputError` for a folder that holds something, and for what is none."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            "This folder is not empty" if folder.is_dir() else "This is no folder",
            value=str(folder),
            expected="a new or an empty folder",
            remedy="name another folder",
        )


def check_new_file(path: Path) -> None:
    """Raises `InputError` for a file that is there, and for one in a folder that is not."""
    _check_file(path, "new file", lambda held: False)


def check_plan_file(path: Path) -> None:
    """Raises `InputError` where writing a plan would overwrite something else."""
    _check_file(path, "plan", lambda held: isinstance(held, dict) and "steps" in held)


def check_estate_file(path: Path) -> None:
    """Raises `InputError` where writing an estate would overwrite something else."""
    _check_file(path, "estate", lambda held: isinstance(held, list) or (isinstance(held, dict) and _is_page(held)))


def _is_page(held: dict[str, Any]) -> bool:
    return any(isinstance(held.get(key), list) for key in ("value", "resources"))


def _check_file(path: Path, kind: str, is_one: Callable[[Any], bool]) -> None:
    if not path.parent.is_dir():
        raise InputError(
            f"There is no folder {path.parent}",
            value=str(path),
            expected="a file in a folder that exists",
            remedy="make the folder, or name another file",
        )
    if not path.exists():
        return
    from farshore.estate.files import read_json_file

    try:
        held = read_json_file(path)
    except InputError:
        held = None
    if not is_one(held):
        raise InputError(
            f"This file is no {kind}, and would be overwritten",
            value=str(path),
            expected=f"a new file, or an earlier {kind}",
            remedy="name another file",
        )
