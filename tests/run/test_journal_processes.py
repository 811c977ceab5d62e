"""Processes that die: kill -9 in the middle of commits, two at once, one asleep."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from farshore.errors import HeldError
from farshore.holder import SILENCE, ProjectLock, is_alive, is_me, me
from farshore.run.events import Kind, RunEvent, event_from_json
from farshore.run.journal import Journal
from run.talk import NOW

WRITER = """
import sys
from pathlib import Path
from datetime import datetime, UTC
from farshore.run.events import Kind, RunEvent
from farshore.run.journal import Journal
path = Path(sys.argv[1])
journal = Journal(path, mirror=path.parent / "runs")
journal.hold("r")
first = len(journal.read("r")) // 3
for n in range(first + 1, 100000):
    at = datetime(2026, 1, 5, tzinfo=UTC)
    journal.append("r", [RunEvent(step=s, n=n, kind=Kind.REFUSED, at=at, body={"pad": "x" * 3000}) for s in "abc"])
    print(n, flush=True)
"""
HOLDER = """
import sys, time
from pathlib import Path
from farshore.run.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.hold("r")
print("held", flush=True)
time.sleep(60)
"""
LOCKER = """
import subprocess, sys, time
from pathlib import Path
from farshore.holder import ProjectLock
with ProjectLock(Path(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) if len(sys.argv) > 2 else None
    print(child.pid if child else "held", flush=True)
    time.sleep(60)
"""
OPENER = "import sys; from pathlib import Path; from farshore.run.journal import Journal; Journal(Path(sys.argv[1]))"


@contextmanager
def process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """One that is killed at the end at the latest."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as found:
        try:
            yield found
        finally:
            found.kill()


def line(found: subprocess.Popen[str]) -> str:
    assert found.stdout is not None
    return found.stdout.readline().strip()


# The journal. --------------------------------------------------------------------------------------------------------


def test_a_writer_killed_at_any_moment_loses_nothing_that_it_was_told_is_written(tmp_path: Path) -> None:
    path, random = tmp_path / "runs.db", Random(1)
    told, epoch = 0, 0
    for _ in range(4):
        with process(WRITER, path) as writer:
            for _ in range(random.randint(1, 40)):
                told = int(line(writer))
            writer.kill()
            assert writer.stdout is not None
            told = max([told, *map(int, writer.stdout.read().split())])
        journal = Journal(path, mirror=tmp_path / "runs")
        assert journal.holder("r") is None, "a dead process holds nothing"
        epoch, before = journal.hold("r"), epoch
        assert epoch == before + 2
        events = journal.read("r")
        numbers = [event.n for event in events]
        assert numbers == [n for n in range(1, len(numbers) // 3 + 1) for _ in "abc"], "whole rounds only"
        assert told <= numbers[-1] <= told + 1
        lines = (tmp_path / "runs" / "r" / "journal.jsonl").read_text().splitlines()
        assert [event_from_json(json.loads(text)) for text in lines] == events
        journal.close()


def test_many_that_open_a_new_journal_at_once(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    code = "import time, sys; time.sleep(max(0, float(sys.argv[2]) - time.time()));" + OPENER
    at = datetime.now(UTC).timestamp() + 0.8
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), str(at)]) for _ in range(3)]
    assert [each.wait(30) for each in running] == [0] * 3


def test_a_living_process_keeps_its_run_even_asleep(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with process(HOLDER, path) as holder:
        assert line(holder) == "held"
        journal = Journal(path)
        for signal_ in (signal.SIGCONT, signal.SIGSTOP):
            holder.send_signal(signal_)
            with pytest.raises(HeldError, match=f"driven by process {holder.pid} on "):
                journal.hold("r")
        found = journal.holder("r")
        assert found is not None and found.pid == holder.pid
        assert journal.hold("r", force=True) == 2
        journal.append("r", [RunEvent(step="a", n=1, kind=Kind.INTENDED, at=NOW)])
        journal.close()


def test_a_process_that_is_dead_and_not_yet_buried_holds_nothing(tmp_path: Path) -> None:
    """In a container nobody may ever collect it."""
    path = tmp_path / "runs.db"
    with process(HOLDER, path) as holder:
        assert line(holder) == "held"
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        journal = Journal(path)
        assert journal.holder("r") is None
        assert journal.hold("r") == 2
        journal.close()


# Who is alive. -------------------------------------------------------------------------------------------------------


def test_a_process_is_known_by_more_than_its_number() -> None:
    now = datetime.now(UTC)
    mine = me()
    assert is_me(mine) and is_alive(mine, now)
    assert not is_alive(replace(mine, began="12345"), now), "pids come back"
    assert not is_me(replace(mine, began="12345"))
    assert not is_alive(replace(mine, pid=2**22 + 7), now)


def test_of_another_host_only_the_heartbeat_is_known() -> None:
    now = datetime.now(UTC)
    far = replace(me(), host="elsewhere")
    assert is_alive(far, now) and not is_me(far)
    assert not is_alive(far, now - SILENCE - timedelta(seconds=1))


# The project's lock. -------------------------------------------------------------------------------------------------


def test_the_second_is_told_who_holds_the_project(tmp_path: Path) -> None:
    with process(LOCKER, tmp_path / "state") as first:
        assert line(first) == "held"
        with (
            pytest.raises(HeldError, match=f"the project is held by process {first.pid} on "),
            ProjectLock(tmp_path / "state"),
        ):
            pass
        first.kill()
        first.wait()
        with ProjectLock(tmp_path / "state"):
            pass


def test_who_waits_gets_it_when_the_first_dies(tmp_path: Path) -> None:
    waiter = LOCKER.replace("ProjectLock(Path(sys.argv[1]))", "ProjectLock(Path(sys.argv[1]), wait=True)")
    with process(LOCKER, tmp_path) as first:
        assert line(first) == "held"
        with process(waiter, tmp_path) as second:
            first.kill()
            assert line(second) == "held"
            with pytest.raises(HeldError, match=f"process {second.pid} "), ProjectLock(tmp_path):
                pass


def test_a_child_of_the_holder_does_not_inherit_the_project(tmp_path: Path) -> None:
    with process(LOCKER, tmp_path, "with a child") as first:
        child = int(line(first))
        try:
            first.kill()
            first.wait()
            with ProjectLock(tmp_path):
                os.kill(child, 0)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_lock_is_given_back_whatever_happens_inside(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), ProjectLock(tmp_path):
            with pytest.raises(HeldError, match=f"process {os.getpid()} "), ProjectLock(tmp_path):
                pass
            raise KeyError("x")
    assert (tmp_path / "lock").read_bytes() == b""


def test_a_lock_whose_file_says_nothing(tmp_path: Path) -> None:
    with ProjectLock(tmp_path):
        for text in (b"", b"{", b"[1]", b'{"host": "x"}'):
            (tmp_path / "lock").write_bytes(text)
            with pytest.raises(HeldError, match="held by another process"), ProjectLock(tmp_path):
                pass
