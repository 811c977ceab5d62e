"""What a drill proved, and what it did not, in sentences; each kind proves something else.

    claim     isolated   path   connectivity
    boot      yes        yes    no
    order     yes        yes    no
    path      no         yes    no           from a site through circuit, gateway and appliance to the machine
    circuit   no         no     yes          the source reached over the other circuit

Nothing here proves the application but what the user asks of it (farshore.yaml, `checks`): a machine that boots with
its address may hold one that does not answer. The proof says of production what no drill could: at every moment of it,
under every failure that was tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from farshore.plan.actions import CHECKS
from farshore.plan.drills import DrillKind, kinds_of
from farshore.plan.model import Phase, Plan
from farshore.prove.values import Proof


class Claim(StrEnum):
    BOOT = "boot"
    ORDER = "order"
    PATH = "path"
    CIRCUIT = "circuit"
    CLEAN = "clean"
    PRODUCTION = "production"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    claim: Claim
    proven: bool
    said: str

    def as_json(self) -> dict[str, Any]:
        return {"claim": self.claim.value, "proven": self.proven, "said": self.said}


def is_over(plan: Plan, ended: Iterable[Phase]) -> bool:
    """Whether the drills that the plan holds have come to their end."""
    wanted = {Phase.DRILL} if plan.of_phase(Phase.DRILL) else set()
    if DrillKind.CONNECTIVITY in kinds_of(plan):
        wanted.add(Phase.FAILBACK)
    return bool(wanted) and wanted <= set(ended)


def learned(plan: Plan, proof: Proof | None = None, ways: Sequence[str] = ()) -> tuple[Learned, ...]:
    """What the plan's drills prove once they are over; what is proven first. `ways`: how packets went that were sent to
    the machines of a path drill; without them the path is read from the circuits alone, and that is said."""
    found: list[Learned] = []
    kinds = kinds_of(plan)
    tested = [step for step in plan.of_phase(Phase.DRILL) if step.action.verb == "test_failover"]
    if tested:
        waves = len({machine.boot_group for machine in plan.machines})
        booted = f"{len(tested)} machines booted from their recovery points, each with its own address"
        found.append(_yes(Claim.BOOT, booted))
        found.append(
            _yes(Claim.ORDER, f"They started in a failover's order, in {waves} waves, each checked before the next")
        )
    if DrillKind.PATH in kinds:
        found += _path(plan, ways)
    elif DrillKind.ISOLATED in kinds:
        found.append(
            _no(
                Claim.PATH,
                "the way over the target's circuit, gateway and appliance: the test network is connected to nothing"
                " (D16). The proof computes that way, a path-drill tries it",
            )
        )
    if DrillKind.CONNECTIVITY in kinds:
        text = "The other circuit announced the source, and the primary again after it; no machine moved"
        found.append(_yes(Claim.CIRCUIT, text))
    if any(step.action.verb == "check_clean" for step in plan.of_phase(Phase.DRILL)):
        found.append(_yes(Claim.CLEAN, "Nothing of the drill was left: ARM and the circuits' tables were read for it"))
    if proof is not None and proof.ok:
        found.append(_yes(Claim.PRODUCTION, production(plan, proof)))
    if tested:
        found.append(_application(plan))
    return tuple(sorted(found, key=lambda item: not item.proven))


def sentences(plan: Plan, proof: Proof | None = None, ways: Sequence[str] = ()) -> list[str]:
    """`learned` as a report lists it."""
    return [f"{'' if item.proven else 'Not proven: '}{item.said}." for item in learned(plan, proof, ways)]


def production(plan: Plan, proof: Proof) -> str:
    """What the proof shows of production during the drill."""
    flows = sum({verdict.objective: verdict.flows for verdict in proof.verdicts}.values())
    names = ", ".join(objective.name for objective in plan.objectives)
    whole = "every moment" if proof.exhaustive else "the moments looked at"
    return (
        f"Production could not be touched: at {whole} of the plan ({proof.cuts} cuts, before, in and after the"
        f" drill) and under each of {len(proof.failures)} single failures, {flows} flows"
        f" of {len(plan.objectives)} objectives ({names}) were safe"
    )


def way_of(answer: Mapping[str, Any]) -> str:
    """The way of a packet in one line, as the lab tells it, and whether the reply took the same."""
    there, home = (
        [f"{hop['kind']} {hop['name']}" for hop in (answer.get(side) or {}).get("hops") or ()]
        for side in ("forward", "back")
    )
    same = there == home[::-1]
    return ", ".join(there) + (", and the reply the same way" if same else f"; the reply: {', '.join(home)}")


def _path(plan: Plan, ways: Sequence[str]) -> list[Learned]:
    routes = [step for step in plan.of_phase(Phase.DRILL) if step.id.startswith("drill/announced/")]
    circuits = ", ".join(step.id.rsplit("/", 1)[-1] for step in routes)
    read = _yes(Claim.PATH, f"The drill's range was announced by {circuits} while it stood, and by nobody after it")
    if not ways:
        return [read, _no(Claim.PATH, "that a site's packet reaches the test machines; the run's record holds none")]
    return [read, *(_yes(Claim.PATH, f"A packet's way, {way}") for way in ways)]


def _application(plan: Plan) -> Learned:
    """What the user's own checks asked of the test machines."""
    asked = [step for step in plan.of_phase(Phase.DRILL) if step.action.verb in CHECKS]
    if not asked:
        return _no(Claim.APPLICATION, "that an application answers on the machines; none was asked")
    names = ", ".join(dict.fromkeys(str(step.action.arguments["check"]) for step in asked))
    machines = len({str(step.action.arguments["machine"]) for step in asked})
    return _yes(Claim.APPLICATION, f"What you ask of machines held ({names}), asked of {machines} of them")


def _yes(claim: Claim, said: str) -> Learned:
    return Learned(claim=claim, proven=True, said=said)


def _no(claim: Claim, said: str) -> Learned:
    return Learned(claim=claim, proven=False, said=said)
