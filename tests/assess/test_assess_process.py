"""What a reading verb costs as a whole process: no credentials, no database driver, and less than a second."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import pytest

from farshore import examples

from .bench import TWO

NEVER = ("azure.identity", "azure.core", "sqlite3", "psycopg", "aiohttp", "uvicorn", "farshore.lab", "farshore.run")
"""Modules that only acting needs. A verb that reads files must start where none of them can."""


def loaded(*arguments: str) -> list[str]:
    """Which of `NEVER` a command line has imported when it is done."""
    code = (
        "import sys; from farshore.cli.app import run; sys.stdout = open('/dev/null', 'w'); "
        f"status = run({list(arguments)!r}); "
        f"print(status, *[name for name in {NEVER!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    status, *names = done.stderr.strip().splitlines()[-1].split()
    assert status == "0", done.stderr
    return names


@pytest.mark.parametrize("verb", ["assess", "plan", "prove"])
def test_a_reading_verb_imports_nothing_that_acts(verb: str) -> None:
    assert loaded(verb, "--project", str(examples.path(TWO)), "--format", "json") == []


def test_help_imports_nothing_that_acts() -> None:
    assert loaded("--help") == []


@pytest.mark.parametrize("name", examples.names())
def test_assess_takes_less_than_a_second(name: str) -> None:
    """Of the processor, median of five: what else runs on the machine does not count against it."""
    command = [sys.executable, "-m", "farshore.cli", "assess", "--project", str(examples.path(name))]
    spent = []
    for _ in range(5):
        before = os.times()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=60)
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert statistics.median(spent) < 1.0, spent
