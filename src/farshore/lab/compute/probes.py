"""What a running machine can be asked from inside: who it is, which addresses it has, whom it reaches and who answers.

A probe goes the way of `POST /_lab/packets`: from the machine's first NIC through the data plane as it is at that
moment, and its reply back. A lab's machine listens on every port, so that a flow which arrives and whose reply comes
back is a connection; over HTTP it says 200 and who it is. What a group denies is dropped in Azure, so what does not
arrive times out. Where nobody can tell whether somebody answers (the internet), the probe says so and has failed.
The lab resolves no names, measures no latency, and a machine's interfaces know only their own subnets: Azure's routes
are made outside of the machine (R7).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import dataplane
from farshore.lab.answers import Refused
from farshore.lab.compute import attached
from farshore.lab.network.references import configurations, ref
from farshore.routing.values import Disposition, Trace

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

VISIBLE = ("appliance", "machine", "site")
"""Hops that take a packet's hop count down and say so: Azure's own do not."""


class NotRunError(Exception):
    """A script has something in it that this lab does not run; nothing of the script is run then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a script or of one command."""

    out: str = ""
    err: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What came of a probe. `hops`: the addresses or names of those who would answer a traceroute, in order."""

    answers: bool
    who: str = ""
    doubt: str = ""
    """Why nobody can tell."""
    hops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    name: str
    mac: str
    addresses: tuple[tuple[Address, Network], ...]
    """Each with its subnet's range."""


class Guest:
    """The inside of a running machine."""

    def __init__(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        self.cloud = cloud
        self.id = id_
        self.hostname = str((body["properties"].get("osProfile") or {}).get("computerName") or id_.name)
        """A machine that Site Recovery made has no settings of a guest: it is known by its own name."""
        self.interfaces = tuple(
            _interface(cloud, f"eth{at}", held)
            for at, nic in enumerate(attached.nics(body))
            if (held := cloud.body(nic)) is not None
        )

    @property
    def source(self) -> Address | None:
        """The address that it sends from."""
        held = self.interfaces[0].addresses if self.interfaces else ()
        return held[0][0] if held else None

    def reach(self, target: Address, protocol: str, port: int | None) -> Reached:
        """Send a packet and wait for its reply."""
        mine = {address for interface in self.interfaces for address, _ in interface.addresses}
        if target.is_loopback or target in mine:
            return Reached(answers=True, who=self.hostname, hops=(str(target),))
        if self.source is None or self.source.version != target.version:
            return Reached(answers=False)
        try:
            forward, back, good = dataplane.ways(self.cloud, self.id.text, str(target), protocol, port)
        except Refused:
            return Reached(answers=False)
        ends = [trace for trace in (forward, back) if trace.disposition in dataplane.UNKNOWN]
        hops = self._hops(forward, target)
        if ends:
            return Reached(answers=False, doubt=ends[0].because or str(ends[0].disposition), hops=hops)
        return Reached(answers=good, who=self._who(forward) if good else "", hops=hops)

    def _who(self, forward: Trace) -> str:
        taken = forward.delivered_to
        if taken is None:
            return forward.hops[-1].name if forward.hops else ""
        machine = ref(self.cloud.body(taken), "virtualMachine")
        return taken.name if machine is None else resource_id(machine).name

    def _hops(self, forward: Trace, target: Address) -> tuple[str, ...]:
        arrived = forward.disposition == Disposition.DELIVERED
        own = {interface_id.key for interface_id in attached.nics(self.cloud.body(self.id) or {})} | {self.id.key}
        found = [
            _address_of(self.cloud, hop.id) or hop.name
            for hop in forward.hops
            if hop.kind in VISIBLE and str(hop.id).lower() not in own
        ]
        if arrived:
            found = [*(found[:-1] if forward.hops and forward.hops[-1].kind in VISIBLE else found), str(target)]
        return tuple(found)


def address_of(text: str) -> Address:
    """Raises `NotRunError` for a name: the lab resolves none."""
    if text.lower() == "localhost":
        return ip_address("127.0.0.1")
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        raise NotRunError(f"the lab resolves no names, and {text} is no address") from None


def port_of(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 65535:
        raise NotRunError(f"{text} is no port")
    return int(text)


def _interface(cloud: Cloud, name: str, nic: Body) -> Interface:
    found = []
    for item in configurations(nic):
        address = (item.get("properties") or {}).get("privateIPAddress")
        prefixes = _prefixes(cloud, ref(item, "subnet"))
        if address:
            given = ip_address(address)
            own = next((prefix for prefix in prefixes if given in prefix), ip_network(address))
            found.append((given, own))
    mac = str((nic.get("properties") or {}).get("macAddress") or "00-0D-3A-00-00-00")
    return Interface(name=name, mac=mac.replace("-", ":").lower(), addresses=tuple(found))


def _prefixes(cloud: Cloud, subnet: str | None) -> list[Network]:
    properties = ((cloud.body(subnet) if subnet else None) or {}).get("properties") or {}
    texts = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    return [ip_network(text) for text in texts if text]


def _address_of(cloud: Cloud, id_: ResourceId | str | None) -> str:
    if not isinstance(id_, ResourceId):
        return ""
    body = cloud.body(id_) or {}
    if id_.is_a(attached.VIRTUAL_MACHINES):
        nics = attached.nics(body)
        body = (cloud.body(nics[0]) or {}) if nics else {}
    for item in configurations(body):
        if address := (item.get("properties") or {}).get("privateIPAddress"):
            return str(address)
    return ""
