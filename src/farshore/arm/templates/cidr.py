"""Template functions on address ranges: `parseCidr`, `cidrSubnet`, `cidrHost`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from farshore.arm.templates.errors import TemplateError
from farshore.arm.templates.table import function, must_be_number, must_be_text, wrong


@function("parseCidr", 1)
def parse_cidr(text: Any) -> dict[str, Any]:
    network = _network("parseCidr", text)
    found: dict[str, Any] = {
        "network": str(network.network_address),
        "netmask": str(network.netmask),
        "cidr": network.prefixlen,
    }
    if isinstance(network, IPv4Network):
        found["broadcast"] = str(network.broadcast_address)
        hosts = network.prefixlen < 31
        found["firstUsable"] = str(network[1] if hosts else network[0])
        found["lastUsable"] = str(network[-2] if hosts else network[-1])
    else:
        found["firstUsable"], found["lastUsable"] = str(network[0]), str(network[-1])
    return found


@function("cidrSubnet", 3)
def cidr_subnet(text: Any, length: Any, at: Any) -> str:
    """The `at`-th subnet of that length, counted from 0."""
    network = _network("cidrSubnet", text)
    bits, index = must_be_number("cidrSubnet", length), must_be_number("cidrSubnet", at)
    if not network.prefixlen <= bits <= network.max_prefixlen:
        raise wrong("cidrSubnet", f"a prefix length of {network.prefixlen} to {network.max_prefixlen}", length)
    if not 0 <= index < 1 << (bits - network.prefixlen):
        raise wrong("cidrSubnet", f"an index below {1 << (bits - network.prefixlen)}", at)
    begin = int(network.network_address) + (index << (network.max_prefixlen - bits))
    return str(type(network)((begin, bits)))


@function("cidrHost", 2)
def cidr_host(text: Any, at: Any) -> str:
    """The `at`-th usable address, counted from 0."""
    network, index = _network("cidrHost", text), must_be_number("cidrHost", at)
    skipped = 1 if network.prefixlen < network.max_prefixlen - 1 else 0
    if not 0 <= index < network.num_addresses - 2 * skipped:
        raise TemplateError(f"Unable to evaluate template language function 'cidrHost': {network} has no host {index}.")
    return str(network[index + skipped])


def _network(name: str, text: Any) -> IPv4Network | IPv6Network:
    try:
        return ip_network(must_be_text(name, text), strict=False)
    except ValueError:
        raise wrong(name, "an address range such as 10.0.0.0/16", text) from None
