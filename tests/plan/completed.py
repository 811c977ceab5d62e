"""What Site Recovery makes when replication is enabled with nothing mapped (S31, D11, D22, D44), beside an example."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from farshore.arm.ids import ResourceId, make_id
from farshore.arm.json import Body
from farshore.arm.network import VIRTUAL_NETWORKS
from farshore.estate.estate import Change, Estate
from plan.estates import SUBSCRIPTION, source_id

VAULT = make_id(SUBSCRIPTION, "rg-of-the-portal", "Microsoft.RecoveryServices/vaults", "vault-of-the-portal")
FABRIC = VAULT.child("replicationFabrics", "asr-a2a-default-eastasia")
AWAY = VAULT.child("replicationFabrics", "asr-a2a-default-southeastasia")
CONTAINER = FABRIC.child("replicationProtectionContainers", "asr-a2a-default-eastasia-container")
SPOKES = ("Source-vNet1", "Source-vNet2")
"""The networks of protected machines: a hub usually has none."""


def made(estate: Estate, *names: str, group: str = "rg-source-asr") -> Estate:
    """Networks like the source's: its ranges and its subnets, and nothing that hangs on them (S31, S32)."""
    changes = []
    for name in names or SPOKES:
        body = estate.get(source_id(VIRTUAL_NETWORKS, name))
        assert body is not None
        subnets = []
        for subnet in body["properties"]["subnets"]:
            own = {key: subnet["properties"][key] for key in ("addressPrefix",) if key in subnet["properties"]}
            subnets.append({"name": subnet["name"], "properties": own})
        id_ = made_id(name, group)
        space = copy.deepcopy(body["properties"]["addressSpace"])
        properties: Body = {"addressSpace": space, "subnets": subnets, "virtualNetworkPeerings": []}
        changes.append(
            {"id": id_.text, "name": id_.name, "type": id_.type, "location": "southeastasia", "properties": properties}
        )
    return estate.with_changes([Change(put=body) for body in changes])


def made_id(name: str, group: str = "rg-source-asr") -> ResourceId:
    return make_id(SUBSCRIPTION, group, VIRTUAL_NETWORKS, f"{name}-asr")


def mapped(estate: Estate, pairs: Iterable[tuple[ResourceId, ResourceId]]) -> Estate:
    """Mappings as the service shows them (S5)."""
    bodies = []
    for one, other in pairs:
        id_ = FABRIC.child("replicationNetworks", "azureNetwork").child(
            "replicationNetworkMappings", f"{one.name}-{other.name}"
        )
        shown = {"primaryNetworkId": one.text, "recoveryNetworkId": other.text, "state": "Paired"}
        bodies.append({"id": id_.text, "name": id_.name, "properties": shown})
    return estate.with_changes([Change(put=body) for body in [*_vault(), *bodies]])


def protected(estate: Estate, machine: str, name: str) -> Estate:
    """An item of a name that the service chose."""
    vm = source_id("Microsoft.Compute/virtualMachines", machine)
    id_ = CONTAINER.child("replicationProtectedItems", name)
    details = {"instanceType": "A2A", "fabricObjectId": vm.text}
    body = {
        "id": id_.text,
        "name": name,
        "properties": {"protectionState": "Protected", "providerSpecificDetails": details},
    }
    return estate.with_changes([Change(put=each) for each in [*_vault(), body]])


def _vault() -> list[Body]:
    fabrics: list[Body] = [
        {
            "id": fabric.text,
            "name": fabric.name,
            "properties": {"customDetails": {"instanceType": "Azure", "location": region}},
        }
        for fabric, region in ((FABRIC, "eastasia"), (AWAY, "southeastasia"))
    ]
    vault: Body = {"id": VAULT.text, "name": VAULT.name, "type": VAULT.type, "location": "southeastasia"}
    return [{**vault, "properties": {}}, *fabrics, {"id": CONTAINER.text, "name": CONTAINER.name, "properties": {}}]
