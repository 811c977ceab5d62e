"""Bodies in the file beside a dictionary of them: the same answers, in the same order, also from a lab opened again."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import Settings
from farshore.lab.bodies import ALL, Bodies, Link
from farshore.lab.store import Recent, Store
from lab.core.bench import SUBSCRIPTION, VERSION, Lab, net

GROUPS = (
    "/subscriptions/one/resourceGroups/a",
    "/subscriptions/one/resourceGroups/ab",
    "/subscriptions/two/resourceGroups/a",
)
PATHS = (
    "N/nets/x",
    "N/nets/x/subs/s",
    "N/nets/x/subs/t",
    "N/nets/x/subs/s/deep/d",
    "N/nets/y",
    "N/tables/x",
    "n/nets/X/Subs/s",
)
IDS = [resource_id(f"{group}/providers/{path}") for group in GROUPS for path in PATHS]
ROUTE = {"addressPrefix": "10.0.0.0/16", "nextHopType": "VnetLocal"}
NOW = "2026-01-01T00:00:00Z"
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(IDS), st.integers(0, 3), st.booleans()),
        st.tuples(st.sampled_from(["pop", "bump", "commit"]), st.sampled_from(IDS), st.just(0), st.booleans()),
    ),
    max_size=40,
)


def links(body: Body) -> Iterable[Link]:
    """A body of value n refers to n targets."""
    return [
        Link("uses", f"target{number}", str(body["id"]), f"v{body['value'] % 2}") for number in range(body["value"])
    ]


@hypothesis_settings(max_examples=150, deadline=None)
@given(ACTS, st.integers(1, 4))
def test_bodies_answer_as_a_dictionary_of_them_would(acts: list[tuple[str, ResourceId, int, bool]], size: int) -> None:
    """Also to who reads, or writes, while a list passes."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "lab.db")
        bodies, kept = Bodies(store), dict[str, tuple[ResourceId, Body, int]]()
        for act, id_, value, passing in acts:
            with bodies.passing() if passing else nullcontext():
                _do(act, id_, value, bodies, kept)
                if act == "commit":
                    store.commit()
                _same(bodies, kept, size)
        store.close()
        again = Store(Path(folder) / "lab.db")
        _same(Bodies(again), kept, size)
        again.close()


def _do(act: str, id_: ResourceId, value: int, bodies: Bodies, kept: dict[str, tuple[ResourceId, Body, int]]) -> None:
    before = kept.get(id_.key)
    if act == "put":
        body = {"id": id_.text, "value": value}
        bodies.put(id_, body, links, NOW)
        kept[id_.key] = (id_, body, 1 if before is None else before[2] + 1)
    elif act == "pop":
        assert bodies.pop(id_.key) == (before[1] if before else None)
        kept.pop(id_.key, None)
    elif act == "bump":
        bodies.bump(id_.key)
        if before is not None:
            kept[id_.key] = (*before[:2], before[2] + 1)


def _same(bodies: Bodies, kept: dict[str, tuple[ResourceId, Body, int]], size: int) -> None:
    rows = list(kept.values())
    assert bool(bodies) == bool(rows)
    for id_ in IDS:
        found = kept.get(id_.key)
        assert bodies.get(id_.key) == (found[1] if found else None)
        assert bodies.rev(id_.key) == (found[2] if found else 0)
        below = [body for other, body, _ in rows if other.parent is not None and other.parent.key == id_.key]
        assert sorted(bodies.below(id_), key=str) == sorted(below, key=str)
        place = id_.key.rsplit("/", 1)[0]
        inside = [body for other, body, _ in rows if other.key.rsplit("/", 1)[0] == place]
        assert bodies.in_place(place) == inside
        assert _paged(lambda after, place=place: bodies.page_in(place, after, size)) == inside
        typed = [body for other, body, _ in rows if other.type.lower() == id_.type.lower()]
        assert bodies.of_type(id_.type) == typed
        scope = f"/subscriptions/{id_.subscription}/"
        own = [body for body in typed if str(body["id"]).lower().startswith(scope)]
        assert _paged(lambda after, scope=scope, id_=id_: bodies.page_of_type(id_.type, scope, after, size)) == own
    for scope in ("/", *(f"{group.lower()}/" for group in GROUPS), "/subscriptions/one/"):
        under = [body for id_, body, _ in rows if id_.key.startswith(scope)]
        assert bodies.under(scope) == under
        assert _paged(lambda after, scope=scope: bodies.page_under(scope, after, size)) == under
    for number in range(3):
        target = f"target{number}"
        assert bodies.linked("uses", target) == [str(body["id"]) for _, body, _ in rows if body["value"] > number]
        odd = [str(body["id"]) for _, body, _ in rows if body["value"] > number and body["value"] % 2]
        assert bodies.linked("uses", target, "v1") == odd
        assert bodies.values("uses", target).count("v1") == len(odd)


def _paged(read: object) -> list[Body]:
    assert callable(read)
    found: list[Body] = []
    after = 0
    while page := read(after):
        found += [body for _, body in page]
        after = page[-1][0]
    return found


def test_a_page_of_all_has_no_end() -> None:
    bodies = Bodies(Store(None))
    for number in range(50):
        bodies.put(resource_id(f"{GROUPS[0]}/providers/N/nets/n{number}"), {"id": number}, lambda body: (), NOW)
    assert [body["id"] for _, body in bodies.page_under("/", 0, ALL)] == list(range(50))


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["put", "get", "drop"]), st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_what_is_recent_is_what_fits_of_the_latest_asked_for(acts: list[tuple[str, int, int]]) -> None:
    """Beside a list of (key, size, value) that is put in order anew each time and cut from its beginning."""
    recent: Recent[int] = Recent(100)
    latest: list[tuple[str, int, int]] = []
    for moment, (act, number, size) in enumerate(acts):
        key = str(number)
        known = [row for row in latest if row[0] == key]
        if act != "get" or known:
            latest = [row for row in latest if row[0] != key]
        if act == "put":
            recent.put(key, moment, size)
            latest.append((key, size, moment))
        elif act == "drop":
            recent.drop(key)
        else:
            assert recent.get(key) == (known[0][2] if known else None)
            latest += known
        while len(latest) > 1 and sum(row[1] for row in latest) > 100:
            latest.pop(0)
    assert [recent.get(row[0]) for row in latest] == [row[2] for row in latest]
    assert [recent.get(str(number)) for number in range(10) if str(number) not in {row[0] for row in latest}].count(
        None
    ) == 10 - len(latest)


def test_a_list_is_read_in_the_memory_of_a_page() -> None:
    """Neither rows nor what is shown inside them, nor their ids, stay: the last pages cost what the first have."""
    lab = Lab(settings=Settings(throttling=False, page_size=50))
    tables = [
        {
            "id": net(f"t{number:04}", kind="routeTables"),
            "name": f"t{number:04}",
            "location": "eastasia",
            "properties": {"routes": [{"name": name, "properties": dict(ROUTE)} for name in ("a", "b")]},
        }
        for number in range(1_500)
    ]
    lab.cloud.seed(tables)
    # The first reading fills the caches, whose sizes are bounded by their own rules; the second shows what pages leave.
    _read(lab)
    tracemalloc.start()
    try:
        sizes = _read(lab)
    finally:
        tracemalloc.stop()
    assert len(sizes) == 30
    assert sizes[-1] - sizes[3] < 150_000


def _read(lab: Lab) -> list[int]:
    """The bytes that are traced after each page."""
    url: str | None = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/routeTables?{VERSION}"
    sizes = []
    while url is not None:
        page = lab.get(url).body
        url = page.get("nextLink")
        assert len(page["value"]) == 50 and len(page["value"][0]["properties"]["routes"]) == 2
        del page
        sizes.append(tracemalloc.get_traced_memory()[0])
    return sizes
