"""What a circuit's own route tables say (E11): the one place where Azure can see what a site does, and what a lost
gateway no longer announces (D62). Both links of a circuit are asked, because they can differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from farshore.arm.http import Request, Response, checked
from farshore.arm.ids import ResourceId, resource_id
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import follow, pending_of
from farshore.errors import ArmError, Fault, TransportError
from farshore.run.verbs.base import BEAT, Talk, service_time, url

Rows = Sequence[Mapping[str, Any]]


def table_request(circuit: ResourceId, link: str) -> Request:
    """The POST that asks for one link's table."""
    peering = circuit.child("peerings", "AzurePrivatePeering")
    return Request(method="POST", url=url(peering, f"/routeTables/{link}"), repeatable=False)


def read_table(circuit: ResourceId, link: str, now: datetime) -> Talk[Response]:
    """One link's table, waited for."""
    request = table_request(circuit, link)
    response = checked((yield from ask(request)), request)
    return (yield from follow(response, since=now, result=True)) if pending_of(response) else response


def rows_of(response: Response) -> Rows:
    value = response.body.get("value") if isinstance(response.body, dict) else response.body
    return [row for row in value or () if isinstance(row, dict)]


def await_tables(
    expects: Sequence[Mapping[str, Any]], *, since: datetime, now: datetime, until: datetime, code: str, what: str
) -> Talk[dict[str, Any]]:
    """Read until every table shows what `expect_circuit` says; `ArmError` with what is missing after `until`."""
    while True:
        missing: list[str] = []
        tables: dict[str, Any] = {}
        ended: str | None = None
        for expect in expects:
            circuit = resource_id(str(expect["circuit"]))
            for link in expect["links"]:
                try:
                    answer = yield from read_table(circuit, str(link), now)
                except (ArmError, TransportError) as error:
                    # A circuit that is being changed refuses for a while; what it refuses for good is told at the end.
                    missing.append(f"{circuit.name} {link} was not read: {error}")
                    continue
                rows = rows_of(answer)
                ended = service_time(answer) or ended
                tables[f"{circuit.name}/{link}"] = [_short(row) for row in rows]
                missing += [f"{circuit.name} {link}: {text}" for text in differences(rows, expect)]
        if not missing:
            return {"tables": tables, **({} if ended is None else {"ended_at": ended})}
        now = yield from pause(BEAT, since)
        if now >= until:
            raise ArmError(Fault(code=code, message=f"{what}: {'; '.join(missing[:6])}"))


def differences(rows: Rows, expect: Mapping[str, Any]) -> list[str]:
    """What a table does not show as it should."""
    found: list[str] = []
    prefixes = {_prefix(row.get("network")) for row in rows}
    found += [f"{text} is not announced" for text in expect["present"] if _prefix(text) not in prefixes]
    found += [f"{text} is still announced" for text in expect["absent"] if _prefix(text) in prefixes]
    for text, least in expect["minimum_path_length"].items():
        lengths = [_length(row) for row in rows if _prefix(row.get("network")) == _prefix(text)]
        if lengths and min(lengths) < least:
            found.append(f"{text} has an AS path of {min(lengths)}, at least {least} was asked for")
    return found


def _prefix(text: object) -> str:
    try:
        return str(ip_network(str(text), strict=False))
    except ValueError:
        return str(text).lower()


def _length(row: Mapping[str, Any]) -> int:
    path = str(row.get("path") or "")
    return sum(part.isdecimal() for part in path.replace(",", " ").replace("-", " ").split())


def _short(row: Mapping[str, Any]) -> str:
    return f"{row.get('network')} via {row.get('nextHop')} path {row.get('path')}"
