"""Many requests one after the other, to few types, with time between them: they meet what others have left behind.

Each is held to what holds of every answer. At the end time passes, everything that there is can be shown and listed,
and the lab that is opened again from its file is the same and shows the same.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from farshore.arm.ids import resource_id
from farshore.lab import open_lab, registry
from lab.fuzz import mangling, rules
from lab.fuzz.mangling import Case
from lab.fuzz.rig import Rig, Sent, changed_in_place, digest, rig
from lab.fuzz.settings import fuzz
from lab.fuzz.table import Operation
from lab.resources.deployed import GROUP_ID

PAUSES = (0, 0, 1, 30, 600, 7200)
GONE = (404,)
GET = Operation("GET", "resource", "")


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[Case, int]]:
    """Requests about two or three families of types, each with the seconds after it."""
    writes = mangling.of_resources("PUT", "PATCH", "POST", "DELETE")
    families = tuple(dict.fromkeys(_family(each) for each in writes))
    chosen = draw(st.lists(st.sampled_from(families), min_size=1, max_size=3, unique=True))
    of = tuple(each for each in writes if _family(each) in chosen)
    request = st.one_of(mangling.plain(of), mangling.plain(of), mangling.requests(of))
    return draw(st.lists(st.tuples(request, st.sampled_from(PAUSES)), min_size=3, max_size=12))


def _family(operation: Operation) -> str:
    return "/".join(operation.type.split("/")[:2])


@fuzz(share=20)
@given(stories())
def test_whatever_happened_all_of_it_can_be_seen(story: list[tuple[Case, int]]) -> None:
    with rig("story") as lab:
        for case, seconds in story:
            rules.holds(lab, case)
            lab.wait(seconds=seconds)
        lab.wait(hours=2)
        shown = _everything(lab)
        before = digest(lab.cloud)
        assert not changed_in_place(lab.cloud)
        path, now = lab.cloud.store.path, lab.cloud.now
        lab.close()
        lab.__init__(open_lab(path, now=now))  # type: ignore[misc]
        assert digest(lab.cloud) == before
        again = _everything(lab)
        assert [url for url in {**shown, **again} if shown.get(url) != again.get(url)] == []


def _everything(lab: Rig) -> dict[str, Any]:
    """All that there is, by URL, and every list that has something."""
    urls = {str(body["id"]) for body in lab.cloud.bodies.under("/")}
    lists = {url.rsplit("/", 1)[0] for url in urls}
    types = {resource_id(url).type for url in urls}
    lists |= {f"{GROUP_ID.rsplit('/', 2)[0]}/providers/{type_}" for type_ in types if type_.lower() in registry.TYPES}
    found: dict[str, Any] = {}
    for url in sorted(urls | lists):
        sent = Sent(method="GET", path=mangling.quoted(url))
        answer = lab.send(sent)
        rules.well_formed(Case(operation=GET, sent=sent), answer)
        assert url in lists or answer.status == 200, f"{url} is there, and is answered {answer.content!r}"
        found[url] = (answer.status, answer.content)
    return found
