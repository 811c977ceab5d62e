"""await_region: the guard's watch for a lost region's first sign of life (D63, D64). It never gives up.

Every interval it asks ARM for a resource of the region, and has one question open at the circuit's tables: the last
one's answer is read and the next one asked. So neither is asked less often than the interval, though a lost region
answers nothing and a route table takes seconds. Whichever speaks first ends the watch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.arm.versions import NETWORK, api_version
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import Pending, pending_of, running
from farshore.errors import ArmError, TransportError
from farshore.run.events import iso
from farshore.run.verbs.base import Looked, Present, Situation, Talk, Verb

SHORT = timedelta(seconds=3)


class AwaitRegion(Verb):
    name = "await_region"

    def look(self, situation: Situation) -> Talk[Looked]:
        arguments = situation.arguments
        interval = timedelta(seconds=float(arguments["interval_seconds"]))
        tables = [] if arguments["circuit"] is None else [_Table(arguments, link) for link in ("primary", "secondary")]
        while True:
            if (yield from _arm_answers(str(arguments["probe"]))):
                by = "arm"
                break
            shown = False
            for one in tables:
                shown = (yield from one.shows()) or shown
            if shown:
                by = "circuit"
                break
            yield from pause(interval, situation.now)
        now = yield from pause(timedelta(0))
        return Present(result={"answered_at": iso(now), "by": by})


def _arm_answers(probe: str) -> Talk[bool]:
    """Whether the region's control plane says anything of its own about a resource in it."""
    url = f"{probe}?api-version={api_version(resource_id(probe).type)}"
    try:
        response: Response = yield from ask(Request(method="GET", url=url, timeout=SHORT))
    except TransportError:
        return False
    return response.status < 500 and response.status != 429


class _Table:
    """One link's route table, with one question open at a time."""

    def __init__(self, arguments: Mapping[str, Any], link: str) -> None:
        peering = f"{arguments['circuit']}/peerings/AzurePrivatePeering"
        self._url = f"{peering}/routeTables/{link}?api-version={NETWORK}"
        self._prefixes = {ip_network(str(prefix)) for prefix in arguments["prefixes"]}
        self._more = arguments.get("rows", "any") == "more"
        self._first: Counter[Any] | None = None
        self._open: Pending | None = None

    def shows(self) -> Talk[bool]:
        rows = yield from self._answer()
        if rows is None:
            return False
        seen = Counter(
            network
            for row in rows
            if row.get("network") and (network := ip_network(str(row["network"]), strict=False)) in self._prefixes
        )
        if not self._more:
            return bool(seen)
        if self._first is None:
            # What the target itself announces to this circuit: a sign of life is more than that.
            self._first = seen
        return any(count > self._first[network] for network, count in seen.items())

    def _answer(self) -> Talk[list[Body] | None]:
        """The rows, if the open question has been answered; a new question where none is open."""
        try:
            if self._open is None:
                response = yield from ask(Request(method="POST", url=self._url, timeout=SHORT))
                self._open = pending_of(response) if response.ok else None
                if not response.ok or self._open:
                    return None
            else:
                where = self._open.location or self._open.operation
                response = yield from ask(Request(method="GET", url=str(where), timeout=SHORT))
                if not response.ok or running(response):
                    self._open = self._open if response.ok else None
                    return None
        except (TransportError, ArmError):
            self._open = None
            return None
        self._open = None
        value = response.body.get("value") if isinstance(response.body, dict) else None
        return value if isinstance(value, list) else None
