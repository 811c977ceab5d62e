"""The project that the verbs are tried on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from farshore import examples
from outside import answer


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the published example."""
    folder = tmp_path / "project"
    folder.mkdir()
    for source in examples.path("two-circuits-two-locations").iterdir():
        if source.is_file() and source.suffix != ".py":
            shutil.copyfile(source, folder / source.name)
    return folder


@pytest.fixture(scope="session")
def _provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = _copied(examples.path("two-circuits-two-locations"), tmp_path_factory.mktemp("provisioned"))
    answer(folder, "provision")
    return folder


@pytest.fixture(scope="session")
def _protected(_provisioned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = _copied(_provisioned, tmp_path_factory.mktemp("protected"))
    answer(folder, "protect")
    return folder


@pytest.fixture
def provisioned(_provisioned: Path, tmp_path: Path) -> Path:
    """A project of one's own whose run has built the network; it was done once, and is copied."""
    return _copied(_provisioned, tmp_path)


@pytest.fixture
def protected(_protected: Path, tmp_path: Path) -> Path:
    return _copied(_protected, tmp_path)


def _copied(folder: Path, place: Path) -> Path:
    copy = place / "project"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy
