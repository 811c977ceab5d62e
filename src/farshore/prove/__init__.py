"""Proof about a network that does not exist yet: every moment a run can be in, and what must hold in it.

prove(estate, plan, objectives=None)            -> Proof     pure; see `prover.py`
covered(proof, plan, done, under_way, events)   -> bool      was this cut of a run among those looked at?
Coverage(proof, plan).holds(...)                -> bool      the same for many cuts
uncovered_cut(proof, plan, cut)                 -> str | None  the same as a sentence
key_of(plan, done, under_way, events)           -> keys      the cut's keys in `Proof.enumerated`
"""

from __future__ import annotations

from farshore.prove.covered import Coverage, covered, key_of, uncovered_cut
from farshore.prove.prover import prove
from farshore.prove.values import Counterexample, Cut, Exposure, Proof, Verdict

__all__ = [
    "Counterexample",
    "Coverage",
    "Cut",
    "Exposure",
    "Proof",
    "Verdict",
    "covered",
    "key_of",
    "prove",
    "uncovered_cut",
]
