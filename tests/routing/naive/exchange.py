"""What sites take, by their circuits and by a line between two of them, when nobody has anything new to say.

Over a line each tells its own prefixes, and by transit what it takes from its circuits: what came by the line does not
go back. Sites of one number are one AS, so that the path stays as it is; another number is one more. Two that both
prefer what the other takes have it in turn for ever, or whichever was first: the exchange is tried in several orders,
and where they don't come to the same nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .words import Home, Words

ROUNDS = 8


@dataclass(frozen=True)
class Offer:
    """One prefix as a site hears it."""

    prefix: str
    who: str
    """A gateway's hub's name, `reach N`, or the other site's."""
    owner: str
    """Who answers in the end."""
    path: int
    preference: int
    med: int
    link: tuple[int, str] | None
    """None: by the line."""


Heard = dict[str, tuple[Offer, ...]]
"""By site."""


def taken(offers: Iterable[Offer]) -> dict[str, list[Offer]]:
    """The best by prefix, all that are equal (E42)."""
    by_prefix: dict[str, list[Offer]] = {}
    for offer in offers:
        by_prefix.setdefault(offer.prefix, []).append(offer)
    best = {prefix: min(map(_order, held)) for prefix, held in by_prefix.items()}
    return {prefix: [offer for offer in held if _order(offer) == best[prefix]] for prefix, held in by_prefix.items()}


def _order(offer: Offer) -> tuple[int, int, int, bool]:
    return -offer.preference, offer.path, offer.med, offer.link is None


def settled(words: Words, by_circuits: Callable[[Home], list[Offer]]) -> tuple[Heard, bool]:
    """What each site is offered in the end, and whether every order of telling comes to that."""
    start = {home.name: tuple(by_circuits(home)) for home in words.homes}
    if words.line is None or "line" in words.down:
        return start, True
    ends = [_told(words, start, order) for order in ((), (0, 1), (1, 0))]
    return ends[0][0], all(steady and heard == ends[0][0] for heard, steady in ends)


def _told(words: Words, start: Heard, order: tuple[int, ...]) -> tuple[Heard, bool]:
    """`order`: who hears first; both at once for none."""
    heard = start
    for _ in range(ROUNDS):
        before = heard
        if order:
            for number in order:
                heard = heard | _hears(words, start, heard, number)
        else:
            heard = _hears(words, start, heard, 0) | _hears(words, start, heard, 1)
        if heard == before:
            return heard, True
    return heard, False


def _hears(words: Words, start: Heard, heard: Heard, number: int) -> Heard:
    home, other = words.homes[number], words.homes[1 - number]
    return {home.name: (*start[home.name], *dict.fromkeys(_over_the_line(words, heard, number, other)))}


def _over_the_line(words: Words, heard: Heard, number: int, other: Home) -> Iterator[Offer]:
    assert words.line is not None
    preference = words.line.preferences[number]
    more = 0 if other.asn == words.homes[number].asn else 1
    for prefix in other.prefixes:
        yield Offer(prefix, other.name, other.name, more, preference, 0, None)
    for prefix, best in taken(heard[other.name]).items() if words.line.transit else ():
        for offer in best if prefix not in other.prefixes else ():
            if offer.link is not None:
                yield Offer(prefix, other.name, offer.owner, more + offer.path, preference, 0, None)
