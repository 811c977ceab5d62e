"""Killing a run and looking at what is left: projects at the brink of a phase, processes that die in the middle of
it, and what the lab says afterwards.

A kill is SIGKILL, at a moment drawn by the seed: after so many lines of the journal and a few milliseconds more, so
that every part of a phase is as likely as any other. The lab runs inside the process that is killed; its state is
what it had committed, and it commits before it answers. What was under way in the service goes on when its clock does.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from farshore import examples
from farshore.azure.inventory import read_estate
from farshore.cli.projects import Folder, read_folder, subscriptions_of
from farshore.cli.stage import Stage
from farshore.estate.differences import differences
from farshore.estate.estate import Estate
from farshore.run.journal import Journal
from farshore.run.machine import fold
from farshore.run.states import UNDER_WAY
from outside import at_lab, farshore

READS = re.compile(
    r"/(effectiveroutetable|routetables(summary)?/\w+|arptables/\w+|begingetaccess|endgetaccess|listkeys)$"
)
"""POSTs that change nothing: a run that goes on may ask again."""


def enlarged(name: str, folder: Path, more: int) -> None:
    """An example's project with `more` machines like its web1, so that a run has its hands full."""
    shutil.copytree(examples.path(name), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    bodies = json.loads((folder / "estate.json").read_text())
    mine = [body for body in bodies if str(body["id"]).rsplit("/", 1)[-1].startswith("web1")]
    subnet = "10.1.0."
    for number in range(more):
        text = json.dumps(deepcopy(mine)).replace("web1", f"web{number + 10}")
        made = json.loads(text)
        for body in made:
            for config in body["properties"].get("ipConfigurations") or ():
                config["properties"]["privateIPAddress"] = f"{subnet}{100 + number}"
        bodies += made
    (folder / "estate.json").write_text(json.dumps(bodies, indent=2))


def fault(folder: Path, state: str) -> None:
    """Lose or return the source region, and let five minutes pass."""

    async def act(stage: Stage) -> None:
        await stage.handles.fault("region", region="eastasia", state=state)
        await stage.clock.sleep(timedelta(minutes=5), "wait")

    at_lab(folder, act)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a run left in the lab."""

    estate: Estate
    writes: Counter[tuple[str, str]]
    """(method, path) of every accepted write that changes something, and how often."""


def left(folder: Path) -> Left:
    async def act(stage: Stage) -> Left:
        _, declared = read_folder(folder)
        bodies = await read_estate(stage.client, subscriptions_of(declared))
        rows = (await stage.handles.get("requests"))["value"]
        writes = Counter(
            (row["method"], path)
            for row in rows
            if 200 <= (row["status"] or 0) < 300 and not READS.search(path := urlsplit(row["url"]).path.lower())
        )
        return Left(estate=Estate.from_resources(bodies, declared.project), writes=writes)

    return at_lab(folder, act)


def unlike(one: Left, other: Left) -> list[str]:
    """How two labs differ, but for what differs between any two runs (times, GUIDs, keys)."""
    return [f"{row.id} {row.path}: {row.before} {row.after}" for row in differences(one.estate, other.estate)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """How far a run was when it was killed."""

    events: int
    under_way: int
    """Steps that had been begun and had not ended."""


def killed(folder: Path, run_id: str, arguments: tuple[str, ...], after: int, more: float) -> Killed | None:
    """Start a command and kill it when the run's journal has `after` more lines. None where it was done before."""
    journal = folder / ".farshore" / "runs" / run_id / "journal.jsonl"
    before = _lines(journal)
    process = farshore(folder, *arguments)
    while process.poll() is None and _lines(journal) < before + after:
        time.sleep(0.001)
    time.sleep(more)
    if process.poll() is not None:
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return _state(folder, run_id)


def _state(folder: Path, run_id: str) -> Killed:
    from farshore.cli.runs import read

    journal = Journal(Folder(folder).runs_db)
    try:
        found = read(Folder(folder), journal, run_id)
    finally:
        journal.close()
    state = fold(found.plan, found.events)
    going = sum(record.state in UNDER_WAY for record in state.steps.values())
    return Killed(events=len(found.events), under_way=going)


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def draws(seed: int) -> random.Random:
    return random.Random(seed)
