"""`GET|POST /_lab/durations`: how long things take in this lab, to read and to change (`lab/durations.py`).

    GET   {"value": [{"name", "seconds", "spread", "changed"}]}
    POST  {"name": "virtualNetworkGateways.put", "seconds": 60, "spread": 0.1?}    from the next one on
    POST  {"name": ..., "reset": true} | {"reset": true}                as farshore.yaml and the table have it

An answer to a POST is the table as it is then. What is under way keeps its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.errors import InputError
from farshore.lab.answers import bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.durations import DURATIONS, row_of
from farshore.lab.registry import handle

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "durations"


@handle("GET", "_lab/durations")
def show(call: Call) -> Response:
    return Response(status=200, body=_shown(call.cloud))


@handle("POST", "_lab/durations")
def change(call: Call) -> Response:
    wanted, told = call.object(), call.cloud.table(TABLE)
    name = wanted.get("name")
    if name is not None and not isinstance(name, str):
        raise bad_request("InvalidDuration", f"name is a text, not {quoted(name)}.")
    if name is not None and name not in DURATIONS:
        _row(name, 0, None)
    if wanted.get("reset") is True:
        for key in [key for key in told if name in (None, key)]:
            del told[key]
    elif name is None:
        raise bad_request("InvalidDuration", 'Say name and seconds, or "reset": true.')
    else:
        told[name] = list(_row(name, wanted.get("seconds"), wanted.get("spread")))
    return Response(status=200, body=_shown(call.cloud))


def _row(name: str, seconds: Any, spread: Any) -> tuple[float, float]:
    numbers = [seconds] if spread is None else [seconds, spread]
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in numbers):
        raise bad_request("InvalidDuration", f"{name}: seconds and spread are numbers, not {quoted(numbers)}.")
    try:
        return row_of(name, seconds, spread)
    except InputError as error:
        said = f"{error.message}: {quoted(error.value)} is not {error.expected}."
        raise bad_request("InvalidDuration", f"{said} {error.remedy or ''}".strip()) from None


def _shown(cloud: Cloud) -> dict[str, Any]:
    rows = []
    for name, usual in DURATIONS.items():
        seconds, spread = cloud.typical(name)
        changed = (seconds, spread) != usual
        rows.append({"name": name, "seconds": seconds, "spread": spread, "changed": changed})
    return {"value": rows}
