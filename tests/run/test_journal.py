"""The journal: durable, once, by whoever holds the run, and clear about what it can't read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farshore.errors import FarshoreError, HeldError, JournalError
from farshore.holder import me
from farshore.run import machine, record_event
from farshore.run.events import Kind, RunEvent, event_from_json
from farshore.run.journal import Journal
from farshore.times import stamp
from prove.plans import plan, step
from run.talk import NOW


def event(n: int, step: str = "a", kind: Kind = Kind.INTENDED, **body: Any) -> RunEvent:
    return RunEvent(step=step, n=n, kind=kind, at=NOW + timedelta(seconds=n), body=body)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "runs.db"


@pytest.fixture
def journal(path: Path) -> Any:
    found = Journal(path, mirror=path.parent / "runs")
    yield found
    found.close()


# Writing and reading. ------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_in_order_by_anyone(journal: Journal, path: Path) -> None:
    journal.hold("r")
    told = [
        event(1, result={"x": [1, None, "é"]}),
        event(1, "b"),
        event(2, kind=Kind.ABSENT),
        event(1, "", Kind.PAUSED),
    ]
    journal.append("r", told[:3])
    journal.append("r", told[3:])
    assert journal.read("r") == told
    assert Journal(path).read("r") == told
    assert journal.read("another") == [] and journal.runs() == ["r"]


def test_one_key_is_written_once_and_the_round_is_all_or_nothing(journal: Journal) -> None:
    journal.hold("r")
    journal.append("r", [event(1)])
    with pytest.raises(JournalError, match="already"):
        journal.append("r", [event(1, "b"), event(1)])
    assert journal.read("r") == [event(1)]
    journal.append("r", [event(1, "b")])
    assert len(journal.read("r")) == 2, "the journal can still be written"


def test_runs_stand_side_by_side(journal: Journal) -> None:
    for run in ("two", "one"):
        journal.hold(run)
        journal.append(run, [event(1)])
    assert journal.runs() == ["two", "one"], "oldest first"
    assert journal.read("one") == journal.read("two")


def test_who_does_not_hold_a_run_does_not_write_it(journal: Journal) -> None:
    with pytest.raises(AssertionError, match="held"):
        journal.append("r", [event(1)])


def test_the_mirror_holds_what_the_journal_holds(journal: Journal, path: Path) -> None:
    journal.hold("r")
    journal.append("r", [event(1), event(2, kind=Kind.ABSENT)])
    mirror = path.parent / "runs" / "r" / "journal.jsonl"
    assert [event_from_json(json.loads(line)) for line in mirror.read_text().splitlines()] == journal.read("r")
    mirror.write_text('{"step": "a", "n')  # a process died while it wrote
    journal.release("r")
    journal.hold("r")
    assert [event_from_json(json.loads(line)) for line in mirror.read_text().splitlines()] == journal.read("r")


def test_a_journal_in_memory(tmp_path: Path) -> None:
    journal = Journal(None)
    journal.hold("r")
    journal.append("r", [event(1)])
    assert journal.read("r") == [event(1)] and not list(tmp_path.iterdir())
    journal.close()


# Two writers. --------------------------------------------------------------------------------------------------------


def test_a_driver_that_was_only_asleep_finds_itself_fenced_off(journal: Journal, path: Path) -> None:
    first = journal.hold("r")
    journal.append("r", [event(1)])
    other = Journal(path)
    assert other.hold("r") == first + 1, "the same process may take over from itself"
    other.append("r", [event(2, kind=Kind.ABSENT)])
    with pytest.raises(HeldError, match="taken over"):
        journal.append("r", [event(3, kind=Kind.DONE)])
    with pytest.raises(HeldError, match="taken over"):
        other.close()
        journal._epochs["r"] = first
        journal.beat("r")
    assert [found.n for found in journal.read("r")] == [1, 2]


def test_a_run_that_was_given_back_can_be_taken(journal: Journal, path: Path) -> None:
    journal.hold("r")
    assert journal.holder("r") is not None and str(journal.holder("r")).startswith(f"process {me().pid} on ")
    assert journal.hold("r") == 1, "holding it already changes nothing"
    journal.release("r")
    assert journal.holder("r") is None
    journal.release("r")
    assert journal.hold("r") == 2
    journal.beat("r")


def test_giving_back_what_another_has_taken_takes_nothing_from_him(journal: Journal, path: Path) -> None:
    journal.hold("r")
    other = Journal(path)
    other.hold("r")
    journal.release("r")
    assert other.holder("r") is not None
    other.append("r", [event(1)])
    other.close()


# Asking. -------------------------------------------------------------------------------------------------------------


def test_what_is_asked_stays_until_it_is_written_down(journal: Journal, path: Path) -> None:
    other = Journal(path)
    other.ask("r", Kind.APPROVED, "a", {"by": "ann"})
    other.ask("r", Kind.PAUSED)
    other.ask("another", Kind.PAUSED)
    asked = journal.asks("r")
    assert [(item.step, item.kind, item.body) for item in asked] == [
        ("a", Kind.APPROVED, {"by": "ann"}),
        ("", Kind.PAUSED, {}),
    ]
    journal.hold("r")
    with pytest.raises(JournalError):
        journal.append("r", [event(1), event(1)], [asked[0].seq])
    assert len(journal.asks("r")) == 2, "a round that was not written has answered nothing"
    journal.append("r", [event(1)], [asked[0].seq])
    assert [item.kind for item in journal.asks("r")] == [Kind.PAUSED]
    other.close()


def test_who_listens_hears_at_once(journal: Journal) -> None:
    heard: list[int] = []
    with journal.listening("r", lambda: heard.append(1)):
        journal.ask("r", Kind.PAUSED)
        journal.ask("another", Kind.PAUSED)
    journal.ask("r", Kind.PAUSED)
    assert heard == [1]


def test_an_event_of_the_scenario_is_written_once(journal: Journal) -> None:
    class Clock:
        def now(self) -> Any:
            return NOW

    story = plan([step("a")])
    journal.hold("r")
    journal.append("r", [machine.event(machine.initial(story), "", Kind.RUN_STARTED, NOW)])
    journal.release("r")
    for _ in range(2):
        record_event(journal, story, "r", "disaster", Clock())  # type: ignore[arg-type]  # only asked for the time
    assert machine.fold(story, journal.read("r")).happened == ("disaster",)
    assert len(journal.read("r")) == 2 and journal.holder("r") is None


# What can't be read. -------------------------------------------------------------------------------------------------


def spoil(path: Path, statement: str, *values: Any) -> None:
    db = sqlite3.connect(path)
    db.execute(statement, values)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE events SET body = ?", b'{"half": '),
        ("UPDATE events SET body = ?", b"[1]"),
        ("UPDATE events SET body = ?", b"\xff\xfe"),
        ("UPDATE events SET body = ?", 7),
        ("UPDATE events SET kind = ?", "exploded"),
        ("UPDATE events SET at = ?", "yesterday"),
        ("UPDATE events SET n = ?", "many"),
        ("UPDATE events SET step = ?", b"\x00"),
    ],
)
def test_a_row_that_can_t_be_read_is_told_clearly(journal: Journal, path: Path, statement: str, value: Any) -> None:
    journal.hold("r")
    journal.append("r", [event(1)])
    spoil(path, statement, value)
    with pytest.raises(JournalError) as raised:
        journal.read("r")
    assert "run r" in str(raised.value) or "event" in str(raised.value)


def test_a_missing_event_is_found_when_the_journal_is_folded(journal: Journal, path: Path) -> None:
    journal.hold("r")
    journal.append("r", [event(1), event(2, kind=Kind.ABSENT), event(3, kind=Kind.DONE)])
    spoil(path, "DELETE FROM events WHERE n = 2")
    with pytest.raises(JournalError, match="event 3 of step a comes after event 1"):
        machine.fold(plan([step("a")]), journal.read("r"))


@pytest.mark.parametrize("statement", ["UPDATE asks SET kind = 'exploded'", "UPDATE asks SET body = x'7b'"])
def test_an_ask_that_can_t_be_read(journal: Journal, path: Path, statement: str) -> None:
    journal.ask("r", Kind.PAUSED)
    spoil(path, statement)
    with pytest.raises(JournalError):
        journal.asks("r")


def test_a_lease_that_can_t_be_read(journal: Journal, path: Path) -> None:
    journal.hold("r")
    spoil(path, "UPDATE leases SET beat = 'never'")
    with pytest.raises(JournalError):
        Journal(path).holder("r")


def overwritten(path: Path) -> None:
    path.write_bytes(b"this is no database " * 500)


def torn(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\x5a" * (len(whole) - len(whole) // 2))


@pytest.mark.parametrize("damage", [overwritten, torn])
def test_a_file_that_is_damaged(path: Path, damage: Callable[[Path], None]) -> None:
    journal = Journal(path)
    journal.hold("r")
    journal.append("r", [event(n, kind=Kind.REFUSED, text="x" * 2000) for n in range(1, 60)])
    journal.close()
    damage(path)
    with pytest.raises(JournalError, match=r"runs\.db"):
        Journal(path).read("r")


def test_a_journal_of_another_format(path: Path) -> None:
    Journal(path).close()
    spoil(path, "PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="format 99, and this version reads 1"):
        Journal(path)


def test_a_place_where_no_journal_can_be(tmp_path: Path) -> None:
    (tmp_path / "runs.db").mkdir()
    with pytest.raises(JournalError, match="can't be opened"):
        Journal(tmp_path / "runs.db")


def test_a_full_disk_is_told_and_loses_nothing(journal: Journal, path: Path) -> None:
    journal.hold("r")
    journal.append("r", [event(1)])
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="full"):
        journal.append("r", [event(n, text="x" * 5000) for n in range(2, 60)])
    journal._db.execute("PRAGMA max_page_count = 100000")
    journal.append("r", [event(2)])
    assert journal.read("r") == [event(1), event(2)]


def test_a_database_that_another_program_locks_is_told(journal: Journal, path: Path) -> None:
    journal.hold("r")
    journal._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="locked"):
        journal.append("r", [event(1)])
    other.execute("ROLLBACK")
    other.close()
    journal.append("r", [event(1)])


# Events as text. -----------------------------------------------------------------------------------------------------


def test_every_kind_of_event_survives_its_own_json() -> None:
    for kind in Kind:
        told = RunEvent(step="a", n=3, kind=kind, at=NOW, body={"deep": {"er": [1.5, None]}})
        assert event_from_json(json.loads(json.dumps(told.as_json()))) == told


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"step": "a", "n": 1, "kind": "done", "at": "2026"},
        {"step": "a", "n": "1", "kind": "done", "at": stamp(NOW)},
        {"step": 7, "n": 1, "kind": "done", "at": stamp(NOW)},
        {"step": "a", "n": 1, "kind": "done", "at": None},
        {"step": "a", "n": 1, "kind": "done", "at": stamp(NOW), "body": [1]},
        {"step": "a", "n": 1, "kind": "finished", "at": stamp(NOW)},
    ],
)
def test_what_is_no_event(value: dict[str, Any]) -> None:
    if value.get("at") == "2026":
        value["at"] = "20 o'clock"
    with pytest.raises(FarshoreError, match="no event that this version can read"):
        event_from_json(value)
