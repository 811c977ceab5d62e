"""A lab's file of an older format is read as what it was; one that nobody knows is refused with what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from farshore.errors import InputError
from farshore.lab.store import Store
from lab.core.bench import Lab
from lab.core.test_state import different, everything, story

COUNTED = """trim(rows.key || '|' || each.key, '|') AS key, CAST(each.value AS BLOB) AS value
    FROM rows, json_each(CAST(rows.value AS TEXT)) AS each WHERE tbl = 'counters'"""
TO_3 = f"""
BEGIN;
CREATE TABLE counted AS SELECT {COUNTED};
DELETE FROM rows WHERE tbl = 'counters';
INSERT INTO rows(tbl, key, value) SELECT 'counters', key, value FROM counted;
DROP TABLE counted;
INSERT INTO rows(tbl, key, value)
    SELECT 'operations', key, value FROM held WHERE tbl = 'operations.underWay' ORDER BY n;
DELETE FROM held WHERE tbl = 'operations.underWay';
DROP INDEX bodies_by_place;
UPDATE bodies SET place = rtrim(rtrim(key, replace(key, '/', '')), '/');
CREATE INDEX bodies_by_place ON bodies(place, n);
PRAGMA user_version = 3;
COMMIT;
"""
TO_2 = """
BEGIN;
CREATE INDEX rows_in_order ON rows(tbl, n);
UPDATE rows SET n = n + 1000000;
INSERT INTO rows(n, tbl, key, value) SELECT n, tbl, key, value FROM held;
DROP TABLE held;
PRAGMA user_version = 2;
COMMIT;
"""


def written(path: Path) -> list[tuple[Any, ...]]:
    """Every row of a lab's file, whatever its number, and how far its format has come."""
    queries = (
        "PRAGMA user_version",
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
        "SELECT tbl, key, value FROM held ORDER BY tbl, key",
        "SELECT tbl, key, value FROM rows WHERE tbl <> 'counters' ORDER BY tbl, key",
        f"SELECT {COUNTED} ORDER BY 1",
        "SELECT key, type, place, rev, body FROM bodies ORDER BY n",
    )
    with closing(sqlite3.connect(path)) as db:
        return [row for query in queries for row in db.execute(query)]


def to_3(db: sqlite3.Connection) -> None:
    """There each counter had a row, operations under way lay with the others, and a child's place beside its key."""
    db.executescript(TO_3)


def to_2(db: sqlite3.Connection) -> None:
    """There tables and shelves lay together too, and a counter's key began with what was counted."""
    to_3(db)
    db.executescript(TO_2)
    for (key,) in db.execute("SELECT key FROM rows WHERE tbl = 'counters'").fetchall():
        *subject, what = key.split("|")
        db.execute("UPDATE rows SET key = ? WHERE tbl = 'counters' AND key = ?", ("|".join([what, *subject]), key))


@pytest.mark.parametrize("to_older", [to_3, to_2])
def test_an_older_format_tells_the_same_story(tmp_path: Path, to_older: Callable[[sqlite3.Connection], None]) -> None:
    path = tmp_path / "lab.db"
    lab = Lab(path)
    story(lab)
    seen, now = everything(lab), lab.now
    lab.cloud.store.close()
    before = written(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        to_older(db)
    for _ in range(2):
        again = Lab(path, groups={})
        again.now = now
        assert written(path) == before
        assert different(seen, everything(again)) == []
        again.cloud.store.close()


def test_a_format_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    Store(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="another format") as refused:
        Store(path)
    assert refused.value.value == 99 and "--fresh" in str(refused.value.remedy)
