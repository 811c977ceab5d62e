"""Disks and snapshots: how they begin, how they grow, how they are read (S28; Azure's own way to a disk's bytes)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from farshore.arm.http import Response
from farshore.arm.json import Body
from lab.core.bench import COMPUTE, Lab, example_lab, machine_body, net, network_body, nic_body, refusal, rid, vnet
from lab.core.bench import subnet as subnet_of

GIB = 1 << 30


def disk(name: str) -> str:
    return rid(f"{COMPUTE}/disks", name)


def snapshot(name: str) -> str:
    return rid(f"{COMPUTE}/snapshots", name)


def body(option: str = "Empty", size: int | None = 1, **data: object) -> Body:
    found: Body = {"location": "eastasia", "properties": {"creationData": {"createOption": option, **data}}}
    if size is not None:
        found["properties"]["diskSizeGB"] = size
    return found


def lent(lab: Lab, url: str, seconds: int = 3600) -> str:
    """The path and query of a URL that reads the bytes."""
    answer = lab.post(url + "/beginGetAccess", {"access": "Read", "durationInSeconds": seconds})
    assert answer.status == 202
    end = lab.follow(answer).body
    shown = lab.get(answer.headers["location"])
    assert end["status"] == "Succeeded" and shown.status == 200
    parts = urlsplit(shown.body["accessSAS"])
    return f"{parts.path}?{parts.query}"


def read(lab: Lab, url: str, **headers: str) -> Response:
    return lab.send("GET", url, **headers)


@pytest.fixture
def running() -> tuple[Lab, str]:
    """A machine that has written for a while, and its data disk."""
    lab = Lab()
    lab.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))
    nic = net("nic", kind="networkInterfaces")
    lab.made(nic, nic_body(subnet_of("spoke", "app")))
    vm = rid(f"{COMPUTE}/virtualMachines", "vm")
    lab.made(vm, machine_body(nic, data_disks=1))
    lab.wait(minutes=10)
    return lab, str(lab.properties(vm)["storageProfile"]["dataDisks"][0]["managedDisk"]["id"])


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"location": "eastasia", "properties": {}}, 400, "InvalidParameter"),
        (body("Copy", sourceResourceId=disk("none")), 404, "NotFound"),
        (body("Copy"), 404, "NotFound"),
        (body(size=0), 400, "InvalidParameter"),
        (body(size=-1), 400, "InvalidParameter"),
    ],
)
def test_a_disk_that_azure_would_not_make(asked: Body, status: int, code: str) -> None:
    lab = Lab()
    assert refusal(lab.put(disk("d"), asked), status) == code
    assert lab.get(disk("d")).status == 404


def test_a_disk_grows_and_never_shrinks() -> None:
    lab = Lab()
    lab.made(disk("d"), body(size=2))
    assert lab.made(disk("d"), body(size=3))["properties"]["diskSizeBytes"] == 3 * GIB
    assert refusal(lab.put(disk("d"), body(size=2))) == "OperationNotAllowed"
    answer = lab.patch(disk("d"), {"properties": {"diskSizeGB": 4}})
    assert answer.status == 202
    lab.follow(answer)
    shown = lab.properties(disk("d"))
    assert shown["diskSizeGB"] == 4 and shown["creationData"] == {"createOption": "Empty"}
    assert {row["disk"]: row["size"] for row in lab.get("/_lab/disks").body["value"]} == {disk("d"): 4 * GIB}
    unchanged = lab.made(disk("d"), {"location": "eastasia", "properties": {}})
    assert unchanged["properties"]["diskSizeGB"] == 4


def test_bytes_are_lent_for_a_while_and_taken_back() -> None:
    lab = Lab()
    lab.made(disk("d"), body())
    assert refusal(lab.post(disk("d") + "/beginGetAccess", {"access": "Everything"})) == "InvalidParameter"
    assert refusal(lab.post(disk("d") + "/beginGetAccess", {"access": "Read", "durationInSeconds": "long"})) == (
        "InvalidParameter"
    )
    url = lent(lab, disk("d"), seconds=600)
    query = parse_qs(urlsplit(url).query)
    assert {"sv", "sr", "sp", "se", "sig"} <= set(query)
    assert lab.properties(disk("d"))["diskState"] == "ActiveSAS"
    assert refusal(lab.delete(disk("d")), 409) == "OperationNotAllowed"
    assert read(lab, url, range="bytes=0-511").status == 206
    forged = url.replace("sig=", "sig=A")
    assert read(lab, forged).status == 403 and read(lab, url.split("&sig=")[0]).status == 403
    lab.wait(601)
    late = read(lab, url, range="bytes=0-511")
    assert late.status == 403 and late.headers["x-ms-error-code"] == "AuthenticationFailed"
    again = lent(lab, disk("d"))
    assert again != url
    lab.follow(lab.post(disk("d") + "/endGetAccess"))
    assert read(lab, again).status == 403
    lab.gone(disk("d"))


def test_ranges_are_those_of_http(running: tuple[Lab, str]) -> None:
    lab, url = running
    at = lent(lab, url)
    lab.follow(lab.post(rid(f"{COMPUTE}/virtualMachines", "vm") + "/deallocate"))
    writes = lab.get(f"/_lab/writes?disk={url}&limit=100000").body["value"]
    offset = writes[-1]["offset"]
    whole = read(lab, at, x_ms_range=f"bytes={offset}-{offset + 4095}")
    assert whole.status == 206 and len(whole.body) == 4096 and whole.body.strip(b"\0")
    assert whole.headers["content-range"] == f"bytes {offset}-{offset + 4095}/{GIB}"
    part = read(lab, at, range=f"bytes={offset + 5}-{offset + 9}")
    assert part.body == whole.body[5:10]
    tail = read(lab, at, range=f"bytes={GIB - 10}-")
    assert tail.headers["content-range"] == f"bytes {GIB - 10}-{GIB - 1}/{GIB}" and len(tail.body) == 10
    beyond = read(lab, at, range=f"bytes={GIB - 10}-{GIB + 10}")
    assert beyond.body == tail.body
    for wrong in (f"bytes={GIB}-", "bytes=9-5", "bytes=-5x", "blocks=0-1"):
        refused = read(lab, at, range=wrong)
        assert refused.status == 416 and refused.headers["x-ms-error-code"] == "InvalidRange"
    assert read(lab, at).status == 400
    head = lab.send("HEAD", at)
    assert head.status == 200 and head.headers["content-length"] == str(GIB) and head.body is None


def test_a_snapshot_holds_the_moment_and_a_disk_made_of_it_goes_its_own_way(running: tuple[Lab, str]) -> None:
    lab, url = running
    lab.made(snapshot("s"), body("Copy", None, sourceResourceId=url))

    def digest(name: str, sequence: int | None = None) -> str:
        query = "" if sequence is None else f"&sequence={sequence}"
        return str(lab.get(f"/_lab/disks?disk={name}{query}").body["sha256"])

    taken = digest(snapshot("s"))
    lab.wait(minutes=5)
    assert digest(snapshot("s")) == taken != digest(url)
    assert lab.properties(snapshot("s"))["diskSizeGB"] == 1
    lab.made(disk("restored"), body("Copy", None, sourceResourceId=snapshot("s")))
    assert digest(disk("restored")) == taken
    assert lab.get(snapshot("s")).body["properties"]["diskState"] == "Unattached"
    # The source may go: what was copied stays.
    lab.gone(snapshot("s"))
    assert digest(disk("restored")) == taken
    bigger = body("Copy", 2, sourceResourceId=url)
    lab.made(disk("bigger"), bigger)
    sizes = {row["disk"]: row["size"] for row in lab.get("/_lab/disks").body["value"]}
    assert sizes[disk("bigger")] == 2 * GIB


def test_a_name_used_again_is_another_disk(running: tuple[Lab, str]) -> None:
    lab, _ = running
    lab.made(disk("d"), body())
    first = lab.properties(disk("d"))["uniqueId"]
    zeros = lab.get(f"/_lab/disks?disk={disk('d')}").body
    assert zeros["sha256"] == hashlib.sha256(bytes(GIB)).hexdigest() and zeros["sequence"] == 0
    lab.gone(disk("d"))
    lab.made(disk("d"), body())
    assert lab.properties(disk("d"))["uniqueId"] != first


def test_a_lost_regions_disk_is_not_read() -> None:
    lab = example_lab()
    url = rid(f"{COMPUTE}/disks", "web1-os", group="rg-source")
    at = lent(lab, url)
    assert read(lab, at, range="bytes=0-511").status == 206
    lab.fault(kind="region", region="eastasia", state="lost")
    assert lab.ask("GET", at, range="bytes=0-511") is None
    lab.fault(kind="region", region="eastasia", state="returned")
    lab.now += timedelta(minutes=5)
    assert read(lab, at, range="bytes=0-511").status == 206
