"""Every resource's body, flat (children beside their parents), by key, by type and by place.

    key      the id in lower case
    type     in lower case
    place    the collection that it lies in: the key without the last name. Children are found by their keys, which
             begin with it and lie together; their place is not written once more

They lie in the store's file with their indexes. Those that were asked for by name of late are at hand; a list reads
its page, with what it shows inside, and forgets it (`passing`), so that a million resources can be listed in the memory
of one page. `rev` counts the writes to
a resource and to what lies in it; etags are made of it.

A type says what its bodies refer to (`ResourceType.links`): asked by its target, a reference is found without looking
through all that could have one.

A body is never changed in place, and the same object comes back as long as it is at hand: who keeps what he made of
a body can see by `is` that it has not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body, dumps, loads
from farshore.lab.store import Recent, Store

ALL = -1
Page = list[tuple[int, Body]]
AT_HAND = 8 << 20
"""Bytes of keys and encoded bodies that stay decoded in memory. Decoded they take some three times
that."""
COLLECTIONS = 2 << 20
"""Bytes of keys, of collections."""


class Link(NamedTuple):
    """A reference that a body makes: of which kind, to which key, under which label, with which value."""

    kind: str
    target: str
    label: str
    value: str = ""


class Kept(NamedTuple):
    body: Body
    rev: int
    """As the file has it."""
    size: int


ABSENT = Kept({}, 0, 0)
"""That there is nothing is known of a key as well: who makes a thing asks for it several times before."""

Links = Callable[[Body], Iterable[Link]]


class Bodies:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[Kept] = Recent(AT_HAND)
        self._passing: dict[str, Kept] | None = None
        self._collections: Recent[dict[str, None]] = Recent(COLLECTIONS)
        """The keys of each collection that was read whole of late, in their order: of whoever is not among them it is
        known that he is not there."""
        self._bumped: dict[str, int] = {}
        """Revisions that the file does not know yet: a table with its routes has one for each, written together."""
        store.before_commit(self._write_revisions)
        self._types: dict[str, None] = {}
        """Types of which there is or was something; one step of the index a type."""
        query = "SELECT type FROM bodies WHERE type > ? ORDER BY type LIMIT 1"
        last = ""
        while (row := store.one(query, (last,))) is not None:
            last = row[0]
            self._types[last] = None

    def get(self, key: str) -> Body | None:
        found = self._kept(key)
        return None if found is None else found.body

    def _kept(self, key: str) -> Kept | None:
        found = self._at_hand(key)
        if found is None:
            collection = self._collections.get(key.rpartition("/")[0])
            if collection is not None and key not in collection:
                return None
            row = self._store.one("SELECT body, rev FROM bodies WHERE key = ?", (key,))
            found = ABSENT if row is None else self._read_now(key, *row)
            self._keep(key, found)
        return found if found.rev else None

    def _at_hand(self, key: str) -> Kept | None:
        found = self._recent.get(key)
        if found is None and self._passing is not None:
            found = self._passing.get(key)
        return found

    def _read_now(self, key: str, content: bytes, rev: int) -> Kept:
        return Kept(loads(content), rev, len(content))

    def _keep(self, key: str, found: Kept, *, written: bool = False) -> None:
        if self._passing is not None:
            if not written:
                self._passing[key] = found
                return
            self._passing.pop(key, None)
        self._recent.put(key, found, len(key) + found.size)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """What is read meanwhile is at hand until then, and no longer: for what looks at many, one after another."""
        before, self._passing = self._passing, {}
        try:
            yield
        finally:
            self._passing = before

    @property
    def is_passing(self) -> bool:
        return self._passing is not None

    def __contains__(self, key: str) -> bool:
        return self._kept(key) is not None

    def __bool__(self) -> bool:
        return self._store.one("SELECT 1 FROM bodies LIMIT 1") is not None

    def rev(self, key: str) -> int:
        """How often it was written; 0 where there is nothing."""
        found = self._at_hand(key)
        if found is None:
            # A list asks this of every row; none of them is put at hand for it.
            row = self._store.one("SELECT rev FROM bodies WHERE key = ?", (key,))
            return 0 if row is None else int(row[0]) + self._bumped.get(key, 0)
        return found.rev + self._bumped.get(key, 0)

    def times(self, key: str) -> tuple[str, str]:
        """When it was made, and when it was last written."""
        made, changed = self._store.one("SELECT made, changed FROM bodies WHERE key = ?", (key,))
        return made, changed

    def put(self, id_: ResourceId, body: Body, links: Links, now: str) -> None:
        key, type_ = id_.key, id_.type.lower()
        before = self._kept(key)
        self._link(key, [] if before is None else list(links(before.body)), list(links(body)))
        content = dumps(body)
        if before is None:
            place = key.rpartition("/")[0]
            self._store.write(_NEW, (key, type_, "" if _is_of_children(place) else place, content, now, now))
            self._collected(place, key, there=True)
        else:
            self._store.write(_AGAIN, (content, now, key))
        self._keep(key, Kept(body, 1 if before is None else before.rev + 1, len(content)), written=True)
        self._types[type_] = None

    def _link(self, key: str, before: list[Link], links: list[Link]) -> None:
        if links == before:
            return
        if before:
            self._store.write("DELETE FROM links WHERE source = ?", (key,))
        for link in links:
            self._store.write(
                "INSERT INTO links(source, kind, target, label, value) VALUES (?, ?, ?, ?, ?)", (key, *link)
            )

    def bump(self, key: str) -> None:
        """One more revision of it, the body as it was."""
        if self._kept(key) is not None:
            self._bumped[key] = self._bumped.get(key, 0) + 1

    def _write_revisions(self) -> None:
        for key, more in self._bumped.items():
            self._store.write("UPDATE bodies SET rev = rev + ? WHERE key = ?", (more, key))
            before = self._at_hand(key)
            if before is not None:
                self._keep(key, before._replace(rev=before.rev + more), written=True)
        self._bumped.clear()

    def pop(self, key: str) -> Body | None:
        """Take it out; the body that was. What lies in it stays."""
        body = self.get(key)
        if body is not None:
            self._store.write("DELETE FROM bodies WHERE key = ?", (key,))
            self._store.write("DELETE FROM links WHERE source = ?", (key,))
            self._bumped.pop(key, None)
            self._keep(key, ABSENT, written=True)
            self._collected(key.rpartition("/")[0], key, there=False)
        return body

    def _collected(self, place: str, key: str, *, there: bool) -> None:
        """Something has come or gone."""
        collection = self._collections.get(place)
        if collection is None:
            return
        if there:
            collection[key] = None
        else:
            collection.pop(key, None)
        self._remember(place, collection)

    def _remember(self, place: str, collection: dict[str, None]) -> None:
        self._collections.put(place, collection, (1 + len(collection)) * len(place))

    def linked(self, kind: str, target: str, value: str | None = None) -> list[str]:
        """The labels of the references of a kind to a target (with one value, if given), in their sources' order."""
        query = "SELECT label FROM links JOIN bodies ON key = source WHERE kind = ? AND target = ? AND value = ?"
        if value is None:
            rows = self._store.all(query.removesuffix(" AND value = ?") + _SOURCES, (kind, target))
        else:
            rows = self._store.all(query + _SOURCES, (kind, target, value))
        return [label for (label,) in rows]

    def values(self, kind: str, target: str) -> list[str]:
        """The values of all references of a kind to a target, in no order."""
        return [
            value
            for (value,) in self._store.all("SELECT value FROM links WHERE kind = ? AND target = ?", (kind, target))
        ]

    # Many. -----------------------------------------------------------------------------------------------------------

    def types(self) -> list[str]:
        return list(self._types)

    def of_type(self, type_: str) -> list[Body]:
        """All of one type, in the order in which they came."""
        key = type_.lower()
        # Locks and assignments are asked for at every request, and most labs have none.
        return [body for _, body in self._read("type = ?", (key,))] if key in self._types else []

    def in_place(self, place: str) -> list[Body]:
        """All in one collection, in the order in which they came."""
        collection = self._collections.get(place)
        found = None if collection is None else [self._at_hand(key) for key in collection]
        if found is not None and all(found):
            return [kept.body for kept in found if kept is not None]
        read = self._read(*_inside(place))
        if self._passing is None:
            self._remember(place, dict.fromkeys(key for key, _ in read))
        return [body for _, body in read]

    def below(self, id_: ResourceId) -> list[Body]:
        """The children of a resource, of whatever kind, not theirs."""
        first, end = _span(id_.key + "/")
        keys = self._store.all("SELECT key FROM bodies WHERE key >= ? AND key < ? ORDER BY key", (first, end))
        places = dict.fromkeys(key.rpartition("/")[0] for (key,) in keys if key.count("/", len(first)) == 1)
        return [body for place in places for body in self.in_place(place)]

    def under(self, scope: str) -> list[Body]:
        """All under a scope (a key that ends in `/`), in the order in which they came."""
        return [body for _, body in self.page_under(scope, 0, ALL)]

    # A page of many: (place in the list, body) of what lies behind a place, in the order in which they came. -------

    def page_in(self, place: str, after: int, limit: int) -> Page:
        """Of one collection."""
        condition, values = _inside(place)
        numbers = f"SELECT n FROM bodies WHERE {condition} AND n > ? ORDER BY n LIMIT ?"
        return self._page(f"n IN ({numbers}) ORDER BY n", (*values, after, limit))

    def page_of_type(self, type_: str, scope: str, after: int, limit: int) -> Page:
        """Of one type under a scope (a key that ends in `/`)."""
        first, end = _span(scope)
        condition = "type = ? AND +key >= ? AND +key < ? AND n > ? ORDER BY n LIMIT ?"
        return self._page(condition, (type_.lower(), first, end, after, limit))

    def page_under(self, scope: str, after: int, limit: int) -> Page:
        """Of everything under a scope. A group is short (Azure ends at 800 of a type) and found by its keys; for
        a subscription the whole table is walked once, page after page."""
        first, end = _span(scope)
        if "/resourcegroups/" in scope:
            condition = "n IN (SELECT n FROM bodies WHERE key >= ? AND key < ? AND n > ? ORDER BY n LIMIT ?) ORDER BY n"
        else:
            condition = "+key >= ? AND +key < ? AND n > ? ORDER BY n LIMIT ?"
        return self._page(condition, (first, end, after, limit))

    def _page(self, condition: str, values: tuple[str | int, ...]) -> Page:
        found = self._store.all(f"SELECT n, body FROM bodies WHERE {condition}", values)
        return [(int(number), loads(content)) for number, content in found]

    def _read(self, condition: str, values: tuple[str | int, ...]) -> list[tuple[str, Body]]:
        found = []
        query = f"SELECT key, rev, body FROM bodies WHERE {condition} ORDER BY n"
        for key, rev, content in self._store.all(query, values):
            at_hand = self._at_hand(key)
            if at_hand is None:
                at_hand = self._read_now(key, content, rev)
                self._keep(key, at_hand)
            found.append((key, at_hand.body))
        return found


def _span(prefix: str) -> tuple[str, str]:
    """The texts from which and before which lies all that begins with a prefix."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _is_of_children(place: str) -> bool:
    """Whether a collection lies in a resource, and not in a group or a subscription."""
    _, provider, kinds = place.rpartition("/providers/")
    return bool(provider) and kinds.count("/") > 1


def _inside(place: str) -> tuple[str, tuple[str | int, ...]]:
    """The condition of lying in a collection, with its values."""
    if not _is_of_children(place):
        return "place = ? AND place <> ''", (place,)
    first, end = _span(place + "/")
    return "key >= ? AND key < ? AND instr(substr(key, ?), '/') = 0", (first, end, len(first) + 1)


_SOURCES = " ORDER BY bodies.n, links.n"
_NEW = "INSERT INTO bodies(key, type, place, rev, body, made, changed) VALUES (?, ?, ?, 1, ?, ?, ?)"
_AGAIN = "UPDATE bodies SET rev = rev + 1, body = ?, changed = ? WHERE key = ?"
