"""`machines`, `disk_encryption_sets`, `dns` of a farshore.yaml: what moves, where it stands, who changes names."""

from __future__ import annotations

from collections.abc import Callable

from farshore.arm.ids import ResourceId
from farshore.estate.project import MAXIMUM_BOOT_GROUPS, MAXIMUM_GROUP, Dns, Machines, Placement
from farshore.estate.yaml_lists import each, texts
from farshore.estate.yaml_nodes import Place

MACHINE_KEYS = ("include", "exclude", "boot_order", "consistency_groups", "placement")
PLACEMENT_KEYS = ("zone", "availabilitySet", "proximityPlacementGroup", "capacityReservationGroup")
ZONES = ("1", "2", "3")
ENCRYPTION_SETS = "Microsoft.Compute/diskEncryptionSets"


def machines(place: Place | None) -> Machines:
    if place is None:
        return Machines()
    section = place.section(*MACHINE_KEYS)
    include, order = section.get("include"), section.get("boot_order")
    groups = _groups(order, "boot group")
    if order is not None and len(groups) > MAXIMUM_BOOT_GROUPS:
        order.fail(
            f"there are {len(groups)} boot groups",
            value=len(groups),
            expected=f"at most {MAXIMUM_BOOT_GROUPS}, a recovery plan's limit",
            remedy="join groups that can start together",
        )
    return Machines(
        include=("*",) if include is None else texts(include, at_least=1),
        exclude=each(section.get("exclude"), Place.text),
        boot_order=groups,
        consistency_groups=_groups(section.get("consistency_groups"), "consistency group", at_most=MAXIMUM_GROUP),
        placement=_by_name(section.get("placement"), "a machine's name", _placement),
    )


def disk_encryption_sets(place: Place | None) -> tuple[tuple[ResourceId, ResourceId], ...]:
    """The source's sets to the target's."""
    if place is None:
        return ()
    found = []
    for key, value in _pairs(place, "the id of a disk encryption set of the source"):
        found.append((_kind(key, ENCRYPTION_SETS), _kind(value, ENCRYPTION_SETS)))
    return tuple(found)


def dns(place: Place | None) -> Dns:
    if place is None:
        return Dns()
    if not place.is_mapping:
        if place.value != "manual":
            place.fail(f"{place.written} is no way to change records", expected="manual, or {command: [...]}")
        return Dns()
    command = place.section("command").need("command", "a list of texts, the program first")
    words = tuple(item.text() for item in command.items())
    if not words:
        command.fail("the command is empty", expected="a list of texts, the program first")
    return Dns(command=words)


def _groups(place: Place | None, noun: str, *, at_most: int | None = None) -> tuple[tuple[str, ...], ...]:
    """Lists of machines' names, each name in one of them."""
    groups: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for group in [] if place is None else place.items():
        members = group.items()
        if not members:
            what = f"this {noun} is empty"
            group.fail(what, expected="a list of machine names", remedy="name machines in it, or remove it")
        if at_most is not None and len(members) > at_most:
            group.fail(
                f"this {noun} names {len(members)} machines",
                value=len(members),
                expected=f"at most {at_most}, Site Recovery's limit (S58)",
                remedy="part the group",
            )
        for member in members:
            if member.text().lower() in seen:
                what = f"{member.written} is in two {noun}s"
                member.fail(what, expected="each machine once", remedy=f"remove one {member.written}")
            seen.add(member.text().lower())
        groups.append(tuple(member.text() for member in members))
    return tuple(groups)


def _placement(place: Place) -> Placement:
    section = place.section(*PLACEMENT_KEYS)
    zone, set_ = section.get("zone"), section.get("availabilitySet")
    near, reserved = section.get("proximityPlacementGroup"), section.get("capacityReservationGroup")
    if zone is None and set_ is None and near is None and reserved is None:
        place.fail("this says no place", expected="one of " + ", ".join(PLACEMENT_KEYS), remedy="write {zone: 1}")
    if zone is not None and set_ is not None:
        set_.fail("a machine stands in a zone or in an availability set (S12)", expected="one of the two")
    if zone is not None and zone.written not in ZONES:
        zone.fail(f"{zone.written} is no availability zone", expected="one of " + ", ".join(ZONES))
    return Placement(
        zone=None if zone is None else zone.written,
        availability_set=None if set_ is None else _kind(set_, "Microsoft.Compute/availabilitySets"),
        proximity_placement_group=None if near is None else _kind(near, "Microsoft.Compute/proximityPlacementGroups"),
        capacity_reservation_group=None
        if reserved is None
        else _kind(reserved, "Microsoft.Compute/capacityReservationGroups"),
    )


def _by_name(place: Place | None, what: str, read: Callable[[Place], Placement]) -> tuple[tuple[str, Placement], ...]:
    return () if place is None else tuple((key.text(), read(value)) for key, value in _pairs(place, what))


def _pairs(place: Place, what: str) -> list[tuple[Place, Place]]:
    """Each key of a mapping, whose keys are names of the user's own, with its value."""
    names = [str(key.value) for key, _ in place.node.value] if place.is_mapping else []
    section = place.section(*(names or [what]))
    keys = {str(key.value): key for key, _ in place.node.value} if place.is_mapping else {}
    return [(place.under(name, keys[name]), section.need(name, "a value")) for name in section]


def _kind(place: Place, kind: str) -> ResourceId:
    id_ = place.id()
    if not id_.is_a(kind):
        place.fail(f"{id_.short} is of another type", expected=f"the id of one of {kind}")
    return id_
