"""`farshore lab`: the embedded Azure, from outside."""

from __future__ import annotations

from collections.abc import Mapping

import click

from farshore.cli.app import App, common
from farshore.cli.groups import LazyGroup

TABLE: Mapping[str, tuple[str, str]] = {
    "up": ("lab_up", "Serve the project's lab over HTTPS on this machine"),
    "down": ("lab_down", "Stop serving it; its state stays"),
    "status": ("lab_status", "Where it is served, what time it is there, what is broken"),
    "env": ("lab_env", "Lines for a shell, so that curl, SDKs, az and terraform talk to it"),
    "clock": ("lab_clock", "Show or turn its clock, set its pace"),
    "fault": ("lab_fault", "Take regions, circuits, machines away and give them back"),
    "durations": ("lab_durations", "How long things take in it, to read and to change"),
    "log": ("lab_log", "Every write it was asked for, and what it answered"),
}


@click.group("lab", cls=LazyGroup, table=TABLE)
@common
def command(app: App) -> None:
    """The embedded Azure: serve it, turn its clock, break things in it."""
