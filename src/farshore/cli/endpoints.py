"""Names that people type for things: a machine, a NIC, a subnet, a site, a circuit, a whole id."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from farshore.arm.decode import Address, is_address
from farshore.arm.ids import ResourceId, resource_id
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.routing.values import Flow

MACHINES = ("Microsoft.Compute/virtualMachines", "Microsoft.Network/networkInterfaces")
MOST_NAMED = 12


def resource_named(
    estate: Estate,
    text: str,
    kinds: Iterable[str],
    others: Iterable[str] = (),
    instead: str = "",
    besides: str = "",
    words: Iterable[str] = (),
) -> ResourceId:
    """The one resource of these types with that id, short form (`hub/GatewaySubnet`) or name. `others`: types that a
    person may mean by it, and what to do then; `besides`: what may stand there that is no resource, and `words`: the
    names among that."""
    wanted = tuple(kinds)
    if text.startswith("/subscriptions/"):
        found = resource_id(text)
        if estate.get(found) is None:
            raise InputError(
                "The estate holds no resource with this id",
                value=text,
                expected="an id of estate.json",
                remedy="farshore estate show lists what there is",
            )
        _of_kind(found, text, wanted, instead)
        return found
    matches = [id_ for id_ in _ids(estate) if _is_named(id_, text) and any(id_.is_a(kind) for kind in wanted)]
    if len(matches) == 1:
        return matches[0]
    kinds_said = " or ".join(kind.rsplit("/", 1)[-1] for kind in wanted)
    if not matches:
        meant = [id_ for id_ in _ids(estate) if _is_named(id_, text) and any(id_.is_a(kind) for kind in others)]
        if meant:
            _of_kind(meant[0], text, wanted, instead)
        names = sorted({id_.name for id_ in _ids(estate) if any(id_.is_a(kind) for kind in wanted)})
        near = difflib.get_close_matches(text, [*words, *names], n=1)
        raise InputError(
            f"The estate holds nothing called {text} among its {kinds_said}",
            value=text,
            expected=f"{besides}one of {_some(names) or 'none: it holds no such resource'}",
            remedy=f"did you mean {near[0]}?" if near else "farshore estate show lists what there is",
        )
    raise InputError(
        f"{len(matches)} resources are called {text}",
        value=text,
        expected="one of " + ", ".join(match.short for match in matches[:6]),
        remedy="say network/subnet, or give the whole id",
    )


def _of_kind(id_: ResourceId, text: str, wanted: tuple[str, ...], instead: str) -> None:
    """Refuses what is of another type."""
    if not any(id_.is_a(kind) for kind in wanted):
        raise InputError(
            f"{id_.short} is not what this asks about",
            value=text,
            expected=f"one of its {' or '.join(kind.rsplit('/', 1)[-1] for kind in wanted)}",
            remedy=instead or None,
        )


def appliance_named(estate: Estate, text: str) -> ResourceId:
    """An appliance by name, id or address: its machine or NIC, its load balancer, or an Azure Firewall."""
    if is_address(text):
        address = ip_address(text)
        for nic in estate.network_interfaces:
            if any(item.private_ip_address == address for item in nic.ip_configurations):
                return nic.id
        raise InputError(
            "No network interface has this address",
            value=text,
            expected="an appliance's address or name",
            remedy="correct the address, or name the appliance",
        )
    kinds = (*MACHINES, "Microsoft.Network/loadBalancers", "Microsoft.Network/azureFirewalls")
    return resource_named(estate, text, kinds)


def flow_of(estate: Estate, source: str, destination: str, port: str) -> Flow:
    """A flow between two things that a person named: `datacenter`, `vm1`, `10.1.0.4`, `datacenter:192.168.4.20`."""
    protocol, number = _service(port)
    source_name, source_address = _end(estate, source)
    _, destination_address = _end(estate, destination)
    return Flow(
        source=source_name,
        source_address=source_address,
        destination_address=destination_address,
        protocol=protocol,
        destination_port=number,
    )


def _service(text: str) -> tuple[str, int | None]:
    protocol, slash, number = text.lower().partition("/")
    if protocol == "icmp" and slash:
        raise InputError("icmp has no port", value=text, expected="icmp", remedy="write --port icmp")
    if protocol == "icmp":
        return protocol, None
    # Not every sign that is a digit to Unicode is one to a person.
    if protocol not in ("tcp", "udp") or not (number.isascii() and number.isdigit() and 0 < int(number) < 65536):
        raise InputError(
            "This is not a port",
            value=text,
            expected="tcp/443, udp/53 or icmp; a number from 1 to 65535",
            remedy="name protocol and port: --port tcp/443",
        )
    return protocol, int(number)


def address_of(text: str, expected: str = "an address like 10.1.0.4") -> Address:
    """The address. Raises `InputError`."""
    try:
        return ip_address(text)
    except ValueError:
        raise InputError("This is not an address", value=text, expected=expected, remedy="correct it") from None


def _end(estate: Estate, text: str) -> tuple[str, Address]:
    name, _, given = text.partition(":") if not text.startswith("/") else (text, "", "")
    site = estate.site(name)
    if site is not None:
        # Any host of the site stands for it: the tenth address of its first range.
        address = _of_part(text, given) if given else site.prefixes[0].network_address + 10
        return site.name, address
    if is_address(text):
        address = ip_address(text)
        for site in estate.sites:
            if any(address in prefix for prefix in site.prefixes if prefix.version == address.version):
                return site.name, address
        for nic in estate.network_interfaces:
            if any(item.private_ip_address == address for item in nic.ip_configurations):
                return nic.id.text, address
        return "internet", address
    if name.lower() == "internet":
        return "internet", _of_part(text, given) if given else ip_address("203.0.113.10")
    if _is_range(text):
        raise InputError(
            "A flow goes from an address to an address",
            value=text,
            expected="an address, not a range",
            remedy="name one address of the range",
        )
    sites = [site.name for site in estate.sites]
    besides = f"{'a site (' + _some(sites) + '), ' if sites else ''}internet, an address, "
    id_ = resource_named(estate, text, MACHINES, besides=besides, words=[*sites, "internet"])
    nic_id = id_
    if id_.is_a(MACHINES[0]):
        machine = estate.virtual_machine(id_)
        nics = machine.network_interfaces if machine is not None else ()
        if not nics:
            raise InputError(
                f"{id_.name} has no network interface",
                value=text,
                expected="a machine with one",
                remedy="name another end",
            )
        nic_id = nics[0]
    found = estate.network_interface(nic_id)
    primary = None if found is None else found.primary
    if primary is None or primary.private_ip_address is None:
        raise InputError(
            f"{nic_id.name} has no address",
            value=text,
            expected="a NIC with a private address",
            remedy="name another end",
        )
    return nic_id.text, primary.private_ip_address


def _of_part(text: str, given: str) -> Address:
    """The address that stands behind a name."""
    name = text.partition(":")[0]
    return address_of(given, f"an address of {name} behind the colon, like {name}:192.0.2.10")


def _is_range(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _some(names: list[str]) -> str:
    """As many of the names as a person reads."""
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _ids(estate: Estate) -> list[ResourceId]:
    found = [resource_id(str(body.get("id", key))) for key, body in estate.resources.items()]
    found += [subnet.id for network in estate.virtual_networks for subnet in network.subnets]
    return found


def _is_named(id_: ResourceId, text: str) -> bool:
    lower = text.lower()
    return id_.name.lower() == lower or "/".join(name for _, name in id_.pairs).lower() == lower
