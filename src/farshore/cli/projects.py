"""Project folders: finding, reading, beginning one; one process at a time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.estate.estate import Estate
    from farshore.estate.project import Project


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one project."""

    path: Path

    @property
    def yaml(self) -> Path:
        return self.path / "farshore.yaml"

    @property
    def estate(self) -> Path:
        return self.path / "estate.json"

    @property
    def state(self) -> Path:
        return self.path / ".farshore"

    @property
    def lab_db(self) -> Path:
        return self.state / "lab.db"

    @property
    def lab_json(self) -> Path:
        return self.state / "lab.json"

    @property
    def runs_db(self) -> Path:
        return self.state / "runs.db"

    def run(self, run_id: str) -> Path:
        return self.state / "runs" / run_id


def read_folder(path: Path) -> tuple[Project, Estate]:
    """The project and its estate as the folder holds them. Reads, never writes."""
    from farshore.estate.files import load

    folder = Folder(path)
    # A folder in a file's place is `load`'s to tell, which reads it.
    if not folder.yaml.exists():
        raise InputError(
            "This folder holds no farshore.yaml",
            file=str(folder.yaml),
            value=str(path),
            expected="a project folder",
            remedy="farshore new NAME begins one",
        )
    if not folder.estate.exists():
        raise InputError(
            "This project has no estate.json yet",
            file=str(folder.estate),
            value=str(path),
            expected="the resources as ARM returns them",
            remedy="farshore estate read reads it from the cloud, or put an export of the resources there",
        )
    return load(path)


def example_folder(name: str, given: Path | None) -> Path:
    """The folder that an example is told in: `--project`, else the current folder where it is empty or already holds
    this example, else a new folder of the example's name. The example's files are copied where they are not there;
    files that differ from the example are never written over."""
    from farshore import examples

    shipped = examples.path(name)
    here = Path.cwd()
    folder = given or (here if _empty_or_example(here, shipped) else here / name)
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(shipped.iterdir()):
        if not source.is_file() or source.suffix == ".py":
            continue
        copy = folder / source.name
        if not copy.exists():
            shutil.copyfile(source, copy)
        elif copy.read_bytes() != source.read_bytes():
            raise InputError(
                f"{copy} is not the one of the example {name}",
                value=str(copy),
                expected="an empty folder, or the example as shipped",
                remedy="leave --example out to exercise this project as it is, or name another folder with --project",
            )
    return folder


def _empty_or_example(folder: Path, shipped: Path) -> bool:
    inside = [item for item in folder.iterdir() if item.name != ".farshore"]
    mine = folder / "farshore.yaml"
    return not inside or (mine.is_file() and mine.read_bytes() == (shipped / "farshore.yaml").read_bytes())


def subscriptions_of(estate: Estate) -> tuple[str, ...]:
    """The subscriptions that a project is about: those of its resources, in the order of their ids."""
    from farshore.arm.ids import resource_id

    return tuple(sorted({resource_id(key).subscription for key in estate.resources}))
