"""Azure's JavaScript clients, by node's own test runner, on a served lab of their own (tests/real_js)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from real.bare_lab import ROOT, BareLab

CLIENTS = os.environ.get("FARSHORE_JS", "")
"""The folder in which npm has put them."""
SUITE = ROOT / "tests" / "real_js"
PATIENCE = 300


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[BareLab]:
    if not CLIENTS or shutil.which("node") is None:
        pytest.skip("node or Azure's JavaScript clients are not installed: make conformance-js installs them")
    with BareLab(tmp_path / "lab") as found:
        yield found


def test_to_the_far_shore_and_back(
    lab: BareLab, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    # Modules are looked for beside the file that names them: the suite is run from a copy beside the clients.
    suite = tmp_path / "suite"
    shutil.copytree(SUITE, suite)
    (suite / "node_modules").symlink_to(Path(CLIENTS).resolve() / "node_modules")
    done = subprocess.run(
        ["node", "--preserve-symlinks", "--test", "--test-reporter=tap"],
        cwd=suite,
        env={**lab.environment, "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"counted: (\d+) calls, (\d+) checks", done.stdout)
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert counted is not None and passed is not None, done.stdout
    assert int(passed[1]) > 0 and "# fail 0" in done.stdout
    record_property("calls", int(counted[1]))
    record_property("checks", int(counted[2]))
