"""What the served lab has answered is in its file, though many share a commit; its log does not grow without end; and
its garbage is walked in portions."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.json import dumps, loads
from farshore.lab import carrying, collecting
from farshore.lab.collecting import Collecting
from farshore.lab.served_clock import ServedClock
from farshore.lab.server import LabApp
from farshore.lab.store import Store
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, net

TABLES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/routeTables"
BODY = {"location": "eastasia", "properties": {"routes": []}}
ROUTE = {"properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}}


class Door:
    """The lab of a file behind its ASGI door."""

    def __init__(self, path: Path, speed: str = "hand") -> None:
        self.path = path
        self.cloud = Lab(path).cloud
        self.app = LabApp(self.cloud, ServedClock(self.cloud.now, speed), "https://lab")

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any, set[str]]:
        """Status, body, and the names of the tables that the file held when the answer went out."""
        sent: list[Mapping[str, Any]] = []
        kept: set[str] = set()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"" if body is None else dumps(body)}

        async def send(message: dict[str, Any]) -> None:
            if not sent:
                kept.update(self.kept())
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"api-version=2024-05-01",
            "headers": [(b"authorization", b"Bearer a.b.c")],
        }
        await self.app(scope, receive, send)
        return sent[0]["status"], loads(sent[1]["body"] or b"null"), kept

    def kept(self) -> set[str]:
        """As whoever opened the file after a `kill -9` would find them."""
        with closing(sqlite3.connect(self.path)) as db:
            rows = db.execute("SELECT key FROM bodies WHERE type = 'microsoft.network/routetables'")
            return {key.rsplit("/", 1)[-1] for (key,) in rows}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    found = Door(tmp_path / "lab.db")
    yield found
    found.cloud.store.close()


def test_requests_that_come_together_share_a_commit_and_are_answered_after_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[None] = []
    commit = door.cloud.store.commit
    monkeypatch.setattr(door.cloud.store, "commit", lambda: commits.append(None) or commit())  # type: ignore[func-returns-value]

    async def together() -> list[tuple[int, Any, set[str]]]:
        return await asyncio.gather(*(door.ask("PUT", f"{TABLES}/t{number}", BODY) for number in range(8)))

    answers = asyncio.run(together())
    assert [status for status, _, _ in answers] == [201] * 8
    for number, (_, _, kept) in enumerate(answers):
        assert f"t{number}" in kept
    assert len(commits) == 1


def test_who_reads_what_another_has_just_written_is_told_when_it_is_kept(door: Door) -> None:
    async def both() -> list[tuple[int, Any, set[str]]]:
        return await asyncio.gather(*(door.ask(method, f"{TABLES}/t", BODY) for method in ("PUT", "GET")))

    _, (status, body, kept) = asyncio.run(both())
    assert (status, body["name"]) == (200, "t") and kept == {"t"}


def test_at_the_pace_of_jumps_who_is_told_to_wait_for_another_operation_has_waited(tmp_path: Path) -> None:
    """L16: Azure's clients ask again after `retry-after`, three times; then the other operation is over."""
    door = Door(tmp_path / "lab.db", speed="jump")

    async def asked() -> list[int]:
        table = f"{TABLES}/shared"
        answers = [await door.ask("PUT", table, BODY)]
        answers += [await door.ask("PUT", f"{table}/routes/r", ROUTE) for _ in range(4)]
        return [status for status, _, _ in answers]

    first, *again = asyncio.run(asked())
    assert first == 201 and again[0] == 409 and 201 in again
    door.cloud.store.close()


def test_a_commit_that_fails_is_no_answer(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(door.cloud.store, "commit", full)
        status, body, _ = asyncio.run(door.ask("PUT", f"{TABLES}/t", BODY))
    assert status == 500 and "no space left" in body["error"]["message"]
    assert asyncio.run(door.ask("GET", f"{TABLES}/t"))[0] == 200


def test_under_writes_without_a_pause_the_log_begins_anew_when_it_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a transaction is open whenever the log is carried over, so that it is never done with all."""
    store = Store(tmp_path / "lab.db")
    carry, longest = store.carried_over_apart(), 60 * 4096
    bytes_in_log, written = [], 0

    def carried_and_written() -> int:
        nonlocal written
        store.write("INSERT INTO rows(tbl, key, value) VALUES ('s', ?, ?)", (f"{written:06}", dumps("x" * 3_000)))
        bytes_in_log.append(carry())
        store.commit()
        written += 1
        return bytes_in_log[-1]

    monkeypatch.setattr(store, "carried_over_apart", lambda: carried_and_written)
    monkeypatch.setattr(carrying, "PAUSE", 0.0)
    monkeypatch.setattr(carrying, "LONGEST_LOG", longest)

    async def until_there_is_much() -> None:
        carrier = asyncio.create_task(carrying.carry_over(store))
        while written < 200 and not carrier.done():
            await asyncio.sleep(0.001)
        carrier.cancel()
        await asyncio.gather(carrier, return_exceptions=True)

    asyncio.run(until_there_is_much())
    assert longest < max(bytes_in_log) < 2 * longest
    store.close()
    again = Store(tmp_path / "lab.db")
    assert list(again.shelf("s")) == [f"{number:06}" for number in range(written)]
    again.close()


class Knot:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture
def at_work() -> Iterator[Collecting]:
    found = Collecting()
    yield found
    found.stop()
    assert gc.isenabled() and gc.get_freeze_count() == 0


def test_young_garbage_goes_with_the_next_portion(at_work: Collecting) -> None:
    knot = weakref.ref(Knot())
    assert not gc.isenabled() and knot() is not None
    for _ in range(collecting.PORTION):
        at_work.answered()
    assert knot() is None


def test_old_garbage_goes_when_the_lab_is_idle_and_not_before(at_work: Collecting) -> None:
    held = Knot()
    knot = weakref.ref(held)
    for _ in range(collecting.WORTH):
        at_work.answered()
    del held
    at_work.look()
    assert knot() is not None, "somebody was answered in this second"
    at_work.look()
    assert knot() is None


def test_old_garbage_of_a_lab_that_nobody_asks_goes_too(at_work: Collecting) -> None:
    held = Knot()
    knot = weakref.ref(held)
    gc.collect(0)
    del held
    for _ in range(collecting.LOOKS):
        at_work.look()
    assert knot() is None


def test_routes_written_one_by_one_move_their_tables_etag_once_each(tmp_path: Path) -> None:
    """Revisions are written with the commit; a lab opened again counts on from the same."""
    lab = Lab(tmp_path / "lab.db")
    table = net("rt", kind="routeTables")
    lab.made(table, BODY)
    etags = [lab.body(table)["etag"]]
    for number in range(3):
        properties = {"addressPrefix": f"10.{number}.0.0/16", "nextHopType": "Internet"}
        lab.made(f"{table}/routes/r{number}", {"properties": properties})
        etags.append(lab.body(table)["etag"])
    assert len(set(etags)) == 4
    key = table.lower()
    rev = lab.cloud.bodies.rev(key)
    lab.cloud.store.close()
    again = Lab(tmp_path / "lab.db", groups={})
    assert again.cloud.bodies.rev(key) == rev and again.body(table)["etag"] == etags[-1]
    again.cloud.store.close()
