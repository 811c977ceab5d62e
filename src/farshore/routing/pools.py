"""A packet at a load balancer: every member of its pool has a share of what comes, and each share is followed.

Where all members come to the same, that is said once, and the hop names them all. Where they don't, the answer is the
worst that a share comes to, with the member's name: a flow's ports choose its member, so some flows end like that.

The hash of a frontend keeps a flow on one member, both ways where both pass that frontend, and however often the packet
comes to it. So a packet that comes to it twice goes in circles, and a reply that comes by the same frontend meets the
member that knows the flow (R43).

What comes to a frontend itself is led by the rules for its port (balancers.py). A rule may translate: whether a group
of the member is asked about the frontend's address and port or about its own no fact says, so both are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from farshore.arm.network import VirtualNetwork
from farshore.routing.balancers import Frontend, Holder, Rule
from farshore.routing.endings import Walked
from farshore.routing.hops import alike, shared
from farshore.routing.machines import Appliance, exits_of
from farshore.routing.places import is_stale, unknown_addresses
from farshore.routing.security import Packet, Refusal, refusal
from farshore.routing.values import Disposition, Hop, Trace
from farshore.routing.verdicts import arrived

if TYPE_CHECKING:
    from collections.abc import Hashable


class Balanced(Walked):
    """A walk that comes to load balancers and to groups."""

    __slots__ = ()

    # On the way

    def over_members(self, pool: Appliance, over: Callable[[Appliance], Trace]) -> Trace:
        """On by every member of a pool, each as `over` goes on by it."""
        again = not self.first_time(f"front:{pool.hashed_by}")
        balancer = pool.front.rpartition("/")[2]
        if again:
            named = _named(pool.members)
            self.hops.append(Hop(kind="appliance", name=named, id=pool.id, front=pool.front))
            return self.end(Disposition.LOOPED, f"it comes to {balancer} again")
        shares: dict[Hashable, list[Appliance]] = {}
        for member in pool.members:
            shares.setdefault(self._told_by(member), []).append(member)
        ends = self.each([partial(self._share, held[0], over) for held in shares.values()])
        found = shared(ends, [_named(held) for held in shares.values()], balancer, self.hops)
        if alike(ends):
            return _named_there(found, len(self.hops), pool.members, pool)
        of_it = (held for held, end in zip(shares.values(), ends, strict=True) if end.hops is found.hops)
        return _named_there(found, len(self.hops), next(of_it, ()), pool)

    def _share(self, member: Appliance, over: Callable[[Appliance], Trace]) -> Trace:
        if member.hashed_by in self.established and member.holder is not None:
            self.established |= {member.id.key}
        return over(member)

    def _told_by(self, member: Appliance) -> Hashable:
        """What tells a member's share from another's: by where it sends on and what it is asked for."""
        holder = member.holder
        assert holder is not None, "a pool's members are NICs"
        particular = member.why is not None or holder.address == self.destination or member.id.key in self.been
        if particular or len(exits_of(self.world, holder)) > 1:
            return member.id.key
        if not self.world.has_groups:
            return holder.subnet.key
        nic = holder.nic
        applied = tuple(item.application_security_groups for item in nic.ip_configurations)
        return holder.subnet.key, nic.network_security_group, applied, nic.id.key in self.established

    # At its end

    def to_frontend(self, network: VirtualNetwork) -> Trace:
        """A load balancer takes it where one holds the address; else nobody is there."""
        world = self.world
        if not world.health.region(network.location):
            return self.end(Disposition.PATH_DEAD, f"region {network.location} is down")
        frontend = world.index.frontend(network.id.key, self.destination)
        if frontend is not None and any(rule.members or rule.missing for rule in frontend.rules):
            return self._by_rules(frontend, network)
        because = f"no machine holds {self.destination} in {network.name}"
        missing = unknown_addresses(world, network)
        if missing:
            return self.end(Disposition.INSUFFICIENT_INFORMATION, because, missing=missing)
        return self.end(Disposition.NO_MACHINE, because)

    def _by_rules(self, frontend: Frontend, network: VirtualNetwork) -> Trace:
        """By the rules that are for its port; one for that port alone before one for all."""
        flow, name, doubts = self.flow, frontend.id.name, self.world.doubts
        asked = [(rule, rule.takes(flow.protocol, flow.destination_port)) for rule in frontend.rules]
        taking = [rule for rule, takes in asked if takes]
        if taking and taking[0].ports is not None:
            taking = [rule for rule in taking if rule.ports is not None]
        members = {member.nic.id.key: (member, rule) for rule in reversed(taking) for member in reversed(rule.members)}
        texts = [text for member, _ in reversed(members.values()) for text in doubts.of_nic(member.nic)]
        texts += (*doubts.stands(network), *doubts.hidden_in((network.id.key,)))
        texts += (text for rule in taking for text in rule.missing)
        if not taking or any(takes is None for _, takes in asked):
            port = "a flow of which it can't tell the port" if flow.destination_port is None else f"{flow.protocol}"
            port += "" if flow.destination_port is None else f"/{flow.destination_port}"
            texts.append(f"what {name} does with {port}, which none of its rules is for")
        texts += (f"which member has port {flow.destination_port} by {r.one_of_them}" for r in taking if r.one_of_them)
        unread = self.unread(f"who takes what comes to {name}", list(dict.fromkeys(texts)))
        alive = [held for held in reversed(members.values()) if self.world.health.nic(held[0].nic) is None]
        if unread is not None or not alive:
            return unread or self.end(Disposition.NO_MACHINE, f"no member of {name} works")
        ends = self.each([partial(self._taken_by, member, rule) for member, rule in alive])
        lost = [(end, member) for end, (member, _) in zip(ends, alive, strict=True) if not arrived(end)]
        if lost:
            return shared([end for end, _ in lost], [member.nic.id.name for _, member in lost], name, self.hops)
        others = tuple(member.nic.id for member, _ in alive[1:])
        last = replace(ends[0].hops[-1], others=others, front=frontend.id.key)
        return replace(ends[0], hops=(*ends[0].hops[:-1], last))

    def _taken_by(self, member: Holder, rule: Rule) -> Trace:
        """By one member, whose group may say no: then its share is lost."""
        refused = self.refused(member, "Inbound", rule)
        if refused is not None:
            return refused
        name, id_ = member.nic.id.name, member.nic.id
        self.hops.append(Hop(kind="machine", name=name, id=id_))
        if is_stale(self.world, member.nic):
            return self.end(Disposition.STALE, f"{name} took it, and may run with old data", delivered_to=id_)
        return self.end(Disposition.DELIVERED, f"to {name}", delivered_to=id_)

    # Groups

    def refused(self, holder: Holder, direction: str, rule: Rule | None = None) -> Trace | None:
        """The end of the walk where a group says no. A NIC that knows the flow lets its reply pass (R43). `rule`: the
        load balancer's that led it there."""
        if holder.nic.id.key in self.established or not self.world.has_groups:
            return None
        if self.packet is None:
            flow = self.flow
            self.packet = Packet(
                source=flow.source_address,
                destination=flow.destination_address,
                protocol=flow.protocol,
                source_port=flow.source_port,
                destination_port=flow.destination_port,
            )
        found = refusal(self.world, holder, direction, self.packet)
        if rule is not None:
            port = rule.backend_port or self.packet.destination_port
            translated = replace(self.packet, destination=holder.address, destination_port=port)
            found = _either(holder, found, refusal(self.world, holder, direction, translated))
        if found is None:
            return None
        where = f"{direction.lower()} at {holder.nic.id.name}"
        self.hops.append(Hop(kind="machine", name=holder.nic.id.name, id=holder.nic.id, because=f"{where}: {found}"))
        if found.missing:
            return self.end(Disposition.INSUFFICIENT_INFORMATION, str(found), missing=found.missing)
        return self.end(Disposition.DENIED, f"{found} ({where})")


def _either(holder: Holder, one: Refusal | None, other: Refusal | None) -> Refusal | None:
    if (one is None) == (other is None) and not (one and other and bool(one.missing) != bool(other.missing)):
        return one
    missing = (f"which address and port the groups of {holder.nic.id.short} are asked about",)
    return Refusal(group=holder.nic.id, rule="", missing=missing)


def _named(members: Sequence[Appliance]) -> str:
    return ", ".join(member.id.name for member in members)


def _named_there(found: Trace, at: int, members: Sequence[Appliance], pool: Appliance) -> Trace:
    """A trace whose hop at a pool names the members that it stands for, and knows of the others."""
    if at >= len(found.hops):
        return found
    hop = found.hops[at]
    if hop.kind == "appliance":
        others = tuple(member.id for member in members if member.id != hop.id)
        hop = replace(hop, name=_named(members), others=others)
    named = replace(hop, front=pool.front, any_of=pool.any_of)
    return replace(found, hops=(*found.hops[:at], named, *found.hops[at + 1 :]))
