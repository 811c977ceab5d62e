"""Is a run's record what it claims to be? Each check by itself, so that an auditor sees what was looked at.

journal     events numbered without a gap, step by step, in an order that the tables allow: it folds
mirror      journal.jsonl says what the database says
plan        the run was begun with this plan: its estate's fingerprint is the one in the first event
outcomes    every step that is done was intended before, and has one outcome
proof       every moment that the run passed through is among the cuts that the proof had looked at, and the outage
            was the one that the plan is for, as far as that could be seen
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from farshore.arm.json import loads
from farshore.cli import runs
from farshore.cli.projects import Folder
from farshore.cli.runs import Run
from farshore.cli.words import many
from farshore.run import cuts_of, uncovered
from farshore.run.events import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    ok: bool
    said: str


def verify_run(folder: Folder, run: Run) -> list[Check]:
    """All checks. That the journal folds was shown by reading the run at all (`JournalError` otherwise)."""
    return [
        Check(name="journal", ok=True, said=f"{many(len(run.events), 'event')}, in order, none missing"),
        _mirror(folder, run),
        _plan(run),
        _outcomes(run),
        _proof(folder, run),
    ]


def _mirror(folder: Folder, run: Run) -> Check:
    path = folder.run(run.id) / "journal.jsonl"
    if not path.is_file():
        return Check(name="mirror", ok=False, said=f"{path.name} is not there; resuming the run writes it anew")
    lines = [line for line in path.read_bytes().split(b"\n") if line]
    try:
        told = [loads(line) for line in lines]
    except ValueError:
        told = []
    same = told == [event.as_json() for event in run.events]
    said = (
        f"{many(len(lines), 'line')}, the same as in the database" if same else f"{path.name} differs from the database"
    )
    return Check(name="mirror", ok=same, said=said)


def _plan(run: Run) -> Check:
    first = run.events[0]
    begun = str(first.body.get("plan") or "")
    ok = first.kind is Kind.RUN_STARTED and begun == run.plan.estate
    said = f"of estate {begun[:19]}" if ok else f"begun with a plan of estate {begun[:19]}, this one is of another"
    return Check(name="plan", ok=ok, said=said)


def _outcomes(run: Run) -> Check:
    wrong = list(_wrong_outcomes(run))
    done = sum(event.kind is Kind.DONE for event in run.events)
    return Check(name="outcomes", ok=not wrong, said=wrong[0] if wrong else f"{many(done, 'step')} done, each once")


def _wrong_outcomes(run: Run) -> Iterator[str]:
    intended: set[str] = set()
    ends: Counter[str] = Counter()
    for event in run.events:
        if event.kind is Kind.INTENDED:
            intended.add(event.step)
        elif event.kind is Kind.RETRIED:
            ends[event.step] = 0
        elif event.kind in (Kind.DONE, Kind.FAILED):
            ends[event.step] += 1
            if event.step not in intended:
                yield f"{event.step} has an outcome and was never intended"
            if ends[event.step] > 1:
                yield f"{event.step} has two outcomes"


def _proof(folder: Folder, run: Run) -> Check:
    proof = runs.proof_of(folder, run.id)
    if proof is None:
        return Check(name="proof", ok=False, said="there is no proof.json beside the plan")
    missed = uncovered(proof, run.plan, run.events)
    if missed:
        return Check(name="proof", ok=False, said=f"a moment that was not looked at: {missed}")
    anyway = next((e.body["anyway"] for e in run.events if e.kind is Kind.HAPPENED and "anyway" in e.body), None)
    if anyway is not None:
        said = f"{anyway['by']} went on in an outage that the proof had not looked at: {'; '.join(anyway['seen'])}"
        return Check(name="proof", ok=False, said=said)
    passed = sum(1 for _ in cuts_of(run.plan, run.events))
    return Check(
        name="proof",
        ok=True,
        said=f"{many(passed, 'moment')} of the run, all among the proof's {many(proof.cuts, 'cut')}",
    )
