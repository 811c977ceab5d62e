"""read_circuit: what both links of a circuit really know (E11), polled until it is what the plan expects.

`connectionStatus` is no proof of reachability; the circuit's route tables are (E36). Silence is "not yet".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.json import Body
from farshore.arm.versions import NETWORK
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import follow
from farshore.errors import ArmError, Fault, TransportError
from farshore.run.events import iso
from farshore.run.verbs.base import Looked, Present, Situation, Talk, Verb

POLL = timedelta(seconds=10)
SHORT = timedelta(seconds=8)


class ReadCircuit(Verb):
    name = "read_circuit"

    def look(self, situation: Situation) -> Talk[Looked]:
        patience = timedelta(seconds=float(situation.arguments.get("patience_seconds", 600)))
        result = yield from until_shown([situation.arguments["expect"]], situation.now, patience)
        return Present(result=result)


def until_shown(expected: Sequence[Mapping[str, Any]], since: datetime, patience: timedelta) -> Talk[Mapping[str, Any]]:
    """Poll circuits until each shows what is expected of it; an `ArmError` says what it showed last."""
    while True:
        wrong = yield from not_shown(expected)
        now = yield from pause(timedelta(0))
        if not wrong:
            return {"ended_at": iso(now)}
        if now - since >= patience:
            raise ArmError(Fault(code="CircuitShowsOtherwise", message="; ".join(wrong)))
        yield from pause(POLL, since)


def not_shown(expected: Sequence[Mapping[str, Any]]) -> Talk[list[str]]:
    """What is not as expected, in sentences; empty when all is."""
    wrong: list[str] = []
    for expect in expected:
        for link in expect["links"]:
            rows = yield from table(str(expect["circuit"]), str(link))
            wrong += _differences(expect, str(link), rows)
    return wrong


def table(circuit: str, link: str) -> Talk[list[Body] | None]:
    """The rows of one link's route table; None where nothing answers."""
    url = f"{circuit}/peerings/AzurePrivatePeering/routeTables/{link}?api-version={NETWORK}"
    try:
        response: Response = yield from ask(Request(method="POST", url=url, timeout=SHORT))
        if not response.ok:
            return None
        now = yield from pause(timedelta(0))
        final = yield from follow(response, since=now, result=True)
    except (TransportError, ArmError):
        return None
    value = final.body.get("value") if isinstance(final.body, dict) else None
    return value if isinstance(value, list) else None


def _differences(expect: Mapping[str, Any], link: str, rows: list[Body] | None) -> list[str]:
    name = str(expect["circuit"]).rsplit("/", 1)[-1]
    if rows is None:
        return [f"the {link} link of {name} does not answer"]
    known = {ip_network(str(row["network"]), strict=False): row for row in rows if row.get("network")}
    wrong = [
        f"{prefix} is not in the {link} table of {name}" for prefix in expect["present"] if _net(prefix) not in known
    ]
    wrong += [
        f"{prefix} is still in the {link} table of {name}" for prefix in expect["absent"] if _net(prefix) in known
    ]
    for prefix, length in expect["minimum_path_length"].items():
        row = known.get(_net(prefix))
        path = "" if row is None else str(row.get("path") or "")
        if len(path.replace("-", " ").split()) < int(length):
            wrong.append(f"{prefix} has the path '{path}' in the {link} table of {name}, {length} hops were expected")
    return wrong


def _net(text: object) -> Any:
    return ip_network(str(text), strict=False)
