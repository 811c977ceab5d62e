"""check_routes: a running machine's effective routes (R10), against those that were proven.

Every expected Active row must be there, and no other Active row may catch its traffic: none with the same prefix and
another next hop. Without expected rows the table is read and has to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from farshore.arm.http import Request, checked
from farshore.arm.json import Body
from farshore.arm.versions import NETWORK
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import follow
from farshore.errors import ArmError, Fault, TransportError
from farshore.run.verbs.base import Looked, Present, Situation, Talk, Verb

PATIENCE = timedelta(minutes=10)
POLL = timedelta(seconds=20)


class CheckRoutes(Verb):
    name = "check_routes"

    def look(self, situation: Situation) -> Talk[Looked]:
        nic = str(situation.arguments["nic"])
        while True:
            fault: Fault = Fault(code="NoAnswer", message=f"the effective routes of {nic} are not answered")
            try:
                rows = yield from _table(nic)
                wrong = differences(situation.arguments["rows"], rows)
                if not wrong:
                    return Present(result={"rows": len(rows)})
                fault = Fault(code="OtherRoutes", message=f"{nic}: " + "; ".join(wrong))
            except ArmError as error:
                fault = error.fault
            except TransportError:
                pass
            now = yield from pause(POLL, situation.now)
            if now - situation.now > PATIENCE:
                raise ArmError(fault)


def differences(expected: list[Mapping[str, Any]], rows: list[Body]) -> list[str]:
    """What a table lacks, or has besides, in sentences."""
    active: dict[Any, set[tuple[str, tuple[str, ...]]]] = {}
    for row in rows:
        if str(row.get("state")).lower() == "active":
            for prefix in row.get("addressPrefix") or ():
                hops = tuple(sorted(str(hop) for hop in row.get("nextHopIpAddress") or ()))
                active.setdefault(ip_network(prefix), set()).add((str(row.get("nextHopType")).lower(), hops))
    wrong = []
    for row in expected:
        network = ip_network(str(row["prefix"]))
        hops = tuple(sorted(str(hop) for hop in row.get("next_hop_ip_addresses") or ()))
        kind = str(row["next_hop_type"])
        found = active.get(network)
        if not found or not any(
            held[0] == kind.lower() and set(hops) <= set(held[1]) | set(hops if not held[1] else ()) for held in found
        ):
            there = (
                "nothing"
                if not found
                else ", ".join(f"{held[0]} {' '.join(held[1])}".strip() for held in sorted(found))
            )
            wrong.append(f"{network} should go to {kind} {' '.join(hops)}".strip() + f" and goes to {there}")
    return wrong


def _table(nic: str) -> Talk[list[Body]]:
    request = Request(method="POST", url=f"{nic}/effectiveRouteTable?api-version={NETWORK}")
    response = checked((yield from ask(request)), request)
    now = yield from pause(timedelta(0))
    final = yield from follow(response, since=now, result=True)
    value = final.body.get("value") if isinstance(final.body, dict) else None
    if not isinstance(value, list):
        raise TransportError(f"{request}: the answer holds no rows")
    return value
