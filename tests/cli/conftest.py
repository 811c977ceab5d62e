"""The project that the verbs are tried on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from farshore import examples


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the published example."""
    folder = tmp_path / "project"
    folder.mkdir()
    for source in examples.path("two-circuits-two-locations").iterdir():
        if source.is_file() and source.suffix != ".py":
            shutil.copyfile(source, folder / source.name)
    return folder
