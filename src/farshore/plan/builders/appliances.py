"""How each appliance gets to the target (S32): one that exists is checked, a template's resources are put, and what a
person does by hand is read back. Appliances are never replicated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import LOAD_BALANCERS, NETWORK_INTERFACES, NetworkInterface
from farshore.errors import InputError
from farshore.estate.project import Appliance
from farshore.plan import actions, durations, templates
from farshore.plan.carried import fronts
from farshore.plan.design import Design, addresses_of, appliance_nics
from farshore.plan.draft import Draft
from farshore.plan.model import PutResource, StepKind


def build(design: Design, draft: Draft, made: Mapping[ResourceId, str]) -> list[str]:
    """The steps of every appliance; returns the last of each, which transit and connection come after."""
    return [step for appliance in design.project.appliances for step in _one(design, draft, appliance, made)]


def _one(design: Design, draft: Draft, appliance: Appliance, made: Mapping[ResourceId, str]) -> list[str]:
    nics = appliance_nics(design.estate, appliance)
    if not nics:
        raise InputError(
            f"The appliance {appliance.source.name} is not in the estate",
            value=appliance.source.text,
            expected="a NIC, or a load balancer with NICs behind it",
            file=design.project.file,
        )
    label = design.label(appliance.source)
    subnet = nics[0].primary.subnet if nics[0].primary is not None else None
    network = None if subnet is None else subnet.parent
    step = None if network is None else made.get(network)
    after = [step] if step is not None and step.startswith(f"{draft.phase.value}/") else []
    if appliance.existing is not None:
        return _checks(draft, label, _existing(design, appliance.existing), after)
    if appliance.template is not None:
        return _template(design, draft, label, appliance, nics[0], after)
    return _by_hand(design, draft, label, appliance, nics, after)


def _existing(design: Design, id_: ResourceId) -> list[tuple[ResourceId, ResourceId, str]]:
    found = []
    for nic in appliance_nics(design.estate, Appliance(source=id_)):
        address = nic.primary.private_ip_address if nic.primary is not None else None
        if nic.virtual_machine is not None and address is not None:
            found.append((nic.virtual_machine, nic.id, str(address)))
    return found


def _checks(
    draft: Draft,
    label: str,
    found: list[tuple[ResourceId, ResourceId, str]],
    after: list[str],
) -> list[str]:
    """Each of an appliance's machines runs and has the address that next hops name."""
    return [
        draft.add(
            f"appliance-check/{label}" + ("" if len(found) == 1 else f"/{vm.name}"),
            actions.check_machine(vm, nic, address),
            title=f"Appliance {vm.name} runs and has the address {address}",
            subject=vm,
            expected=durations.CHECK_MACHINE,
            kind=StepKind.CHECK,
            after=after,
        )
        for vm, nic, address in found
    ]


def _template(
    design: Design, draft: Draft, label: str, appliance: Appliance, nic: NetworkInterface, after: list[str]
) -> list[str]:
    assert appliance.template is not None
    counterparts, primary = design.counterparts, nic.primary
    group = counterparts.group(nic.id)
    address = str(design.target.next_hop(str(primary.private_ip_address))) if primary is not None else ""
    front = addresses_of(design.estate, appliance.source)
    parameters: dict[str, Any] = {
        "location": design.project.target.region,
        "name": counterparts.of(nic.id).name,
        "privateIPAddress": address,
        "frontendIPAddress": str(design.target.next_hop(str(front[0]))) if front else address,
    }
    if nic.virtual_machine is not None:
        parameters["machineName"] = counterparts.of(nic.virtual_machine).name
    if primary is not None and primary.subnet is not None:
        parameters["subnetId"] = counterparts.of(primary.subnet).text
    if nic.network_security_group is not None:
        parameters["networkSecurityGroupId"] = counterparts.of(nic.network_security_group).text
    template = templates.read_template(design.project.file, appliance.template)
    bodies = templates.expand(template, group, design.project.target.region, parameters, file=appliance.template)
    machines = {
        resource_id(str(item["id"])): resource_id(str(body["id"]))
        for body in bodies
        if resource_id(str(body["id"])).is_a(VIRTUAL_MACHINES)
        for item in _nics_of(body)
    }
    found = []
    last = list(after)
    for body in bodies:
        id_ = resource_id(str(body["id"]))
        vm = machines.get(id_) if id_.is_a(NETWORK_INTERFACES) else None
        step = draft.put(
            f"appliance/{label}/{id_.pairs[-1][0]}/{id_.name}",
            body,
            title=f"Deploy the appliance {label}: {id_.short}",
            after=last,
            shown=body if vm is None else _on(body, vm),
        )
        last = [step]
        if vm is not None:
            held = [c["properties"].get("privateIPAddress") for c in body["properties"].get("ipConfigurations") or []]
            found.append((vm, id_, str(held[0] if held else address)))
    return _checks(draft, label, found, last) or last


def _by_hand(
    design: Design,
    draft: Draft,
    label: str,
    appliance: Appliance,
    nics: tuple[NetworkInterface, ...],
    after: list[str],
) -> list[str]:
    """A person deploys it; the plan says where and with which names, and then looks."""
    counterparts = design.counterparts
    found, effects, told = [], [], []
    front = design.estate.get(appliance.source) if appliance.source.is_a(LOAD_BALANCERS) else None
    if front is not None:
        there = fronts.balancer(design, front)
        addresses = ", ".join(str(design.target.next_hop(a)) for a in addresses_of(design.estate, appliance.source))
        told.append(f"load balancer {there['name']} ({addresses}) with the rules and probes of {appliance.source.name}")
        effects.append(PutResource(body=there))
    for nic in nics:
        if nic.virtual_machine is None or nic.primary is None or nic.primary.private_ip_address is None:
            continue
        address = str(design.target.next_hop(str(nic.primary.private_ip_address)))
        own, vm = counterparts.of(nic.id), counterparts.of(nic.virtual_machine)
        subnet = None if nic.primary.subnet is None else counterparts.of(nic.primary.subnet)
        pools = [counterparts.of(pool) for pool in nic.primary.load_balancer_backend_address_pools if front is not None]
        told.append(f"NIC {own.name} ({address}, IP forwarding on, subnet {subnet}) on machine {vm.name}")
        effects += [
            PutResource(
                body={
                    "id": own.text,
                    "name": own.name,
                    "type": NETWORK_INTERFACES,
                    "location": design.project.target.region,
                    "properties": {
                        "enableIPForwarding": True,
                        "ipConfigurations": [
                            {
                                "name": nic.primary.name,
                                "properties": {
                                    "primary": True,
                                    "privateIPAddress": address,
                                    "privateIPAllocationMethod": "Static",
                                    **({} if subnet is None else {"subnet": {"id": subnet.text}}),
                                    **(
                                        {"loadBalancerBackendAddressPools": [{"id": p.text} for p in pools]}
                                        if pools
                                        else {}
                                    ),
                                },
                            }
                        ],
                        "virtualMachine": {"id": vm.text},
                    },
                }
            ),
            PutResource(
                body={
                    "id": vm.text,
                    "name": vm.name,
                    "type": VIRTUAL_MACHINES,
                    "location": design.project.target.region,
                    "properties": {"networkProfile": {"networkInterfaces": [{"id": own.text}]}},
                }
            ),
        ]
        found.append((vm, own, address))
    step = draft.add(
        f"appliance/{label}",
        actions.person(
            f"Deploy the appliance {label} in {design.project.target.region}, "
            f"resource group {counterparts.group(nics[0].id).name}: " + "; ".join(told)
        ),
        title=f"A person deploys the appliance {label} in {design.project.target.region}",
        subject=nics[0].id,
        expected=durations.APPLIANCE_PERSON,
        kind=StepKind.PERSON,
        after=after,
        effects=effects,
    )
    return _checks(draft, label, found, [step]) or [step]


def _nics_of(body: Body) -> list[Body]:
    profile = (body.get("properties") or {}).get("networkProfile") or {}
    return [item for item in profile.get("networkInterfaces") or [] if isinstance(item, dict) and "id" in item]


def _on(body: Body, vm: ResourceId) -> Body:
    """The NIC as it is shown once its machine stands: the plan's later put of the machine says nothing of it."""
    return {**body, "properties": {**(body.get("properties") or {}), "virtualMachine": {"id": vm.text}}}
