"""The matrix's estates: one small one for each topology, and those with something more (`variants.py`).

Each is made of the example by leaving machines out and making disks small. What decides a scenario is the network, and
how machines depend on each other: a machine in each spoke, one after the other in boot order, is enough for that. Each
has its OS disk alone, of a gibibyte.

A name is a topology's, or a topology's and a variant's: `two-circuits-one-location/sites`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from farshore import examples
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.estate.project_reading import parse_project
from matrix.variants import VARIANTS, Parts, Variant

KEPT = ("db1", "app1", "nva")
ORDER = [["db1"], ["app1"]]
DISK_GB = 1
JOIN = "/"


def names() -> tuple[str, ...]:
    """Every estate, a topology's plain one before its variants."""
    return tuple(name for topology in examples.names() for name in (topology, *_varied(topology)))


def topology_of(name: str) -> str:
    return name.partition(JOIN)[0]


def variant_of(name: str) -> Variant | None:
    """What the estate has more than its topology's plain one; None for that."""
    return VARIANTS.get(name.partition(JOIN)[2])


@cache
def small(name: str) -> Estate:
    """The estate and project of a name."""
    parts = _parts(name)
    file = examples.path(topology_of(name)) / "farshore.yaml"
    return Estate.from_resources(parts.bodies, parse_project(yaml.safe_dump(parts.project), file=str(file)))


def write(name: str, folder: Path) -> None:
    """The same as a project folder."""
    folder.mkdir(parents=True)
    parts = _parts(name)
    for file, text in parts.files.items():
        (folder / file).write_text(text)
    (folder / "farshore.yaml").write_text(yaml.safe_dump(parts.project, sort_keys=False))
    (folder / "estate.json").write_text(json.dumps(list(small(name).resources.values())))


def _varied(topology: str) -> list[str]:
    project = yaml.safe_load((examples.path(topology) / "farshore.yaml").read_text())
    return [f"{topology}{JOIN}{name}" for name, variant in VARIANTS.items() if not variant.lacks(project)]


def _parts(name: str) -> Parts:
    source = examples.path(topology_of(name))
    _, estate = examples.read(topology_of(name))
    project: dict[str, Any] = yaml.safe_load((source / "farshore.yaml").read_text())
    project["machines"] = {**project.get("machines", {}), "boot_order": ORDER}
    files = {path.name: path.read_text() for path in source.iterdir() if path.name not in _MADE}
    plain = Parts(bodies=_bodies(estate), project=project, files=files)
    variant = variant_of(name)
    return plain if variant is None else variant.made(plain)


_MADE = ("estate.json", "farshore.yaml")


def _bodies(estate: Estate) -> list[Body]:
    left_out: set[str] = set()
    for vm in estate.virtual_machines:
        if vm.id.name not in KEPT:
            left_out |= {vm.id.key, *(nic.key for nic in vm.network_interfaces)}
        gone = vm.disks if vm.id.name not in KEPT else vm.disks[1:]
        left_out |= {disk.managed_disk.key for disk in gone if disk.managed_disk is not None}
    return [_shrunk(_unnamed(body, left_out)) for key, body in estate.resources.items() if key not in left_out]


def _unnamed(value: Any, left_out: set[str]) -> Any:
    """A body without its references to what is left out: a subnet's list of the NICs in it."""
    if isinstance(value, dict):
        return {name: _unnamed(item, left_out) for name, item in value.items()}
    if isinstance(value, list):
        return [_unnamed(item, left_out) for item in value if not _refers(item, left_out)]
    return value


def _refers(item: Any, left_out: set[str]) -> bool:
    if not isinstance(item, dict) or set(item) != {"id"}:
        return False
    key = str(item["id"]).lower()
    return any(key == gone or key.startswith(f"{gone}/") for gone in left_out)


def _shrunk(body: Body) -> Body:
    properties = body.get("properties") or {}
    if "diskSizeGB" in properties:
        return {**body, "properties": {**properties, "diskSizeGB": DISK_GB}}
    profile = properties.get("storageProfile")
    if not profile:
        return body
    disks = {"osDisk": {**profile["osDisk"], "diskSizeGB": DISK_GB}, "dataDisks": []}
    return {**body, "properties": {**properties, "storageProfile": {**profile, **disks}}}
