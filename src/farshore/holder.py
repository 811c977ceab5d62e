"""Who is at work: processes that hold a project or a run, and whether they still live.

A process is known by host, pid and the moment it began, because pids come back. Of a process on another host nothing
is known but its heartbeat.

`ProjectLock` is one file lock for a project folder: the kernel takes it back when its holder dies, however it dies.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from farshore.arm.json import dumps, loads
from farshore.errors import HeldError, InputError
from farshore.times import stamp

SILENCE = timedelta(seconds=60)
"""How long a holder on another host may be silent before it counts as gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    host: str
    pid: int
    began: str
    """What the system says of the process's beginning; empty where it doesn't."""
    since: str
    """When it took what it holds."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} (since {self.since})"

    def as_json(self) -> dict[str, Any]:
        return {"host": self.host, "pid": self.pid, "began": self.began, "since": self.since}


def me() -> Holder:
    return Holder(host=socket.gethostname(), pid=os.getpid(), began=_began(os.getpid()), since=stamp(datetime.now(UTC)))


def is_me(holder: Holder) -> bool:
    return holder.pid == os.getpid() and holder.host == socket.gethostname() and holder.began == _began(os.getpid())


def is_alive(holder: Holder, heard: datetime) -> bool:
    """Whether a holder may still be at work; `heard` is its last sign of life."""
    if holder.host != socket.gethostname():
        return datetime.now(UTC) - heard < SILENCE
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _began(holder.pid) == holder.began


def _began(pid: int) -> str:
    """Field 22 of Linux's /proc/<pid>/stat: ticks from the system's start to the process's. A process that has ended
    and that nobody has asked about yet (Z) is there by name only: in a container without an init it stays for ever."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "ended" if fields[0] in ("Z", "X") else fields[19]
    except (OSError, IndexError):
        return ""


class ProjectLock:
    """`with ProjectLock(folder / ".farshore"):` One process at a time; the second raises `HeldError`, or waits."""

    def __init__(self, state: Path, *, wait: bool = False) -> None:
        self._path = state / "lock"
        self._wait = wait
        self._file: IO[bytes] | None = None

    def __enter__(self) -> ProjectLock:
        try:
            import fcntl
        except ImportError:
            raise InputError(
                "Runs need a system with file locks of POSIX", remedy="on Windows, use the Linux subsystem"
            ) from None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+b")
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not self._wait:
                    who = self._holder(file)
                    file.close()
                    raise HeldError(f"the project is held by {who or 'another process'}") from None
                time.sleep(0.2)
        file.truncate(0)
        file.write(dumps(me().as_json()))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
            self._file.close()
            self._file = None

    @staticmethod
    def _holder(file: IO[bytes]) -> Holder | None:
        file.seek(0)
        try:
            return Holder(**loads(file.read()))
        except (ValueError, TypeError):
            return None
