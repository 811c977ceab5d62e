"""What is read back, not believed: the circuits' own tables (E11), and the routes of each machine's NIC (R9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from farshore.arm.ids import ResourceId
from farshore.plan import actions, durations
from farshore.plan.design import Machine
from farshore.plan.draft import Draft
from farshore.plan.model import Effect, StepKind
from farshore.routing.failures import LINKS


def read_circuit(
    draft: Draft,
    name: str,
    circuit: ResourceId,
    present: Sequence[str],
    absent: Sequence[str],
    after: Iterable[str],
    *,
    links: Sequence[str] = LINKS,
    says: str = "",
    effects: Sequence[Effect] = (),
) -> str:
    """A circuit shows these prefixes and not those, on these links. `says` is what the title tells of it, where that is
    more than the prefixes."""
    told = [f"{', '.join(present)} announced"] if present else []
    told += [f"{', '.join(absent)} gone"] if absent else []
    return draft.add(
        name,
        actions.read_circuit(actions.expect_circuit(circuit, present=present, absent=absent, links=links)),
        title=f"Read circuit {circuit.name}: {says or ', '.join(told)}",
        subject=circuit,
        expected=durations.LOOK,
        kind=StepKind.CHECK,
        after=after,
        effects=effects,
    )


def routes(
    draft: Draft,
    machine: Machine,
    nic: ResourceId,
    says: str,
    after: Iterable[str],
    effects: Sequence[Effect] = (),
) -> str:
    """A machine's NIC has the rows that the planner will predict for that moment (`make.py`)."""
    return draft.add(
        f"routes/{machine.label}",
        actions.check_routes(nic, []),
        title=f"Machine {machine.label} {says}",
        subject=nic,
        expected=durations.LOOK,
        kind=StepKind.CHECK,
        after=after,
        effects=effects,
    )
