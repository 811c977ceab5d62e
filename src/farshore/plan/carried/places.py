"""Where a machine stands: the choices that are a user's, and what a plan asks where nobody has chosen.

A zone, an availability set, a proximity placement group, a capacity reservation is one region's, and so is the disk
encryption set of a customer's key. Site Recovery takes each where replication is enabled (S12, S63): `machines:
placement` and `disk_encryption_sets` of farshore.yaml say them, on the way there; on the way home a machine gets what
it has in the source now. What nobody has chosen a person decides, before replication is enabled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from farshore.arm.decode import Reader
from farshore.arm.ids import ResourceId
from farshore.estate.project import Placement
from farshore.estate.resolving import matches
from farshore.plan import actions, durations
from farshore.plan.carried.rules import DISK, MACHINE, SETS, Rule, of_path
from farshore.plan.carried.values import How
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.model import Phase, StepKind

_FIELDS = {
    "zone": ("recoveryAvailabilityZone", "zone: 1"),
    "availability_set": ("recoveryAvailabilitySetId", "availabilitySet: ID"),
    "proximity_placement_group": ("recoveryProximityPlacementGroupId", "proximityPlacementGroup: ID"),
    "capacity_reservation_group": ("recoveryCapacityReservationGroupId", "capacityReservationGroup: ID"),
}
"""What Site Recovery calls the fields of a `Placement` (S12), and how farshore.yaml says them."""


def placement(design: Design, machine: Machine) -> Placement:
    """What farshore.yaml says of a machine; the first name or pattern that fits."""
    said = design.project.machines.placement
    return next((place for name, place in said if matches(machine.id, name)), Placement())


def there(design: Design, machine: Machine) -> dict[str, str]:
    """The places of a machine in the target, as a request that protects it says them."""
    return _said(placement(design, machine))


def standing(machine: Machine) -> Placement:
    """The places that a machine has in the source."""
    read = Reader(machine.body)
    return Placement(
        zone=next(iter(machine.vm.zones), None),
        availability_set=read.id("properties.availabilitySet"),
        proximity_placement_group=read.id("properties.proximityPlacementGroup"),
        capacity_reservation_group=read.id("properties.capacityReservation.capacityReservationGroup"),
    )


def home(machine: Machine) -> dict[str, str]:
    """The same, to go back to."""
    return _said(standing(machine))


def encryption_of(design: Design, disk: ResourceId) -> dict[str, str]:
    """The target's set for a disk of a customer's key (S12)."""
    own = Reader(design.estate.get(disk)).text("properties.encryption.diskEncryptionSetId")
    chosen = None if own is None else sets(design).get(own.lower())
    return {} if chosen is None else {"recoveryDiskEncryptionSetId": chosen}


def sets(design: Design, *, back: bool = False) -> dict[str, str]:
    """Each disk encryption set, by its key, to the one that stands for it on the other side."""
    pairs = design.project.disk_encryption_sets
    return {(there if back else here).key: (here if back else there).text for here, there in pairs}


def answered(design: Design, machine: Machine, rule: Rule | None, path: str, value: str) -> Rule | None:
    """The rule in place of one that says a place or a key, where farshore.yaml gives an answer; None where it does not,
    or the rule asks for none."""
    asks = () if rule is None else rule.answered_by
    if SETS in asks:
        chosen = sets(design).get(value.lower())
        return None if chosen is None else _rule(path, f"the item names {chosen.rsplit('/', 1)[-1]} for the disk (S12)")
    for name in asks:
        found = getattr(placement(design, machine), name)
        if found is not None:
            said = found.name if isinstance(found, ResourceId) else found
            return _rule(path, f"the item names {_FIELDS[name][0]} {said} (S12)")
    return None


def step_of(machine: Machine) -> str:
    """The id of the step in which a person decides about a machine's places."""
    return f"{Phase.PROTECT.value}/place/{machine.label}"


def ask(design: Design, draft: Draft, machine: Machine, says: Mapping[str, str]) -> str | None:
    """A person's step before a machine is protected, for what it or its disks have and nobody has chosen; `says` is
    paths to values of its body and its disks'. None where nothing is open."""
    open_ = [line for path, value in says.items() for line in _asked(design, machine, path, value)]
    if not open_:
        return None
    return draft.add(
        f"place/{machine.label}",
        actions.person(
            f"Machine {machine.label} has what {design.project.target.region} can't give it unasked:\n"
            + "\n".join(dict.fromkeys(open_))
            + "\nName it in farshore.yaml and plan again; or approve that the machine does without."
        ),
        title=f"A person decides where machine {machine.label} stands in {design.project.target.region} (S12, S63)",
        subject=machine.id,
        expected=durations.PLACE_PERSON,
        kind=StepKind.PERSON,
    )


def _asked(design: Design, machine: Machine, path: str, value: str) -> Iterator[str]:
    rule = of_path((*MACHINE, *DISK), path)
    if rule is None or not rule.answered_by or answered(design, machine, rule, path, value) is not None:
        return
    if SETS in rule.answered_by:
        yield (
            f"- a disk encrypted by {value.rsplit('/', 1)[-1]}: create a disk encryption set in"
            f" {design.project.target.region} with a key of its own, and name it:"
            f" disk_encryption_sets: {{{value}: ID}}"
        )
        return
    noun = path.split("[")[0].split(".")[-2 if "." in path else -1]
    yield (
        f"- {noun} {value.rsplit('/', 1)[-1]}: choose one of {design.project.target.region}, and name it:"
        f" machines: {{placement: {{{machine.label}: {{{_FIELDS[rule.answered_by[0]][1]}}}}}}}"
    )


def _said(place: Placement) -> dict[str, str]:
    found = {field: getattr(place, name) for name, (field, _) in _FIELDS.items()}
    return {field: str(value) for field, value in found.items() if value is not None}


def _rule(path: str, why: str) -> Rule:
    return Rule(path=re.compile(re.escape(path)), how=How.ITEM, why=why)
