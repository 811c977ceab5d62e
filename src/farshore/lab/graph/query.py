"""POST /providers/Microsoft.ResourceGraph/resources: a query, its answer in pages, and refusals (L14).

A page holds 100 rows unless `$top` says otherwise, at most 1,000. Where the answer has ids there is a `$skipToken` for
the next page; without ids it is cut, and `resultTruncated` says so. In Azure the data is eventually consistent; here it
is what there is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.answers import Refused, not_implemented
from farshore.lab.call import Call
from farshore.lab.graph import functions, tables
from farshore.lab.graph.facets import facets
from farshore.lab.graph.operators import Runner, Table
from farshore.lab.graph.pipeline import parse
from farshore.lab.graph.syntax import QueryError
from farshore.lab.registry import tenant
from farshore.times import moment, stamp

DEFAULT, MOST = 100, 1_000
QUOTA, WINDOW = 15, timedelta(seconds=5)
"""Queries of one user in that time (L14)."""
_TABLE = "graph.quota"
_KINDS = ((bool, "boolean"), (int, "integer"), (float, "number"), (dict, "object"), (list, "object"))


@tenant("POST", "providers/Microsoft.ResourceGraph/resources")
def resources(call: Call) -> Response:
    if call.rest:
        raise not_implemented(f"POST /providers/Microsoft.ResourceGraph/resources/{call.rest}")
    headers = _quota(call)
    body = call.object()
    query = body.get("query")
    if not isinstance(query, str):
        raise _bad("InvalidQuery", "The query is not a text.")
    if body.get("managementGroups"):
        raise not_implemented("queries over management groups")
    wanted = _subscriptions(body.get("subscriptions"))
    options = body.get("options") if isinstance(body.get("options"), dict) else {}
    assert isinstance(options, dict)
    try:
        found = Runner(lambda name, at: tables.table(call, name, at, wanted), call.cloud.now).run(parse(query))
    except QueryError as error:
        raise _refused(query, error) from None
    except RecursionError:
        raise _bad("InvalidQuery", "The query is nested too deeply.") from None
    answer = _page(found, options) | {"facets": facets(body.get("facets"), found, _shown, _bad)}
    return Response(status=200, headers=headers, body=answer)


def _page(found: Table, options: Body) -> Body:
    top, skip = _number(options, "$top", DEFAULT), _number(options, "$skip", 0)
    if not 1 <= top <= MOST:
        raise _bad("InvalidTop", f"$top is 1 to {MOST}, not {top}.")
    token = options.get("$skipToken")
    if token is not None:
        if not isinstance(token, str) or not token.startswith("lab-") or not token[4:].isdecimal():
            raise _bad("InvalidSkipToken", f"'{token}' is no skip token.")
        skip = int(token[4:][:12])
    form = options.get("resultFormat") or "objectArray"
    if not isinstance(form, str) or form.lower() not in ("objectarray", "table"):
        raise _bad("InvalidResultFormat", f"resultFormat is objectArray or table, not '{form}'.")
    rows = found.rows[skip : skip + top]
    more = len(found.rows) > skip + top
    pages = "id" in found.columns
    answer: Body = {
        "totalRecords": len(found.rows),
        "count": len(rows),
        "data": _table(found, rows) if form.lower() == "table" else _objects(found, rows),
        "facets": [],
        "resultTruncated": "true" if more and not pages else "false",
    }
    if more and pages:
        answer["$skipToken"] = f"lab-{skip + top}"
    return answer


def _objects(found: Table, rows: list[dict[str, Any]]) -> list[Body]:
    return [{name: _shown(row.get(name)) for name in found.columns} for row in rows]


def _table(found: Table, rows: list[dict[str, Any]]) -> Body:
    columns = [{"name": name, "type": _kind([row.get(name) for row in rows])} for name in found.columns]
    return {"columns": columns, "rows": [[_shown(row.get(name)) for name in found.columns] for row in rows]}


def _kind(values: list[Any]) -> str:
    value = next((value for value in values if value is not None), None)
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "string")


def _shown(value: Any) -> Any:
    return functions.text(value) if isinstance(value, datetime | timedelta) else value


def _number(options: Body, name: str, default: int) -> int:
    value = options.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _bad("InvalidOptions", f"{name} is a number, not '{value}'.")
    return value


def _subscriptions(said: Any) -> frozenset[str] | None:
    if said is None:
        return None
    if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
        raise _bad("InvalidSubscriptions", "The subscriptions are a list of texts.")
    return frozenset(text.lower() for text in said) or None


def _quota(call: Call) -> dict[str, str]:
    """One of the caller's queries, or 429."""
    cloud, table = call.cloud, call.cloud.table(_TABLE)
    if not cloud.settings.throttling:
        return {"x-ms-user-quota-remaining": str(QUOTA), "x-ms-user-quota-resets-after": "00:00:00"}
    who = call.caller.object_id or "owner"
    row = table.get(who)
    if row is None or cloud.now - moment(row["since"]) >= WINDOW:
        row = {"since": stamp(cloud.now), "count": 0}
    left = max(0, round((moment(row["since"]) + WINDOW - cloud.now).total_seconds()))
    if row["count"] >= QUOTA:
        raise Refused(
            429,
            "RateLimiting",
            "Client application has been throttled and should not attempt to repeat the request until an amount of "
            "time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help.",
            headers={"retry-after": str(max(1, left)), "x-ms-user-quota-remaining": "0"},
        )
    table[who] = {**row, "count": row["count"] + 1}
    return {
        "x-ms-user-quota-remaining": str(QUOTA - row["count"] - 1),
        "x-ms-user-quota-resets-after": f"00:00:{left:02d}",
    }


def _refused(query: str, error: QueryError) -> Refused:
    if error.missing:
        return not_implemented(f"{error.message} of Resource Graph's queries")
    before = query[: error.at]
    line, column = before.count("\n") + 1, error.at - (before.rfind("\n") + 1)
    where = {"line": line, "characterPositionInLine": column, "token": error.token}
    return _bad("ParserFailure", f"{error.message}, at line {line}, character {column}.", **where)


def _bad(code: str, message: str, **more: Any) -> Refused:
    """400 as Resource Graph says it: the reason is in the details."""
    details = [
        {
            "code": "InvalidQuery",
            "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and "
            "fix the error before retrying.",
        },
        {"code": code, "message": message, **more},
    ]
    return Refused(400, "BadRequest", f"The query can't be answered: {message}", details=details)
