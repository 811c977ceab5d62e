"""`await_region`: the guard's watch, until a lost region gives a first sign of life. It never gives up.

Signs are an answer of its ARM for a resource located there, whatever it says, or a row of its prefixes in the
circuit's tables. With `rows: more`, where the target announces the same prefixes to the same circuit, it is a row
that was not there when the watch began. Both are asked at least every `interval_seconds`. A circuit's table takes
seconds to be read, so it is asked for first, then ARM with little patience, then the table is fetched; one that is
slow is fetched in the next round. Patience is shared out so that silence on all sides still ends within the round.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import resource_id
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import NO_ANSWER_YET, pending_of
from farshore.errors import TransportError
from farshore.run.verbs.base import Looked, Present, Situation, Talk, Verb, url
from farshore.run.verbs.circuits import rows_of, table_request
from farshore.times import stamp

PROBE = timedelta(seconds=4)
"""For ARM of the lost region."""
FETCH = timedelta(seconds=2)
"""For the circuit's: between two fetches of a table, and for each answer."""
LEAST = timedelta(seconds=1)
LINKS = ("primary", "secondary")


class AwaitRegion(Verb):
    name = "await_region"

    def look(self, situation: Situation) -> Talk[Looked]:
        arguments = situation.arguments
        probe = Request(method="GET", url=url(resource_id(str(arguments["probe"]))), repeatable=False, timeout=PROBE)
        interval = timedelta(seconds=float(arguments.get("interval_seconds", 10)))
        circuit = None if arguments.get("circuit") is None else resource_id(str(arguments["circuit"]))
        tables = _Tables(arguments)
        now = situation.now
        while True:
            round_ends = now + interval
            if circuit is not None:
                for link in LINKS:
                    if link not in tables.asked:
                        tables.accept(link, (yield from _try(_short(table_request(circuit, link), FETCH))))
            answer = yield from _try(probe)
            if answer is not None and answer.status not in NO_ANSWER_YET:
                return _seen((yield from pause(timedelta(0))), "arm", f"{answer.status}")
            while tables.asked:
                left = round_ends - (yield from pause(FETCH))
                if left < LEAST * len(tables.asked):
                    break
                patience = min(FETCH, left / len(tables.asked))
                for link, address in list(tables.asked.items()):
                    tables.accept(link, (yield from _try(_short(Request(method="GET", url=address), patience))))
                if tables.new is not None:
                    return _seen((yield from pause(timedelta(0))), "circuit", tables.new)
            now = yield from pause(interval, situation.intended_at)


class _Tables:
    """The links' tables as they come in: which are asked for, what was there at first, and what is new."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.asked: dict[str, str] = {}
        self.new: str | None = None
        self._prefixes = {str(prefix) for prefix in arguments["prefixes"]}
        self._more = arguments.get("rows", "any") == "more"
        self._first: dict[str, set[tuple[str, str, str]]] = {}

    def accept(self, link: str, answer: Response | None) -> None:
        if answer is None or not answer.ok:
            self.asked.pop(link, None)
            return
        if answer.status == 202:
            pending = pending_of(answer)
            address = pending.location or pending.operation or self.asked.get(link)
            if address is not None:
                self.asked[link] = address
            return
        self.asked.pop(link, None)
        rows = {
            (str(row.get("network")), str(row.get("nextHop")), str(row.get("path")))
            for row in rows_of(answer)
            if str(row.get("network")) in self._prefixes
        }
        fresh = rows - self._first.setdefault(link, rows if self._more else set())
        if fresh:
            network, hop, _ = min(fresh)
            self.new = f"{network} via {hop} on the {link} link"


def _try(request: Request) -> Talk[Response | None]:
    try:
        return (yield from ask(request))
    except TransportError:
        return None


def _short(request: Request, patience: timedelta) -> Request:
    return Request(method=request.method, url=request.url, repeatable=False, timeout=patience)


def _seen(now: datetime, by: str, what: str) -> Looked:
    return Present(result={"answered_at": stamp(now), "by": by, "what": what, "ended_at": stamp(now)})
