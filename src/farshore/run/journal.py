"""The journal: what has been done and what is about to be, durable before anything leaves.

    events   (run, step, n) once, in the order in which they were written
    leases   who drives a run, and under which epoch
    asks     what other processes want of a run (approve, skip, pause, ...), until its driver has written it down

One transaction holds a round: the outcomes of one instant and the intentions that follow from them. It reads the
lease's epoch in that same transaction, and writes nothing when another process has taken the run over: a driver that
was only asleep finds itself fenced off, and stops.

SQLite in write-ahead mode; `synchronous=NORMAL` loses nothing when a process dies, `full=True` nothing when the power
does. Each run's events are mirrored as lines of JSON for people (`mirror`); the database is what counts, and a
process that takes a run over writes the mirror anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farshore.arm.json import dumps, loads
from farshore.errors import HeldError, JournalError
from farshore.holder import Holder, is_alive, is_me, me
from farshore.run.events import Kind, RunEvent, event_from_json
from farshore.times import moment, stamp

FORMAT = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL, n INTEGER NOT NULL, at TEXT NOT NULL,
    kind TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (run, step, n));
CREATE TABLE IF NOT EXISTS leases (
    run TEXT PRIMARY KEY, epoch INTEGER NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, began TEXT NOT NULL,
    since TEXT NOT NULL, beat TEXT NOT NULL, released INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS asks (
    seq INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
    at TEXT NOT NULL, written INTEGER NOT NULL DEFAULT 0);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants of a run."""

    seq: int
    step: str
    kind: Kind
    body: Mapping[str, Any]
    at: datetime


class Journal:
    """All runs of a project. `Journal(None)` keeps them in memory only."""

    def __init__(self, path: Path | None, *, mirror: Path | None = None, full: bool = False) -> None:
        """`mirror`: the folder that holds a folder for each run (`.farshore/runs`)."""
        self.path = path
        self._mirror = mirror
        self._epochs: dict[str, int] = {}
        self._ears: dict[str, list[Callable[[], None]]] = {}
        self._db = _open(path, full)

    # Reading. ------------------------------------------------------------------------------------------------------

    def read(self, run: str) -> list[RunEvent]:
        """All events of a run, in order."""
        rows = self._rows("SELECT step, n, at, kind, body FROM events WHERE run = ? ORDER BY seq", run)
        return [
            event_from_json({"step": step, "n": n, "at": at, "kind": kind, "body": _body(body, run, step, n)})
            for step, n, at, kind, body in rows
        ]

    def runs(self) -> list[str]:
        """Ids of all runs, oldest first."""
        return [run for (run,) in self._rows("SELECT run FROM events GROUP BY run ORDER BY MIN(seq)")]

    def holder(self, run: str) -> Holder | None:
        """Who drives a run now; None where nobody does."""
        found = self._lease(run)
        if found is None or found.released or not is_alive(found.holder, found.beat):
            return None
        return found.holder

    # Writing, by the holder of the lease. --------------------------------------------------------------------------

    def hold(self, run: str, *, force: bool = False) -> int:
        """Take a run, with a higher epoch than anyone before; raises `HeldError` where a living process has it.
        Holding it already changes nothing. Returns the epoch."""
        if run in self._epochs:
            return self._epochs[run]
        mine = me()
        with self._transaction():
            found = self._lease(run)
            if found is not None and not found.released and not force:
                held = found.holder
                if not is_me(held) and is_alive(held, found.beat):
                    raise HeldError(f"run {run} is driven by {held}")
            epoch = 1 if found is None else found.epoch + 1
            self._db.execute(
                "INSERT OR REPLACE INTO leases(run, epoch, host, pid, began, since, beat, released)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (run, epoch, mine.host, mine.pid, mine.began, mine.since, mine.since),
            )
        self._epochs[run] = epoch
        self._write_mirror(run, self.read(run), anew=True)
        return epoch

    def append(self, run: str, events: Sequence[RunEvent], written: Sequence[int] = ()) -> None:
        """One round, all or nothing. `written`: the asks that it answers. Raises `HeldError` when fenced off."""
        assert run in self._epochs, "a run is held before it is written"
        rows = [(run, e.step, e.n, stamp(e.at), e.kind.value, dumps(dict(e.body))) for e in events]
        with self._transaction():
            self._must_hold(run)
            try:
                self._db.executemany("INSERT INTO events(run, step, n, at, kind, body) VALUES (?, ?, ?, ?, ?, ?)", rows)
            except sqlite3.IntegrityError as error:
                raise JournalError(f"run {run} has an event with one of these numbers already: {error}") from None
            self._db.executemany("UPDATE asks SET written = 1 WHERE seq = ?", [(seq,) for seq in written])
        self._write_mirror(run, events)

    def beat(self, run: str) -> None:
        """A sign of life, for processes on other hosts. Raises `HeldError` when fenced off."""
        with self._transaction():
            self._must_hold(run)
            self._db.execute("UPDATE leases SET beat = ? WHERE run = ?", (stamp(datetime.now(UTC)), run))

    def release(self, run: str) -> None:
        """Give a run back; nothing happens where another process has taken it."""
        epoch = self._epochs.pop(run, None)
        if epoch is not None:
            with self._transaction():
                self._db.execute("UPDATE leases SET released = 1 WHERE run = ? AND epoch = ?", (run, epoch))

    # Asking, by anyone. --------------------------------------------------------------------------------------------

    def ask(self, run: str, kind: Kind, step: str = "", body: Mapping[str, Any] | None = None) -> None:
        """Leave word for whoever drives the run, now or later."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO asks(run, step, kind, body, at) VALUES (?, ?, ?, ?, ?)",
                (run, step, kind.value, dumps(dict(body or {})), stamp(datetime.now(UTC))),
            )
        for hear in self._ears.get(run, ()):
            hear()

    def asks(self, run: str) -> list[Asked]:
        """What has been asked for and is not written down yet."""
        rows = self._rows("SELECT seq, step, kind, body, at FROM asks WHERE run = ? AND written = 0 ORDER BY seq", run)
        found: list[Asked] = []
        for seq, step, kind, body, at in rows:
            asked = event_from_json(
                {"step": step, "n": seq, "at": at, "kind": kind, "body": _body(body, run, step, seq)}
            )
            found.append(Asked(seq=seq, step=asked.step, kind=asked.kind, body=asked.body, at=asked.at))
        return found

    @contextmanager
    def listening(self, run: str, hear: Callable[[], None]) -> Iterator[None]:
        """`hear` is called when somebody in this process asks something of the run."""
        self._ears.setdefault(run, []).append(hear)
        try:
            yield
        finally:
            self._ears[run].remove(hear)

    def close(self) -> None:
        try:
            for run in list(self._epochs):
                self.release(run)
        finally:
            self._db.close()

    # -----------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself where the disk is full.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as error:
            raise JournalError(f"the journal {self.path} can't be written: {error}") from None

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise JournalError(f"the journal {self.path} can't be read: {error}") from None

    def _lease(self, run: str) -> _Lease | None:
        query = "SELECT epoch, host, pid, began, since, beat, released FROM leases WHERE run = ?"
        rows = self._rows(query, run)
        if not rows:
            return None
        epoch, host, pid, began, since, beat, released = rows[0]
        holder = Holder(host=host, pid=pid, began=began, since=since)
        try:
            return _Lease(epoch=epoch, holder=holder, beat=moment(beat), released=bool(released))
        except ValueError:
            raise JournalError(f"the lease of run {run} can't be read: {beat!r} is no time") from None

    def _must_hold(self, run: str) -> None:
        found = self._lease(run)
        if found is None or found.epoch != self._epochs.get(run):
            self._epochs.pop(run, None)
            raise HeldError(f"run {run} has been taken over by {found.holder if found else 'somebody'}")

    def _write_mirror(self, run: str, events: Sequence[RunEvent], *, anew: bool = False) -> None:
        if self._mirror is None:
            return
        path = self._mirror / run / "journal.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb" if anew else "ab") as file:
            file.writelines(dumps(event.as_json()) + b"\n" for event in events)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    epoch: int
    holder: Holder
    beat: datetime
    released: bool


def _open(path: Path | None, full: bool) -> sqlite3.Connection:
    db: sqlite3.Connection | None = None
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path or ":memory:", isolation_level=None)
        db.execute("PRAGMA busy_timeout = 10000")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, FORMAT):
            raise JournalError(f"{path} is a journal of format {version}, and this version reads {FORMAT}")
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version = {FORMAT}")
    except (sqlite3.DatabaseError, OSError, JournalError) as error:
        if db is not None:
            db.close()
        if isinstance(error, JournalError):
            raise
        raise JournalError(f"the journal {path} can't be opened: {error}") from None
    return db


def _body(text: Any, run: str, step: str, n: int) -> Any:
    try:
        return loads(text)
    except (ValueError, TypeError) as error:
        raise JournalError(f"the body of event {n} of step {step!r} of run {run} can't be read: {error}") from None
