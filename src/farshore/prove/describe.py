"""A proof as plain text: what was looked at, what does not hold and why, what holds, what it would cost to lose.

The command line, the transcripts and the report print the same figure (style 9).
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.prove.values import Counterexample, Exposure, Proof, Verdict
from farshore.routing.figures import describe

EXPOSURES = 10


def describe_proof(proof: Proof) -> str:
    """The whole proof."""
    return "\n".join(_lines(proof))


def _lines(proof: Proof) -> Iterator[str]:
    failing = [item for item in proof.counterexamples if not item.exempt]
    exempt = [item for item in proof.counterexamples if item.exempt]
    but = ", but for one interval that a single circuit can't close (D63); see below" if exempt else ""
    yield f"Proven{but}." if proof.ok else f"Not proven: {len(failing)} thing{'s' * (len(failing) != 1)} can go wrong."
    yield ""
    yield f"  cuts         {proof.cuts:,}" + ("" if proof.exhaustive else ", not all of them looked at")
    yield f"  states       {proof.states:,}, each without failure and under {len(proof.failures)} single failures"
    pairs = (
        f"{proof.double_failures:,} double failures, followed {proof.double_failures_traced:,} times where both meet"
    )
    yield f"  doubles      {pairs}"
    yield f"  evaluations  {proof.evaluations:,}, forward and return"
    yield f"  exhaustive   {'yes' if proof.exhaustive else 'no: the limit was reached, phase by phase'}"
    for item in failing:
        yield ""
        yield from _example(item)
    for item in exempt:
        yield ""
        yield "Exempt, measured as the guard's exposure (D63):"
        yield from _example(item)
    if proof.repair:
        yield ""
        yield "The estate has errors (`farshore assess`); with this done it has none, and its plan is proven:"
        for edit in proof.repair:
            yield f"  {edit.text}"
            yield f"    subject  {edit.subject}"
    if proof.verdicts:
        yield ""
        yield from _verdicts(proof.verdicts)
    if proof.exposures:
        yield ""
        yield from _exposures(proof.exposures)


def _example(item: Counterexample) -> Iterator[str]:
    yield f"{item.claim.upper()} {item.kind}: {item.summary}"
    yield f"  objective    {item.objective}"
    yield f"  after        {item.after or 'nothing'}, {len(item.cut.done)} steps and events done"
    if item.failed:
        yield f"  failed       {', '.join(item.failed)}"
    yield f"  found at     {item.moments:,} moment{'s' * (item.moments != 1)}"
    if item.mend:
        yield f"  mend         {item.mend}"
    for trace in (item.forward, item.back):
        if trace is not None and (trace.hops or trace is item.forward):
            yield from (f"    {line}" for line in describe(trace).splitlines())


def _verdicts(verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    phases = list(dict.fromkeys(item.phase for item in verdicts))
    by_objective: dict[str, dict[str, Verdict]] = {}
    for item in verdicts:
        by_objective.setdefault(item.objective, {})[item.phase] = item
    width = max(len("Objective"), *(len(name) for name in by_objective))
    yield "Objective".ljust(width) + "  " + "  ".join(phases)
    for name, found in by_objective.items():
        words = [_word(found.get(phase)).ljust(len(phase)) for phase in phases]
        yield (name.ljust(width) + "  " + "  ".join(words)).rstrip()


def _word(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    return "yes" if verdict.proven else "NO"


def _exposures(exposures: tuple[Exposure, ...]) -> Iterator[str]:
    yield f"What nobody promised to survive, worst first ({min(len(exposures), EXPOSURES)} of {len(exposures)}):"
    for item in exposures[:EXPOSURES]:
        lost = f"{len(item.machines)} machine{'s' * (len(item.machines) != 1)}"
        yield f"  {' and '.join(item.failed)}: {lost} ({item.phase})"
        yield f"    noticed  {item.noticed}"
        yield f"    cure     {item.cure}"
