"""`farshore lab durations`: how long things take in the lab, to read and to change.

farshore lab durations                                       the table
farshore lab durations virtualNetworkGateways.put 60         a typical one takes a minute from now on
farshore lab durations connections.put 100 --spread 0        and every one exactly as long
farshore lab durations --reset                               as farshore.yaml and the lab's own table have it
"""

from __future__ import annotations

from typing import Any

import click

from farshore.cli.app import App, common
from farshore.errors import InputError


@click.command("durations")
@click.argument("name", required=False)
@click.argument("seconds", type=click.FloatRange(min=0), required=False)
@click.option(
    "--spread", type=click.FloatRange(min=0, max=2), default=None, help="Two thirds are within so much of it."
)
@click.option("--reset", is_flag=True, help="Take back what was changed: of one name, or all.")
@common
def command(app: App, name: str | None, seconds: float | None, spread: float | None, reset: bool) -> None:
    """Show how long things take in the lab, or change it from now on. What is under way keeps its time."""
    import asyncio

    from farshore.cli.lab_beside import lab_folder, once_free
    from farshore.cli.views.lab import durations_text

    if reset and (seconds is not None or spread is not None):
        raise InputError("A duration is changed or taken back", expected="SECONDS, or --reset")
    if spread is not None and seconds is None:
        raise InputError("A spread is that of a duration", value=spread, expected="NAME SECONDS --spread 0.2")
    wanted: dict[str, Any] | None = None
    if reset:
        wanted = {"reset": True} | ({} if name is None else {"name": name})
    elif seconds is not None:
        wanted = {"name": name, "seconds": seconds} | ({} if spread is None else {"spread": spread})
    shown = once_free(app, lambda: asyncio.run(_ask(lab_folder(app), wanted)))
    if name is not None and wanted is None:
        rows = [row for row in shown["value"] if name.lower() in row["name"].lower()]
        if not rows:
            raise InputError("The lab takes no time for this", value=name, remedy="farshore lab durations shows all")
        shown = {"value": rows}
    app.view.answer(shown, durations_text(shown))


async def _ask(folder: Any, wanted: dict[str, Any] | None) -> dict[str, Any]:
    from farshore.cli.lab_beside import beside_the_lab

    async with beside_the_lab(folder) as stage:
        handles = stage.handles
        found: dict[str, Any] = await (
            handles.get("durations") if wanted is None else handles.post("durations", wanted)
        )
        return found
