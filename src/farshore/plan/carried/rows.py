"""Every row of a design: what the machine, its NICs and its disks refer to, and what refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from farshore.arm.compute import DISKS, SNAPSHOTS
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.plan.carried import fronts, places, rules
from farshore.plan.carried.cards import step_names
from farshore.plan.carried.references import named, references, root
from farshore.plan.carried.rules import Rule
from farshore.plan.carried.values import Carried, How
from farshore.plan.design import Design, Machine
from farshore.plan.model import Step


def rows_of(design: Design, steps: Iterable[Step]) -> tuple[Carried, ...]:
    """The rows of every machine, in the order of `design.machines`."""
    ids = frozenset(step.id for step in steps)
    return tuple(row for machine in design.machines for row in _Rows(design, machine, ids).told()) + tuple(
        _from_elsewhere(design)
    )


class _Rows:
    def __init__(self, design: Design, machine: Machine, steps: frozenset[str]) -> None:
        self.design, self.machine, self.steps = design, machine, steps

    def told(self) -> Iterator[Carried]:
        estate, machine = self.design.estate, self.machine
        yield from self._body(machine.body, rules.MACHINE, _machine_says(machine.body))
        for card in machine.cards:
            body = estate.get(card.nic.id) or {}
            yield from self._body(body, rules.NIC, _nic_says(body), nic=card.target_id)
        for disk in machine.vm.disks:
            held = None if disk.managed_disk is None else estate.get(disk.managed_disk)
            if held is not None:
                yield from self._body(held, rules.DISK, ())

    def _body(
        self,
        body: Body,
        known: tuple[Rule, ...],
        says: Iterable[tuple[str, str]],
        *,
        nic: ResourceId | None = None,
    ) -> Iterator[Carried]:
        # What is no id but matters, beside every id; a path is told once.
        for path, value in dict([*references(body), *says]).items():
            front = fronts.rule_of(self.design, path, value) if known is rules.NIC else None
            own = rules.of_path(known, path)
            rule = front or places.answered(self.design, self.machine, own, path, value) or own
            holder = str(body.get("id") or "")
            row = _row(self.design, self.machine, holder, path, value, rule, nic=nic)
            if row.how is How.HAND and own is not None and own.answered_by:
                asked = places.step_of(self.machine)
                row = replace(row, steps=(asked,) if asked in self.steps else ())
            if row.how is not How.STEP:
                yield row
                continue
            names = step_names(self.design, holder) if front is None else (fronts.step_of(self.design, value),)
            steps = tuple(id_ for id_ in names if id_ in self.steps)
            yield _row(self.design, self.machine, holder, path, value, rule, nic=nic, steps=steps)


def placed_by(design: Design, machine: Machine) -> dict[str, str]:
    """What a machine's body and its disks' say, by path: zones, sets, groups and keys among it."""
    bodies = [design.estate.get(disk.managed_disk) for disk in machine.vm.disks if disk.managed_disk is not None]
    says = dict([*references(machine.body), *_machine_says(machine.body)])
    for body in bodies:
        says |= {path: value for path, value in references(body or {}) if value not in says.values()}
    return says


def _from_elsewhere(design: Design) -> Iterator[Carried]:
    """What refers to the machines, their NICs and their disks, and what hangs under their ids."""
    owners: dict[str, Machine] = {}
    for machine in design.machines:
        disks = [disk.managed_disk for disk in machine.vm.disks if disk.managed_disk is not None]
        for id_ in (machine.id, *(card.nic.id for card in machine.cards), *disks):
            owners[id_.key] = machine
    networks = {network.id.key for network in design.networks}
    for key, body in design.estate.resources.items():
        holder = str(body.get("id") or key)
        if key in owners:
            continue
        attached = owners.get(root(key)) if key != root(key) else None
        if attached is not None:
            type_ = resource_id(holder).type
            yield _row(design, attached, holder, "id", holder, rules.of_type(rules.ATTACHED, type_, "id"))
            continue
        for path, text in references(body):
            owner = owners.get(root(text))
            if owner is not None:
                yield _row(design, owner, holder, path, text, _referring(holder, path))
            elif root(text) in networks and (own := named(holder)) is not None:
                beside = rules.of_type(rules.BESIDE, own.type, path)
                if beside is not None:
                    yield _row(design, None, holder, path, text, beside)


def _referring(holder: str, path: str) -> Rule | None:
    id_ = named(holder)
    if id_ is None:
        return None
    if id_.is_a(SNAPSHOTS) or id_.is_a(DISKS):
        # A copy of a disk stays what it is.
        return rules.of_path(rules.DISK, path)
    return rules.of_type(rules.OTHER, id_.type, path)


def _row(
    design: Design,
    machine: Machine | None,
    holder: str,
    path: str,
    value: str,
    rule: Rule | None,
    *,
    nic: ResourceId | None = None,
    steps: tuple[str, ...] = (),
) -> Carried:
    how = How.NOT_UNDERSTOOD if rule is None else rule.how
    instruction = rules.LOOK if rule is None else rule.instruction
    planned = (machine or design.machines[0]).planned
    referred = named(value) if value.startswith("/") else None
    words = {
        "there": value if referred is None else design.counterparts.of(referred).short,
        "here": _short(value),
        "holder": _short(holder),
        "path": path,
        "machine": planned.target_id.short,
        "nic": (nic or planned.target_nic).short,
        "region": design.project.target.region,
    }
    return Carried(
        machine=None if machine is None else machine.id,
        holder=holder,
        path=path,
        refers=value,
        how=how,
        why=rules.UNKNOWN if rule is None else rule.why,
        instruction=None if instruction is None else instruction.format(**words),
        steps=steps,
    )


def _short(text: str) -> str:
    id_ = named(text) if text.startswith("/") else None
    return text if id_ is None else id_.short


# What matters and is no id. ----------------------------------------------------------------------------------------


def _machine_says(body: Body) -> Iterator[tuple[str, str]]:
    properties = _mapping(body.get("properties"))
    yield from _tags(body)
    for index, zone in enumerate(body.get("zones") or ()):
        yield f"zones[{index}]", str(zone)
    kind = str(_mapping(body.get("identity")).get("type") or "")
    if "systemassigned" in kind.lower():
        yield "identity.type", kind
    for list_ in ("resources", "extensions"):
        for index, item in enumerate(body.get(list_) or ()):
            yield f"{list_}[{index}]", str(_mapping(item).get("name") or _mapping(item).get("id") or "unnamed")
    diagnostics = _mapping(_mapping(properties.get("diagnosticsProfile")).get("bootDiagnostics"))
    if diagnostics.get("storageUri"):
        yield "properties.diagnosticsProfile.bootDiagnostics.storageUri", str(diagnostics["storageUri"])
    if _mapping(properties.get("securityProfile")).get("encryptionAtHost"):
        yield "properties.securityProfile.encryptionAtHost", "true"


def _nic_says(body: Body) -> Iterator[tuple[str, str]]:
    yield from _tags(body)
    settings = _mapping(_mapping(body.get("properties")).get("dnsSettings"))
    for index, server in enumerate(settings.get("dnsServers") or ()):
        yield f"properties.dnsSettings.dnsServers[{index}]", str(server)


def _tags(body: Body) -> Iterator[tuple[str, str]]:
    for name in _mapping(body.get("tags")):
        yield f"tags.{name}", str(name)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
