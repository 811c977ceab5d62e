"""A zone and a customer's key that farshore.yaml chooses, and a zone that nobody chose, the whole way in the lab: the
machine stands where it was said, is at home where it was, and a person has been asked once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from farshore import examples
from farshore.arm.json import Body
from outside import answer
from plan.estates import TWO, edited, example, source_id
from plan.test_plan_places import DISK, KEYS, THERE


def zoned(zone: str) -> Any:
    def edit(body: Body) -> None:
        body["zones"] = [zone]

    return edit


def keyed(body: Body) -> None:
    body["properties"]["encryption"] = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": KEYS.text}


def test_places_and_keys_are_kept_there_and_back(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(examples.path(TWO), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    estate = edited(example(TWO), DISK, keyed)
    for name, zone in (("web1", "1"), ("app1", "2")):
        vm = estate.virtual_machine(source_id("Microsoft.Compute/virtualMachines", name))
        assert vm is not None
        for id_ in (vm.id, *(disk.managed_disk for disk in vm.disks if disk.managed_disk is not None)):
            estate = edited(estate, id_, zoned(zone))  # a machine's disks are in its zone
    (folder / "estate.json").write_text(json.dumps(list(estate.resources.values())))
    project = yaml.safe_load((folder / "farshore.yaml").read_text())
    project["machines"]["placement"] = {"web1": {"zone": 3}}
    project["disk_encryption_sets"] = {KEYS.text: THERE.text}
    (folder / "farshore.yaml").write_text(yaml.safe_dump(project))
    told = answer(folder, "exercise")
    assert told["ok"], told["halted"]
    assert [decision["step"] for decision in told["decisions"]] == ["protect/place/app1"]
    differing = {(row["id"].rsplit("/", 1)[-1], row["path"]) for row in told["residue"]}
    assert not [path for name, path in differing if name in ("web1", "app1") and "zones" in path], "at home as it was"
    assert not [path for name, path in differing if name == DISK.name and "encryption" in path]
