"""What Azure answers about disks and snapshots, as recorded by its own clients."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from lab.compute.test_disks import body, disk, snapshot
from lab.core.bench import Lab

EARLY = "2020-12-01"
"""An api-version whose answers to orders show no ids."""


def shown_by(lab: Lab, url: str, version: str) -> Body:
    found: Body = lab.send("GET", f"{url}?api-version={version}").body
    return found


def test_an_order_is_answered_with_the_order_alone() -> None:
    lab = Lab()
    answer = lab.put(disk("archive"), body(size=48))
    assert answer.status == 202 and answer.body == {
        "name": "archive",
        "id": disk("archive"),
        "type": "Microsoft.Compute/disks",
        "location": "eastasia",
        "properties": {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": 48,
            "provisioningState": "Updating",
        },
    }
    lab.follow(answer)
    again = lab.patch(disk("archive"), {"properties": {"diskSizeGB": 96}})
    assert again.status == 202 and again.body["sku"] == {"name": "Standard_LRS", "tier": "Standard"}
    assert again.body["properties"]["diskSizeGB"] == 96 and "uniqueId" not in again.body["properties"]


def test_a_full_put_is_answered_with_what_was_sent_and_a_disk_has_no_speed_that_was_ordered() -> None:
    lab = Lab()
    sent = {**body(size=48), "sku": {"name": "Premium_LRS"}}
    assert lab.put(disk("archive"), sent).body["sku"] == {"name": "Premium_LRS"}
    lab.wait(minutes=5)
    sent["properties"] = {**sent["properties"], "diskSizeGB": 96, "diskIOPSReadWrite": 500}
    again = lab.put(disk("archive"), sent).body
    assert again["sku"] == {"name": "Premium_LRS"}
    assert set(again["properties"]) == {"creationData", "diskSizeGB", "provisioningState"}


def test_its_operation_is_a_disk_operation_and_ends_by_showing_the_disk() -> None:
    lab = Lab()
    answer = lab.put(disk("archive"), body(size=48))
    status, result = answer.headers["azure-asyncoperation"], answer.headers["location"]
    assert "/locations/eastasia/DiskOperations/" in status and "monitor=true" not in status
    assert result.split("?")[0] == status.split("?")[0] and "monitor=true" in result
    assert lab.get(result).status == 202
    assert "properties" not in lab.get(status).body
    assert lab.follow(answer).body["properties"]["output"] == lab.body(disk("archive"))
    assert lab.get(result).body == lab.body(disk("archive"))


def test_what_has_nothing_to_show_ends_with_an_empty_answer() -> None:
    lab = Lab()
    lab.made(disk("archive"), body(size=48))
    lab.follow(lab.post(disk("archive") + "/beginGetAccess", {"access": "Read", "durationInSeconds": 60}))
    answer = lab.post(disk("archive") + "/endGetAccess")
    end = lab.follow(answer).body
    assert end["status"] == "Succeeded" and "properties" not in end
    assert lab.get(answer.headers["location"]).status == 200 and not lab.get(answer.headers["location"]).body


@pytest.mark.parametrize(
    ("sku", "size", "operations", "megabytes"),
    [
        ("Standard_LRS", 48, 500, 60),
        ("Standard_LRS", 5000, 1300, 300),
        ("Premium_LRS", 64, 240, 50),
        ("Premium_LRS", 65, 500, 100),
        ("StandardSSD_LRS", 64, 500, 60),
    ],
)
def test_how_fast_a_disk_is_follows_from_its_kind_and_size(
    sku: str, size: int, operations: int, megabytes: int
) -> None:
    lab = Lab()
    lab.made(disk("archive"), body(size=size) | {"sku": {"name": sku}})
    properties = lab.properties(disk("archive"))
    assert (properties["diskIOPSReadWrite"], properties["diskMBpsReadWrite"]) == (operations, megabytes)
    lab.follow(lab.patch(disk("archive"), {"properties": {"diskSizeGB": 16384}}))
    assert lab.properties(disk("archive"))["diskIOPSReadWrite"] > operations


def test_newer_api_versions_tell_of_encryption_and_of_who_may_reach_it() -> None:
    lab = Lab()
    lab.made(disk("archive"), body(size=48))
    seen: dict[str, Any] = {
        version: set(shown_by(lab, disk("archive"), version)["properties"]) & {"encryption", "networkAccessPolicy"}
        for version in ("2019-03-01", "2019-07-01", "2020-06-30")
    }
    assert seen == {
        "2019-03-01": set(),
        "2019-07-01": {"encryption"},
        "2020-06-30": {"encryption", "networkAccessPolicy"},
    }


def test_a_copy_names_its_source_and_the_sources_number() -> None:
    lab = Lab()
    lab.made(disk("archive"), body(size=48))
    number = lab.properties(disk("archive"))["uniqueId"]
    answer = lab.put(snapshot("monday"), body("Copy", None, sourceUri=disk("archive")))
    assert "name" not in answer.body and answer.body["id"] == snapshot("monday")
    asked = answer.body["properties"]["creationData"]
    assert asked == {"createOption": "Copy", "sourceUri": disk("archive")}
    lab.follow(answer)
    early = lab.put(f"{snapshot('older')}?api-version={EARLY}", body("Copy", None, sourceUri=disk("archive"))).body
    assert early["properties"]["creationData"] == {**asked, "sourceUniqueId": number}
    assert not {"name", "id", "type"} & set(early) and early["properties"]["isArmResource"] is True
    properties = lab.properties(snapshot("monday"))
    assert properties["creationData"] == {
        "createOption": "Copy",
        "sourceResourceId": disk("archive"),
        "sourceUniqueId": number,
    }
    assert properties["incremental"] is False and "diskIOPSReadWrite" not in properties


def test_a_disk_says_who_may_reach_it_and_a_premium_one_how_fast_it_is() -> None:
    lab = Lab()
    lab.made(disk("archive"), {**body(size=1024), "sku": {"name": "Premium_LRS"}})
    shown = lab.properties(disk("archive"))
    assert (shown["publicNetworkAccess"], shown["tier"]) == ("Enabled", "P30")
    assert not {"publicNetworkAccess", "tier"} & set(shown_by(lab, disk("archive"), "2020-05-01")["properties"])
    lab.follow(lab.patch(disk("archive"), {"properties": {"diskSizeGB": 2048}}))
    assert lab.properties(disk("archive"))["tier"] == "P40"
    lab.follow(lab.patch(disk("archive"), {"properties": {"tier": "P50"}}))
    assert lab.properties(disk("archive"))["tier"] == "P50"
    lab.made(disk("plain"), body(size=1024))
    assert "tier" not in lab.properties(disk("plain"))
