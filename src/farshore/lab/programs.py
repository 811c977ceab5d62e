"""Runs the programs of Automation jobs on this machine, beside a served lab. Off unless it was asked for.

The lab's core says which jobs are due and keeps what becomes of them (`lab/automation/queue.py`); here is all that
touches the machine. A job's text becomes a process of its own, of the Python that runs the lab, in a folder of its own
that goes with it, with the rights of whoever runs the lab: nothing fences it in. It gets

    sys.argv[1:]          the job's parameters, in order, as Azure Automation passes them to Python
    automationassets      the account's variables and credentials (`lab/automationassets.py`)
    the environment       of `farshore lab env`, and IDENTITY_ENDPOINT and IDENTITY_HEADER for a managed identity; of
                          the lab's own environment only what finds programs and modules, so that no login of the
                          user's, nor anything else that leads to the real Azure, is at hand

What it writes goes into the job's streams line by line as it comes; its exit status ends the job. It may take `LIMIT`
seconds of this machine's time, or less where the job says so, and is killed then, with all that it has started.

While a program works, lab time that jumps or is turned by hand goes on in steps of a moment of ours each (`quiet`), and
by a `STRIDE` at most: a client that polls for the job would otherwise be hours ahead before the program has come to its
first line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from farshore.lab.automation import queue
from farshore.lab.automation.queue import Program
from farshore.lab.cloud import Cloud

LIMIT = 1800.0
"""Seconds of wall time."""
AT_ONCE = 4
"""Programs; further jobs wait."""
STEP = 0.5
"""Seconds of wall time between two jumps of the lab's while a program works."""
STRIDE = timedelta(minutes=5)
"""How far the lab's time jumps then at most: what a plan that waits for the program is due at may be years away."""
LOOK = 0.2
"""Seconds of wall time until a running program is told that its job was stopped or suspended."""
CHUNK = 1 << 16
LONGEST_LINE = 1 << 16
LAST_WORDS = 2.0
"""Seconds for what a program has started, and left behind, to close its output."""
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")
"""Of the environment in which the lab runs."""


class Programs:
    """The programs of one lab. `known` is what `.farshore/lab.json` says, with its `folder`."""

    def __init__(self, cloud: Cloud, now: Callable[[], datetime], known: Callable[[], Mapping[str, Any]]) -> None:
        self._cloud = cloud
        self._now = now
        self._known = known
        self._running: dict[str, asyncio.Task[None]] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False
        queue.attend(cloud)
        cloud.store.commit()

    def look(self) -> None:
        """Start what waits. Called whenever something may have happened in the lab."""
        while not self._closing and len(self._running) < AT_ONCE and self._cloud.table(queue.WAITING):
            program = queue.take(self._cloud)
            if program is None:
                return
            self._cloud.store.commit()
            self._idle.clear()
            self._running[program.job] = asyncio.create_task(self._run(program))

    @property
    def busy(self) -> bool:
        return bool(self._running)

    async def quiet(self) -> None:
        """Until no program works, but no longer than a step."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), STEP)

    async def close(self) -> None:
        """End them all; their jobs have failed."""
        self._closing = True
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _run(self, program: Program) -> None:
        status: int | None = None
        why = ""
        try:
            status, why = await self._ran(program)
        except asyncio.CancelledError:
            why = "The lab was stopped while the runbook ran; how far it came is not known."
        except (OSError, ValueError) as error:
            why = f"The runbook could not be started: {error}"
        finally:
            del self._running[program.job]
            if not self._running:
                self._idle.set()
            self._tell(lambda: queue.ended(self._cloud, program.job, status, why))
            self.look()

    async def _ran(self, program: Program) -> tuple[int | None, str]:
        """Exit status, and what it died of where that does not say."""
        limit = min(LIMIT, program.limit_seconds or LIMIT)
        folder = Path(tempfile.mkdtemp(prefix="farshore-runbook-"))
        try:
            process = await self._started(program, folder)
            readers = [
                asyncio.create_task(self._read(program.job, "Output", process.stdout)),
                asyncio.create_task(self._read(program.job, "Error", process.stderr)),
            ]
            try:
                over = await self._watched(program.job, process, limit)
                await asyncio.wait(readers, timeout=LAST_WORDS)
            finally:
                _signal(process, signal.SIGKILL)
                for reader in readers:
                    reader.cancel()
                await asyncio.gather(process.wait(), *readers, return_exceptions=True)
            why = f"The runbook was ended after {limit:g} seconds." if over == "late" else ""
            return process.returncode, why or self._last_error(program.job, process.returncode)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _started(self, program: Program, folder: Path) -> asyncio.subprocess.Process:
        script = folder / "runbook.py"
        script.write_text(program.text, encoding="utf-8")
        shutil.copyfile(Path(__file__).with_name("automationassets.py"), folder / "automationassets.py")
        assets = folder / "assets.json"
        assets.touch(mode=0o600)
        assets.write_text(json.dumps({"account": program.account, **program.assets}))
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-u",
            str(script),
            *program.arguments,
            cwd=folder,
            env=self._environment(program, folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    def _environment(self, program: Program, folder: Path) -> dict[str, str]:
        # The command's side of the lab imports the server, which imports this file.
        from farshore.lab.processes import environment

        known = self._known()
        found = {name: value for name in KEPT if (value := os.environ.get(name)) is not None}
        found |= {one.name: one.value for one in environment(known, program.subscription)}
        found |= {
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "IDENTITY_ENDPOINT": f"{known['url']}/metadata/identity/oauth2/token",
            "IDENTITY_HEADER": program.principal or "none",
        }
        return found

    async def _watched(self, job: str, process: asyncio.subprocess.Process, limit: float) -> str:
        """Until it ends by itself, its time is over ("late"), or its job was stopped."""
        loop = asyncio.get_running_loop()
        until, state = loop.time() + limit, "Running"
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), LOOK)
                return "ended"
            wanted = queue.wanted(self._cloud, job)
            if wanted == "Stopping":
                return "stopped"
            if loop.time() > until:
                return "late"
            if wanted != state and wanted in ("Running", "Suspended"):
                _signal(process, signal.SIGSTOP if wanted == "Suspended" else signal.SIGCONT)
                state = wanted

    async def _read(self, job: str, stream: str, reader: asyncio.StreamReader | None) -> None:
        assert reader is not None
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        rest = ""
        while chunk := await reader.read(CHUNK):
            *lines, rest = (rest + decode(chunk)).split("\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], ""
            self._heard(job, stream, lines)
        self._heard(job, stream, [rest] if rest else [])

    def _heard(self, job: str, stream: str, lines: list[str]) -> None:
        if lines:
            self._tell(lambda: queue.told(self._cloud, job, stream, [line.rstrip("\r") for line in lines]))

    def _tell(self, change: Callable[[], None]) -> None:
        """A change of the lab's state from outside, at its moment and kept."""
        self._cloud.advance(max(self._cloud.now, self._now()), commit=False)
        change()
        self._cloud.store.commit()

    def _last_error(self, job: str, status: int | None) -> str:
        rows = [row["text"] for row in queue.streams_of(self._cloud, job) if row["type"] == "Error"]
        said = next((text.strip() for text in reversed(rows) if text.strip()), "")
        if status == 0:
            return ""
        return f"{said} (exit status {status})" if said else f"The runbook ended with exit status {status}."


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To the program and all that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
