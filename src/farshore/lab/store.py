"""Where the lab keeps its state: tables in memory, written through to one SQLite file.

Everything that must outlive a process is a row of a table: `store.table("resources")["/subscriptions/..."]`. A row's
value is a JSON value, never changed in place: whoever changes a row puts a new value. Writing marks the row dirty;
`commit` writes all dirty rows in one transaction, and the core commits before it lets an answer out, so that a killed
process loses nothing that anyone was told (write-ahead log, synchronous NORMAL: safe against the death of the
process; the last moments may be lost with the machine's power).

A table made with `raw=True` holds bytes as they are (a disk's blocks). `Store(None)` keeps everything in memory only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from farshore.arm.json import dumps, loads
from farshore.errors import InputError
from farshore.lab.holding import Hold

FORMAT = 1


class Table(MutableMapping[str, Any]):
    """Rows by key, in memory; insertion order is kept, also over a restart."""

    def __init__(self, name: str, raw: bool) -> None:
        self.name = name
        self.raw = raw
        self._rows: dict[str, Any] = {}
        self._dirty: dict[str, None] = {}
        self._moved: set[str] = set()
        """Taken away and put again since the last commit: they stand at the end, in the file too."""

    def __getitem__(self, key: str) -> Any:
        return self._rows[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key in self._dirty and key not in self._rows:
            del self._dirty[key]
            self._moved.add(key)
        self._rows[key] = value
        self._dirty[key] = None

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._dirty[key] = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def load(self, rows: Iterator[tuple[str, bytes]]) -> None:
        for key, value in rows:
            self._rows[key] = value if self.raw else loads(value)

    def take_dirty(self) -> tuple[list[str], list[tuple[str, bytes]]]:
        """The keys to take out of the file, and then the rows to write; afterwards nothing is dirty."""
        rows = self._rows
        gone = [key for key in self._dirty if key not in rows or key in self._moved]
        puts = [(key, bytes(rows[key]) if self.raw else dumps(rows[key])) for key in self._dirty if key in rows]
        self.forget_dirty()
        return gone, puts

    def forget_dirty(self) -> None:
        self._dirty.clear()
        self._moved.clear()

    @property
    def dirty(self) -> bool:
        return bool(self._dirty)


class Store:
    """All tables, and the file behind them."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._tables: dict[str, Table] = {}
        self._db: sqlite3.Connection | None = None
        self._hold: Hold | None = None
        if path is not None:
            self._hold = Hold(path)
            try:
                self._db = _open(path)
            except BaseException:
                self._hold.release()
                raise

    def table(self, name: str, *, raw: bool = False) -> Table:
        """The table of that name, read from the file when it is first asked for."""
        found = self._tables.get(name)
        if found is None:
            found = self._tables[name] = Table(name, raw)
            if self._db is not None and self.path is not None:
                query = "SELECT key, value FROM rows WHERE tbl = ? ORDER BY n"
                try:
                    found.load(iter(self._db.execute(query, (name,))))
                except (sqlite3.DatabaseError, ValueError) as error:
                    raise _unreadable(self.path, error) from None
        assert found.raw == raw, f"table {name} is {'raw' if found.raw else 'JSON'} everywhere or nowhere"
        return found

    def commit(self) -> None:
        """Write what is dirty, in one transaction."""
        if self._db is None:
            for table in self._tables.values():
                table.forget_dirty()
            return
        pending = [(table.name, table.take_dirty()) for table in self._tables.values() if table.dirty]
        if not pending:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for name, (gone, puts) in pending:
                if gone:
                    self._db.executemany("DELETE FROM rows WHERE tbl = ? AND key = ?", [(name, key) for key in gone])
                if puts:
                    self._db.executemany(
                        "INSERT INTO rows(tbl, key, value) VALUES (?, ?, ?)"
                        " ON CONFLICT(tbl, key) DO UPDATE SET value = excluded.value",
                        [(name, key, value) for key, value in puts],
                    )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        if self._db is not None:
            self.commit()
            self._db.close()
            self._db = None
        if self._hold is not None:
            self._hold.release()
            self._hold = None


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA busy_timeout = 10000")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS rows"
            "(n INTEGER PRIMARY KEY, tbl TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE(tbl, key))"
        )
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, FORMAT):
            raise InputError(
                "The lab's state has another format",
                file=str(path),
                value=version,
                expected=str(FORMAT),
                remedy="farshore lab up --fresh begins a new lab; move the file away first to keep it",
            )
        db.execute(f"PRAGMA user_version = {FORMAT}")
    except sqlite3.DatabaseError as error:
        raise _unreadable(path, error) from None
    return db


def _unreadable(path: Path, error: Exception) -> InputError:
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
