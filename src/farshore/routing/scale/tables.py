"""User-defined routes over the ends: for each table and end the longest route, as two small arrays.

What a user's route says never changes when something fails (R25): only the BGP route beside it does. So a table is
painted over the ends once, shorter routes first, and under each failure a single comparison decides between the two:
the user's wins where it is at least as long (R15).

One row in front of the routes is Azure's own: the reserved ranges with next hop None (R3), which a route shorter than
they would have to pass. Where that turns on what BGP says at the moment the answer is *unknown*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from farshore.arm.decode import Network, holds_marker
from farshore.routing.effective import KEEPS_RESERVED
from farshore.routing.scale.columns import Table
from farshore.routing.scale.ends import Ends
from farshore.routing.scale.line import Bools, Ints, Lengths, Positions, span, spans
from farshore.routing.system import RESERVED

Bytes = npt.NDArray[np.int8]
Shorts = npt.NDArray[np.int16]

APPLIANCE = "virtualappliance"
UNCLEAR = ("unclear", "")
"""A next hop that the engine leaves unknown."""


def users_win(users: npt.NDArray[Any], others: npt.NDArray[Any]) -> Bools:
    """Where a user's route comes before BGP's, or a network's own range: it is at least as long (R14, R15, R17). Both
    are lengths of prefixes, -1 for none."""
    won: Bools = users >= others
    return won


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """A table's routes as positions, those that are Active."""

    first: Positions
    last: Positions
    length: Lengths
    hops: tuple[int, ...]
    """For each route its next hop, in `kinds`."""
    kinds: tuple[tuple[str, str], ...]
    """Distinct next hops: the type in lower case, and the address of an appliance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    """A table over the ends."""

    length: Bytes
    """The length of the longest user's route; -1 for none."""
    hop: Shorts
    """Its next hop, in `kinds`."""
    kinds: tuple[tuple[str, str], ...]
    places: npt.NDArray[np.int32]
    """Where each end's next hop stands in a stack of rows, the first of which is no next hop's."""


def laid(length: Bytes, hop: Shorts, kinds: tuple[tuple[str, str], ...]) -> Painted:
    """A table by its columns."""
    line = np.arange(len(hop), dtype=np.int32)
    return Painted(length=length, hop=hop, kinds=kinds, places=(hop.astype(np.int32) + 1) * len(hop) + line)


def routes_of(tables: Iterable[Table], service_prefixes: Mapping[str, tuple[Network, ...]]) -> list[Routes]:
    """The routes of tables, parsed together. A service tag stands for its prefixes (R18); one that nobody has told us
    is left out here, and `unclear_tags` names it."""
    held = list(tables)
    known = {name.lower(): prefixes for name, prefixes in service_prefixes.items()}
    texts: list[str] = []
    hops: list[tuple[str, str]] = []
    counts: list[int] = []
    for table in held:
        before = len(texts)
        explicit: list[tuple[str, tuple[str, str]]] = []
        tagged: list[tuple[tuple[int, str], str, tuple[str, str]]] = []
        for prefix, kind, hop in zip(table.prefixes, table.next_hop_types, table.next_hops, strict=True):
            way = (kind.lower(), hop if kind.lower() == APPLIANCE else "")
            if holds_marker(prefix):
                continue
            if prefix[:1].isdigit() or ":" in prefix:
                explicit.append((prefix, way))
            elif prefix:
                tagged.append((_tag_rank(prefix), prefix, way))
        for prefix, way in explicit:
            texts.append(prefix)
            hops.append(way)
        for _, tag, way in sorted(tagged):
            for network in known.get(tag.lower(), ()):
                texts.append(str(network))
                hops.append(way)
        counts.append(len(texts) - before)
    first, last, length = spans(texts) if texts else _nothing()
    whose = np.repeat(np.arange(len(held)), counts)
    order = _active(whose, first, length)
    edges = np.searchsorted(whose[order], np.arange(len(held) + 1)).tolist()
    found = []
    for begin, stop in pairwise(edges):
        mine = order[begin:stop]
        kinds: dict[tuple[str, str], int] = {}
        numbers = tuple(kinds.setdefault(hops[at], len(kinds)) for at in mine.tolist())
        found.append(Routes(first=first[mine], last=last[mine], length=length[mine], hops=numbers, kinds=tuple(kinds)))
    return found


def unclear_tags(table: Table, service_prefixes: Mapping[str, tuple[Network, ...]]) -> frozenset[str]:
    """The service tags in a table whose prefixes nobody has told us: any public destination may be one of them."""
    tags = {text.lower() for text in table.prefixes if text and not text[:1].isdigit() and ":" not in text}
    if not tags:
        return frozenset()
    return frozenset(tag for tag in tags - {name.lower() for name in service_prefixes} if not holds_marker(tag))


def _nothing() -> tuple[Positions, Positions, Lengths]:
    none = np.zeros(0, dtype=np.uint64)
    return none, none, np.zeros(0, dtype=np.int16)


def _active(whose: Ints, first: Positions, length: Lengths) -> Ints:
    """The first route of each prefix of each table (R18), by table, shortest first."""
    if not len(first):
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((first, length, whose))
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (
        (whose[order][1:] == whose[order][:-1])
        & (first[order][1:] == first[order][:-1])
        & (length[order][1:] == length[order][:-1])
    )
    return order[~again]


def painted(routes: Routes, ends: Ends, blocks: Sequence[slice]) -> Painted:
    """A table over the ends; `blocks` are the sites' parts, each sorted by position."""
    length = np.full(len(ends), -1, dtype=np.int8)
    hop = np.full(len(ends), -1, dtype=np.int16)
    kinds = list(routes.kinds)
    for block in blocks:
        begins = ends.first[block]
        lows = (np.searchsorted(begins, routes.first, side="left") + block.start).tolist()
        highs = (np.searchsorted(begins, routes.last, side="right") + block.start).tolist()
        for low, high, size, number in zip(lows, highs, routes.length.tolist(), routes.hops, strict=True):
            if low < high:
                length[low:high] = min(size, 127)
                hop[low:high] = number
    short = _below_reserved(routes, ends, length)
    if short.any():
        hop[short] = len(kinds)
        kinds.append(UNCLEAR)
    return laid(length, hop, tuple(kinds))


def _below_reserved(routes: Routes, ends: Ends, length: Bytes) -> npt.NDArray[np.bool_]:
    """Ends whose route is longer than 0/0 and shorter than a reserved None row that nothing in the table removes."""
    drops = {
        bool(first >= np.uint64(1 << 33))
        for first, size, number in zip(routes.first, routes.length, routes.hops, strict=True)
        if size == 0 and routes.kinds[number][0] not in KEEPS_RESERVED
    }
    found = np.zeros(len(ends), dtype=bool)
    if False not in drops:
        for prefix in RESERVED:
            begin, stop = span(prefix)
            inside = (ends.first >= np.uint64(begin)) & (ends.last <= np.uint64(stop))
            found |= inside & (length > 0) & (length < prefix.prefixlen)
    return found


def _tag_rank(prefix: str) -> tuple[int, str]:
    """R18, as `routing.effective` has it: regional, global, AzureCloud.<region>, AzureCloud."""
    tag = prefix.lower()
    cloud, regional = tag.split(".")[0] == "azurecloud", "." in tag
    return (2 if cloud else 0) + (0 if regional else 1), tag
