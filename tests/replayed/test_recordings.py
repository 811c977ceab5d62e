"""The recordings against the lab: how much of them it answers alike, and that it does not know them.

Runs where `FARSHORE_REAL_DATA` names the folder with the recordings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from conformance import on_purpose, report
from conformance.__main__ import DATA, files
from conformance.compare import Score
from conformance.names import GUID
from conformance.recordings import Row, id_of, read
from conformance.replay import replay
from conformance.scope import OUTSIDE

from farshore.lab import catalog, registry

RECORDINGS = DATA / "recordings"
LAB = Path(__file__).parents[2] / "src" / "farshore" / "lab"
DEPLOYMENTS = "microsoft.resources/deployments"
pytestmark = pytest.mark.skipif(not files([RECORDINGS]), reason=f"no recordings in {RECORDINGS}: FARSHORE_REAL_DATA")

PATHS, STATUSES, HEADERS = 0.98, 1.0, 1.0
"""Least shares, raised as they are reached."""
AZURES_OWN = frozenset(
    ("default", "gatewaysubnet", "azureprivatepeering", "microsoftpeering", "azurenetwork", "defaultalertsetting")
)
"""Names in paths that Azure gave and not the recording's author."""


@cache
def rows(path: Path) -> list[Row]:
    return read(path)


@cache
def score(path: Path) -> Score:
    return replay(path)


def judged() -> list[Path]:
    """Recordings that need a deployment count where the lab has deployments."""
    catalog.load()
    return [
        path
        for path in files([RECORDINGS])
        if DEPLOYMENTS in registry.TYPES
        or not any(row.id is not None and row.id.type.lower() == DEPLOYMENTS for row in rows(path))
    ]


def test_recordings_are_answered_as_azure_answered() -> None:
    scores = {path.stem: score(path) for path in judged()}
    whole = report.total(scores)
    told = "\n".join(report.table(scores))
    assert whole.statuses.share >= STATUSES, told
    assert whole.codes.share == 1.0, told
    assert whole.paths.share >= PATHS, told
    assert whole.headers.share >= HEADERS, told


@pytest.mark.parametrize("path", files([RECORDINGS]), ids=lambda path: path.stem)
def test_what_is_out_of_scope_is_said_to_be(path: Path) -> None:
    """Such requests are answered 501, and no other difference of theirs is counted."""
    where = {row.where for row in rows(path) if any(re.search(pattern, row.path.lower()) for pattern, _ in OUTSIDE)}
    assert [str(one) for one in score(path).differences if one.where in where] == []
    assert score(path).outside == len(where)


def test_every_difference_on_purpose_is_one() -> None:
    wanted = {path.stem for path in judged()}
    differences = [one for path in judged() for one in score(path).differences]
    stale = [entry for entry in on_purpose.stale(differences) if entry.file in wanted]
    assert stale == [], "no difference fits these any more: take them out of conformance/on_purpose.py"


def peculiar(path: Path) -> Iterator[str]:
    """What only this recording's author or that day's service can have named: resources, groups, GUIDs, keys."""
    for row in rows(path):
        if row.method == "POST":
            continue
        for id_ in (row.id, id_of(str(row.body.get("id") or "")) if isinstance(row.body, dict) else None):
            if id_ is not None and "locations" not in id_.key:
                yield from (name for _, name in id_.pairs)
                yield id_.resource_group or ""
        yield from GUID.findall(f"{row.url} {row.body}")
        yield from re.findall(r"REDACTED-\w+", f"{row.body}")


@pytest.mark.parametrize("path", files([RECORDINGS]), ids=lambda path: path.stem)
def test_no_string_of_a_recording_stands_in_the_lab(path: Path) -> None:
    words = set(re.findall(r"[\w.-]+", " ".join(file.read_text() for file in LAB.rglob("*.py"))))
    names = {name for name in peculiar(path) if len(name) > 3 and set(name) - set("0-")}
    assert {name for name in names & words if name.lower() not in AZURES_OWN} == set()
