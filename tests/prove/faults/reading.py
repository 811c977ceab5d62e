"""An edited example as an estate, its project read as from its own folder."""

from __future__ import annotations

from assess.broken import At
from farshore import examples
from farshore.arm.json import dumps
from farshore.estate.estate import Estate
from farshore.estate.project_reading import parse_project


def estate_of(at: At) -> Estate:
    project = parse_project(dumps(at.bench.project).decode(), file=str(examples.path(at.example) / "farshore.yaml"))
    return Estate.from_resources(at.bench.resources).with_project(project)
