"""REPROTECT: the machines in the target are replicated back to the source (S45, S46, S50).

Only after the returned machines are deallocated: reprotect uses their disks as a seed and deletes the machines.
Managed disks go by `switchprotection` and become an item under the other fabric; unmanaged ones by `reProtect` and
keep their item.
"""

from __future__ import annotations

from collections.abc import Iterable

from farshore.plan import actions, durations
from farshore.plan.builders.protect import home_account, source_cache, target_cache, target_disks
from farshore.plan.carried import places
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.machines import leaves_home, leaves_there, settings_back, settings_there
from farshore.plan.model import Action, Phase


def build(design: Design, draft: Draft, events: Iterable[str] = ()) -> None:
    """`events`: what must have happened besides, for the source to be whole (S45)."""
    draft.begin(Phase.REPROTECT, (*draft.ends(), *events))
    for machine in design.machines:
        planned = machine.planned
        protected = draft.add(
            f"machine/{machine.label}",
            _back(design, machine),
            title=f"Replicate machine {machine.label} back to {design.project.source_region}",
            subject=planned.item,
            expected=durations.SWITCH_PROTECTION,
            effects=leaves_home(machine),
        )
        draft.add(
            f"configure/{machine.label}",
            actions.configure_item(planned.reverse_item, settings_back(machine)),
            title=f"Machine {machine.label} will have the address {planned.address} at home again",
            subject=planned.reverse_item,
            expected=durations.CONFIGURE,
            after=[protected],
        )


def forward(design: Design, draft: Draft, machine: Machine, after: list[str]) -> str:
    """Protected as before the disaster: the last steps of a failback (S47); returns the last of them."""
    planned = machine.planned
    protected = draft.add(
        f"reprotect/{machine.label}",
        _forth(design, machine),
        title=f"Replicate machine {machine.label} to {design.project.target.region} again",
        subject=planned.reverse_item,
        expected=durations.SWITCH_PROTECTION,
        after=after,
        effects=leaves_there(machine),
    )
    return draft.add(
        f"configure/{machine.label}",
        actions.configure_item(planned.item, settings_there(design, machine)),
        title=f"Machine {machine.label} will have the address {planned.target_address} in a failover again",
        subject=planned.item,
        expected=durations.CONFIGURE,
        after=[protected],
    )


def _back(design: Design, machine: Machine) -> Action:
    planned, recovery = machine.planned, design.recovery
    assert machine.id.group_id is not None
    if planned.managed:
        return actions.switch_protection(
            planned.item,
            planned.reverse_item,
            container=recovery.containers[recovery.source],
            policy=recovery.policy,
            vm=planned.target_id,
            recovery_group=machine.id.group_id,
            staging_account=target_cache(design),
            settings=places.home(machine),
            encryption_sets=places.sets(design, back=True),
        )
    return actions.reprotect_unmanaged(
        planned.item,
        container=recovery.containers[recovery.source],
        policy=recovery.policy,
        vm=planned.target_id,
        recovery_group=machine.id.group_id,
        staging_account=target_cache(design),
        recovery_account=home_account(design, machine),
    )


def _forth(design: Design, machine: Machine) -> Action:
    planned, recovery = machine.planned, design.recovery
    assert planned.target_id.group_id is not None
    if planned.managed:
        return actions.switch_protection(
            planned.reverse_item,
            planned.item,
            container=recovery.containers[recovery.target],
            policy=recovery.policy,
            vm=machine.id,
            recovery_group=planned.target_id.group_id,
            staging_account=source_cache(design, machine),
            settings=places.there(design, machine),
            encryption_sets=places.sets(design),
        )
    return actions.reprotect_unmanaged(
        planned.item,
        container=recovery.containers[recovery.target],
        policy=recovery.policy,
        vm=machine.id,
        recovery_group=planned.target_id.group_id,
        staging_account=source_cache(design, machine),
        recovery_account=target_disks(design),
    )
