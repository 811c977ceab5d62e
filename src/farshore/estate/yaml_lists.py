"""Lists in a project file: of named things, of words, of address ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from farshore.arm.decode import Network
from farshore.estate.yaml_nodes import Place, Section

Named = TypeVar("Named")
Item = TypeVar("Item")


def named(place: Place, known: Iterable[str], make: Callable[[str, Section], Named]) -> list[tuple[Named, Section]]:
    """The members of a list that are called by their names; two of one name are an error."""
    keys = tuple(known)
    found: dict[str, tuple[Named, Section]] = {}
    for item in place.items():
        name_at = item.section(*keys).need("name", "a name, used in findings and messages")
        name = name_at.text()
        if "/" in name:
            what = f"{name} has a slash, and names are parts of paths"
            name_at.fail(what, expected="a name without a slash", remedy=f"write {name.replace('/', '-')}")
        if name.lower() in found:
            name_at.fail(f"two are called {name}", expected="each name once", remedy="give one another name")
        section = place.under(name, item.node).section(*keys)
        found[name.lower()] = (make(name, section), section)
    return list(found.values())


def each(place: Place | None, read: Callable[[Place], Item]) -> tuple[Item, ...]:
    return () if place is None else tuple(read(item) for item in place.items())


def some(place: Place) -> list[Place]:
    items = place.items()
    if not items:
        place.fail("the list is empty", expected="at least one")
    return items


def texts(place: Place, *, at_least: int = 0) -> tuple[str, ...]:
    return tuple(item.text() for item in (some(place) if at_least else place.items()))


def words(place: Place, choices: Sequence[str], *, may_be_empty: bool = False) -> tuple[str, ...]:
    items = place.items() if may_be_empty else some(place)
    words = tuple(item.one_of(choices) for item in items)
    for index, word in enumerate(words):
        if word in words[:index]:
            items[index].fail(f"{word} stands twice", expected="each once", remedy=f"remove one {word}")
    return words


def networks(place: Place) -> tuple[Network, ...]:
    items = some(place)
    networks = tuple(item.network() for item in items)
    for index, network in enumerate(networks):
        for other in networks[:index]:
            if overlap(network, other):
                what = f"{network} overlaps {other}"
                items[index].fail(what, expected="ranges that don't overlap", remedy="keep the larger, or part them")
    return networks


def prefixes(place: Place) -> tuple[Network, ...]:
    """What a site announces: each once. A summary may stand beside what is inside it, and a default beside all."""
    items = some(place)
    found: dict[Network, None] = {}
    for item in items:
        network = item.network()
        if network in found:
            item.fail(f"{network} stands twice", expected="each once", remedy=f"remove one {network}")
        found[network] = None
    return tuple(found)


def overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)
