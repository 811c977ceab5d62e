"""Every fact of routing is tested by a test that names it, in its name or in its docstring; the others are listed here,
each with where it counts instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent.parent
FACTS = [*(f"R{number}" for number in range(1, 51)), *(f"E{number}" for number in range(1, 49))]
NO_ROUTE = {
    "E1": "names of properties: arm/network.py reads them",
    "E3": "bandwidths: assess and the plan",
    "E11": "how Azure is asked for its tables: the client's and the lab's",
    "E18": "geography: assess, from a table of its own",
    "E19": "geography: assess, from a table of its own",
    "E20": "names of properties: arm/network.py reads them",
    "E23": "the size of a GatewaySubnet: assess",
    "E29": "packet size",
    "E30": "failover tests of a gateway: operations",
    "E31": "FastPath: assess; data skips the gateway, routes are the same",
    "E32": "names of properties: arm/network.py reads them",
    "E36": "a delete needs the region's control plane: the plan and the proof (D62)",
    "E37": "how long a connection takes: the lab's table",
}

ELSEWHERE = {
    "R10": "how Azure is asked for a table: the lab's tests",
    "R34": "limits: tests/assess/test_limits.py",
    "R41": "limits: tests/assess/test_limits.py",
}
"""Facts of R that are no business of the engine, and whose tests are not beside its own."""


def _named(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            text = f"{node.name.replace('_', ' ')} {ast.get_docstring(node) or ''}"
            yield from (found.upper() for found in re.findall(r"\b([re]\d+)\b", text, re.IGNORECASE))


def test_every_routing_fact_is_named_by_a_test_of_its_own() -> None:
    named = {fact for path in TESTS.rglob("*.py") for fact in _named(path)}
    missing = [fact for fact in FACTS if fact not in named and fact not in NO_ROUTE]
    assert not missing, f"no test names {', '.join(missing)}"
    idle = sorted(set(NO_ROUTE) & named)
    assert not idle, f"listed as untested, and a test names them: {', '.join(idle)}"


def test_every_fact_of_r_is_tested_on_the_engine_itself() -> None:
    named = {fact for path in Path(__file__).parent.rglob("*.py") for fact in _named(path)}
    missing = [fact for fact in FACTS if fact[0] == "R" and fact not in named and fact not in ELSEWHERE]
    assert not missing, f"no test of the engine names {', '.join(missing)}"
    assert not set(ELSEWHERE) & named
