"""What options are given together, and what files they may write: nothing asked for is ignored, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from farshore.errors import InputError


def refuse_given(names: dict[str, str], why: str, expected: str) -> None:
    """Refuses options that would mean nothing. `names`: the parameters, and the options that set them, in the current
    command. Raises `InputError` for the first that was given."""
    context = click.get_current_context()
    for name, option in names.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise InputError(f"{option} {why}", value=option, expected=expected)


def check_plan_file(path: Path) -> None:
    """Raises `InputError` where writing a plan would overwrite something else."""
    if not path.exists():
        return
    from farshore.estate.files import read_json_file

    try:
        held = read_json_file(path)
    except InputError:
        held = None
    if not isinstance(held, dict) or "steps" not in held:
        raise InputError(
            "This file is no plan, and would be overwritten",
            value=str(path),
            expected="a new file, or an earlier plan",
            remedy="name another file",
        )
