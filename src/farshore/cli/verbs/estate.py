"""`farshore estate`: reading one, looking at it, comparing two."""

from __future__ import annotations

from collections.abc import Mapping

import click

from farshore.cli.app import App, common
from farshore.cli.groups import LazyGroup

TABLE: Mapping[str, tuple[str, str]] = {
    "read": ("estate_read", "Read the estate from the cloud in use into estate.json"),
    "show": ("estate_show", "Show what an estate contains, and what was not understood"),
    "diff": ("estate_diff", "Compare two readings; status 2 when they differ"),
}


@click.group("estate", cls=LazyGroup, table=TABLE)
@common
def command(app: App) -> None:
    """Read the estate, show it, compare two readings."""
