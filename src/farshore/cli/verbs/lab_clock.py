"""`farshore lab clock`: what time it is in the lab; turning it; the pace of a lab that is served."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from farshore.cli.app import App, common
from farshore.cli.moments import DURATION, INSTANT
from farshore.errors import InputError


@click.command("clock")
@click.option("--speed", default=None, help="From now on: jump, hand, or a number of times as fast as ours.")
@click.option("--advance", type=DURATION, default=None, help="Turn it on by 90s, 5m, 2h, 1d.")
@click.option("--to", "to", type=INSTANT, default=None, help="Turn it to a time (UTC where no zone is said).")
@click.option("--next", "to_next", is_flag=True, help="Turn it to the next event, whatever that is.")
@common
def command(app: App, speed: str | None, advance: timedelta | None, to: datetime | None, to_next: bool) -> None:
    """Show the lab's time, the next event and the pace; turn the clock, or set the pace. Time does not go back."""
    import asyncio

    from farshore.cli.lab_beside import lab_folder, once_free
    from farshore.cli.views.lab import clock_text
    from farshore.lab.served_clock import pace
    from farshore.times import stamp

    turns: list[dict[str, Any]] = []
    if advance is not None:
        turns.append({"advance_seconds": advance.total_seconds()})
    if to is not None:
        turns.append({"to": stamp(to)})
    if to_next:
        turns.append({"to_next": True})
    if len(turns) > 1:
        raise InputError("A clock is turned one way at a time", expected="one of --advance, --to, --next")
    wanted: dict[str, Any] = turns[0] if turns else {}
    if speed is not None:
        wanted["speed"] = pace(speed)
    shown = once_free(app, lambda: asyncio.run(_clock(lab_folder(app), wanted)))
    app.view.answer(shown, clock_text(shown))


async def _clock(folder: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    from farshore.cli.lab_beside import beside_the_lab

    async with beside_the_lab(folder) as stage:
        if "speed" in wanted and stage.cloud is not None:
            raise InputError(
                "Only a lab that is being served has a pace",
                value=wanted["speed"],
                remedy=f"farshore lab up --speed {wanted['speed']}",
            )
        shown = await (stage.handles.post("clock", wanted) if wanted else stage.handles.get("clock"))
        return {"now": shown["now"], "next_due": shown["next_due"], "speed": shown.get("speed")}
