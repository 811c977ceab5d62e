"""A pair of appliances behind an internal load balancer: the source's, and the template of the target's.

The address that tables name is the load balancer's, and a rule for all ports leads what comes to it to both members
(R25). Floating is off: a member is asked for what is addressed to others, not to the load balancer's address.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from farshore.arm.json import Body

FRONT = "nva-lb"
SECOND_NAME = "nva2"
TEMPLATE = "nva-pair.json"
_NAME = re.compile(r"(?<=[\"/])(?<!subnets/)nva(?=(-nic|-os)?[\"/])")
"""The appliance in a name or an id of its machine, NIC and disk; not its subnet."""
_MADE_UP = ("etag", "resourceGuid", "macAddress", "vmId", "uniqueId")


def made_two(bodies: list[Body]) -> tuple[list[Body], str]:
    """The bodies with the appliance twice, and the id of the load balancer that has its address now."""
    by_name = {str(body.get("name")): body for body in bodies}
    nic, machine, disk = by_name["nva-nic"], by_name["nva"], by_name["nva-os"]
    held = nic["properties"]["ipConfigurations"][0]["properties"]
    own = f"{str(nic['id']).rsplit('/', 2)[0]}/loadBalancers/{FRONT}"
    address = str(held["privateIPAddress"])
    front = _balancer(own, nic["location"], {"privateIPAddress": address, "subnet": held["subnet"]})
    members = [
        _behind(nic, own, _further(address, 1)),
        _behind(_second(nic), own, _further(address, 2)),
    ]
    rest = [body for body in bodies if body is not nic]
    return [*rest, front, *members, _second(machine), _second(disk)], own


def template(single: Body) -> Body:
    """The template of one appliance as that of two behind a load balancer. It is given what every template is: the
    first NIC's names and address, and the address that tables name."""
    parameters = {**single["parameters"], "frontendIPAddress": {"type": "string"}}
    nic, machine = single["resources"]
    own = f"[resourceId('Microsoft.Network/loadBalancers', '{FRONT}')]"
    balancer = _balancer(
        own,
        "[parameters('location')]",
        {"privateIPAddress": "[parameters('frontendIPAddress')]", "subnet": {"id": "[parameters('subnetId')]"}},
    )
    front = {**balancer, "apiVersion": "2024-05-01"}
    del front["id"]
    members = []
    for name, machine_name, address in (
        ("parameters('name')", "parameters('machineName')", "parameters('privateIPAddress')"),
        (f"'{SECOND_NAME}-nic'", f"'{SECOND_NAME}'", "replace(parameters('privateIPAddress'), '.10.11', '.10.12')"),
    ):
        text = json.dumps([_behind(nic, own, f"[{address}]"), machine])
        text = text.replace("parameters('name')", name).replace("parameters('machineName')", machine_name)
        members += json.loads(text)
    for resource in members[::2]:
        resource["dependsOn"] = [own]
    return {**single, "parameters": parameters, "resources": [front, *members]}


def _balancer(own: str, location: str, at: dict[str, Any]) -> Body:
    def part(kind: str, name: str) -> str:
        return f"{own}/{kind}/{name}" if own.startswith("/") else f"[concat({own[1:-1]}, '/{kind}/{name}')]"

    front, pool, probe = (
        part("frontendIPConfigurations", "front"),
        part("backendAddressPools", "both"),
        part("probes", "alive"),
    )
    rule = {
        "protocol": "All",
        "frontendPort": 0,
        "backendPort": 0,
        "enableFloatingIP": False,
        "frontendIPConfiguration": {"id": front},
        "backendAddressPool": {"id": pool},
        "probe": {"id": probe},
    }
    alive = {"protocol": "Tcp", "port": 22, "intervalInSeconds": 5, "numberOfProbes": 2}
    parts = {
        "frontendIPConfigurations": [
            {"id": front, "name": "front", "properties": {"privateIPAllocationMethod": "Static", **at}}
        ],
        "backendAddressPools": [{"id": pool, "name": "both", "properties": {}}],
        "probes": [{"id": probe, "name": "alive", "properties": alive}],
        "loadBalancingRules": [{"id": part("loadBalancingRules", "all"), "name": "all", "properties": rule}],
    }
    return {
        "id": own,
        "name": FRONT,
        "type": "Microsoft.Network/loadBalancers",
        "location": location,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": parts,
    }


def _behind(nic: Body, balancer: str, address: str) -> Body:
    """The NIC with an address of its own, in the load balancer's pool."""
    pool = f"{balancer}/backendAddressPools/both"
    if not balancer.startswith("/"):
        pool = f"[concat({balancer[1:-1]}, '/backendAddressPools/both')]"
    made = copy.deepcopy(nic)
    made["properties"]["ipConfigurations"][0]["properties"].update(
        privateIPAddress=address, loadBalancerBackendAddressPools=[{"id": pool}]
    )
    return made


def _second(body: Body) -> Body:
    """The same body as the second appliance's, without what Azure made up for the first."""
    made: Body = json.loads(_NAME.sub(SECOND_NAME, json.dumps(body)))
    for key in _MADE_UP:
        made.pop(key, None)
        made["properties"].pop(key, None)
    return made


def _further(address: str, steps: int) -> str:
    head, _, last = address.rpartition(".")
    return f"{head}.{int(last) + steps}"
