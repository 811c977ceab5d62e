"""Where the lab keeps its state: one SQLite file, and what of it is held in memory.

    table(name)    a few rows that are asked for all the time: all in memory, written through
    shelf(name)    many rows that are seldom asked for again (operations, what was logged): in the file, the latest
                   in memory
    bodies         the resources (`lab/bodies.py`): in the file with their indexes, those asked for in memory

A row's value is a JSON value, never changed in place: whoever changes a row puts a new value. What is written since
the last `commit` is one transaction, and the core commits before it lets an answer out, so that a killed process loses
nothing that anyone was told (write-ahead log, synchronous NORMAL: safe against the death of the process; the last
moments may be lost with the machine's power). Opening a lab reads its tables and nothing else, and what a million
resources take in memory is what is being looked at.

A table made with `raw=True` holds bytes as they are (a disk's blocks). `Store(None)` keeps everything in memory only.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

from farshore.arm.json import dumps, loads
from farshore.errors import InputError
from farshore.lab.holding import Hold

FORMAT = 4
PAGE = 4096
ON_HAND = 2 << 20
"""Bytes of a shelf's keys and encoded rows that stay in memory. Decoded they take some three times that."""

V = TypeVar("V")


class Table(MutableMapping[str, Any]):
    """Rows by key, in memory; insertion order is kept, also over a restart."""

    def __init__(self, name: str, raw: bool, kept: Iterable[tuple[int, str, bytes]] = ()) -> None:
        self.name = name
        self.raw = raw
        self._rows: dict[str, Any] = {}
        self._numbers: dict[str, int] = {}
        """Under which each row lies in the file. Found by it, rows need no index there, which would cost more to
        write than they do."""
        self._dirty: dict[str, None] = {}
        self._gone: list[int] = []
        for number, key, value in kept:
            self._rows[key] = value if raw else loads(value)
            self._numbers[key] = number

    def __getitem__(self, key: str) -> Any:
        return self._rows[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._rows[key] = value
        self._dirty[key] = None

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._dirty.pop(key, None)
        number = self._numbers.pop(key, None)
        if number is not None:
            self._gone.append(number)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def take_over(self, other: Table) -> None:
        """The rows of another table."""
        self._rows = dict(other._rows)

    def take_dirty(self, number: Callable[[], int]) -> tuple[list[int], list[tuple[int, str, str, bytes]]]:
        """The numbers to take out of the file, and then the rows to write, new ones under a next `number`; afterwards
        nothing is dirty."""
        gone, puts = self._gone.copy(), []
        for key in self._dirty:
            value = self._rows[key]
            place = self._numbers.get(key)
            if place is None:
                place = self._numbers[key] = number()
            puts.append((place, self.name, key, bytes(value) if self.raw else dumps(value)))
        self.forget_dirty()
        return gone, puts

    def forget_dirty(self) -> None:
        self._dirty.clear()
        self._gone.clear()

    @property
    def dirty(self) -> bool:
        return bool(self._dirty or self._gone)


class Recent(Generic[V]):
    """What was asked for of late, by key, of a size up to `limit`: the longest unasked is forgotten first, and little
    by little (never the latest), for to let go of thousands at once takes longer than an answer may. Sizes are as they
    are told: of one each, it is so many values."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._held: OrderedDict[str, tuple[V, int]] = OrderedDict()

    def get(self, key: str) -> V | None:
        held = self._held.get(key)
        if held is None:
            return None
        self._held.move_to_end(key)
        return held[0]

    def put(self, key: str, value: V, size: int = 1) -> None:
        before = self._held.pop(key, None)
        self._held[key] = (value, size)
        self._size += size if before is None else size - before[1]
        while self._size > self._limit and len(self._held) > 1:
            _, (_, forgotten) = self._held.popitem(last=False)
            self._size -= forgotten

    def drop(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._size -= held[1]


class Shelf(MutableMapping[str, Any]):
    """Rows by key that lie in the file; insertion order, as in a `Table`."""

    def __init__(self, store: Store, name: str, beneath: Shelf | None) -> None:
        self.name = name
        self._store = store
        self._beneath = beneath
        """Of a fork: the shelf that it was forked from, whose rows are found by their keys."""
        self._unwritten: dict[str, tuple[Any, bytes]] = {}
        """What was put since the last commit: what a request counts three times is written once."""
        self._recent: Recent[Any] = Recent(ON_HAND)
        store.before_commit(self._write)

    def get(self, key: str, default: Any = None) -> Any:
        unwritten = self._unwritten.get(key)
        found = self._recent.get(key) if unwritten is None else unwritten[0]
        if found is None:
            row = self._store.one("SELECT value FROM rows WHERE tbl = ? AND key = ?", (self.name, key))
            if row is None:
                return default if self._beneath is None else self._beneath.get(key, default)
            found = loads(row[0])
            self._recent.put(key, found, len(key) + len(row[0]))
        return found

    def __getitem__(self, key: str) -> Any:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: str, value: Any) -> None:
        self._unwritten[key] = (value, dumps(value))

    def _write(self) -> None:
        for key, (value, content) in self._unwritten.items():
            self._store.write(_PUT, (self.name, key, content))
            self._recent.put(key, value, len(key) + len(content))
        self._unwritten.clear()

    def __delitem__(self, key: str) -> None:
        self._write()
        if not self._store.write("DELETE FROM rows WHERE tbl = ? AND key = ?", (self.name, key)):
            raise KeyError(key)
        self._recent.drop(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        self._write()
        query = "SELECT key FROM rows WHERE n IN (SELECT n FROM rows WHERE tbl = ?) ORDER BY n"
        return iter([row[0] for row in self._store.all(query, (self.name,))])

    def __len__(self) -> int:
        self._write()
        (number,) = self._store.one("SELECT count(*) FROM rows WHERE tbl = ?", (self.name,))
        return int(number)

    def since(self, key: str) -> Iterator[Any]:
        """The values from a key on, in the order of their keys."""
        self._write()
        query = "SELECT value FROM rows WHERE tbl = ? AND key >= ? ORDER BY key"
        for (value,) in self._store.all(query, (self.name, key)):
            yield loads(value)


class Store:
    """All tables and shelves, and the file behind them."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._tables: dict[str, Table] = {}
        self._shelves: dict[str, Shelf] = {}
        self._late: list[Callable[[], None]] = []
        self._unread: dict[str, list[tuple[int, str, bytes]]] = {}
        """Rows of tables that nobody has asked for yet."""
        self._db: sqlite3.Connection | None = None
        self._parent: Store | None = None
        self._hold = None if path is None else Hold(path)
        try:
            self._db = _open(path)
            for number, name, key, value in self.all("SELECT n, tbl, key, value FROM held ORDER BY n"):
                self._unread.setdefault(name, []).append((number, key, value))
            (last,) = self.one("SELECT coalesce(max(n), 0) FROM held")
            self._numbers = count(last + 1)
        except BaseException:
            if self._hold is not None:
                self._hold.release()
            raise

    def table(self, name: str, *, raw: bool = False) -> Table:
        """The table of that name, read from the file when it is first asked for."""
        found = self._tables.get(name)
        if found is None:
            try:
                found = self._tables[name] = Table(name, raw, self._unread.pop(name, ()))
            except ValueError as error:
                raise _unreadable(self.path, error) from None
            if self._parent is not None:
                found.take_over(self._parent.table(name, raw=raw))
        assert found.raw == raw, f"table {name} is {'raw' if found.raw else 'JSON'} everywhere or nowhere"
        return found

    def shelf(self, name: str) -> Shelf:
        """The shelf of that name. One name is a table's or a shelf's, never both."""
        assert name not in self._tables, f"{name} is a table"
        found = self._shelves.get(name)
        if found is None:
            beneath = None if self._parent is None else self._parent.shelf(name)
            found = self._shelves[name] = Shelf(self, name, beneath)
        return found

    def before_commit(self, write: Callable[[], None]) -> None:
        """Let something be written together with all else, at the last moment."""
        self._late.append(write)

    def _write_late(self) -> None:
        for write in self._late:
            write()

    def fork(self) -> Store:
        """A copy in memory that goes its own way; to be thrown away before this store changes. Bodies are copied, a
        table when it is first asked for; rows, which nobody changes in place, are shared."""
        found = Store(None)
        found._parent = self
        self._write_late()
        for name, columns in (("bodies", 8), ("links", 6)):
            rows = self._open_db.execute(f"SELECT * FROM {name}")
            found._open_db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * columns)})", rows)
        return found

    # SQL, for what keeps rows in the file. ---------------------------------------------------------------------------

    def one(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        """The first row, or None."""
        try:
            return self._open_db.execute(query, values).fetchone()
        except sqlite3.DatabaseError as error:
            raise _unreadable(self.path, error) from None

    def all(self, query: str, values: tuple[Any, ...] = ()) -> Iterable[Any]:
        """The rows, read as they are taken; what is written meanwhile may or may not be among them."""
        try:
            return self._open_db.execute(query, values)
        except sqlite3.DatabaseError as error:
            raise _unreadable(self.path, error) from None

    def write(self, query: str, values: tuple[Any, ...]) -> int:
        """Run a statement in the transaction that the next `commit` ends; how many rows it has changed."""
        db = self._open_db
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
        return db.execute(query, values).rowcount

    @property
    def _open_db(self) -> sqlite3.Connection:
        assert self._db is not None, "the store is closed"
        return self._db

    def commit(self) -> None:
        """Write what is dirty; everything since the last commit is one transaction."""
        if self._db is None:
            return
        self._write_late()
        db, tables = self._db, [table for table in self._tables.values() if table.dirty]
        if self.path is None:
            for table in tables:
                table.forget_dirty()
            tables = []
        if not tables and not db.in_transaction:
            return
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
        try:
            for table in tables:
                gone, puts = table.take_dirty(self._numbers.__next__)
                db.executemany("DELETE FROM held WHERE n = ?", [(number,) for number in gone])
                db.executemany("INSERT OR REPLACE INTO held(n, tbl, key, value) VALUES (?, ?, ?, ?)", puts)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def carried_over_apart(self) -> Callable[[], int]:
        """From now on no commit waits while the write-ahead log is carried over into the file: whoever called this
        calls what it returns, now and then, from another thread; it answers how many bytes the log has. Killed
        meanwhile, nothing is lost."""
        path = self.path
        if path is None:
            return lambda: 0
        self._open_db.execute("PRAGMA wal_autocheckpoint = 0")

        def carry() -> int:
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
                return _carry(db)

        return carry

    def begin_log_anew(self) -> None:
        """Carry over what has been written since, so that the next commit begins the log at its beginning: while
        commits come without a pause, another thread is never done with all of it, and the log grows."""
        self.commit()
        _carry(self._open_db)

    def close(self) -> None:
        if self._db is not None:
            self.commit()
            self._db.close()
            self._db = None
        if self._hold is not None:
            self._hold.release()
            self._hold = None


_PUT = "INSERT INTO rows(tbl, key, value) VALUES (?, ?, ?) ON CONFLICT(tbl, key) DO UPDATE SET value = excluded.value"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows(
    n INTEGER PRIMARY KEY, tbl TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE(tbl, key));
CREATE TABLE IF NOT EXISTS held(
    n INTEGER PRIMARY KEY, tbl TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS bodies(
    n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, type TEXT NOT NULL, place TEXT NOT NULL, rev INTEGER NOT NULL,
    body BLOB NOT NULL, made TEXT NOT NULL, changed TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS bodies_by_type ON bodies(type, n);
CREATE INDEX IF NOT EXISTS bodies_by_place ON bodies(place, n) WHERE place <> '';
CREATE TABLE IF NOT EXISTS links(
    n INTEGER PRIMARY KEY, source TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, label TEXT NOT NULL,
    value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS links_by_target ON links(target, kind, value);
CREATE INDEX IF NOT EXISTS links_by_source ON links(source);
"""


_FROM_2 = """
DROP INDEX rows_in_order;
INSERT INTO held(n, tbl, key, value) SELECT n, tbl, key, value FROM rows WHERE tbl NOT IN
    ('counters', 'requests', 'operations', 'automation.jobTexts', 'automation.streams');
DELETE FROM rows WHERE n IN (SELECT n FROM held);
UPDATE rows SET key = substr(key, instr(key, '|') + 1) || '|' || substr(key, 1, instr(key, '|') - 1)
    WHERE tbl = 'counters' AND instr(key, '|') > 0;
"""
"""Format 2 kept tables and shelves together, and a counter's key began with what was counted."""
_FROM_3 = """
INSERT INTO rows(tbl, key, value)
    SELECT 'counted', substr(key, 1, instr(key || '|', '|') - 1) AS subject,
        CAST(json_group_object(substr(key, instr(key || '|', '|') + 1), CAST(value AS INTEGER)) AS BLOB)
    FROM rows WHERE tbl = 'counters' GROUP BY subject;
DELETE FROM rows WHERE tbl = 'counters';
UPDATE rows SET tbl = 'counters' WHERE tbl = 'counted';
INSERT INTO held(tbl, key, value) SELECT 'operations.underWay', key, value FROM rows WHERE tbl = 'operations'
    AND json_extract(CAST(value AS TEXT), '$.status') NOT IN ('Succeeded', 'Failed', 'Canceled') ORDER BY n;
DELETE FROM rows WHERE tbl = 'operations' AND key IN (SELECT key FROM held WHERE tbl = 'operations.underWay');
DROP INDEX bodies_by_place;
UPDATE bodies SET place = '' WHERE type LIKE '%/%/%';
"""
"""Format 3 had a row for each counter, all operations on a shelf, and a place beside the key of a child too."""
_FROM = {2: _FROM_2, 3: _FROM_3}


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA busy_timeout = 10000")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -16384")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, *_FROM, FORMAT):
            raise InputError(
                "The lab's state has another format",
                file=str(path),
                value=version,
                expected=str(FORMAT),
                remedy="farshore lab up --fresh begins a new lab; move the file away first to keep it",
            )
        steps = "".join(text for older, text in _FROM.items() if 0 < version <= older)
        db.executescript(f"BEGIN; {_SCHEMA} {steps} {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None
    return db


def _carry(db: sqlite3.Connection) -> int:
    """Carry the log over into the file; the bytes that are in it, carried over or not."""
    _, pages, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages) * PAGE


def _unreadable(path: Path | None, error: Exception) -> InputError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return InputError(
            f"The lab's state can't be opened for writing: {error}",
            file=str(path),
            expected="a file and a folder that this user may write",
            remedy="look at the permissions of both",
        )
    return InputError(
        f"The lab's state can't be read: {error}",
        file=str(path),
        expected="a SQLite file written by the lab",
        remedy="farshore lab up --fresh begins a new lab; move the file away first to keep it",
    )
