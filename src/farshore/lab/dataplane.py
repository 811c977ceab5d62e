"""The way of a packet through the lab at this moment; what routers show of it: `network/router_tables.py`.

The lab's resources, its sites and what does not work right now make one `farshore.estate.Estate`, asked through
`farshore.routing`: a check read back from the lab shows that what was built is what was planned, not that the engine
is right (ARCHITECTURE.md, "Who may witness whom"). The estate is made anew only when the forwarding epoch has moved,
shares every body that has not changed with the one before, and answers about a flow are kept as long as the epoch
stands.

What is in it:
    a gateway, connection or circuit whose first PUT is under way does nothing yet
    one that is being deleted works until the deletion is over
    a machine that does not run is `stopped`; one whose data has been promised elsewhere since is `stale` (D92)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.estate.outside import Outside
from farshore.lab import announcements, faults, machines, registry, sites
from farshore.lab.answers import bad_request, quoted
from farshore.lab.inert import INERT
from farshore.lab.types import ResourceType, is_young
from farshore.routing import Flow, Routing, Trace, judge
from farshore.routing.values import Disposition

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

WAITS_FOR_ITS_PUT = (
    "microsoft.network/virtualnetworkgateways",
    "microsoft.network/connections",
    "microsoft.network/expressroutecircuits",
)
MACHINES = "Microsoft.Compute/virtualMachines"
UNKNOWN = frozenset({Disposition.INSUFFICIENT_INFORMATION, Disposition.LEFT_ESTATE})
"""Ends of which the lab can't tell whether anybody answers: the internet's, too."""
MOST_FLOWS = 20_000
"""Answers that are kept; the one that was asked for first goes first."""


class Plane:
    """The data plane of one epoch, and what is kept from the one before."""

    def __init__(self) -> None:
        self.epoch = -1
        self.estate = Estate(resources={})
        self.routing = Routing(self.estate)
        self.flows: OrderedDict[Flow, tuple[Trace, Trace]] = OrderedDict()
        self._whole: dict[str, tuple[tuple[Body, ...], Body]] = {}

    def refresh(self, cloud: Cloud) -> None:
        if self.epoch == cloud.epoch:
            return
        resources: Mapping[str, Body] = self._resources(cloud)
        # The same mapping again where only machines or sites have moved: routing keeps its tables by it.
        before = self.estate.resources
        if len(before) == len(resources) and all(before.get(key) is body for key, body in resources.items()):
            resources = before
        self.estate = Estate(
            resources=resources,
            sites=sites.all_sites(cloud),
            outside=_outside(cloud),
            _views=self.estate._views if resources is before else {},
        )
        self.routing = Routing(self.estate)
        self.flows.clear()
        self.epoch = cloud.epoch

    def _resources(self, cloud: Cloud) -> dict[str, Body]:
        """Every body that a way can depend on, children inside, the object of last time where nothing changed."""
        found: dict[str, Body] = {}
        whole: dict[str, tuple[tuple[Body, ...], Body]] = {}
        for name in cloud.bodies.types():
            kind = registry.TYPES.get(name, INERT)
            if not kind.forwards or (len(name.split("/")) != 2 and not kind.apart):
                continue
            for body in cloud.of_type(name):
                id_ = resource_id(str(body["id"]))
                if name in WAITS_FOR_ITS_PUT and is_young(cloud, id_):
                    continue
                parts = (body, *(child for label in kind.nested for child in cloud.children(id_, label)))
                held = self._whole.get(id_.key)
                if (
                    held is None
                    or len(held[0]) != len(parts)
                    or any(a is not b for a, b in zip(held[0], parts, strict=True))
                ):
                    held = (parts, _assembled(cloud, id_, body, kind))
                whole[id_.key] = held
                found[id_.key] = held[1]
        self._whole = whole
        return found


_planes: WeakKeyDictionary[Cloud, Plane] = WeakKeyDictionary()


def plane(cloud: Cloud) -> Plane:
    """The data plane as it is now."""
    found = _planes.get(cloud)
    if found is None:
        found = _planes[cloud] = Plane()
    found.refresh(cloud)
    return found


def send(cloud: Cloud, source: str, destination: str, protocol: str, port: int | None) -> dict[str, Any]:
    """What becomes of a packet, and of its reply."""
    here = plane(cloud)
    forward, back = _traced(here, _flow(here.estate, source, destination, protocol, port))
    taken = forward.delivered_to
    nic = None if taken is None else here.estate.network_interface(taken)
    machine = None if nic is None else nic.virtual_machine
    verdict = judge(forward, back)
    disposition = str(forward.disposition)
    if forward.disposition == Disposition.DELIVERED and not verdict.good:
        # The packet arrived; what the sender sees is that no reply does.
        disposition = "Asymmetric" if verdict.kind == "asymmetric" else str(back.disposition)
    return {
        "disposition": disposition,
        "verdict": verdict.kind,
        "because": verdict.because,
        "answered_by": None
        if taken is None
        else {
            "nic": taken.text,
            "machine": None if machine is None else machine.text,
            "stale": machine is not None and machine.key in here.estate.outside.stale,
        },
        "forward": _way(forward),
        "back": _way(back),
    }


def ways(cloud: Cloud, source: str, destination: str, protocol: str, port: int | None) -> tuple[Trace, Trace, bool]:
    """A packet's way, its reply's, and whether the sender sees that it arrived."""
    here = plane(cloud)
    forward, back = _traced(here, _flow(here.estate, source, destination, protocol, port))
    return forward, back, forward.disposition == Disposition.DELIVERED and judge(forward, back).good


def _traced(here: Plane, flow: Flow) -> tuple[Trace, Trace]:
    traces = here.flows.get(flow)
    if traces is None:
        traces = here.routing.trace(flow)
        here.flows[flow] = traces
        if len(here.flows) > MOST_FLOWS:
            here.flows.popitem(last=False)
    return traces


def _assembled(cloud: Cloud, id_: ResourceId, body: Body, kind: ResourceType) -> Body:
    """The body with its children inside."""
    properties = dict(body["properties"])
    for name in kind.nested:
        properties[kind.label(name)] = cloud.children(id_, name)
    if properties.get("provisioningState") == "Deleting":
        properties["provisioningState"] = "Updating"
    return {**body, "properties": properties}


def _outside(cloud: Cloud) -> Outside:
    stopped, stale = set(), set()
    for body in cloud.of_type(MACHINES):
        id_ = resource_id(str(body["id"]))
        if machines.power(cloud, id_) not in (machines.RUNNING, None):
            stopped.add(id_.key)
        if machines.is_stale(cloud, id_):
            stale.add(id_.key)
    return Outside(
        advertised=announcements.all_of(cloud),
        down=faults.down(cloud),
        stopped=frozenset(stopped),
        stale=frozenset(stale),
    )


def _flow(estate: Estate, source: str, destination: str, protocol: str, port: int | None) -> Flow:
    """`source`: a site's name (its tenth host stands for it), `site:address`, a NIC's or machine's id, an address."""
    name, address = _source(estate, source)
    return Flow(
        source=name,
        source_address=address,
        destination_address=_address(destination),
        protocol=protocol,
        destination_port=port,
    )


def _source(estate: Estate, text: str) -> tuple[str, Address]:
    if text.startswith("/"):
        id_ = resource_id(text)
        machine = estate.virtual_machine(id_)
        if machine is not None and machine.network_interfaces:
            id_ = machine.network_interfaces[0]
        nic = estate.network_interface(id_)
        primary = None if nic is None else nic.primary
        if primary is None or primary.private_ip_address is None:
            raise bad_request("UnknownSource", f"{text} is no NIC or machine with an address.")
        return id_.text, primary.private_ip_address
    name, _, given = text.partition(":") if text.count(":") == 1 else (text, "", "")
    site = estate.site(name)
    if site is not None:
        return site.name, _address(given) if given else site.prefixes[0].network_address + 10
    address = _address(text)
    for site in estate.sites:
        if any(address in prefix for prefix in site.prefixes if prefix.version == address.version):
            return site.name, address
    holders = [
        nic
        for nic in estate.network_interfaces
        if any(item.private_ip_address == address for item in nic.ip_configurations)
    ]
    # Kept addresses stand on both sides: who runs with the promised data is meant.
    holders.sort(key=lambda nic: _unlikely(estate, nic.virtual_machine))
    return (holders[0].id.text if holders else "internet"), address


def _unlikely(estate: Estate, machine: ResourceId | None) -> tuple[bool, bool, bool]:
    outside = estate.outside
    if machine is None:
        return True, True, True
    return False, machine.key in outside.stopped, machine.key in outside.stale


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise bad_request(
            "InvalidAddress", f"{quoted(text)} is no address, no site and no resource of the lab."
        ) from None


def _way(trace: Trace) -> dict[str, Any]:
    return {
        "disposition": str(trace.disposition),
        "because": trace.because,
        "hops": [
            {"kind": hop.kind, "name": hop.name, "id": None if hop.id is None else str(hop.id)} for hop in trace.hops
        ],
    }
