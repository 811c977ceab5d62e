"""kill -9 while provisioning, failing over and failing back, then `farshore runs resume`: as if nothing had happened.

`make kill KILLS=50` kills fifty times; plain `make test` once. Every third run is killed again while it is resumed.
After each: the run comes to its end, its record verifies (every outcome once, every moment among the proof's cuts),
the lab holds what it holds after a run that nobody disturbed, and no write was accepted twice that was accepted once
there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kill.killing import Left, draws, enlarged, fault, killed, left, unlike
from outside import answer, run

EXAMPLES = ("two-circuits-two-locations", "single-circuit-kept-addresses")
PHASES = ("provision", "failover", "failback")
KILLS = int(os.environ.get("FARSHORE_KILLS", "1"))
RUN = "published-1"
FLIGHTS: list[int] = []
"""How many steps were under way at each kill."""


class Brink:
    """Projects that stand before a phase, and what the phase leaves and writes when nobody disturbs it."""

    def __init__(self, root: Path, name: str) -> None:
        self._root, self._name = root / name, name
        self._before: dict[str, Path] = {}
        self._after: dict[str, tuple[Left, int]] = {}
        self._build()

    def copy(self, phase: str, to: Path) -> Path:
        shutil.copytree(self._before[phase], to)
        return to

    def undisturbed(self, phase: str) -> tuple[Left, int]:
        """What it leaves, and how many lines it writes."""
        return self._after[phase]

    def _build(self) -> None:
        self._root.mkdir(parents=True)
        folder = self._root / "work"
        enlarged(self._name, folder, more=6)
        self._at(folder, "provision")
        run(folder, "protect")
        fault(folder, "lost")
        self._at(folder, "failover")
        run(folder, "commit")
        fault(folder, "returned")
        run(folder, "reprotect")
        self._at(folder, "failback")

    def _at(self, folder: Path, phase: str) -> None:
        self._before[phase] = Path(shutil.copytree(folder, self._root / phase))
        before = _lines(folder)
        run(folder, phase)
        self._after[phase] = (left(folder), _lines(folder) - before)


@pytest.fixture(scope="module")
def brinks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Brink]:
    root = tmp_path_factory.mktemp("brink")
    return {name: Brink(root, name) for name in EXAMPLES[: 1 if len(EXAMPLES) * 3 > KILLS else None]}


@pytest.mark.xdist_group("kill")
@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_that_was_killed_ends_as_if_nothing_had_happened(
    number: int, brinks: dict[str, Brink], tmp_path: Path
) -> None:
    draw = draws(number)
    brink = list(brinks.values())[number // len(PHASES) % len(brinks)]
    phase = PHASES[number % len(PHASES)]
    folder = brink.copy(phase, tmp_path / "project")
    expected, lines = brink.undisturbed(phase)

    killings = [killed(folder, RUN, (phase, "--yes"), draw.randrange(1, lines), draw.uniform(0, 0.02))]
    if number % 3 == 2 or draw.random() < 0.2:
        killings.append(killed(folder, RUN, ("runs", "resume"), draw.randrange(1, lines), draw.uniform(0, 0.02)))
    run(folder, "runs", "resume")

    FLIGHTS.extend(killing.under_way for killing in killings if killing is not None)
    print(f"kill {number}: {phase}, {[k and (k.events, k.under_way) for k in killings]}")
    checks = answer(folder, "runs", "verify")
    assert checks["ok"], checks
    found = left(folder)
    assert not unlike(expected, found)
    assert _once(found) == _once(expected)
    assert set(found.writes) == set(expected.writes)


@pytest.mark.xdist_group("kill")
@pytest.mark.skipif(KILLS < 12, reason="a few kills need not meet a full run")
def test_many_kills_met_ten_steps_in_flight() -> None:
    """Runs last: the kills before it left their counts."""
    assert sum(flight >= 10 for flight in FLIGHTS) >= KILLS // 6, FLIGHTS


@pytest.mark.xdist_group("kill")
def test_a_driver_is_killed_and_its_lab_lives_on(tmp_path: Path) -> None:
    """The lab is served by a process of its own, so the service goes on with what it had accepted."""
    folder = tmp_path / "project"
    enlarged(EXAMPLES[0], folder, more=6)
    run(folder, "lab", "up")
    try:
        assert killed(folder, RUN, ("provision",), 20, 0.01) is not None
        run(folder, "runs", "resume")
        assert killed(folder, RUN, ("protect",), 60, 0.01) is not None
        run(folder, "runs", "resume")
        run(folder, "drill")
        checks = answer(folder, "runs", "verify")
        at = answer(folder, "lab", "clock")["now"]
        rows = answer(folder, "runs", "show")["step_rows"]
    finally:
        run(folder, "lab", "down")
    assert checks["ok"], checks
    assert max(row["ended_at"] for row in rows if row["ended_at"]) <= at, "one time on both sides"
    writes = left(folder).writes
    assert [path for (method, path), count in writes.items() if method == "PUT" and count > 1] == []


def _once(left: Left) -> dict[tuple[str, str], int]:
    """Writes that must not be accepted twice. A PATCH of an item's settings says the same again and does no harm
    (`run/verbs/configure_item.py`), so one whose answer was lost with its process is sent again."""
    return {key: count for key, count in left.writes.items() if key[0] != "PATCH"}


def _lines(folder: Path) -> int:
    path = folder / ".farshore" / "runs" / RUN / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0
