"""`farshore lab log`: every write that the lab was asked for, and what it answered.

The journal holds writes only (PUT, PATCH, POST, DELETE); reads leave no trace. Rows are numbered from 0 in the order
in which they came.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import click

from farshore.cli.app import INTERRUPTED, App, common
from farshore.cli.moments import duration
from farshore.errors import InputError
from farshore.times import moment

PAUSE = 1.0


@click.command("log")
@click.option("--since", default=None, help="From a number of the journal, a time, or the last 10m of lab time.")
@click.option("--last", type=click.IntRange(min=1), default=None, help="Only the last so many.")
@click.option("--method", "methods", multiple=True, help="Only PUT, PATCH, POST or DELETE; may be repeated.")
@click.option("--path", default="", help="Only where the URL holds this text.")
@click.option("--failed", is_flag=True, help="Only what was refused or not answered.")
@click.option("--bodies", is_flag=True, help="Show what was sent, too.")
@click.option("--follow", is_flag=True, help="Go on showing what comes, until interrupted.")
@common
def command(
    app: App,
    since: str | None,
    last: int | None,
    methods: tuple[str, ...],
    path: str,
    failed: bool,
    bodies: bool,
    follow: bool,
) -> int | None:
    """Print the lab's journal of writes: number, lab time, answer, method, what; what went wrong below it."""
    import asyncio

    from farshore.cli.lab_beside import lab_folder, once_free
    from farshore.cli.views.lab import log_lines
    from farshore.lab import processes

    if follow and app.format == "json":
        raise InputError("One JSON document can't be followed", value="--follow", expected="--format human")
    folder = lab_folder(app)
    if follow and processes.status(folder.path) is None:
        raise InputError("Only a lab that is being served can be followed", remedy="farshore lab up serves it")
    begin = _Since(since)
    kept = {method.upper() for method in methods}

    def wanted(row: Mapping[str, Any]) -> bool:
        return (
            (not kept or row["method"] in kept)
            and path.lower() in str(row["url"]).lower()
            and (not failed or not row["answered"] or int(row["status"] or 0) >= 400)
        )

    rows, now = once_free(app, lambda: asyncio.run(_rows(folder, begin.number)))
    total = len(rows)
    rows = [row for row in rows if begin.admits(row, now) and wanted(row)]
    rows = rows[-last:] if last else rows
    lines = log_lines(rows, bodies=bodies)
    if not follow:
        tail = f"{len(rows)} write{'s' if len(rows) != 1 else ''}" + (f" of {total}" if len(rows) < total else "")
        app.view.answer({"value": rows}, "\n".join([*lines, tail]))
        return None
    try:
        number = begin.number
        while True:
            if lines:
                app.view.answer(rows, "\n".join(lines))
            number = max([number, *(row["number"] + 1 for row in rows)])
            time.sleep(PAUSE)
            if processes.status(folder.path) is None:
                app.view.progress("The lab is not being served any more.")
                return None
            rows, _ = asyncio.run(_rows(folder, number))
            number = max([number, *(row["number"] + 1 for row in rows)])
            rows = [row for row in rows if wanted(row)]
            lines = log_lines(rows, bodies=bodies)
    except KeyboardInterrupt:
        return INTERRUPTED


class _Since:
    """`--since` as a number, a time or a length of lab time before now."""

    def __init__(self, text: str | None) -> None:
        self.number = 0
        self._from: datetime | None = None
        self._length: timedelta | None = None
        if text is None:
            return
        if text.isdecimal():
            self.number = int(text)
            return
        try:
            self._length = duration(text)
        except ValueError:
            try:
                self._from = moment(text)
            except ValueError:
                raise InputError(
                    "This is no place in the journal",
                    value=text,
                    expected="a number (120), a time (2026-01-05T08:30), or a length of lab time (10m)",
                ) from None

    def admits(self, row: Mapping[str, Any], now: datetime) -> bool:
        since = self._from if self._length is None else now - self._length
        return since is None or moment(str(row["time"])) >= since


async def _rows(folder: Any, number: int) -> tuple[list[dict[str, Any]], datetime]:
    from farshore.cli.lab_beside import beside_the_lab

    async with beside_the_lab(folder) as stage:
        rows = await stage.handles.all("requests", since=str(number))
        return rows, moment(str((await stage.handles.get("clock"))["now"]))
