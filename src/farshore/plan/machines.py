"""One machine's way: the item's settings in each direction, and the bodies that a failover makes.

Site Recovery would choose names and addresses by itself, and takes another address without a word when the wanted one
is not given (D68, S35: recorded, 10.67.0.5 became 10.0.0.4). So each item is told everything: the machine's name, its
network, and for each NIC its name, group, subnet and static address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import NETWORK_INTERFACES, IpConfiguration
from farshore.plan.carried import fronts
from farshore.plan.carried.cards import without
from farshore.plan.design import Card, Design, Machine
from farshore.plan.model import DeleteResource, Effect, Promise, PutResource


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlace:
    """Where a NIC stands in a test failover (S14, S36)."""

    subnet: str
    address: str


def drilled_id(machine: Machine) -> ResourceId:
    """The test machine's id: Site Recovery's own suffix, in the target's group."""
    return _sibling(machine.planned.target_id, f"{machine.planned.target_id.name}-test")


def drilled_nic_id(card: Card) -> ResourceId:
    return _sibling(card.target_id, f"{card.target_id.name}-test")


def settings_there(
    design: Design, machine: Machine, test: tuple[ResourceId, Mapping[ResourceId, DrillPlace]] | None = None
) -> dict[str, Any]:
    """The item's settings while the source is primary (S13). `test` adds the drill's network and each NIC's place."""
    planned, of = machine.planned, design.counterparts.of
    nics = []
    for card in machine.cards:
        nic: dict[str, Any] = _nic(card.nic.id, card.target_id)
        if card.nic.network_security_group is not None:
            nic["recoveryNetworkSecurityGroupId"] = of(card.nic.network_security_group).text
        nic["ipConfigs"] = []
        for configuration in _configurations(card):
            said = _configuration(card, configuration, str(design.target.network_text(_address(configuration))))
            said |= fronts.settings(configuration, design)
            if test is not None and (place := test[1].get(card.nic.id)) is not None and said["isPrimary"]:
                said |= {"tfoSubnetName": place.subnet, "tfoStaticIPAddress": place.address}
            nic["ipConfigs"].append(said)
        if test is not None:
            own = drilled_nic_id(card)
            nic |= {"tfoNicName": own.name, "tfoNicResourceGroupName": own.resource_group}
        nics.append(nic)
    properties = _settings(machine, planned.target_id, _network_there(design, machine), nics)
    if test is not None:
        properties["selectedTfoAzureNetworkId"] = test[0].text
        properties["providerSpecificDetails"]["tfoAzureVMName"] = drilled_id(machine).name
    return properties


def settings_back(machine: Machine) -> dict[str, Any]:
    """The item's settings while the target is primary: home again, to the same names and addresses."""
    nics = []
    for card in machine.cards:
        nic: dict[str, Any] = _nic(card.target_id, card.nic.id)
        if card.nic.network_security_group is not None:
            nic["recoveryNetworkSecurityGroupId"] = card.nic.network_security_group.text
        nic["ipConfigs"] = [
            _configuration(card, configuration, _address(configuration)) | fronts.settings(configuration, None)
            for configuration in _configurations(card)
        ]
        nics.append(nic)
    home = machine.cards[0].configuration.subnet
    assert home is not None and home.parent is not None
    return _settings(machine, machine.id, home.parent, nics)


def arrives_there(design: Design, machine: Machine) -> list[Effect]:
    """What a failover makes in the target: NICs, then the machine."""
    effects: list[Effect] = [PutResource(body=_nic_there(design, machine, card)) for card in machine.cards]
    return [*effects, PutResource(body=_machine_there(design, machine))]


def promised_there(machine: Machine) -> Promise:
    """From now on the machine is looked for in the target."""
    return Promise(machine=machine.id, nic=machine.planned.target_nic)


def arrives_home(design: Design, machine: Machine) -> list[Effect]:
    """What a failback makes in the source: what was there before but what a step puts on its NICs, and the promise
    with it."""
    effects: list[Effect] = []
    for card in machine.cards:
        body = design.estate.get(card.nic.id)
        assert body is not None
        effects.append(PutResource(body=without(body)))
    home = Promise(machine=machine.id, nic=machine.planned.nic)
    return [*effects, PutResource(body=machine.body), home]


def leaves_home(machine: Machine) -> list[Effect]:
    """Reprotect deletes the machine that was failed over from, with its NICs (S46)."""
    return [DeleteResource(id=machine.id), *(DeleteResource(id=card.nic.id) for card in machine.cards)]


def leaves_there(machine: Machine) -> list[Effect]:
    return [
        DeleteResource(id=machine.planned.target_id),
        *(DeleteResource(id=card.target_id) for card in machine.cards),
    ]


# Parts. ------------------------------------------------------------------------------------------------------------


def _settings(machine: Machine, vm: ResourceId, network: ResourceId, nics: list[dict[str, Any]]) -> dict[str, Any]:
    assert vm.group_id is not None
    properties: dict[str, Any] = {
        "recoveryAzureVMName": vm.name,
        "selectedRecoveryAzureNetworkId": network.text,
        "vmNics": nics,
        "providerSpecificDetails": {"instanceType": "A2A", "recoveryResourceGroupId": vm.group_id.text},
    }
    if machine.vm.vm_size is not None:
        properties["recoveryAzureVMSize"] = machine.vm.vm_size
    return properties


def _nic(now: ResourceId, then: ResourceId) -> dict[str, Any]:
    return {
        "nicId": now.text,
        "selectionType": "SelectedByUser",
        "recoveryNicName": then.name,
        "recoveryNicResourceGroupName": then.resource_group,
    }


def _configuration(card: Card, configuration: IpConfiguration, address: str) -> dict[str, Any]:
    assert configuration.subnet is not None
    return {
        "ipConfigName": configuration.name,
        "isPrimary": configuration == card.configuration,
        # Misspelt on the wire (S13).
        "isSeletedForFailover": True,
        "recoverySubnetName": configuration.subnet.name,
        "recoveryStaticIPAddress": address,
    }


def _configurations(card: Card) -> list[IpConfiguration]:
    return [item for item in card.nic.ip_configurations if item.private_ip_address is not None and item.subnet]


def _address(configuration: IpConfiguration) -> str:
    return str(configuration.private_ip_address)


def _network_there(design: Design, machine: Machine) -> ResourceId:
    subnet = machine.cards[0].configuration.subnet
    assert subnet is not None and subnet.parent is not None
    return design.counterparts.of(subnet.parent)


def _nic_there(design: Design, machine: Machine, card: Card) -> Body:
    of = design.counterparts.of
    configurations = []
    for configuration in _configurations(card):
        assert configuration.subnet is not None
        configurations.append(
            {
                "name": configuration.name,
                "properties": {
                    "primary": configuration == card.configuration,
                    "privateIPAddress": design.target.network_text(_address(configuration)),
                    "privateIPAllocationMethod": "Static",
                    "subnet": {"id": of(configuration.subnet).text},
                    **fronts.shown(configuration, design),
                },
            }
        )
    properties: dict[str, Any] = {
        "ipConfigurations": configurations,
        "enableIPForwarding": card.nic.enable_ip_forwarding,
        "virtualMachine": {"id": machine.planned.target_id.text},
    }
    if card.nic.network_security_group is not None:
        properties["networkSecurityGroup"] = {"id": of(card.nic.network_security_group).text}
    return _made(design, card.target_id, NETWORK_INTERFACES, properties)


def _machine_there(design: Design, machine: Machine) -> Body:
    primary = machine.cards[0]
    source = machine.body.get("properties") or {}
    properties: dict[str, Any] = {
        "networkProfile": {
            "networkInterfaces": [
                {"id": card.target_id.text, "properties": {"primary": card is primary}} for card in machine.cards
            ]
        }
    }
    if "hardwareProfile" in source:
        properties["hardwareProfile"] = source["hardwareProfile"]
    if machine.vm.os_type is not None:
        properties["storageProfile"] = {"osDisk": {"osType": machine.vm.os_type}}
    return _made(design, machine.planned.target_id, VIRTUAL_MACHINES, properties)


def _made(design: Design, id_: ResourceId, type_: str, properties: dict[str, Any]) -> Body:
    return {
        "id": id_.text,
        "name": id_.name,
        "type": type_,
        "location": design.project.target.region,
        "properties": properties,
    }


def _sibling(id_: ResourceId, name: str) -> ResourceId:
    return ResourceId(id_.text[: -len(id_.name)] + name)
