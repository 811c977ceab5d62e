"""`check_routes`: a NIC's effective routes, read from Azure, are those that were proven (R10).

Every expected row must be there and Active, and no other Active row may catch traffic of one. Not compared, because
Azure alone decides them: reserved rows that drop (their list differs by region and time, R4) and service endpoints'
public prefixes (R5). Routes follow a change after a while, so this is tried for `PATIENCE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from farshore.arm.http import Request, Response, checked
from farshore.arm.ids import ResourceId, resource_id
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import follow, pending_of
from farshore.errors import ArmError, Fault, TransportError
from farshore.run.verbs.base import BEAT, Looked, Present, Situation, Talk, Verb, service_time, url

PATIENCE = timedelta(minutes=10)
NOT_COMPARED = frozenset({"none", "virtualnetworkserviceendpoint"})

Row = Mapping[str, Any]


class CheckRoutes(Verb):
    name = "check_routes"

    def look(self, situation: Situation) -> Talk[Looked]:
        nic = resource_id(str(situation.arguments["nic"]))
        now = situation.now
        while True:
            try:
                response = yield from _read(nic, now)
            except (ArmError, TransportError) as error:
                # A machine that is not up yet, a busy network, a lost answer: what stays so is told at the end.
                wrong = [f"they were not read: {error}"]
            else:
                shown = response.body.get("value") if isinstance(response.body, dict) else None
                rows = [row for row in shown or () if isinstance(row, dict)]
                wrong = differences(rows, situation.arguments["rows"])
                if not wrong:
                    ended = service_time(response)
                    return Present(result={"rows": len(rows), **({} if ended is None else {"ended_at": ended})})
            now = yield from pause(BEAT, situation.intended_at)
            if now - situation.now >= PATIENCE:
                raise ArmError(Fault(code="RoutesNotAsProven", message=f"{nic.short}: {'; '.join(wrong[:6])}"))


def _read(nic: ResourceId, now: datetime) -> Talk[Response]:
    request = Request(method="POST", url=url(nic, "/effectiveRouteTable"), repeatable=False)
    response = checked((yield from ask(request)), request)
    return (yield from follow(response, since=now, result=True)) if pending_of(response) else response


def differences(rows: Sequence[Row], expected: Sequence[Row]) -> list[str]:
    """What the effective routes have that was not expected, and the other way round."""
    if not expected:
        return []
    active: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        if str(row.get("state") or "Active").lower() == "active":
            hops = row.get("nextHopIpAddress") or ()
            for prefix in _each(row.get("addressPrefix")):
                key = _key(row.get("source"), prefix, row.get("nextHopType"))
                active.setdefault(key, set()).update(str(hop) for hop in _each(hops))
    wanted = {_key(row.get("source"), row["prefix"], row["next_hop_type"]): row for row in expected}
    wrong: list[str] = []
    for key, row in wanted.items():
        if key[2] in NOT_COMPARED:
            continue
        if key not in active:
            wrong.append(f"{row['prefix']} to {row['next_hop_type']} ({row.get('source')}) is not there")
        elif row.get("next_hop_ip_addresses") and set(row["next_hop_ip_addresses"]) != active[key]:
            hops, said = ", ".join(sorted(active[key])), ", ".join(row["next_hop_ip_addresses"])
            wrong.append(f"{row['prefix']} goes to {hops or 'nowhere'}, not to {said}")
    for source, prefix, kind in active:
        if kind not in NOT_COMPARED and (source, prefix, kind) not in wanted and _catches(prefix, expected):
            wrong.append(f"{prefix} to {kind} ({source}) was not expected")
    return wrong


def _catches(prefix: str, expected: Sequence[Row]) -> bool:
    """Whether a row takes traffic away from an expected one: it lies within it."""
    try:
        inside = ip_network(prefix)
    except ValueError:
        return False
    for row in expected:
        around = ip_network(row["prefix"], strict=False) if _is_network(row["prefix"]) else None
        if around is not None and around.version == inside.version and inside.subnet_of(around):  # type: ignore[arg-type]  # one version
            return True
    return False


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _each(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list | tuple) else (() if value is None else (value,))


def _key(source: Any, prefix: Any, kind: Any) -> tuple[str, str, str]:
    text = str(prefix)
    return str(source).lower(), str(ip_network(text, strict=False)) if _is_network(text) else text, str(kind).lower()
