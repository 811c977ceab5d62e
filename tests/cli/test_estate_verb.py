"""`farshore estate`: what is read, shown and compared, from files, from a lab that lies there and from one served."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.ids import resource_id
from farshore.cli.app import run
from farshore.cli.projects import Folder, read_folder
from farshore.cli.stage import lab_of
from farshore.estate.differences import differences
from farshore.estate.estate import Estate

PUBLISHED = "two-circuits-two-locations"
SECRETS = ("hunter2", "open-sesame")


def farshore(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run([*arguments, "--project", str(cwd)])
    return status, out.getvalue(), err.getvalue()


def answer(*arguments: str, cwd: Path, status: int = 0) -> Any:
    found, out, err = farshore(*arguments, "--format", "json", cwd=cwd)
    assert found == status, err + out
    return json.loads(out)


def bodies_of(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "estate.json").read_text())
    return found


def named(bodies: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(body for body in bodies if body["name"] == name)


@pytest.fixture
def beside_a_lab(project: Path) -> Path:
    """A project whose lab lies there, unserved, with a resource that nobody understands and secrets in it."""
    cloud = lab_of(Folder(project), read_folder(project)[1])
    group = named(bodies_of(project), "rg-source")["id"]
    server = {
        "id": f"{group}/providers/Microsoft.Sql/servers/sql1",
        "name": "sql1",
        "type": "Microsoft.Sql/servers",
        "location": "eastasia",
        "properties": {
            "administratorLogin": "sa",
            "administratorLoginPassword": SECRETS[0],
            "note": f"Pwd={SECRETS[1]};",
        },
    }
    cloud.seed([server])
    cloud.store.close()
    return project


@pytest.fixture
def served(beside_a_lab: Path) -> Iterator[Path]:
    pid = answer("lab", "up", "--speed", "hand", cwd=beside_a_lab)["pid"]
    yield beside_a_lab
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 20
    while (beside_a_lab / ".farshore" / "lab.json").exists() and time.monotonic() < until:
        time.sleep(0.05)


# Read. ---------------------------------------------------------------------------------------------------------------


def test_read_is_whole_without_secrets_and_lists_what_it_does_not_understand(beside_a_lab: Path) -> None:
    (beside_a_lab / "estate.json").unlink()
    found = answer("estate", "read", cwd=beside_a_lab)
    text = (beside_a_lab / "estate.json").read_text()
    assert not any(secret in text for secret in SECRETS) and "REDACTED" in text
    server = named(bodies_of(beside_a_lab), "sql1")
    assert server["properties"]["administratorLogin"] == "sa"
    assert found["unread"] == [server["id"]] and found["types"]["Microsoft.Sql/servers"] == 1
    assert found["resources"] == len(bodies_of(beside_a_lab)) and found["differences"] is None
    assert [item.name for item in beside_a_lab.iterdir() if item.name.startswith("estate.json")] == ["estate.json"]


def test_read_from_the_served_lab_is_the_same(served: Path) -> None:
    found = answer("estate", "read", "--out", str(served / "read.json"), cwd=served)
    # The estate.json that was there knows nothing of the server that the lab holds besides.
    assert found["differences"] == 1 and found["unread"]
    rows = answer("estate", "diff", str(served / "read.json"), "lab", cwd=served)["differences"]
    assert rows == []
    _, said, _ = farshore("estate", "read", cwd=served)
    assert "Microsoft.Sql/servers/sql1 in rg-source" in said and not any(secret in said for secret in SECRETS)


def test_a_lost_region_is_read_without_waiting_for_each_machine(served: Path) -> None:
    """Nobody answers for its machines; each is kept as it was listed, and none is asked again and again."""
    answer("lab", "fault", "region", "eastasia", "lost", cwd=served)
    began = time.monotonic()
    answer("estate", "read", cwd=served)
    assert time.monotonic() - began < 15
    machines = answer("estate", "show", cwd=served)["machines"]
    assert len(machines) == 7 and all(machine["power_state"] is None for machine in machines)


def test_what_can_t_be_read_leaves_the_file_as_it_was(beside_a_lab: Path) -> None:
    before = (beside_a_lab / "estate.json").read_bytes()
    wrong = "00000000-0000-0000-0000-00000000dead"
    error = answer("estate", "read", "--subscription", wrong, cwd=beside_a_lab, status=1)["error"]
    assert "dead" in error["message"]
    assert answer("estate", "read", "--cloud", "nowhere", cwd=beside_a_lab, status=1)["error"]["value"] == "nowhere"
    assert (beside_a_lab / "estate.json").read_bytes() == before


def test_read_begins_no_lab(project: Path) -> None:
    error = answer("estate", "read", cwd=project, status=1)["error"]
    assert "lab up" in error["remedy"]
    assert not (project / ".farshore" / "lab.db").exists()


# Show. ---------------------------------------------------------------------------------------------------------------


def test_show_has_machines_with_addresses_circuits_and_peerings(project: Path) -> None:
    found = answer("estate", "show", cwd=project)
    machines = {machine["id"].rsplit("/", 1)[-1]: machine for machine in found["machines"]}
    assert machines["web1"]["addresses"][0]["address"] == "10.1.0.4"
    assert machines["web1"]["addresses"][0]["subnet"].endswith("/Source-vNet1/subnets/app")
    assert [disk["managed"] for disk in machines["file1"]["disks"]] == [False, False]
    assert {item["peering_location"] for item in found["circuits"]} == {"Hong Kong", "Singapore"}
    assert len(found["peerings"]) == 4 and found["sites"][0]["name"] == "datacenter"
    assert found["unread"] == found["unknown"] == []
    _, said, _ = farshore("estate", "show", cwd=project)
    row = next(line.split() for line in said.splitlines() if line.split()[:1] == ["web1"])
    assert row[:3] == ["web1", "10.1.0.4", "Source-vNet1/app"]
    assert "Everything in it was understood." in said


def test_show_reads_any_file_and_lists_unread_and_unknown(tmp_path: Path) -> None:
    scope = "/subscriptions/s/resourceGroups/g/providers"
    network = {
        "id": f"{scope}/Microsoft.Network/virtualNetworks/n",
        "location": "eastasia",
        "properties": {"addressSpace": {"addressPrefixes": ["<param:space>"]}},
    }
    strange = {"id": f"{scope}/Microsoft.Odd/things/t", "properties": {"password": SECRETS[0]}}
    (tmp_path / "other.json").write_text(json.dumps({"value": [network, strange]}))
    found = answer("estate", "show", str(tmp_path / "other.json"), cwd=tmp_path)
    assert found["unread"] == [strange["id"]]
    assert found["unknown"] == [f"{network['id']} properties.addressSpace.addressPrefixes[0]"]
    _, said, _ = farshore("estate", "show", str(tmp_path / "other.json"), cwd=tmp_path)
    assert "Microsoft.Odd/things/t in g" in said and "addressPrefixes[0]" in said and SECRETS[0] not in said


# Diff. ---------------------------------------------------------------------------------------------------------------


def test_an_estate_and_its_own_lab_do_not_differ(project: Path) -> None:
    """What the lab shows of a seeded estate by itself (etags, states, built-in rules) is no difference."""
    lab_of(Folder(project), read_folder(project)[1]).store.close()
    assert answer("estate", "diff", cwd=project)["differences"] == []
    status, said, _ = farshore("estate", "diff", cwd=project)
    assert status == 0 and said.startswith("No difference between")


def test_each_difference_has_id_path_before_and_after(project: Path) -> None:
    bodies = bodies_of(project)
    table = named(bodies, "rt-source-vnet1")
    table["properties"]["disableBgpRoutePropagation"] = False
    table["properties"]["routes"][0]["properties"]["nextHopIpAddress"] = "10.10.10.11"
    route = table["properties"]["routes"][0]["name"].lower()
    gone = named(bodies, "cn-source-hub")
    bodies.remove(gone)
    (project / "after.json").write_text(json.dumps(list(reversed(bodies))))
    found = answer("estate", "diff", str(project / "estate.json"), str(project / "after.json"), cwd=project, status=2)
    rows = {(row["id"].rsplit("/", 1)[-1], row["path"]): (row["before"], row["after"]) for row in found["differences"]}
    assert rows.pop(("cn-source-hub", ""))[1] is None
    assert rows == {
        ("rt-source-vnet1", "properties.disableBgpRoutePropagation"): (True, False),
        ("rt-source-vnet1", f"properties.routes[{route}].properties.nextHopIpAddress"): ("10.10.10.10", "10.10.10.11"),
    }
    status, said, _ = farshore("estate", "diff", str(project), str(project / "after.json"), cwd=project)
    assert status == 2 and "3 differences in 2 resources" in said and "+ 10.10.10.11" in said


def test_a_change_in_the_lab_is_a_difference_from_the_file(project: Path) -> None:
    cloud = lab_of(Folder(project), read_folder(project)[1])
    circuit = next(body for body in cloud.bodies.under("/") if body["name"] == "er-hongkong")
    provider = {**circuit["properties"]["serviceProviderProperties"], "bandwidthInMbps": 2000}
    changed = {**circuit, "properties": {**circuit["properties"], "serviceProviderProperties": provider}}
    cloud.write(resource_id(circuit["id"]), changed)
    cloud.store.commit()
    cloud.store.close()
    [row] = answer("estate", "diff", cwd=project, status=2)["differences"]
    assert row["path"] == "properties.serviceProviderProperties.bandwidthInMbps"
    assert (row["before"], row["after"]) == (1000, 2000)


def test_wrong_sides_are_one_message(project: Path) -> None:
    assert "nofile" in answer("estate", "diff", "nofile.json", "lab", cwd=project, status=1)["error"]["file"]
    (project / "bad.json").write_text("[{")
    error = answer("estate", "diff", str(project / "bad.json"), str(project), cwd=project, status=1)["error"]
    assert error["file"].endswith("bad.json") and error["line"] == 1


# What counts as a difference. ----------------------------------------------------------------------------------------

SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"


def one(kind: str, **properties: Any) -> Estate:
    return Estate.from_resources([{"id": f"{SCOPE}/{kind}/x", "location": "eastasia", "properties": properties}])


def subnet(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": properties}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"etag": "1", "provisioningState": "Updating"}, {"etag": "2", "provisioningState": "Succeeded"}),
        ({"routes": []}, {}),
        ({"sharedKey": "one"}, {"sharedKey": "two"}),
        ({"sharedKey": "one"}, {}),
    ],
)
def test_what_nobody_chose_is_no_difference(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert differences(one("routeTables", **before), one("routeTables", **after)) == ()


def test_a_prefix_in_its_singular_and_plural_form_is_one() -> None:
    before = one("virtualNetworks", subnets=[subnet("a", addressPrefix="10.0.0.0/24")])
    after = one("virtualNetworks", subnets=[subnet("a", addressPrefixes=["10.0.0.0/24"])])
    assert differences(before, after) == ()


def test_members_are_matched_by_name_and_not_by_place() -> None:
    first, second = subnet("a", addressPrefix="10.0.0.0/24"), subnet("B", addressPrefix="10.0.1.0/24")
    before = one("virtualNetworks", subnets=[first])
    [row] = differences(before, one("virtualNetworks", subnets=[second, first]))
    assert row.path == "properties.subnets[b]" and row.before is None


def test_a_reference_to_another_resource_of_the_same_name_is_a_difference() -> None:
    here = {"id": f"{SCOPE}/networkInterfaces/nic"}
    there = {"id": here["id"].replace("/g/", "/other/")}
    before = one("loadBalancers", networkInterfaces=[here])
    assert [row.path for row in differences(before, one("loadBalancers", networkInterfaces=[there]))] == [
        "properties.networkInterfaces[nic].id"
    ]


def test_a_narrow_terminal_wraps_and_cuts_nothing_off(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, wide, _ = farshore("estate", "show", cwd=project)
    monkeypatch.setattr("farshore.cli.views.table.terminal_width", lambda: 80)
    _, narrow, _ = farshore("estate", "show", cwd=project)
    tables = narrow.splitlines()[1:]
    assert max(len(line) for line in tables) <= 80 < max(len(line) for line in wide.splitlines()[1:])
    assert sorted("".join(wide.split())) == sorted("".join(narrow.split()))
    assert "10.10.10.128/25" in narrow, "a prefix is never broken"
