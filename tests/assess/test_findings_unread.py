"""A finding that comes of a marker alone says that it may: every value of an example hidden, one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from farshore import examples
from farshore.assess import Severity, assess
from farshore.assess.doubtful import OF_THE_UNKNOWN
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.project import Project

SAMPLE = int(os.environ.get("FARSHORE_UNREAD", "40"))
"""So many values of each example."""


@pytest.mark.parametrize("example", examples.names())
def test_what_comes_of_a_marker_alone_is_said_as_far_as_it_can_be_read(example: str) -> None:
    project, estate = examples.read(example)
    known = {(finding.code, finding.subject) for finding in assess(estate).findings}
    values = sorted(_values(estate))
    for key, path in Random(example).sample(values, min(SAMPLE, len(values))):
        try:
            found = assess(_hidden(estate, project, key, path)).findings
        except InputError:
            # The project names what then has no name.
            continue
        for finding in found:
            new = (finding.code, finding.subject) not in known and finding.code not in OF_THE_UNKNOWN
            if new and finding.severity is not Severity.INFO:
                assert "as far as can be read" in finding.summary, f"{key} {path}: {finding}"
                assert any("can't be read: " in text for text in finding.evidence), finding


def test_a_switch_that_can_t_be_read_is_not_said_to_be_off() -> None:
    project, estate = examples.read(examples.names()[0])
    appliance = next(nic for nic in estate.network_interfaces if nic.enable_ip_forwarding)
    found = assess(_hidden(estate, project, appliance.id.key, "properties.enableIPForwarding")).findings
    said = [finding for finding in found if finding.code == "FS212"]
    assert said and all("as far as can be read" in finding.summary for finding in said)


def test_without_markers_nothing_is_said_of_reading() -> None:
    _, estate = examples.read(examples.names()[0])
    assert not any("as far as can be read" in finding.summary for finding in assess(estate).findings)


def _values(estate: Estate) -> Iterator[tuple[str, str]]:
    for key, body in estate.resources.items():
        if "/microsoft.network/" in key or "/virtualmachines/" in key:
            yield from ((key, path) for path in _paths(body.get("properties"), "properties"))


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "name" and not (key == "id" and "name" in value):
                yield from _paths(item, f"{path}.{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _paths(item, f"{path}.{at}")
    else:
        yield path


def _hidden(estate: Estate, project: Project, key: str, path: str) -> Estate:
    bodies = [deepcopy(dict(body)) for body in estate.resources.values()]
    body: Any = next(body for body in bodies if str(body["id"]).lower() == key)
    *inside, last = path.split(".")
    for name in inside:
        body = body[int(name) if isinstance(body, list) else name]
    body[int(last) if isinstance(body, list) else last] = "<param:hidden>"
    return Estate.from_resources(bodies, project)
