"""What a person does in the portal before Farshore comes: replication is enabled for machines, with nothing mapped.

The portal's way is one call for each machine (`replicationProtectionIntents`, S8, S31): Site Recovery makes the target
network of each machine's network, its copy with Site Recovery's suffix, and both mappings (D11, D22, D44). What it
does not make (S32) is what the plan is for. The vault is made before, by the same person.

A machine of unmanaged disks needs an account in the target that somebody names; the plan protects it later.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from farshore.arm.http import Request, checked
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.recovery import PROTECTED, has_failed
from farshore.arm.versions import RESOURCES, SITE_RECOVERY, api_version
from farshore.azure.client import ArmClient
from farshore.azure.conversation import converse
from farshore.azure.lro import follow, pending_of
from farshore.clock import Clock
from farshore.errors import ArmError, Fault
from farshore.estate.estate import Estate
from farshore.plan.design import Machine, make_design

LOOKS_EVERY = timedelta(minutes=1)
LOOKS = 24 * 60
"""A day: initial replication takes as long as there are bytes (S30)."""


async def enable(client: ArmClient, clock: Clock, estate: Estate) -> tuple[Machine, ...]:
    """Enable replication of every machine of managed disks, and wait until each is Protected; those machines. Raises
    `ArmError` where the service refuses, or a machine is not Protected in the end."""
    design = make_design(estate)
    recovery = design.recovery
    machines = tuple(machine for machine in design.machines if machine.planned.managed)
    group = recovery.group
    await _put(client, clock, group, {"location": recovery.target}, RESOURCES)
    vault = recovery.vault_body()
    sent = {key: vault[key] for key in ("location", "sku", "properties")}
    await _put(client, clock, recovery.vault, sent, api_version(recovery.vault.type))
    for machine in machines:
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, machine.id.key))
        intent = recovery.vault.child("replicationProtectionIntents", name)
        details = {
            "instanceType": "A2A",
            "fabricObjectId": machine.id.text,
            "primaryLocation": recovery.source,
            "recoveryLocation": recovery.target,
            "recoverySubscriptionId": machine.id.subscription,
            "recoveryAvailabilityType": "Single",
            "recoveryResourceGroupId": group.text,
        }
        await _put(client, clock, intent, {"properties": {"providerSpecificDetails": details}}, SITE_RECOVERY)
    await _protected(client, clock, recovery.vault, [machine.id for machine in machines])
    return machines


async def _put(client: ArmClient, clock: Clock, id_: ResourceId, body: Body, version: str) -> None:
    request = Request(method="PUT", url=f"{id_.text}?api-version={version}", body=body, repeatable=False)
    answer = checked(await client.send(request), request)
    pending = pending_of(answer, f"{id_.text}?api-version={version}")
    if pending:
        await converse(follow(pending, since=clock.now()), client, clock, id_.name)


async def _protected(client: ArmClient, clock: Clock, vault: ResourceId, machines: Sequence[ResourceId]) -> None:
    url = f"{vault.text}/replicationProtectedItems?api-version={SITE_RECOVERY}"
    for _ in range(LOOKS):
        states: dict[ResourceId, str] = {}
        for body in await client.list_all(url):
            properties = body["properties"]
            machine = resource_id(str(properties["providerSpecificDetails"]["fabricObjectId"]))
            states[machine] = properties["protectionState"]
        waiting = {machine: states.get(machine, "not there yet") for machine in machines}
        waiting = {machine: state for machine, state in waiting.items() if state != PROTECTED}
        if not waiting:
            return
        if failed := {machine: state for machine, state in waiting.items() if has_failed(state)}:
            raise _not_protected(vault, failed, "and won't be")
        await clock.sleep(LOOKS_EVERY, "initial replication")
    raise _not_protected(vault, waiting, "after a day")


def _not_protected(vault: ResourceId, machines: Mapping[ResourceId, str], when: str) -> ArmError:
    whom = ", ".join(f"{machine.name} ({state})" for machine, state in machines.items())
    return ArmError(Fault(code="NotProtected", message=f"In {vault.name} these are not Protected {when}: {whom}"))
