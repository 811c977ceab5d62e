"""Security groups over the ends: may a flow from here pass to a machine, for all ends at once (R42 to R45).

The objective's port and protocol choose among the rules; each machine chooses among what is left by its own address
and application security groups, and machines that choose alike share a *check*. A check is first-match over intervals
of source addresses, so it is painted on a line of its own, cut by its rules alone, and only then laid over the ends:
an end passes when the whole of it does.

What the tag VirtualNetwork covers (R44) is not spelled out for a source here. It holds every prefix that the subnet
has by BGP, and every one of its user-defined routes; a reply leaves by one of those or not at all. So where it would
exclude an end, the end is lost anyway, whatever failed, and it may stand for everywhere. Not so where no reply is asked
for: whether a machine with old data takes a packet. There a rule's answer is also asked for without the tag, and what
only the tag lets in, from an end to which no route is known, is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network, holds_marker
from farshore.arm.json import Body
from farshore.routing.prefixes import INSIDE
from farshore.routing.scale.columns import Indexes
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.line import SIXES, Bools, Positions, public, span, spans
from farshore.routing.security import HOST

Ranges = tuple[tuple[int, int], ...]
States = npt.NDArray[np.int8]

REFUSED, PASSES, UNCLEAR = 0, 1, 2
EVERYWHERE: Ranges = ((0, (1 << 64) - 1),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is asked for: `tcp/443`. The flow's own port is not known in advance."""

    protocol: str = "tcp"
    port: int = 443


class Rule(NamedTuple):
    """A rule that is about the service, read."""

    allows: bool
    sources: Ranges
    tagless: Ranges
    """What is left of them where VirtualNetwork covers nothing."""
    unclear: Ranges
    """Where nobody can tell whether the rule applies: tags whose prefixes are not known."""
    everyone: bool
    """Whether every destination is meant."""
    destinations: tuple[str, ...]
    applications: frozenset[str]


def rules_of(body: Body, direction: str, service: Service, tags: Mapping[str, tuple[Network, ...]]) -> tuple[Rule, ...]:
    """The rules of a group that are about a service, in the order in which they are asked, the default ones last."""
    properties = body.get("properties")
    given = properties.get("securityRules") if isinstance(properties, dict) else None
    held = []
    for item in given if isinstance(given, list) else []:
        inside = item.get("properties") if isinstance(item, dict) else None
        if isinstance(inside, dict) and str(inside.get("direction", "Inbound")).lower() == direction.lower():
            held.append((_priority(inside), inside))
    held.sort(key=lambda pair: pair[0])
    found = [rule for _, inside in held if (rule := _rule(inside, service, tags)) is not None]
    found.append(Rule(True, EVERYWHERE, (), (), True, (), frozenset()))
    if direction == "Inbound":
        host = (span(HOST),)
        found.append(Rule(True, host, host, (), True, (), frozenset()))
    else:
        found.append(Rule(True, EVERYWHERE, EVERYWHERE, (), False, ("internet",), frozenset()))
    return tuple(found)


def readable(body: Body) -> bool:
    """Whether every value of a group's rules is one: a marker stands for what only a deployment knows."""
    properties = body.get("properties")
    given = properties.get("securityRules") if isinstance(properties, dict) else properties
    if isinstance(given, str):
        return not holds_marker(given)
    text = str(given)
    return ("<" not in text and "'[" not in text and '"[' not in text) or not _holds_marker(given)


def _holds_marker(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_marker(item) for key, item in value.items() if key != "description")
    return any(map(_holds_marker, value)) if isinstance(value, list) else holds_marker(value)


def _priority(inside: Mapping[str, Any]) -> int:
    value = inside.get("priority")
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else 65000


_PLAIN = ("protocol", "destinationPortRange", "sourcePortRange", "destinationAddressPrefix", "access")


def _rule(inside: Mapping[str, Any], service: Service, tags: Mapping[str, tuple[Network, ...]]) -> Rule | None:
    """A rule, if it is about the service. Most are plain texts, and say again what others have said."""
    port = inside.get("destinationPortRange")
    if isinstance(port, str) and port and not inside.get("destinationPortRanges") and not _in_range(port, service.port):
        return None
    source = inside.get("sourceAddressPrefix")
    texts = [inside.get(name) for name in _PLAIN]
    if (
        isinstance(source, str)
        and (source[:1].isdigit() or source in ("*", "VirtualNetwork"))
        and all(isinstance(text, str) for text in texts)
        and not any(inside.get(name) for name in _AUGMENTED)
    ):
        return _plain(service, source, *texts)
    return _read(inside, service, tags)


_AUGMENTED = (
    "destinationPortRanges",
    "sourcePortRanges",
    "destinationAddressPrefixes",
    "sourceAddressPrefixes",
    "sourceApplicationSecurityGroups",
    "destinationApplicationSecurityGroups",
)


@lru_cache(maxsize=1 << 16)
def _plain(service: Service, source: str, *texts: str) -> Rule | None:
    return _read({"sourceAddressPrefix": source, **dict(zip(_PLAIN, texts, strict=True))}, service, {})


def _read(inside: Mapping[str, Any], service: Service, tags: Mapping[str, tuple[Network, ...]]) -> Rule | None:
    protocol = str(inside.get("protocol") or "*").lower()
    if protocol not in ("*", service.protocol):
        return None
    if not _holds(_both(inside, "destinationPortRange"), service.port) or not _whole(_both(inside, "sourcePortRange")):
        return None
    applications = frozenset(_ids(inside.get("destinationApplicationSecurityGroups")))
    destinations = () if applications else tuple(text.lower() for text in _both(inside, "destinationAddressPrefix"))
    sources: Ranges = ()
    tagless: Ranges = ()
    unclear: Ranges = ()
    if not _ids(inside.get("sourceApplicationSecurityGroups")):
        sources, tagless, unclear = _sources(_both(inside, "sourceAddressPrefix"), tags)
    if not sources and not unclear:
        return None
    # A machine is in its own network, and so always in what VirtualNetwork means to it (R44).
    everyone = not applications and any(text in ("*", "any", "virtualnetwork") for text in destinations)
    allows = str(inside.get("access") or "Deny").lower() == "allow"
    return Rule(allows, sources, tagless, unclear, everyone, destinations, applications)


def _both(inside: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The one text and the list, as augmented rules have either."""
    one, many = inside.get(name), inside.get(name + "es" if name.endswith("Prefix") else name + "s")
    held = [one] if isinstance(one, str) and one else []
    held += [text for text in many if isinstance(text, str)] if isinstance(many, list) else []
    return tuple(held)


def _ids(value: Any) -> list[str]:
    items = value if isinstance(value, list) else []
    return [item["id"].lower() for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]


def _holds(ranges: Sequence[str], port: int) -> bool:
    return not ranges or any(_in_range(text, port) for text in ranges)


@lru_cache(maxsize=1 << 12)
def _in_range(text: str, port: int) -> bool:
    low, _, high = text.partition("-")
    return text == "*" or (low.isdecimal() and int(low) <= port <= int(high or low))


def _whole(ranges: Sequence[str]) -> bool:
    return not ranges or any(text in ("*", "0-65535") for text in ranges)


def _sources(texts: Sequence[str], tags: Mapping[str, tuple[Network, ...]]) -> tuple[Ranges, Ranges, Ranges]:
    found: list[tuple[int, int]] = []
    unclear: Ranges = ()
    names = [text.lower() for text in texts]
    if any(name in ("*", "any") for name in names):
        return EVERYWHERE, EVERYWHERE, ()
    for name in names:
        if name == "virtualnetwork":
            continue
        if name == "azureloadbalancer":
            found.append(span(HOST))
        elif name == "internet":
            found += OUTSIDE
        elif name[:1].isdigit() or ":" in name:
            found.append(_span(name))
        elif name in tags:
            found += [pair for pair in map(span, tags[name]) if bool(public(np.array(pair[:1], dtype=np.uint64))[0])]
        else:
            unclear = OUTSIDE
    if "virtualnetwork" in names:
        return EVERYWHERE, tuple(found), unclear
    return tuple(found), tuple(found), unclear


@lru_cache(maxsize=1 << 16)
def _span(text: str) -> tuple[int, int]:
    if ":" not in text:
        address, _, length = text.partition("/")
        parts = address.split(".")
        if len(parts) == 4 and all(part.isdecimal() for part in parts) and (not length or length.isdecimal()):
            a, b, c, d = map(int, parts)
            hosts = (1 << (32 - int(length or 32))) - 1
            first = (a << 24 | b << 16 | c << 8 | d) & ~hosts
            return first, first | hosts
    return span(ip_network(text, strict=False))


def _outside() -> Ranges:
    """Everything that means something to the internet."""
    inside = sorted(map(span, INSIDE))
    found, begin = [], 0
    for first, last in inside:
        if begin < first:
            found.append((begin, first - 1))
        begin = max(begin, last + 1)
    return (*found, (begin, (1 << 64) - 1)) if begin < 1 << 64 else tuple(found)


OUTSIDE = _outside()


def chosen(
    rules: Sequence[Rule], addresses: Positions, applications: Indexes, sets: Sequence[tuple[str, ...]]
) -> tuple[Indexes, list[tuple[int, ...]]]:
    """For each machine which rules are about it: a number, and by number the rules' places."""
    kinds = np.zeros(len(addresses), dtype=np.int64)
    if all(rule.everyone for rule in rules):
        return kinds.astype(np.int32), [tuple(range(len(rules)))]
    about: list[Bools | None] = [
        None if rule.everyone else _meant(rule, addresses, applications, sets) for rule in rules
    ]
    for column in about:
        if column is not None and column.any() and not column.all():
            _, kinds = np.unique(kinds * 2 + column, return_inverse=True)
            kinds = kinds.reshape(-1)
    _, first = np.unique(kinds, return_index=True)
    masks = [
        tuple(place for place, column in enumerate(about) if column is None or column[at]) for at in first.tolist()
    ]
    return kinds.astype(np.int32), masks


def _meant(rule: Rule, addresses: Positions, applications: Indexes, sets: Sequence[tuple[str, ...]]) -> Bools:
    """Which machines a rule's destination means."""
    if rule.applications:
        member = np.array([bool(rule.applications & set(held)) for held in sets], dtype=bool)
        found: Bools = member[applications]
        return found
    found = np.zeros(len(addresses), dtype=bool)
    for text in rule.destinations:
        if text == "internet":
            found |= public(addresses)
        elif text[:1].isdigit() or ":" in text:
            first, last = _span(text)
            found |= (addresses >= np.uint64(first)) & (addresses <= np.uint64(last))
    return found


def without_tag(rules: Sequence[Rule]) -> list[Rule]:
    """The rules as they are where VirtualNetwork covers nothing."""
    return [rule._replace(sources=rule.tagless) for rule in rules]


def painted(rules: Sequence[Rule], places: Sequence[int], ends: Ends) -> States:
    """What a check says of each end."""
    lows, highs, states = _intervals([rules[place] for place in places])
    at = np.searchsorted(lows, ends.first, side="right") - 1
    whole = ends.last <= highs[at]
    return np.where(whole, states[at], REFUSED).astype(np.int8)


def _intervals(rules: Sequence[Rule]) -> tuple[Positions, Positions, States]:
    """The line cut where the answer changes; the first rule that holds an interval decides, else it is refused."""
    cuts = {0}
    for rule in rules:
        for low, high in (*rule.sources, *rule.unclear):
            cuts.add(low)
            if high < (1 << 64) - 1:
                cuts.add(high + 1)
    lows = sorted(cuts)
    places = {low: number for number, low in enumerate(lows)}
    states = [-1] * len(lows)
    for rule in rules:
        for ranges, state in ((rule.sources, PASSES if rule.allows else REFUSED), (rule.unclear, UNCLEAR)):
            for low, high in ranges:
                stop = places.get(high + 1, len(lows))
                for number in range(places[low], stop):
                    if states[number] < 0:
                        states[number] = state
        if rule.sources == EVERYWHERE:
            break
    kept = [n for n, state in enumerate(states) if n == 0 or max(state, 0) != max(states[n - 1], 0)]
    firsts = np.array([lows[n] for n in kept], dtype=np.uint64)
    lasts = np.array([*(lows[n] - 1 for n in kept[1:]), (1 << 64) - 1], dtype=np.uint64)
    return firsts, lasts, np.array([max(states[n], 0) for n in kept], dtype=np.int8)


__all__ = ["SIXES", "Rule", "Service", "chosen", "painted", "rules_of", "spans"]
