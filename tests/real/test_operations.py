"""The list of operations that docs/lab-fidelity.md is made from is what Azure's clients know, all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytest.importorskip("azure.mgmt.network", reason="Azure's SDKs are not installed: make real installs them")


def test_the_list_is_what_the_clients_know() -> None:
    asked = "import operations; print('\\n'.join(operations.known()))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT / "tools", capture_output=True, text=True, check=True)
    written = (ROOT / "tools" / "operations.txt").read_text().splitlines()
    assert done.stdout.splitlines() == written, "tools/operations.py writes it anew, then make docs"
