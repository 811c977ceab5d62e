"""The examples, with something changed: estates for the planner's tests."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from farshore import examples
from farshore.arm.ids import ResourceId, make_id
from farshore.arm.json import Body
from farshore.estate.estate import Change, Estate
from farshore.estate.project import Link, Project

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TWO = "two-circuits-two-locations"
ONE = "single-circuit-kept-addresses"
NEW = "single-circuit-new-addresses"
BOTH = "two-circuits-new-addresses"


def example(name: str = TWO, **project: Any) -> Estate:
    """An example; keywords replace fields of its project."""
    _, estate = examples.read(name)
    return with_project(estate, **project) if project else estate


def with_project(estate: Estate, **fields: Any) -> Estate:
    assert isinstance(estate.project, Project)
    return replace(estate, project=replace(estate.project, **fields))


def source_id(type_: str, *names: str) -> ResourceId:
    return make_id(SUBSCRIPTION, "rg-source", type_, *names)


def target_id(type_: str, *names: str) -> ResourceId:
    return make_id(SUBSCRIPTION, "rg-farshore-dr", type_, *names)


def edited(estate: Estate, id_: ResourceId, edit: Callable[[Body], None]) -> Estate:
    """The estate with one body changed in place by `edit`."""
    body = copy.deepcopy(estate.get(id_))
    assert body is not None
    edit(body)
    return estate.with_changes([Change(put=body)])


LINKS = tuple(Link)
