"""Every operation that was recorded on real Azure, followed again: the same URLs, as often, to the same end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from farshore.arm.http import Response
from farshore.azure.lro import follow, pending_of
from run.talk import NOW, hold

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data") / "recordings"
FILES = sorted(DATA.glob("*.jsonl"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One write that took time, and the polls of its operation."""

    name: str
    method: str
    accepted: Response
    polls: tuple[Response, ...]
    result: Response | None
    """What was read from Location after the status document had said Succeeded."""


def _short(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}".lower()


def _response(row: dict[str, Any]) -> Response:
    headers = {name.lower(): value for name, value in row["response_headers"].items()}
    return Response(status=row["status"], headers=headers, body=row["response_body"])


@cache
def recorded(path: Path) -> tuple[Recorded, ...]:
    return tuple(_recorded(path))


def _recorded(path: Path) -> Iterator[Recorded]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for index, row in enumerate(rows):
        if row["method"] == "GET" or row["status"] >= 400:
            continue
        accepted = _response(row)
        pending = pending_of(accepted)
        polled = pending.operation or pending.location
        if polled is None:
            continue
        polls: list[Response] = []
        result: Response | None = None
        for later in rows[index + 1 :]:
            if later["method"] != "GET":
                continue
            if _short(later["url"]) == _short(polled):
                polls += [_response(later)] * later.get("repeats", 1)
            elif pending.location is not None and _short(later["url"]) == _short(pending.location):
                result = _response(later)
        if polls:
            name = f"{row['seq']}-{row['method']}-{urlsplit(row['url']).path.rsplit('/', 1)[-1]}"
            yield Recorded(name=name, method=row["method"], accepted=accepted, polls=tuple(polls), result=result)


@pytest.mark.skipif(not FILES, reason="no recordings: FARSHORE_REAL_DATA names the folder that holds them")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_operation_is_followed_as_it_was(path: Path) -> None:
    for operation in recorded(path):
        asked_for = operation.method == "POST" and operation.result is not None
        script = [*operation.polls, *([operation.result] if asked_for and operation.result else [])]
        held = hold(follow(operation.accepted, since=NOW, result=asked_for), script)
        last = operation.polls[-1].body
        if isinstance(last, dict) and last.get("status") == "Failed":
            assert held.code == last["error"]["code"], operation.name
            continue
        assert held.error is None, f"{operation.name}: {held.error}"
        assert len(held.requests) == len(script), operation.name
        pending = pending_of(operation.accepted)
        assert held.requests[0].url == (pending.operation or pending.location)
        if asked_for and pending.operation is not None:
            assert held.requests[-1].url == pending.location
            assert held.result.body == (operation.result or operation.polls[-1]).body
        assert not any(request.body for request in held.requests)


@pytest.mark.skipif(not FILES, reason="no recordings: FARSHORE_REAL_DATA names the folder that holds them")
def test_the_recordings_hold_every_pattern() -> None:
    """So that the test above can't pass on nothing."""
    kinds = {
        (item.method, bool(pending_of(item.accepted).operation), bool(pending_of(item.accepted).location))
        for path in FILES
        for item in recorded(path)
    }
    assert {("PUT", True, False), ("DELETE", True, True), ("POST", False, True), ("POST", True, True)} <= kinds
    assert sum(len(recorded(path)) for path in FILES) > 100
