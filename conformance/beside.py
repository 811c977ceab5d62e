"""What stands beside an example of Microsoft.Network: other ends that its answer tells of, and the machine of a NIC.

A subnet that lists IP configurations is one in which something has them; a peering tells of its remote network what
that network says of itself; the effective routes of a NIC are those of a machine that runs (R10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.recordings import Row, id_of
from conformance.standing import machine_of
from farshore.arm.ids import make_id
from farshore.lab import Cloud
from farshore.lab.compute.attached import NETWORK_INTERFACES, VIRTUAL_MACHINES

Body = dict[str, Any]
LOCATION = "eastus"


def before(cloud: Cloud, answer: Any) -> None:
    """Networks of which the answer says more than that they are there."""
    cloud.seed(list(_remote_networks(_objects(answer))))


def after(cloud: Cloud, row: Row, answer: Any) -> None:
    """Once what the request names is there: what lies in the subnets of the answer, and the machine of a NIC."""
    found = list(_in_subnets(_objects(answer)))
    nic = id_of("/" + "/".join(row.segments[:-1]))
    if row.method == "POST" and nic is not None and nic.is_a(NETWORK_INTERFACES):
        vm = make_id(nic.subscription, str(nic.resource_group), VIRTUAL_MACHINES, f"of-{nic.name}")
        found.append(machine_of(nic, vm, LOCATION))
    cloud.seed(found)


def _objects(value: Any) -> Iterator[Body]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


def _remote_networks(objects: Iterator[Body]) -> Iterator[Body]:
    for shown in objects:
        remote = id_of(str((shown.get("remoteVirtualNetwork") or {}).get("id")))
        if remote is not None and "remoteBgpCommunities" in shown:
            properties = {
                "addressSpace": shown["remoteVirtualNetworkAddressSpace"],
                "bgpCommunities": shown["remoteBgpCommunities"],
            }
            yield {"id": remote.text, "location": LOCATION, "properties": properties}


def _in_subnets(objects: Iterator[Body]) -> Iterator[Body]:
    """Whatever has an IP configuration keeps it under the word that its id says."""
    for subnet in objects:
        for shown in (subnet.get("properties") or {}).get("ipConfigurations") or () if "id" in subnet else ():
            config = id_of(str(shown.get("id")))
            if config is None or config.parent is None or "/subnets/" not in str(subnet["id"]):
                continue
            where = {"subnet": {"id": subnet["id"]}, "privateIPAllocationMethod": "Dynamic"}
            properties = {config.pairs[-1][0]: [{"name": config.name, "properties": where}]}
            yield {"id": config.parent.text, "location": LOCATION, "properties": properties}
