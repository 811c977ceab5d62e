"""The lab's outside handles (docs/guide/lab.md), through the same client as everything else.

They are what a person beside the lab can do: turn the clock, break things, send a packet, look at what machines
wrote. Verbs that also work on Azure never use them; the exercise does, to bring the disaster and to witness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlencode

from farshore.arm.http import Request, Response, checked
from farshore.arm.ids import resource_id
from farshore.arm.versions import api_version
from farshore.clock import Clock
from farshore.run.probers import SocketProber
from farshore.run.verbs.base import Connect, Execute, Probed
from farshore.times import moment


class Sender(Protocol):
    """What sends a request: the client."""

    async def send(self, request: Request) -> Response: ...


class Handles:
    """Typed by name only: answers are the lab's JSON."""

    def __init__(self, client: Sender) -> None:
        self._client = client

    async def get(self, path: str, **query: str) -> Any:
        url = f"/_lab/{path}" + (f"?{urlencode(query)}" if query else "")
        request = Request(method="GET", url=url)
        return checked(await self._client.send(request), request).body

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        request = Request(method="POST", url=f"/_lab/{path}", body=dict(body))
        return checked(await self._client.send(request), request).body

    async def all(self, path: str, **query: str) -> list[Any]:
        """Every item of a paged list."""
        body = await self.get(path, **query)
        items = list(body["value"])
        while link := body.get("nextLink"):
            request = Request(method="GET", url=link)
            body = checked(await self._client.send(request), request).body
            items += body["value"]
        return items

    async def fault(self, kind: str, **arguments: Any) -> Any:
        """Break something, or give it back, now or `at` a time."""
        return await self.post("faults", {"kind": kind, **arguments})

    async def site(self, site: str, routers: Sequence[Mapping[str, Any]], *, by: str | None = None) -> Any:
        """Have a site's routers changed: by a program at once, `by="person"` as people do it."""
        said = {} if by is None else {"by": by}
        return await self.post("sites", {"site": site, "routers": [dict(router) for router in routers], **said})


class LabSite:
    """The people at a lab site: they do what a site step says (run's `SiteActuator`)."""

    def __init__(self, handles: Handles, clock: Clock, *, person: bool) -> None:
        self._handles = handles
        self._clock = clock
        self._person = person
        """Whether people change the routers here: they say done when it is done."""

    async def apply(self, site: str, routers: Sequence[Mapping[str, Any]]) -> None:
        answer = await self._handles.site(site, routers, by="person" if self._person else None)
        if self._person:
            await self._clock.sleep(moment(str(answer["by"])) - self._clock.now(), "a person")


class LabNames:
    """Changes records in a lab as an order says (run's `NameActuator`), through ARM: a program of the user's is for
    zones that are real."""

    def __init__(self, client: Sender) -> None:
        self._client = client

    async def rename(self, order: Mapping[str, Any]) -> None:
        for row in order["records"]:
            id_ = resource_id(str(row["record"]))
            url = f"{id_.text}?api-version={api_version(id_.type)}"
            shown = await self._client.send(Request(method="GET", url=url))
            if not shown.ok:
                continue
            body = dict(shown.body)
            said = dict(body.get("properties") or {})
            key = "ARecords" if "ARecords" in said else "aRecords"
            kept = [entry for entry in said.get(key) or () if entry.get("ipv4Address") not in (row["from"], row["to"])]
            said[key] = [*kept, {"ipv4Address": row["to"]}]
            request = Request(method="PUT", url=url, body={**body, "properties": said}, repeatable=True)
            checked(await self._client.send(request), request)


class LabProber(SocketProber):
    """Probes of a lab's machines (run's `Prober`): no real network leads to them, so the lab sends a packet from a
    site, and its reply has to come back. A lab's machine listens on every port and answers every GET with 200."""

    def __init__(self, handles: Handles, site: str) -> None:
        self._handles, self._site = handles, site

    async def connect(self, order: Connect) -> Probed:
        packet = {"from": self._site, "to": order.address, "protocol": "tcp", "port": order.port}
        told = await self._handles.post("packets", packet)
        arrived = told["disposition"] == "Delivered"
        said = f"{told['disposition']}: {told['because']}"
        if arrived:
            taken = told["answered_by"] or {}
            who = str(taken.get("machine") or taken.get("nic") or "a site").rsplit("/", 1)[-1]
            said = f"{who} took it, and its reply came back" + (", with old data" if taken.get("stale") else "")
            said += "" if order.get is None else "; HTTP 200, as every machine of a lab answers"
        status = None if not arrived else 0 if order.get is None else 200
        return Probed(status=status, said=said, asked_from=f"site {self._site}, in the lab's data plane")

    async def execute(self, order: Execute) -> Probed:
        return await super().execute(replace(order, environment={**order.environment, "FARSHORE_LAB": "1"}))
