"""Who is behind an address: an appliance at a next hop, and whether it can forward (R21, R24, R25).

The next hop of a VirtualAppliance row must be an address in the row's own network or in one peered with it directly:
a NIC, a load balancer's frontend, or an Azure Firewall (R21). A NIC must have IP forwarding on (R24), and its machine
must run: the row stays Active when it doesn't, and the traffic is lost (R25). A load balancer notices that a member's
machine is gone, and takes those that are left, each for a share: one that forwards nothing, or whose table leads
nowhere, it doesn't notice, and the share of that one is lost.

Appliances are taken to be stateful unless the project says otherwise. What keeps the state is the machine, whichever of
its NICs a packet used; where a load balancer has several left, the pool, since the hash of one frontend is the same
both ways where a rule takes all ports. Of rules for some ports nobody knows what they make of a packet under way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId
from farshore.arm.network import VirtualNetwork
from farshore.routing.index import Frontend, Holder
from farshore.routing.places import holders_of, is_stateful
from farshore.routing.prefixes import covered

if TYPE_CHECKING:
    from farshore.routing.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """What stands at a next hop. `why` says what keeps it from forwarding."""

    id: ResourceId
    """The NIC, or the firewall."""
    subnet: ResourceId
    holder: Holder | None
    stateful: bool
    state_key: str
    why: str | None = None
    front: str = ""
    """The load balancer that chose it, by its lower-case id."""
    own: tuple[Address, ...] = ()
    """The addresses of its NIC: what is for them it takes, and does not forward."""
    hashed_by: str = ""
    """Which of its frontends, where several members share what comes there; lower-case."""
    missing: tuple[str, ...] = ()
    """What can't be read of it: whether it runs, whether it forwards, who else is a member with it."""
    others: tuple[ResourceId, ...] = ()
    """Those that share the traffic with it as equal next hops."""
    members: tuple[Appliance, ...] = ()
    """Of a load balancer's pool with several that run: each of them. The rest is told of the first."""
    any_of: tuple[frozenset[str], ...] = ()
    """Of each of these, itself among them, all that it may be named by."""


def appliance_at(world: World, network: VirtualNetwork, address: Address) -> Appliance | str:
    """The appliance at a next hop as seen from a network, or why there is none."""
    key = (network.id.key, address)
    found = world.memo.get(key)
    if found is None:
        found = world.memo[key] = _appliance_at(world, network, address)
    answer: Appliance | str = found
    return answer


def sharing(equal: Sequence[Appliance]) -> tuple[Appliance, ...]:
    """Appliances between which nothing decides: a packet may meet any of them, a reply another than the flow did."""
    key = "|".join(sorted({item.state_key for item in equal}))
    ids = tuple(dict.fromkeys(item.id for item in equal))
    names = tuple(dict.fromkeys(frozenset({item.id.key, item.state_key, item.front} - {""}) for item in equal))
    return tuple(
        replace(item, state_key=key, others=tuple(id_ for id_ in ids if id_ != item.id), any_of=names) for item in equal
    )


def exits_of(world: World, holder: Holder) -> tuple[Holder, ...]:
    """The NICs by which a machine may send on what came in by one: that one first, one a subnet, all that forward."""
    machine = world.index.machines.get(world.index.machine_of.get(holder.nic.id.key, ""))
    found = {holder.subnet.key: holder}
    for id_ in () if machine is None else machine.network_interfaces:
        nic = world.index.nics.get(id_.key)
        if nic is not None and nic.enable_ip_forwarding and world.health.nic(nic) is None:
            for other in filter(lambda held: world.has_subnet(held.subnet), holders_of(nic)):
                if other.address.version == holder.address.version:
                    found.setdefault(other.subnet.key, other)
    return tuple(found.values())


def _appliance_at(world: World, network: VirtualNetwork, address: Address) -> Appliance | str:
    for where in _reachable(world, network, address):
        holders = world.index.at(where.id.key, address)
        if holders:
            return _of_nic(world, holders[0])
        frontend = world.index.frontend(where.id.key, address)
        if frontend is not None:
            return _of_frontend(world, frontend, where)
        if not world.health.region(where.location):
            return f"region {where.location} is down"
    return f"the next hop {address} is no address in {network.name} or in a network peered with it (R21)"


def _reachable(world: World, network: VirtualNetwork, address: Address) -> Iterator[VirtualNetwork]:
    """The network itself first: a hub has hundreds of peers, and a next hop is seldom in one of them."""
    if covered(address, network.address_space):
        yield network
    for live in world.ground.peerings.get(network.id.key, ()):
        if live.remote is not None and covered(address, live.prefixes):
            yield live.remote


def _of_nic(world: World, holder: Holder) -> Appliance:
    why = world.health.nic(holder.nic)
    if why is None and not holder.nic.enable_ip_forwarding:
        why = f"{holder.nic.id.name} has IP forwarding off and drops what is not for itself (R24)"
    if why is None and not world.has_subnet(holder.subnet):
        why = f"the subnet {holder.subnet.short} of {holder.nic.id.name} is not there"
    machine = world.index.machine_of.get(holder.nic.id.key, holder.nic.id.key)
    return Appliance(
        id=holder.nic.id,
        subnet=holder.subnet,
        holder=holder,
        stateful=is_stateful(world, holder.nic.id.key, machine),
        state_key=machine,
        why=why,
        own=world.index.addresses(holder.nic.id),
        missing=world.doubts.of_appliance(holder.nic),
    )


def _of_frontend(world: World, frontend: Frontend, network: VirtualNetwork) -> Appliance | str:
    stateful = is_stateful(world, frontend.id.key)
    if frontend.kind == "azureFirewall":
        why = None if world.health.placed(frontend.id, network.location) else f"{frontend.id.name} does not work"
        if why is None and not world.has_subnet(frontend.subnet):
            why = f"the subnet {frontend.subnet.short} of {frontend.id.name} is not there"
        return Appliance(
            id=frontend.id,
            subnet=frontend.subnet,
            holder=None,
            stateful=stateful,
            missing=world.doubts.stands(network),
            state_key=frontend.id.key,
            why=why,
        )
    return _of_pool(world, frontend, network, stateful)


def _of_pool(world: World, frontend: Frontend, network: VirtualNetwork, stateful: bool) -> Appliance | str:
    name, front = frontend.id.name, frontend.id.key
    if not frontend.members and not frontend.missing:
        return f"{name} has no members"
    missing = tuple(text for member in frontend.members for text in world.doubts.of_appliance(member.nic))
    missing += (*frontend.missing, *world.doubts.hidden_in((network.id.key,)))
    if not frontend.whole:
        missing += (f"what {name} does with ports that its rules don't name",)
    alive = [_of_nic(world, member) for member in frontend.members if world.health.nic(member.nic) is None]
    if not alive:
        why = f"no member of {name} works"
        nobody = Appliance(
            id=frontend.id,
            subnet=frontend.subnet,
            holder=None,
            stateful=stateful,
            state_key="",
            why=why,
            missing=missing,
        )
        return nobody if missing else why
    held = [replace(item, stateful=stateful, front=front, missing=missing) for item in alive]
    if len(held) == 1:
        return held[0]
    held = [replace(item, hashed_by=frontend.key) for item in held]
    machines = dict.fromkeys(item.state_key for item in alive)
    if len(machines) > 1:
        names = tuple(
            frozenset({machine, front, *(item.id.key for item in alive if item.state_key == machine)})
            for machine in machines
        )
        held = [replace(item, state_key=frontend.key, any_of=names) for item in held]
    return replace(held[0], why=None, members=tuple(held))
