"""The user's own command at a site: what it is given, and what its end means."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from farshore.errors import ArmError
from farshore.run import actuators
from farshore.run.actuators import CommandActuator, instruction

ROUTER = {
    "name": "ce1",
    "local_preference": 50,
    "prepend": 2,
    "filters": [{"direction": "in", "action": "deny", "prefix": "10.1.0.0/24"}],
}


def apply(*command: str) -> None:
    asyncio.run(CommandActuator(command).apply("dc", [ROUTER]))


def test_the_order_comes_on_standard_input(tmp_path: Path) -> None:
    kept = tmp_path / "order.json"
    apply(sys.executable, "-c", f"import sys; open({str(kept)!r}, 'w').write(sys.stdin.read())")
    assert json.loads(kept.read_text()) == {"site": "dc", "routers": [ROUTER]}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "import sys; print('first', file=sys.stderr); print('no such router', file=sys.stderr); sys.exit(3)",
            "status 3: no such router",
        ),
        ("import sys; sys.exit(1)", "status 1: it said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "status -9"),
    ],
)
def test_a_command_that_fails_says_why(code: str, said: str) -> None:
    with pytest.raises(ArmError, match="site dc") as raised:
        apply(sys.executable, "-c", code)
    assert said in str(raised.value) and raised.value.fault.code == "SiteCommandFailed"


def test_a_command_that_is_none() -> None:
    with pytest.raises(ArmError, match="can't be run"):
        apply("/no/such/program")


def test_a_command_that_reads_nothing_is_no_error() -> None:
    apply(sys.executable, "-c", "")


def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(actuators, "PATIENCE_SECONDS", 0.5)
    kept = tmp_path / "pid"
    code = f"import os, time; open({str(kept)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(ArmError, match="did not end"):
        apply(sys.executable, "-c", code)
    if kept.exists():  # it had begun before it was ended
        with pytest.raises(ProcessLookupError):
            os.kill(int(kept.read_text()), 0)


def test_what_a_person_is_asked() -> None:
    said = instruction("dc", [ROUTER, {"name": "ce2", "local_preference": 200, "prepend": 0}])
    assert said.splitlines() == [
        "At site dc:",
        "router ce1: local preference 50, prepend 2, filters in deny 10.1.0.0/24",
        "router ce2: local preference 200, prepend 0, filters none",
    ]
