"""What a proof says: how much it looked at, what held, and the smallest example of what did not.

Two kinds of claim: safety at every cut, also after a lost region's return, under every single failure;
reachability at the end of each phase and wherever the serving machine runs and the steps for its path are done.
Everything else that a failure would break is exposure, ranked, and never a failure of the proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from farshore.routing.values import Flow, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A moment a run can be in: steps done, steps under way, events that have happened."""

    done: frozenset[str]
    under_way: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """The smallest moment found at which a claim fails: the flow, the cut, what had failed, both traces."""

    claim: str
    """`safety` or `reachability`."""
    kind: str
    """`ambiguous`, `stale`, `wrong-owner`, `looped`, `bypass`, `asymmetric`, `unknown`, `admitted` (a flow that the
    objective denies), `unreachable`."""
    objective: str
    flow: Flow
    machine: str
    cut: Cut
    after: str
    """The step or event that brought it: the last one done."""
    failed: tuple[str, ...]
    forward: Trace
    back: Trace | None
    summary: str
    """One sentence; names prefix and circuit where two networks answer."""
    moments: int = 1
    """At how many moments the same thing was found."""
    exempt: bool = False
    """The one interval that is exempt (D63): measured as exposure, a warning."""
    mend: str = ""
    """The change that takes it away, proven anew (`prove/mend.py`); empty where none was looked for or found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What a failure that nobody promised to survive would cost."""

    failed: tuple[str, ...]
    phase: str
    machines: tuple[str, ...]
    noticed: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One objective in one phase: it is reached at its end, and at no moment of it anything speaks against it."""

    objective: str
    phase: str
    proven: bool
    flows: int
    trace: str
    """`describe` of a representative pair, or of the counterexample's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """One edit of a repair: what to change, and how."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    ok: bool
    cuts: int
    states: int
    """Distinct forwarding states among the cuts."""
    evaluations: int
    """States times failures times flows that were decided."""
    exhaustive: bool
    failures: tuple[str, ...]
    """The single failures that were tried, by name."""
    double_failures: int = 0
    """How many pairs of failures were looked at, in every state of every cut."""
    double_failures_traced: int = 0
    """How often packets had to be followed under a pair: elsewhere its two parts can't meet on any way."""
    counterexamples: tuple[Counterexample, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    repair: tuple[Repaired, ...] = ()
    """What to do about the estate, in order, where the assessment finds errors in it (`prove/repair.py`)."""
    enumerated: frozenset[str] = field(default_factory=frozenset, repr=False)
    """Keys of every cut looked at; `farshore.prove.cuts.key_of` makes one from a cut. A run's journal is checked
    against them."""

    def as_json(self) -> Mapping[str, Any]:
        from farshore.prove.file import proof_as_json

        return proof_as_json(self)
