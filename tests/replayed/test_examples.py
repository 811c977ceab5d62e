"""The examples of Azure's own description against the lab. Runs where `FARSHORE_REAL_DATA` names their folder.

All that is not as written is in `conformance/on_purpose.py` with its reason; what is of another provider than Azure to
Azure is apart, by the instanceTypes that it shows.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from conformance import examples, on_purpose, report
from conformance.__main__ import DATA
from conformance.compare import Difference, Score

from farshore.lab.recovery.policies import SHAPE_ONLY

FOLDERS = list(examples.folders(DATA / "rest-examples")) if (DATA / "rest-examples").is_dir() else []
pytestmark = pytest.mark.skipif(not FOLDERS, reason=f"no examples in {DATA}: FARSHORE_REAL_DATA")
NAMES = [pytest.param(folder, id=folder.name) for folder in FOLDERS]
TYPES = ("string", "number", "boolean", "array", "object", "null")


@cache
def scores(folder: Path) -> dict[str, Score | None]:
    return examples.run(folder)


def is_of_shape(difference: Difference) -> bool:
    """A status, or a key path that is not there or of another type: values are an example's own."""
    return difference.path == "status" or (difference.expected in TYPES and difference.got in (*TYPES, "nothing"))


@pytest.mark.parametrize("folder", NAMES)
def test_every_example_is_accepted_and_answered_in_its_shape(folder: Path) -> None:
    judged = {name: score for name, score in scores(folder).items() if score is not None}
    differences = [one for score in judged.values() for one in score.differences if is_of_shape(one)]
    assert [str(one) for one in differences if on_purpose.reason_of(one) is None] == []
    assert report.total(judged).statuses.total > 10


@pytest.mark.parametrize("folder", NAMES)
def test_the_lab_has_every_operation_of_an_example(folder: Path) -> None:
    assert [name for name, score in scores(folder).items() if score is None] == []


def test_every_difference_on_purpose_is_one() -> None:
    found = [one for folder in FOLDERS for score in scores(folder).values() if score for one in score.differences]
    assert on_purpose.stale(found, on_purpose.EXAMPLES) == [], "no difference fits these any more: take them out"


@pytest.mark.parametrize("folder", NAMES)
def test_what_is_for_another_provider_is_refused_in_clear_words(folder: Path) -> None:
    """Read it can be, as an estate brought it; a policy of theirs is kept and shown."""
    for name, (provider, answer) in examples.apart(folder).items():
        kept = answer.status == 200 or (answer.status == 202 and provider in SHAPE_ONLY and "Polic" in name)
        if not kept:
            assert answer.status in (400, 501), (name, answer)
            message = answer.body["error"]["message"]
            assert "instanceType" in message or examples.THE_OTHER_SIDE in message, (name, message)
