"""`--fail ELEMENT`: an estate with something failed, by the names that `farshore prove` gives what can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.estate.estate import Estate

MOST_SHOWN = 8
"""Names in a message."""


def fail_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option, as the parameter `names`."""
    text = "What has failed, e.g. 'circuit er-hongkong'; may be given again."
    return click.option("--fail", "names", multiple=True, metavar="ELEMENT", help=text)(command)


def failed(estate: Estate, names: Sequence[str]) -> Estate:
    """An estate with elements failed, named as `farshore prove` names them. Raises `InputError` for another name."""
    from farshore.routing import elements

    known = {_spelled(str(item)): item for item in elements(estate)}
    down = set(estate.outside.down)
    for name in names:
        found = known.get(_spelled(name))
        if found is None:
            shown = like(name, [str(item) for item in known.values()])
            raise InputError(
                "There is nothing of that name that could fail",
                value=name,
                expected=shown,
                remedy="say kind and name, as `farshore prove` names what can fail",
            )
        down |= found.down
    return estate.with_outside(replace(estate.outside, down=frozenset(down)))


def _spelled(name: str) -> str:
    """A name as it is compared: `region East Asia` is `region eastasia`."""
    from farshore.arm.network import normal_location

    kind, _, rest = name.lower().partition(" ")
    return f"{kind} {normal_location(rest)}" if kind == "region" else name.lower()


def like(asked: str, known: Sequence[str]) -> str:
    """Names that may have been meant: the likest, or all where they are few."""
    few = known if len(known) <= MOST_SHOWN else get_close_matches(asked, known, MOST_SHOWN, 0.0)
    more = f", or another of {len(known)}" if len(known) > len(few) else ""
    return "one of " + ", ".join(f"'{name}'" for name in few) + more
