"""An edited example as an estate, its project read as from its own folder; and how many of them are tried.

Finding a fault is quick, mending one takes seconds. `make test` mends every sixth, `make faults` all of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from assess.broken import At
from farshore import examples
from farshore.arm.json import dumps
from farshore.estate.estate import Estate
from farshore.estate.project_reading import parse_project


def estate_of(at: At) -> Estate:
    project = parse_project(dumps(at.bench.project).decode(), file=str(examples.path(at.example) / "farshore.yaml"))
    return Estate.from_resources(at.bench.resources).with_project(project)


T = TypeVar("T")
EVERY = 1 if os.environ.get("FARSHORE_FAULTS") == "all" else 12


def slice_of(items: Sequence[T]) -> Sequence[T]:
    """Those that are tried now."""
    return items[::EVERY]
