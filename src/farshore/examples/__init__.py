"""The examples that come in the package: one folder each, with estate.json, farshore.yaml and what it refers to.

They are written by tools/make_examples.py from the published article's own figures; README.md beside this file says
what is the article's and what is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.estate.estate import Estate
    from farshore.estate.project import Project

PUBLISHED = "two-circuits-two-locations"
"""The article's own example."""

_TITLES: Mapping[str, str] = {
    "two-circuits-two-locations": "the published example: circuits in Hong Kong and Singapore, addresses kept",
    "two-circuits-one-location": "two circuits in Hong Kong, addresses kept",
    "two-circuits-new-addresses": "two circuits, new addresses on the far shore: both networks on both circuits",
    "single-circuit-kept-addresses": "one circuit, addresses kept: one network connected at a time",
    "single-circuit-new-addresses": "one circuit, new addresses on the far shore: both networks connected",
}


def names() -> tuple[str, ...]:
    """The examples, the published one first."""
    return tuple(_TITLES)


def title(name: str) -> str:
    """One line about an example."""
    return _TITLES[_known(name)]


def path(name: str) -> Path:
    """The folder of an example; raises `InputError` for a name that is none."""
    return Path(__file__).parent / _known(name)


def read(name: str) -> tuple[Project, Estate]:
    """An example's project and estate."""
    from farshore.estate.files import load

    return load(path(name))


def _known(name: str) -> str:
    if name not in _TITLES:
        raise InputError(
            f"There is no example {name}",
            value=name,
            expected="one of " + ", ".join(_TITLES),
            remedy="farshore examples lists them",
        )
    return name
