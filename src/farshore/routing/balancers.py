"""What stands behind the addresses that load balancers and Azure Firewalls hold.

A load balancer's rule leads what comes to one of its frontends, by some ports or by all (`protocol` All, port 0), to
the members of its pools; an inbound NAT rule leads one port to one machine. Who is in a pool both sides may say: the
NIC that names the pool, or the pool that names a NIC's configuration, or an address and the network that it is in.
What takes that address is whoever holds it there; where no NIC of the estate does, nobody knows who it is: it may be an
instance of a scale set, or a container.

Fields that a rule does not have are taken to narrow nothing, since an estate written by hand seldom has them: one
without ports is for all. A load balancer without any rule, which is half a reading, leads to all of its pools. Probes,
session persistence and the state that a pool's address is put in are not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from farshore.arm import network
from farshore.arm.decode import Address, Reader
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A NIC's hold on one address."""

    nic: network.NetworkInterface
    subnet: ResourceId
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Where what comes to a frontend by some ports is led."""

    protocol: str = ""
    """Lower-case; empty for any."""
    ports: tuple[int, int] | None = None
    """First and last; None for all."""
    members: tuple[Holder, ...] = ()
    missing: tuple[str, ...] = ()
    """What is not known of who takes it."""
    backend_port: int | None = None
    """The port that a member sees; None for the one that it came to."""
    one_of_them: str = ""
    """By a range of ports each member has ports of its own; which, the estate doesn't show. The rule's name."""

    def takes(self, protocol: str, port: int | None) -> bool | None:
        """Whether it is for a packet to this port; None where that hangs on the port and there is none."""
        if self.protocol not in ("", protocol.lower()):
            return False
        if self.ports is None:
            return True
        return None if port is None else self.ports[0] <= port <= self.ports[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """An address that a load balancer or an Azure Firewall holds, and what stands behind it."""

    id: ResourceId
    kind: str
    """`loadBalancer` or `azureFirewall`."""
    subnet: ResourceId
    key: str
    """Which of its frontends: the configuration's lower-case id."""
    rules: tuple[Rule, ...] = ()
    """Those of ports before those of all."""
    members: tuple[Holder, ...] = ()
    """Whom the pools of its rules hold, a NIC once."""
    missing: tuple[str, ...] = ()
    """Whom else they may hold."""

    @property
    def whole(self) -> bool:
        """Whether all that comes to it, by whatever port, comes to the same members."""
        return all(rule.ports is None and rule.protocol == "" for rule in self.rules if rule.members or rule.missing)


Fronts = Iterator[tuple[tuple[str, Address], Frontend]]
"""By the network and the address."""


class Behind:
    """Who is behind load balancers, for an estate's NICs."""

    def __init__(
        self, nics: Mapping[str, network.NetworkInterface], holders: Mapping[tuple[str, Address], Iterable[Holder]]
    ) -> None:
        self._nics = nics
        self._holders = holders
        self._pools: dict[str, list[Holder]] = defaultdict(list)
        self._translated: dict[str, list[Holder]] = defaultdict(list)
        for nic in nics.values():
            for item in nic.ip_configurations:
                holder = _holder(nic, item)
                if holder is not None:
                    for pool in item.load_balancer_backend_address_pools:
                        self._pools[pool.key].append(holder)
                    for rule in item.load_balancer_inbound_nat_rules:
                        self._translated[rule.key].append(holder)

    def in_pools(self, body: Body) -> Iterator[Holder]:
        """The members that a load balancer's pools name themselves, as far as they are known."""
        for pool in Reader(body).items("properties.backendAddressPools"):
            yield from (found for found in self._named(pool) if isinstance(found, Holder))

    def of_balancer(self, id_: ResourceId, body: Body) -> Fronts:
        """The private frontends of a load balancer."""
        read = Reader(body)
        pools = {key: list(held) for key, held in sorted(self._pools.items()) if key.startswith(id_.key + "/")}
        missing: dict[str, list[str]] = defaultdict(list)
        for pool in read.items("properties.backendAddressPools"):
            key = f"{id_.key}/backendaddresspools/{_name(pool)}"
            for found in self._named(pool):
                if isinstance(found, str):
                    missing[key].append(found)
                else:
                    pools.setdefault(key, []).append(found)
        rules = list(read.items("properties.loadBalancingRules"))
        translations = list(read.items("properties.inboundNatRules"))
        for front in read.items("properties.frontendIPConfigurations"):
            address, subnet = front.address("properties.privateIPAddress"), front.id("properties.subnet")
            if address is None or subnet is None:
                continue
            key = f"{id_.key}/frontendipconfigurations/{_name(front)}"
            held = _Pools(address, pools, missing)
            own = [_balancing(rule, held) for rule in rules if _is_at(rule, key)]
            if not rules and not translations and (pools or missing):
                members, texts = held.of({**pools, **missing})
                own = [Rule(members=members, missing=texts)]
            translating = [self._translating(id_, rule, held) for rule in translations if _is_at(rule, key)]
            yield (
                (network_key(subnet), address),
                Frontend(
                    id=id_,
                    kind="loadBalancer",
                    subnet=subnet,
                    key=key,
                    rules=tuple(sorted((*translating, *own), key=lambda rule: rule.ports is None)),
                    members=_one_a_nic(member for rule in own for member in rule.members),
                    missing=tuple(dict.fromkeys(text for rule in own for text in rule.missing)),
                ),
            )

    def _named(self, pool: Reader) -> Iterator[Holder | str]:
        """The members that a pool names itself, or why one is not known."""
        for id_ in pool.ids("properties.backendIPConfigurations"):
            yield self._configured(id_)
        everywhere = pool.id("properties.virtualNetwork")
        for item in pool.items("properties.loadBalancerBackendAddresses"):
            configured = item.id("properties.networkInterfaceIPConfiguration")
            address = item.address("properties.ipAddress")
            if configured is not None:
                yield self._configured(configured)
            elif address is not None:
                subnet = item.id("properties.subnet")
                named = None if subnet is None else subnet.parent
                yield self._standing(address, item.id("properties.virtualNetwork") or named or everywhere)

    def _standing(self, address: Address, where: ResourceId | None) -> Holder | str:
        if where is None:
            return f"in which network {address} is"
        held = tuple(self._holders.get((where.key, address), ()))
        return held[0] if len(held) == 1 else f"who has {address} in {where.name}"

    def _configured(self, id_: ResourceId) -> Holder | str:
        nic = None if id_.parent is None else self._nics.get(id_.parent.key)
        for item in () if nic is None else nic.ip_configurations:
            found = _holder(nic, item) if nic is not None and item.name.lower() == id_.name.lower() else None
            if found is not None:
                return found
        return f"who is {id_.short}"

    def _translating(self, id_: ResourceId, rule: Reader, held: _Pools) -> Rule:
        """An inbound NAT rule."""
        name = rule.text("name") or ""
        first, last = rule.number("properties.frontendPortRangeStart"), rule.number("properties.frontendPortRangeEnd")
        port = rule.number("properties.frontendPort")
        ports = (first, last) if first is not None and last is not None else None if port is None else (port, port)
        pool = rule.id("properties.backendAddressPool")
        if pool is not None:
            members, missing = held.of([pool.key])
        else:
            named = [*self._translated.get(f"{id_.key}/inboundnatrules/{name.lower()}", ())]
            configured = rule.id("properties.backendIPConfiguration")
            single = None if configured is None else self._configured(configured)
            members = _one_a_nic([*named, *([single] if isinstance(single, Holder) else [])])
            nobody = () if members else (f"to whom {name} of {id_.name} leads",)
            missing = (single,) if isinstance(single, str) else nobody
        return Rule(
            protocol=_protocol(rule),
            ports=ports,
            members=members,
            missing=missing,
            backend_port=rule.number("properties.backendPort"),
            one_of_them=f"{name} of {id_.name}" if len(members) > 1 else "",
        )


@dataclass(frozen=True)
class _Pools:
    """The pools of a load balancer as one of its frontends sees them: in its own family."""

    address: Address
    held: Mapping[str, list[Holder]]
    missing: Mapping[str, list[str]]

    def of(self, pools: Iterable[str]) -> tuple[tuple[Holder, ...], tuple[str, ...]]:
        """Who is in some of them, and whom else they may hold."""
        named = list(dict.fromkeys(pools))
        members = (member for key in named for member in self.held.get(key, ()))
        texts = dict.fromkeys(text for key in named for text in self.missing.get(key, ()))
        fitting = _one_a_nic(member for member in members if member.address.version == self.address.version)
        return fitting, tuple(texts)


def _balancing(rule: Reader, held: _Pools) -> Rule:
    """A load balancing rule."""
    one, port = rule.id("properties.backendAddressPool"), rule.number("properties.frontendPort")
    pools = (*rule.ids("properties.backendAddressPools"), *(() if one is None else (one,)))
    members, missing = held.of(id_.key for id_ in pools)
    return Rule(
        protocol=_protocol(rule),
        ports=None if not port else (port, port),
        members=members,
        missing=missing,
        backend_port=rule.number("properties.backendPort") or None,
    )


def _protocol(rule: Reader) -> str:
    said = (rule.text("properties.protocol") or "").lower()
    return "" if said == "all" else said


def _is_at(rule: Reader, front: str) -> bool:
    named = rule.id("properties.frontendIPConfiguration")
    return named is not None and named.key == front


def _name(item: Reader) -> str:
    """Of an item of a list, lower-case; by its id where it has no name."""
    return (item.text("name") or (item.text("id") or "").rpartition("/")[2]).lower()


def _holder(nic: network.NetworkInterface, item: network.IpConfiguration) -> Holder | None:
    if item.subnet is None or item.private_ip_address is None:
        return None
    return Holder(nic=nic, subnet=item.subnet, address=item.private_ip_address)


def _one_a_nic(members: Iterable[Holder]) -> tuple[Holder, ...]:
    """A NIC with several addresses in a pool is one member. In the order of their addresses: that of the bodies, or of
    the side that named them, says nothing."""
    found: dict[str, Holder] = {}
    for member in sorted(members, key=lambda member: (member.address.version, int(member.address))):
        found.setdefault(member.nic.id.key, member)
    return tuple(found.values())


def of_firewall(id_: ResourceId, body: Body) -> Fronts:
    """The private addresses of an Azure Firewall."""
    for item in Reader(body).items("properties.ipConfigurations"):
        address, subnet = item.address("properties.privateIPAddress"), item.id("properties.subnet")
        if address is not None and subnet is not None:
            key = f"{id_.key}/ipconfigurations/{_name(item)}"
            yield (network_key(subnet), address), Frontend(id=id_, kind="azureFirewall", subnet=subnet, key=key)


@lru_cache(maxsize=65536)
def network_key(subnet: ResourceId) -> str:
    """The lower-case id of the network that a subnet is part of."""
    return subnet.key.rsplit("/", 2)[0]
