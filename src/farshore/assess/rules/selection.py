"""Which machines go, and which stay behind (D93, S52).

With kept addresses a network moves as a whole: the target announces its range, so what stays behind in it is reached
by nobody, and a spoke that stays can't reach one that has gone. A machine in the hub that is no appliance may be there
on purpose (a domain controller that has its own replica); it is named, not refused. With new addresses a part may move
alone, unless an objective says that it talks to what stays: that is lost with the region.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.assess.context import Context, Machine
from farshore.assess.findings import Finding, error, rule, warning
from farshore.assess.objectives import resolve_in
from farshore.estate.resolving import matches

MOST_IN_A_PLAN = 100


@rule("FS641", "Machines are left behind that the moved ones belong with", "D93", "R40")
def left_behind(context: Context) -> Iterator[Finding]:
    if not context.machines:
        return
    if not context.project.keep_addresses:
        yield from _parted(context)
        return
    moved = {subnet.parent for machine in context.machines for subnet in machine.subnets}
    hubs = {hub.id for hub in context.source.hubs}
    ours = {network.id for network in context.source.networks}
    together: list[Machine] = []
    beside: list[Machine] = []
    for machine in context.bystanders:
        where = {subnet.parent for subnet in machine.subnets}
        if where & moved and not where <= hubs:
            together.append(machine)
        elif where & ours and not where & hubs:
            beside.append(machine)
        elif where & hubs:
            yield warning(
                "machines",
                f"{machine.name} stays behind in the hub, whose range goes with the others: no site reaches it after"
                " a failover",
                remedy=f"include {machine.name}, or have its own replica in the target",
            )
    for left, why in (
        (together, "left behind in a network that moves: the address leads to the target, where no such machine is"),
        (beside, "left behind in a spoke that reaches the moved ones through the hub: after a failover it can't"),
    ):
        if left:
            yield error(
                "machines",
                f"{', '.join(machine.name for machine in left[:6])}{' and more' if len(left) > 6 else ''}: {why}",
                f"include {list(context.project.machines.include)}, exclude {list(context.project.machines.exclude)}",
                "kept addresses are announced for a network as a whole",
                remedy="include them, or use new addresses",
            )


def _parted(context: Context) -> Iterator[Finding]:
    """Objectives between a machine that goes and one that stays."""
    staying = {machine.id for machine in context.bystanders}
    for objective in context.objectives:
        for talk in resolve_in(context, objective) if staying and not objective.deny else ():
            ends = (talk.source, talk.destination)
            left = next((end for end in ends if end.machine in staying), None)
            if left is None:
                continue
            gone = next((end.name for end in ends if end is not left), "")
            yield error(
                "machines",
                f"Objective {objective.name} needs {left.name}, which stays behind and is lost with"
                f" {context.project.source_region}",
                f"{talk}: {gone} goes on without it",
                f"include {list(context.project.machines.include)}, exclude {list(context.project.machines.exclude)}",
                remedy=f"include {left.name}, or take the objective out",
            )
            break


@rule("FS642", "The boot order names a machine that is not selected", "S52")
def boots_nobody(context: Context) -> Iterator[Finding]:
    for place, group in enumerate(context.project.machines.boot_order):
        for name in group:
            if not any(matches(machine.id, name) for machine in context.machines):
                yield error(
                    f"machines/boot_order/{place}",
                    f"Boot group {place + 1} names {name}, which is not among the selected machines",
                    f"selected: {', '.join(machine.name for machine in context.machines[:12])}",
                    remedy=f"include {name}, or take it out of the boot order",
                )


@rule("FS643", "More machines than one recovery plan holds", "S52")
def too_many(context: Context) -> Iterator[Finding]:
    if len(context.machines) > MOST_IN_A_PLAN:
        yield warning(
            "machines",
            f"{len(context.machines)} machines are selected, and a recovery plan holds {MOST_IN_A_PLAN}",
            remedy="split the project along networks that can move alone",
        )
