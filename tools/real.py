"""Runs what rests on the real Azure and says how much of it ran: `make real`.

Two kinds of cases: Azure's own clients on the lab (tests/real), and measured tables and recorded traffic against the
engine and the lab (FARSHORE_REAL_DATA names the folder). A run in which a kind has no case that ran is a failure: it
would have shown nothing.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
KINDS = {
    "Azure's own clients": ("tests/real/",),
    "measured routing tables": ("tests/routing/test_routing_cases.py",),
    "recorded traffic and topologies": (
        "tests/arm/test_template_resources.py",
        "tests/azure/test_lro_recorded.py",
        "tests/estate/test_estate_real_data.py",
        "tests/lab/core/test_as_recorded.py",
        "tests/lab/resources/test_deployments_recorded.py",
        "tests/lab/resources/test_templates_of_the_field.py",
    ),
}


class Counted:
    """Counts the cases that passed, by kind."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for kind, places in KINDS.items():
                if report.nodeid.startswith(places):
                    self.passed[kind] += 1


def main() -> int:
    counted = Counted()
    places = [str(ROOT / place) for found in KINDS.values() for place in found if (ROOT / place).exists()]
    # The clients warn of their own future; that is theirs to mend.
    status = int(pytest.main(["-q", "-W", "ignore::DeprecationWarning", *places], plugins=[counted]))
    print("\nreal cases that ran: " + ", ".join(f"{counted.passed[kind]} {kind}" for kind in KINDS))
    empty = [kind for kind in KINDS if not counted.passed[kind]]
    if empty:
        print(f"nothing ran of: {', '.join(empty)} (is FARSHORE_REAL_DATA set?)", file=sys.stderr)
    return status or bool(empty)


if __name__ == "__main__":
    sys.exit(main())
