"""STAY: the target is the new source, and what was the source is now what the next disaster goes to (S45 to S47).

Replication back is on (REPROTECT); what is left is the way: the sites prefer the circuit that serves, and believe the
other one again, where nothing runs. With one circuit and kept addresses the old source is connected to nothing, as the
target was before. With new addresses nothing has to be turned round.
"""

from __future__ import annotations

from farshore.plan import actions, durations
from farshore.plan.builders import sites
from farshore.plan.builders.failback import read_circuit
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import Phase, StepKind


def build(design: Design, draft: Draft) -> None:
    draft.begin(Phase.FAILBACK)
    turned = sites.turn_round(design, draft)
    present = [str(prefix) for prefix in design.announced_there]
    reads = [read_circuit(draft, f"stays/{c.name}", c, present, [], turned) for c in design.target_circuits]
    for machine in design.machines:
        draft.add(
            f"routes/{machine.label}",
            actions.check_routes(machine.planned.target_nic, []),
            title=f"Machine {machine.label} stays, with its routes",
            subject=machine.planned.target_nic,
            expected=durations.LOOK,
            kind=StepKind.CHECK,
            after=reads,
        )
