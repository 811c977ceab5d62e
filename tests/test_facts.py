"""Facts of Azure are cited by number, and every number has its line in docs/reference/facts.md.

A citation is a letter of R, E, S, L, D, X and a number that stands by itself: `R14`, `D33 to D44`, `R1-R50`, `["D41"]`.
What only looks like one is none: a part of a name (`disk-S3`, `Standard_D2`), of a path, of a colour, of an identifier,
a word in single quotes (Python here is written with double ones).

An entry that nothing cites may stay: the numbers are kept whole, because the article's statements are a list to be
checked as a list. What is marked uncertain may be named where code says how it deals with it; a finding must not rest
on it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from farshore.assess.findings import RULES
from farshore.assess.rules import load
from farshore.plan import drift

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "facts.md"
TEXT = {".py", ".md", ".txt", ".json", ".yaml", ".yml", ".toml", ".j2", ".sh", ".html", ".css"}

_FACT = r"[RESLDX][1-9][0-9]?a?"
_BEFORE = r"(?<![\w#'/.\\&$%@{<-])"
_AFTER = r"(?![\w'/@}]|-\w|\.[A-Za-z])"
_DASH = r"(?:-|\N{EN DASH}|\.\.)"
_CITATION = re.compile(
    rf"{_BEFORE}(?P<first>{_FACT})(?:(?:\s?{_DASH}\s?|\s+(?:# )?to\s+(?:# )?)(?P<last>{_FACT}))?{_AFTER}"
)
_ENTRY = re.compile(r'^- <a id="(?P<anchor>\w+)"></a>\*\*(?P<fact>\w+)\*\* (?P<text>.*(?:\n  .*)*)', re.MULTILINE)
_LINK = re.compile(r"\]\[([\w-]+)\]")
_DEFINED = re.compile(r"^\[([\w-]+)\]: (\S+)$", re.MULTILINE)


class Citation(NamedTuple):
    path: str
    line: int
    fact: str
    alone: bool
    """Not the inside of a range."""


def citations(text: str, path: str = "") -> Iterator[Citation]:
    """Every fact that `text` cites; a range cites all that lies in it."""
    for found in _CITATION.finditer(text):
        first, last = found["first"], found["last"]
        line = text.count("\n", 0, found.start()) + 1
        if last is None or last[0] != first[0]:
            yield from (Citation(path, line, fact, True) for fact in (first, last) if fact)
            continue
        for number in range(_number(first), _number(last) + 1):
            fact = f"{first[0]}{number}"
            yield Citation(path, line, fact, fact in (first, last))


def _number(fact: str) -> int:
    return int(fact[1:].rstrip("a"))


def _cited() -> list[Citation]:
    paths = [*(p for name in ("src", "tests", "docs", "tools", ".ci") for p in (ROOT / name).rglob("*"))]
    paths += [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    found: list[Citation] = []
    for path in sorted(paths):
        if not path.is_file() or path in (PAGE, Path(__file__)):
            continue
        if path.suffix in TEXT or path.name in ("Makefile", "run"):
            found += citations(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    return found


def _entries() -> dict[str, str]:
    found = [(match["fact"], match["text"]) for match in _ENTRY.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(dict(found)) == len(found), "a number has two entries"
    return dict(found)


CITED = _cited()
ENTRIES = _entries()


def test_every_citation_resolves() -> None:
    lost = [f"{c.path}:{c.line} {c.fact}" for c in CITED if c.fact not in ENTRIES]
    assert not lost, "docs/reference/facts.md has no entry for\n" + "\n".join(lost)
    assert len({c.fact for c in CITED}) > 200, "the scanner has gone blind"


def test_the_page_itself_refers_to_what_it_has() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert {c.fact for c in citations(text)} <= set(ENTRIES)
    assert set(re.findall(r"\(#(\w+)\)", text)) <= {fact.lower() for fact in ENTRIES}
    for match in _ENTRY.finditer(text):
        assert match["anchor"] == match["fact"].lower()


def test_numbers_are_whole() -> None:
    numbers = defaultdict(set)
    for fact in ENTRIES:
        numbers[fact[0]].add(_number(fact))
    assert set(numbers) == set("RESLDX")
    for letter, got in numbers.items():
        assert got == set(range(1, max(got) + 1)), f"{letter} has holes"


@pytest.mark.parametrize("fact", ENTRIES)
def test_an_entry_is_short_and_has_a_page(fact: str) -> None:
    pages = dict(_DEFINED.findall(PAGE.read_text(encoding="utf-8")))
    text = ENTRIES[fact]
    links = _LINK.findall(text)
    assert links and set(links) <= set(pages), f"{fact} names no page"
    assert all(pages[link].startswith("https://") for link in links)
    assert len(text) < 700, f"{fact} is longer than an entry should be"


def test_every_page_is_used() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(dict(_DEFINED.findall(text))) == set(_LINK.findall(text))


# What is uncertain.

ALTOGETHER = {
    "R20": {"src/farshore/routing/selection.py"},  # a switch
    "E37": {"src/farshore/lab/durations.py", "src/farshore/lab/network/circuits.py", "src/farshore/plan/durations.py"},
    "S56": {"src/farshore/lab/recovery/plan_scripts.py"},
}
"""Facts of which nothing is certain, and the files of ours that may name them, each saying how it deals with that."""

IN_PART = {
    "R10": "that Azure can be asked, not that the machine has to run",
    "R22": "the endpoint's own region, not the paired one",
    "R30": "what the flags do, not the default of a raw PUT",
    "E2": "`Provisioned` or not",
    "E18": "the finding says that the reach is not known",
    "E27": "the SKUs with figures; ErGwScale is let pass",
    "E36": "that the status proves nothing, not the fence by authorization",
    "E39": "that it is refused, not the code",
    "S31": "what the portal makes, not what a plain PUT does",
    "S50": "which verb reprotects, not the plan's fabrics",
    "L30": "that a gateway is needed, not the code of the other refusal",
    "L33": "that it is refused, not the code",
}
"""What findings rest on of a fact that is uncertain in part."""


def _uncertain() -> set[str]:
    return {fact for fact, text in ENTRIES.items() if "**Uncertain:**" in text}


def test_the_page_lists_what_is_uncertain() -> None:
    _, section = PAGE.read_text(encoding="utf-8").split("## What is not certain")
    altogether, in_part = section.split("- altogether:")[1].split("- in part:")
    assert {c.fact for c in citations(altogether)} == set(ALTOGETHER)
    assert {c.fact for c in citations(in_part)} == _uncertain() - set(ALTOGETHER)
    assert all("**Uncertain:** all of it" in ENTRIES[fact] for fact in ALTOGETHER)


def test_what_is_uncertain_altogether_is_only_named_where_it_is_dealt_with() -> None:
    named = defaultdict(set)
    for citation in CITED:
        if citation.alone and citation.fact in ALTOGETHER and citation.path.startswith("src/"):
            named[citation.fact].add(citation.path)
    for fact, allowed in ALTOGETHER.items():
        assert named[fact] <= allowed, f"{fact} is not known: {sorted(named[fact] - allowed)} rest on it"


def test_no_finding_rests_on_what_is_uncertain() -> None:
    load()
    sources = {code: rule.source for code, rule in RULES.items()}
    assert not set(drift.TITLES) & set(sources), "drift and assess give one code two meanings"
    sources |= dict.fromkeys(drift.TITLES, drift.SOURCE)
    for code, source in sources.items():
        assert source, f"{code} names no source"
        for name in source:
            assert name in ENTRIES or name.startswith("https://"), f"{code} names {name}"
            assert name not in ALTOGETHER, f"{code} rests on {name}, of which nothing is certain"
            assert name not in _uncertain() or name in IN_PART, f"{code} rests on {name}: on which part of it?"
    resting = {name for source in sources.values() for name in source}
    assert set(IN_PART) == resting & _uncertain()


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("as R14 says (R3, D62); S17.", ["R14", "R3", "D62", "S17"]),
        ('{"source": ["D41", "R10a"]}', ["D41", "R10a"]),
        ("(S1 to S3)", ["S1", "S2", "S3"]),
        ("R1-R3 and R5..R6, L1\N{EN DASH}L2", ["R1", "R2", "R3", "R5", "R6", "L1", "L2"]),
        ("# one location (D53 to\n# D55)", ["D53", "D54", "D55"]),
        ("rule R14.3, and `E21`:", ["R14", "E21"]),
        ("E16, E18 to D2", ["E16", "E18", "D2"]),
        ("disk-S3 S3-bucket s3 S3.example.com /S3/ vm_D2 Standard_D2s_v5 #E21 0xD4", []),
        ("[concat('Standard_', 'D2')]", []),
        ("7d2c1f9a-D4E1-4E21-9D44-E21aD62b R100 R0 D2s AD4 S1b", []),
        ('<path d="M1 2L10.5 20"/> {S3} ${S3} R9}', []),
    ],
)
def test_the_scanner_itself(text: str, facts: list[str]) -> None:
    assert [citation.fact for citation in citations(text)] == facts
