"""Counts: one circuit is not "1 circuits", wherever the command line counts something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from farshore import cli
from farshore.cli.words import many

from .test_app import farshore

COUNTED = re.compile(r"\{[^{}]*(?:len\(|count|number|resources|packets|:,)[^{}]*\} [a-z]{2,}s\b")
"""A number in an f-string, and a plural right behind it."""


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 machines"), (1, "1 machine"), (2, "2 machines"), (1204, "1,204 machines")]
)
def test_a_noun_goes_with_its_number(count: int, said: str) -> None:
    assert many(count, "machine") == said
    assert many(count, "process", "processes").endswith("process" if count == 1 else "processes")


def test_generate_says_one_machine_in_one_spoke(tmp_path: Path) -> None:
    done = farshore("generate", "--machines", "1", "--spokes", "1", "--prefixes", "4", "--out", str(tmp_path / "e"))
    assert done.returncode == 0, done.stderr
    assert "1 spoke, 1 machine," in done.stdout and not re.search(r"\b1 [a-z]+s\b", done.stdout), done.stdout


def test_no_plural_stands_behind_a_number_that_may_be_one() -> None:
    """`many` says it. Several things of one name are two at least."""
    told = {
        f"{path.name}: {found.group()}"
        for path in Path(cli.__file__).parent.rglob("*.py")
        for line in path.read_text().splitlines()
        if (found := COUNTED.search(line)) and "are called" not in line and "subscriptions" not in line
    }
    assert not told
