"""One immutable reading of everything in scope, and the project file: `Estate.from_resources(list, project)`.

The project file's half is imported when it is asked for: routing on an estate alone has no need of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.estate.estate import Change, Estate

if TYPE_CHECKING:
    from farshore.estate.project import Project, read_project

__all__ = ["Change", "Estate", "Project", "read_project"]


def __getattr__(name: str) -> Any:
    if name in ("Project", "read_project"):
        from farshore.estate import project

        return getattr(project, name)
    raise AttributeError(name)
