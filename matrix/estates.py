"""One small estate for each topology, made of the example by leaving machines out and making disks small.

What decides a scenario is the network, and how machines depend on each other: a machine in each spoke, one after the
other in boot order, is enough for that. Each has its OS disk alone, of a gibibyte.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from farshore import examples
from farshore.arm.json import Body
from farshore.estate.estate import Estate

KEPT = ("db1", "app1", "nva")
ORDER = [["db1"], ["app1"]]
DISK_GB = 1


@cache
def small(topology: str) -> Estate:
    """The estate and project of a topology."""
    project, estate = examples.read(topology)
    project = replace(project, machines=replace(project.machines, boot_order=tuple(tuple(group) for group in ORDER)))
    return Estate.from_resources(_bodies(estate), project)


def write(topology: str, folder: Path) -> None:
    """The same as a project folder."""
    folder.mkdir(parents=True)
    source = examples.path(topology)
    for path in source.iterdir():
        if path.name not in ("estate.json", "farshore.yaml"):
            (folder / path.name).write_bytes(path.read_bytes())
    document: dict[str, Any] = yaml.safe_load((source / "farshore.yaml").read_text())
    document["machines"] = {**document.get("machines", {}), "boot_order": ORDER}
    (folder / "farshore.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "estate.json").write_text(json.dumps(list(small(topology).resources.values())))


def _bodies(estate: Estate) -> list[Body]:
    left_out: set[str] = set()
    for vm in estate.virtual_machines:
        if vm.id.name not in KEPT:
            left_out |= {vm.id.key, *(nic.key for nic in vm.network_interfaces)}
        gone = vm.disks if vm.id.name not in KEPT else vm.disks[1:]
        left_out |= {disk.managed_disk.key for disk in gone if disk.managed_disk is not None}
    return [_shrunk(body) for key, body in estate.resources.items() if key not in left_out]


def _shrunk(body: Body) -> Body:
    properties = body.get("properties") or {}
    if "diskSizeGB" in properties:
        return {**body, "properties": {**properties, "diskSizeGB": DISK_GB}}
    profile = properties.get("storageProfile")
    if not profile:
        return body
    disks = {"osDisk": {**profile["osDisk"], "diskSizeGB": DISK_GB}, "dataDisks": []}
    return {**body, "properties": {**properties, "storageProfile": {**profile, **disks}}}
