"""STAY: the target is the new source, and what was the source is now what the next disaster goes to (S45 to S47).

Replication back is on (REPROTECT); what is left is the way: the sites prefer the circuit that serves, and believe the
other one again, where nothing runs. With one circuit and kept addresses the old source is connected to nothing, as the
target was before. With new addresses nothing has to be turned round.
"""

from __future__ import annotations

from farshore.plan.builders import looks, sites
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import Phase


def build(design: Design, draft: Draft) -> None:
    draft.begin(Phase.FAILBACK)
    turned = sites.turn_round(design, draft)
    present = [str(prefix) for prefix in design.announced_there]
    reads = [looks.read_circuit(draft, f"stays/{c.name}", c, present, [], turned) for c in design.target_circuits]
    for machine in design.machines:
        looks.routes(draft, machine, machine.planned.target_nic, "stays, with its routes", reads)
