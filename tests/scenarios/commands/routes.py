"""Tables and traces, as `farshore routes` and `farshore trace` print them."""

from __future__ import annotations

from ipaddress import ip_address

from farshore.errors import InputError
from farshore.routing import advertised_routes, describe, effective_routes, elements, judge, learned_routes, select
from farshore.routing import trace as both_ways
from farshore.routing.values import Flow
from scenarios.session import Session


def routes(session: Session, words: list[str]) -> str:
    """`routes NIC|NETWORK/SUBNET`: the effective table."""
    return describe(effective_routes(session.estate, session.id_of(words[0])))


def choose(session: Session, words: list[str]) -> str:
    """`choose NIC ADDRESS`: which row, and why not the others."""
    return describe(select(effective_routes(session.estate, session.id_of(words[0])), ip_address(words[1])))


def learned(session: Session, words: list[str]) -> str:
    """`learned GATEWAY|CIRCUIT [primary|secondary]`"""
    return describe(learned_routes(session.estate, session.id_of(words[0]), *words[1:]))


def advertised(session: Session, words: list[str]) -> str:
    """`advertised GATEWAY|CIRCUIT`"""
    return describe(advertised_routes(session.estate, session.id_of(words[0])))


def trace(session: Session, words: list[str]) -> str:
    """`trace SOURCE [ADDRESS] -> ADDRESS PROTOCOL/PORT [through APPLIANCE...]`: both ways, and the pair's word."""
    return _traced(session, words, whole=True)


def reach(session: Session, words: list[str]) -> str:
    """Like `trace`: the last word only."""
    return _traced(session, words, whole=False)


def fail(session: Session, words: list[str]) -> str:
    """`fail`: everything that can, by name."""
    return "\n".join(map(str, elements(session.estate)))


def _traced(session: Session, words: list[str], *, whole: bool) -> str:
    arrow = words.index("->")
    through = words[words.index("through") + 1 :] if "through" in words else []
    rest = [word for word in words[arrow + 1 :] if word not in through and word != "through"]
    protocol, _, port = (rest[1] if len(rest) > 1 else "tcp/443").partition("/")
    source, address = _source(session, words[:arrow])
    flow = Flow(
        source=source,
        source_address=ip_address(address),
        destination_address=ip_address(rest[0]),
        protocol=protocol,
        destination_port=int(port) if port else None,
    )
    pair = both_ways(session.estate, flow)
    verdict = describe(judge(*pair, through=[session.id_of(name) for name in through] or None))
    return f"{describe(pair)}\n\n{verdict}" if whole else verdict


def _source(session: Session, words: list[str]) -> tuple[str, str]:
    """A site with an address, or a NIC, whose address we know."""
    if len(words) == 2:
        return words[0], words[1]
    id_ = session.id_of(words[0])
    nic = session.estate.network_interface(id_)
    if nic is None or nic.primary is None:
        raise InputError(f"{words[0]} is no network interface", value=words[0])
    return id_.text, str(nic.primary.private_ip_address)
