"""`farshore lab up --runbooks`: foreign code runs where somebody has asked for it, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .served import answer, begin, end, farshore, lab_json


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = begin(tmp_path / "project")
    yield folder
    end(folder)


def test_runbooks_run_where_it_was_asked_for(project: Path) -> None:
    answer("lab", "up", cwd=project)
    assert lab_json(project)["runbooks"] is False
    status, _, said = farshore("lab", "up", "--runbooks", cwd=project)
    assert status == 0 and "It runs no runbooks" in said
    answer("lab", "down", cwd=project)
    _, said, _ = farshore("lab", "up", "--runbooks", cwd=project)
    assert "with your own rights" in said
    assert lab_json(project)["runbooks"] is True
    answer("lab", "down", cwd=project)
    yaml = project / "farshore.yaml"
    yaml.write_text(yaml.read_text().replace("lab: {", "lab: {runbooks: true, "))
    assert "runbooks: true" in yaml.read_text()
    answer("lab", "up", cwd=project)
    assert lab_json(project)["runbooks"] is True
