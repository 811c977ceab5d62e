"""One immutable reading of everything in scope, and the project file: `Estate.from_resources(list, project)`."""

from __future__ import annotations

from farshore.estate.estate import Change, Estate
from farshore.estate.project import Project, read_project

__all__ = ["Change", "Estate", "Project", "read_project"]
