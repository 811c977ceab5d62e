"""A workbench: an example's estate.json and farshore.yaml as plain values, to be edited and assessed.

A bench can be built beforehand: the target network stands as the plan's provision phase leaves it, so that what a
person might have got wrong in it can be edited too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from farshore import examples
from farshore.arm.ids import make_id
from farshore.arm.json import Body, dumps, loads
from farshore.assess import Assessment, Finding, assess
from farshore.estate.estate import Estate
from farshore.estate.project_reading import parse_project
from farshore.plan.effects import apply, start
from farshore.plan.make import make_plan
from farshore.plan.model import Phase

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
SOURCE_GROUP, TARGET_GROUP, CIRCUIT_GROUP = "rg-source", "rg-farshore-dr", "rg-expressroute"
TWO = "two-circuits-two-locations"
NEAR = "two-circuits-one-location"
ONE = "single-circuit-kept-addresses"
NEW = "single-circuit-new-addresses"
BOTH = "two-circuits-new-addresses"

Edit = Callable[["Bench"], Any]


@dataclass
class Bench:
    """What is in the two files. Short names stand for ids: `bench["Source-vNet1"]`, `bench["nva-nic"]`."""

    resources: list[Body]
    project: dict[str, Any]

    def __getitem__(self, name: str) -> Body:
        """The one top-level body of that name; `group/name` where two share it."""
        group, _, short = name.rpartition("/")
        found = [
            body
            for body in self.resources
            if str(body["id"]).rsplit("/", 1)[-1].lower() == short.lower()
            and (not group or f"/resourcegroups/{group}/".lower() in str(body["id"]).lower())
        ]
        assert len(found) == 1, f"{len(found)} bodies are called {name}"
        return found[0]

    def properties(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self[name]["properties"]
        return found

    def child(self, name: str, kind: str, child: str) -> dict[str, Any]:
        """The properties of a nested child: `bench.child("Source-vNet1", "subnets", "app")`."""
        found = next(item for item in self.properties(name)[kind] if item["name"].lower() == child.lower())
        properties: dict[str, Any] = found["properties"]
        return properties

    def child_body(self, name: str, kind: str, child: str) -> Body:
        found: Body = next(item for item in self.properties(name)[kind] if item["name"].lower() == child.lower())
        return found

    def remove(self, name: str) -> None:
        self.resources.remove(self[name])

    def add(self, kind: str, name: str, *, group: str = SOURCE_GROUP, location: str = "eastasia", **body: Any) -> Body:
        id_ = make_id(SUBSCRIPTION, group, kind, name).text
        made: Body = {"id": id_, "name": name, "type": kind, "location": location, **body}
        self.resources.append(made)
        return made

    def copy_of(self, name: str, new: str) -> Body:
        """A second body like one that is there, under another name."""
        old = self[name]["id"]
        made: Body = loads(dumps(self[name]).decode().replace(old, old.removesuffix(self[name]["name"]) + new))
        made["name"] = new
        self.resources.append(made)
        return made

    def ip(self, nic: str) -> dict[str, Any]:
        """The properties of a NIC's first configuration."""
        found: dict[str, Any] = self.properties(nic)["ipConfigurations"][0]["properties"]
        return found

    def router(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(item for item in self.project["sites"][0]["routers"] if item["name"] == name)
        return found

    def estate(self) -> Estate:
        # JSON is YAML, and a copy by way of text is the fastest one.
        project = parse_project(dumps(self.project).decode())
        return Estate.from_resources(_copied(self.resources)).with_project(project)

    def assess(self) -> Assessment:
        return assess(self.estate())

    def findings(self, code: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.assess().findings if finding.code == code)


def bench(example: str = TWO) -> Bench:
    resources, project = _files(example)
    return Bench(_copied(resources), copy.deepcopy(project))


def built(example: str = TWO) -> Bench:
    """The example after its provision phase: the target network stands."""
    made = bench(example)
    resources, routers = _provisioned(example)
    made.resources = _copied(resources)
    made.project["sites"][0]["routers"] = copy.deepcopy(routers)
    return made


def _copied(resources: list[Body]) -> list[Body]:
    made: list[Body] = loads(dumps(resources))
    return made


@cache
def _files(example: str) -> tuple[list[Body], dict[str, Any]]:
    folder = examples.path(example)
    return loads((folder / "estate.json").read_bytes()), yaml.safe_load((folder / "farshore.yaml").read_text())


@cache
def _provisioned(example: str) -> tuple[list[Body], list[dict[str, Any]]]:
    _, estate = examples.read(example)
    plan = make_plan(estate)
    world = start(estate, plan)
    for step in plan.of_phase(Phase.PROVISION):
        world = apply(world, step.effects)
    routers = [
        {
            "name": router.name,
            "circuit": router.circuit.text,
            "links": list(router.links),
            "local_preference": router.local_preference,
            "prepend": router.prepend,
            "filters": [
                {"direction": item.direction, "prefix": str(item.prefix), "action": item.action}
                for item in router.filters
            ],
        }
        for router in world.estate.sites[0].routers
    ]
    return [world.estate.resources[key] for key in sorted(world.estate.resources)], routers
