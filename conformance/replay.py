"""A recording sent to a fresh lab.

Each row is sent in order, the lab's clock at the row's date. A lab needs its own time: a poll whose recorded answer
was the last is driven to its end, a read that shows a state is given the time to come to it, and what is added that
way is added to all later dates. A poll that was recorded as under way is not compared where the lab is done already.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from conformance import compare
from conformance.compare import Score
from conformance.names import Names
from conformance.recordings import Row, id_of, read
from conformance.scope import outside
from conformance.standing import Standing
from farshore.arm.http import Request, Response
from farshore.lab import Cloud, Settings, open_lab

PATIENCE = timedelta(hours=3)
"""How long a state of the recording is waited for."""
STATES = ("provisioningState", "protectionState", "status", "state")
UNDER_WAY = ("InProgress", "Updating", "Deleting", "Creating", "Running", "Accepted", "ResolvingDns")
Heard = Callable[[str, str, int], None]
"""Told the method, the URL and the status of every request that is sent."""


def replay(path: Path, heard: Heard | None = None) -> Score:
    """One recording against a fresh lab."""
    return _Replay(read(path), heard).score()


class _Replay:
    def __init__(self, rows: list[Row], heard: Heard | None) -> None:
        self._rows = rows
        self._heard = heard
        self._cloud: Cloud = open_lab(None, now=rows[0].date, settings=Settings(throttling=False))
        self._late = timedelta(0)
        self._names = Names(frozenset(row.segments[1].lower() for row in rows if len(row.segments) > 1))
        self._standing = Standing(self._cloud, rows, self._finish)
        self._score = Score()

    def score(self) -> Score:
        """All rows, sent and compared."""
        for row in self._rows:
            if outside(row.path) is not None:
                self._outside(row)
                continue
            if "$skiptoken" in row.query:
                # A page behind a link of the recording's own: the lab has no link like it.
                self._score.skipped += 1
                continue
            if row.method == "PUT" and (shown := _other_name(row)) is not None:
                self._names.scrubbed(row.path, shown)
            self._standing.before(row, self._now(row.date))
            first = row.id is not None and row.id.key in self._standing.seeded and row.method == "GET"
            listed = row.is_list and self._forget_shown(row)
            answer = self._answer(row)
            if first and row.id is not None:
                self._standing.seeded.discard(row.id.key)
            if first or listed:
                self._score.skipped += 1
                self._names.learn(row.body, answer.body)
            else:
                self._compare(row, answer)
            self._names.learn_headers(row.headers, dict(answer.headers))
            self._standing.after(row)
        return self._score

    def _now(self, date: datetime) -> datetime:
        return max(date + self._late, self._cloud.now)

    def _forget_shown(self, row: Row) -> bool:
        """Whether a list is the first to show something that was seeded."""
        keys = {str(item.get("id") or "").lower() for item in row.body["value"] if isinstance(item, dict)}
        met = keys & self._standing.seeded
        self._standing.seeded -= met
        return bool(met)

    def _send(self, row: Row, date: datetime) -> Response:
        headers = {"x-ms-client-request-id": row.where}
        request = Request(
            method=row.method, url=self._names.url(row.url), body=self._names.body(row.request_body), headers=headers
        )
        answer = self._cloud.handle(request, self._now(date))
        if self._heard is not None:
            self._heard(request.method, request.url, answer.status)
        return answer

    def _outside(self, row: Row) -> None:
        self._score.outside += 1
        answer = self._send(row, row.date)
        if answer.status != 501:
            compare.status(self._score, row.where, 501, answer.status, None)

    def _answer(self, row: Row) -> Response:
        """The answer that is compared: of a poll that ended the one that ends, of a read one in the recorded state."""
        answer = self._send(row, row.date)
        for at in range(1, min(row.repeats, 40)):
            date = row.date + (row.last_date - row.date) * at / max(1, row.repeats - 1)
            if row.method == "GET" and _is_under_way(row.status, row.body):
                self._send(row, date)
            else:
                answer = self._send(row, date)
        if row.method != "GET" or answer.status == 501:
            return answer
        deadline = self._cloud.now + PATIENCE
        began = self._cloud.now
        while not _agree(row, answer) and (due := self._cloud.next_due()) is not None and due <= deadline:
            self._cloud.advance(due)
            answer = self._send(row, row.date)
        self._late += max(timedelta(0), self._cloud.now - max(began, row.last_date + self._late))
        return answer

    def _finish(self, answer: Response) -> None:
        """Let an operation of ours come to its end."""
        url = answer.headers.get("azure-asyncoperation") or answer.headers.get("location")
        while url is not None:
            found = self._cloud.handle(Request(method="GET", url=url), self._cloud.now)
            due = self._cloud.next_due()
            if due is None or not _is_under_way(found.status, found.body):
                return
            self._cloud.advance(due)

    def _compare(self, row: Row, answer: Response) -> None:
        score = self._score
        error = answer.body.get("error") if isinstance(answer.body, dict) else None
        done_already = (
            row.method == "GET"
            and _is_under_way(row.status, row.body)
            and not _is_under_way(answer.status, answer.body)
        )
        if done_already and answer.status < 300:
            score.skipped += 1
            return
        right = compare.status(score, row.where, row.status, answer.status, error)
        if row.status >= 400:
            compare.code(score, row.where, row.body, answer.body)
            return
        if row.method != "GET" and right:
            compare.headers(score, row.where, row.headers, dict(answer.headers))
        if right:
            self._names.learn(row.body, answer.body)
        if row.body is not None and row.body != "":
            compare.bodies(score, row.where, row.body, answer.body if right else None)


def _other_name(row: Row) -> str | None:
    """The id that a PUT's answer shows, where its last name is not that of the path."""
    shown = id_of(str(row.body.get("id") or "")) if isinstance(row.body, dict) else None
    if shown is None or row.id is None or shown.type.lower() != row.id.type.lower() or shown == row.id:
        return None
    return shown.text


def _is_under_way(status: int, body: Any) -> bool:
    return status == 202 or any(found in UNDER_WAY for found in _states(body))


def _states(body: Any) -> list[Any]:
    """The states that a body shows of itself."""
    if not isinstance(body, dict):
        return []
    places = [place for place in (body, body.get("properties")) if isinstance(place, dict)]
    return [place[key] for place in places for key in STATES if key in place]


def _agree(row: Row, answer: Response) -> bool:
    """Whether waiting can't bring the lab nearer to the recorded answer."""
    if row.status == 202 or answer.status not in (200, 202, 204):
        return True
    if answer.status == 202:
        return False
    theirs, ours = _states(row.body), _states(answer.body)
    if row.is_poll or not theirs:
        return not (any(one in UNDER_WAY for one in ours) and not any(one in UNDER_WAY for one in theirs))
    return theirs == ours or (any(one in UNDER_WAY for one in theirs) and not any(one in UNDER_WAY for one in ours))
