"""What a target is made of, whatever works at the moment: where it may send on, and whose failure may change it."""

from __future__ import annotations

from farshore.routing.index import Holder
from farshore.routing.places import holders_of
from farshore.routing.scale.networks import Networks
from farshore.routing.scale.targets import Target
from farshore.routing.world import World


def may_send_by(world: World, networks: Networks, target: Target) -> tuple[str, ...]:
    """Lower-case subnet ids: of the NIC and its machine's other NICs, of every member, of the firewall."""
    found: dict[str, None] = {}
    frontend = world.index.frontend(networks.all[target.network].id.key, target.address)
    if frontend is not None:
        found[frontend.subnet.key] = None
    for member in _holders(world, networks, target):
        found[member.subnet.key] = None
        machine = world.index.machines.get(world.index.machine_of.get(member.nic.id.key, ""))
        for id_ in () if machine is None else machine.network_interfaces:
            nic = world.index.nics.get(id_.key)
            for holder in () if nic is None else holders_of(nic):
                found[holder.subnet.key] = None
    return tuple(found)


def members_of(world: World, networks: Networks, target: Target) -> frozenset[str]:
    """Every NIC, machine, firewall and region that it rests on, by the names of `Outside.down`."""
    network = networks.all[target.network]
    found = {f"region:{network.location}"}
    frontend = world.index.frontend(network.id.key, target.address)
    if frontend is not None:
        found.add(frontend.id.key)
    for member in _holders(world, networks, target):
        holder = world.index.machine_of.get(member.nic.id.key)
        found |= {member.nic.id.key, f"region:{member.nic.location}"} | ({holder} if holder else set())
        machine = world.index.machines.get(holder or "")
        found |= {id_.key for id_ in (() if machine is None else machine.network_interfaces)}
    return frozenset(found)


def _holders(world: World, networks: Networks, target: Target) -> list[Holder]:
    key = networks.all[target.network].id.key
    frontend = world.index.frontend(key, target.address)
    return [*world.index.at(key, target.address), *(() if frontend is None else frontend.members)]
