"""Facets of a query: how often each value of a column stands in its answer.

An expression names columns of the answer, one or several; the most frequent values come first unless `sortOrder` says
`asc`, ten of them unless `$top` says otherwise. What names no column of the answer is told as an error beside the
others, and the query is answered all the same (recorded).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from farshore.arm.json import Body
from farshore.lab.answers import not_implemented
from farshore.lab.graph.operators import Table

MOST, DEFAULT = 1000, 10


def facets(
    asked: Any, found: Table, shown: Callable[[Any], Any], refuse: Callable[[str, str], Exception]
) -> list[Body]:
    """The answers to `facets` of a request's body. Raises what `refuse` makes of a code and a message."""
    if asked is None:
        return []
    if not isinstance(asked, list) or not all(isinstance(item, dict) for item in asked):
        raise refuse("InvalidFacets", "The facets are a list of objects.")
    return [_facet(item, found, shown, refuse) for item in asked]


def _facet(item: Body, found: Table, shown: Callable[[Any], Any], refuse: Callable[[str, str], Exception]) -> Body:
    expression, options = item.get("expression"), item.get("options") or {}
    if not isinstance(expression, str) or not isinstance(options, dict):
        raise refuse("InvalidFacetExpression", "A facet has an expression, and its options are an object.")
    if options.get("filter"):
        raise not_implemented("a filter of a facet")
    top = options.get("$top", DEFAULT)
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MOST:
        raise refuse("InvalidFacetOptions", f"$top of a facet is 1 to {MOST}, not {top!r}.")
    columns = [name.strip() for name in expression.split(",")]
    unknown = [name for name in columns if name not in found.columns]
    if unknown:
        return {"expression": expression, "errors": _errors(unknown, all(name in unknown for name in columns))} | {
            "resultType": "FacetError"
        }
    values = [{name: shown(row.get(name)) for name in columns} for row in found.rows]
    counted = Counter(json.dumps(value, sort_keys=True, default=str) for value in values)
    by_text = {json.dumps(value, sort_keys=True, default=str): value for value in values}
    rising = str(options.get("sortOrder") or "desc").lower() == "asc"
    ranked = sorted(counted, key=lambda text: (counted[text] if rising else -counted[text], text))
    data = [{**by_text[text], "count": counted[text]} for text in ranked[:top]]
    return {
        "expression": expression,
        "totalRecords": len(ranked),
        "count": len(data),
        "data": data,
        "resultType": "FacetResult",
    }


def _errors(unknown: list[str], all_of_them: bool) -> list[Body]:
    none = [{"code": "NoValidColumns", "message": "No valid columns in facet expression."}] if all_of_them else []
    return [*none, {"code": "InvalidColumnNames", "message": f"Invalid column names: [{', '.join(unknown)}]."}]
