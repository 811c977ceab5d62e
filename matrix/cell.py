"""One cell carried out: a story in a fresh lab, in a folder of its own, and what it came to."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from farshore.arm.json import fingerprint
from farshore.cli.exercise.tell import tell
from farshore.cli.projects import Folder
from farshore.errors import FarshoreError
from farshore.estate.estate import Estate
from farshore.plan.model import Plan, Step
from farshore.prove import prove
from farshore.prove.values import Proof
from matrix.cells import Cell
from matrix.estates import write


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    estate: str
    scenario: str
    ok: bool
    said: str
    """Why it did not end good."""
    decisions: int
    """How often the run stopped for a person."""
    ratio: float | None
    """Measured over predicted recovery time, the median of its machines; None where no service ends."""
    exposed_seconds: float
    """In the exempt interval (D63)."""
    bytes_lost: int
    packets_exposed: int
    wall_seconds: float
    not_kept: int = 0
    """Recovery objectives of the estate that were not kept, with an excuse or without; one without it is not good."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def remembered(estate: Estate, plan: Plan) -> Proof:
    """The proof of a plan. What a step does to forwarding decides it, not what is sent: plans that differ in a recovery
    point have one proof."""
    steps = [(step.id, step.after, step.phase, step.may_fail, step.effects, _place(step)) for step in plan.steps]
    events = [(event.id, event.after, event.effects) for event in plan.events]
    key = (estate.fingerprint, fingerprint(repr((steps, events))))
    if key not in _PROOFS:
        while len(_PROOFS) >= MOST_PROOFS:
            _PROOFS.pop(next(iter(_PROOFS)))
        _PROOFS[key] = prove(estate, plan)
    return _PROOFS[key]


MOST_PROOFS = 24
_PROOFS: dict[tuple[str, str], Proof] = {}


def _place(step: Step) -> object:
    """What a lost region can take a step with."""
    return step.action.verb, step.action.arguments.get("id")


class Silence:
    """Nobody listens."""

    def answer(self, document: Any, text: str) -> None: ...

    def progress(self, line: str) -> None: ...

    def status(self, line: str) -> None: ...

    def error(self, error: FarshoreError) -> None: ...


def carry_out(cell: Cell, seed: int) -> Result:
    """A mistake of ours is a result too: one cell never stops the others."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="farshore-matrix-") as place:
        folder = Path(place) / "project"
        write(cell.estate, folder)
        try:
            told = asyncio.run(
                tell(
                    Folder(folder),
                    Silence(),
                    example=None,
                    seed=seed,
                    scenario=cell.scenario,
                    plan_file=None,
                    prover=remembered,
                    whole_disks=False,
                )
            )
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            return _result(cell, begun, ok=False, said=said)
        ratios = [
            row["recovery_time_seconds"]["measured"] / row["recovery_time_seconds"]["predicted"]
            for row in told.machines
            if row["recovery_time_seconds"]["measured"] and row["recovery_time_seconds"]["predicted"]
        ]
        # What a person's decision takes, or how old a point is that is old on purpose, no plan can help.
        unexcused = [row for row in told.not_kept if not row["excuse"]]
        return _result(
            cell,
            begun,
            ok=told.held and not unexcused,
            said=told.halted or "; ".join(str(row["said"]) for row in unexcused),
            not_kept=len(told.not_kept),
            decisions=len(told.decisions),
            ratio=median(ratios) if ratios else None,
            exposed_seconds=float(told.guard.get("exposure_seconds") or 0.0),
            packets_exposed=sum(row["packets"] for row in told.exposed),
            bytes_lost=sum(row["bytes_lost"] or 0 for row in told.machines),
        )


def _result(cell: Cell, begun: float, *, ok: bool, said: str, **more: Any) -> Result:
    figures: dict[str, Any] = {
        "decisions": 0,
        "ratio": None,
        "exposed_seconds": 0.0,
        "packets_exposed": 0,
        "bytes_lost": 0,
        **more,
    }
    return Result(
        estate=cell.estate,
        scenario=cell.scenario,
        ok=ok,
        said=said,
        wall_seconds=round(time.monotonic() - begun, 2),
        **figures,
    )
