"""A lab's file of an older format is read as what it was; one that nobody knows is refused with what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from farshore.errors import InputError
from farshore.lab.store import Store
from lab.core.bench import Lab
from lab.core.test_state import different, everything, story

TO_2 = """
BEGIN;
CREATE INDEX rows_in_order ON rows(tbl, n);
UPDATE rows SET n = n + 1000000;
INSERT INTO rows(n, tbl, key, value) SELECT n, tbl, key, value FROM held;
DROP TABLE held;
PRAGMA user_version = 2;
COMMIT;
"""


def test_format_2_tells_the_same_story(tmp_path: Path) -> None:
    """There tables and shelves lay together, and a counter's key began with what was counted."""
    path = tmp_path / "lab.db"
    lab = Lab(path)
    story(lab)
    seen, now = everything(lab), lab.now
    counted = dict(lab.cloud.store.shelf("counters"))
    lab.cloud.store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(TO_2)
        for key in counted:
            *subject, what = key.split("|")
            db.execute("UPDATE rows SET key = ? WHERE tbl = 'counters' AND key = ?", ("|".join([what, *subject]), key))
    for _ in range(2):
        again = Lab(path, groups={})
        again.now = now
        assert dict(again.cloud.store.shelf("counters")) == counted
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
