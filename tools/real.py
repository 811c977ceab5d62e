"""Runs what rests on the real Azure and says how much of it ran: `make real`, `make conformance-az`, ...

    python tools/real.py                      every kind
    python tools/real.py python data          some

Kinds are Azure's own clients (its Python SDKs, its JavaScript SDKs, `az`), unmodified, on the lab; and measured tables
and recorded traffic against the engine and the lab (FARSHORE_REAL_DATA names the folder). Of each the cases, the checks
in them and the clients' calls are counted. A run in which a kind has no case that ran, or one that was skipped, is a
failure: a tool or data is missing, and it would have shown nothing.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVED = ("tests/real/test_javascript.py", "tests/real/test_az.py")
KINDS = {
    "python": ("Azure's Python clients", ("tests/real/",)),
    "js": ("Azure's JavaScript clients", SERVED[:1]),
    "az": ("az", SERVED[1:]),
    "data": (
        "measured tables, recorded traffic and topologies",
        (
            "tests/routing/test_routing_cases.py",
            "tests/arm/test_template_resources.py",
            "tests/azure/test_lro_recorded.py",
            "tests/estate/test_estate_real_data.py",
            "tests/lab/core/test_as_recorded.py",
            "tests/lab/resources/test_deployments_recorded.py",
            "tests/lab/resources/test_templates_of_the_field.py",
        ),
    ),
}


class Counted:
    """Counts the cases that passed and that were skipped, checks that held, and calls that clients tell, by kind."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()

    def pytest_assertion_pass(self, item: pytest.Item, lineno: int, orig: str, expl: str) -> None:
        self.checks[kind_of(item.nodeid)] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        kind = kind_of(report.nodeid)
        if report.skipped:
            self.skipped[kind] += 1
        if report.when == "call" and report.passed:
            self.passed[kind] += 1
            told = dict(report.user_properties)
            self.calls[kind] += int(str(told.get("calls", 0)))
            self.checks[kind] += int(str(told.get("checks", 0)))


def kind_of(nodeid: str) -> str:
    """The kind of a case; the JavaScript and az suites stand beside the Python ones."""
    for kind, (_, places) in reversed(KINDS.items()):
        if nodeid.startswith(places):
            return kind
    raise ValueError(f"no kind has {nodeid}")


def main(asked: list[str]) -> int:
    unknown = set(asked) - set(KINDS)
    if unknown:
        print(f"no kind is called {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}", file=sys.stderr)
        return 2
    kinds = asked or list(KINDS)
    # What is compiled for other runs counts no checks: this run keeps its own.
    sys.pycache_prefix = str(ROOT / "build" / "clients" / "pycache")
    places = [str(ROOT / place) for kind in kinds for place in KINDS[kind][1]]
    apart = [f"--ignore={ROOT / place}" for place in SERVED if str(ROOT / place) not in places]
    counted = Counted()
    # The clients warn of their own future; that is theirs to mend.
    options = ["-q", "-W", "ignore::DeprecationWarning", "-o", "enable_assertion_pass_hook=true"]
    status = int(pytest.main([*options, *apart, *places], plugins=[counted]))
    print()
    for kind in kinds:
        name = KINDS[kind][0]
        print(f"{name}: {counted.passed[kind]} cases, {counted.checks[kind]} checks", end="")
        print(f", {counted.calls[kind]} calls" if counted.calls[kind] else "")
    missing = [kind for kind in kinds if not counted.passed[kind] or counted.skipped[kind]]
    for kind in missing:
        print(
            f"{KINDS[kind][0]}: {counted.skipped[kind]} skipped, which is a failure here; a tool is missing, or"
            " FARSHORE_REAL_DATA is not set",
            file=sys.stderr,
        )
    return status or bool(missing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
