"""The write log and the bytes: what anybody can recompute from outside (docs/guide/lab.md).

A disk made anew from `/_lab/writes` and the images that disks begin with equals what is read of it, at every sequence
number; numbers have no gaps and run with time; nobody's looking changes what is written.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farshore.arm.json import Body
from farshore.lab import Settings
from farshore.lab.storage.blocks import BLOCK, block_bytes, block_header, origin_of
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, rid, subnet, vnet

GIB = 1 << 30
VM = rid(f"{COMPUTE}/virtualMachines", "vm")


def bench(seed: int = 1, rate: int = 64 * 1024) -> Lab:
    """A machine with a system disk and two data disks, running."""
    lab = Lab(seed=seed, settings=Settings(throttling=False, write_rate_bytes_per_second=rate))
    lab.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))
    nic = net("nic", kind="networkInterfaces")
    lab.made(nic, nic_body(subnet("spoke", "app")))
    lab.made(VM, machine_body(nic, data_disks=2))
    return lab


def names(lab: Lab) -> list[str]:
    profile = lab.properties(VM)["storageProfile"]
    return [str(entry["managedDisk"]["id"]) for entry in (profile["osDisk"], *profile["dataDisks"])]


def writes(lab: Lab, disk: str | None = None, size: int = 100_000) -> list[Body]:
    """All rows, page by page."""
    rows: list[Body] = []
    since: int | None = 0
    while since is not None:
        query = f"/_lab/writes?since={since}&limit={size}" + ("" if disk is None else f"&disk={quote(disk)}")
        page = lab.get(query).body
        rows += page["value"]
        since = page["next"]
    return rows


def reader(lab: Lab, disk: str) -> str:
    answer = lab.post(disk + "/beginGetAccess", {"access": "Read"})
    lab.follow(answer)
    url = str(lab.get(answer.headers["location"]).body["accessSAS"])
    return url.removeprefix(lab.cloud.base_url)


def recomputed(rows: Iterable[Body], disk: str, sequence: int) -> dict[int, bytes]:
    """Each written block of a disk as of a write, from the log alone."""
    blocks: dict[int, bytes] = {}
    for row in rows:
        if row["sequence"] > sequence:
            break
        first = row["offset"] // BLOCK
        for index in range(first, first + row["length"] // BLOCK):
            origin = origin_of(f"{row['disk']}#{row['volume']}")
            blocks[index] = block_bytes(origin, row["sequence"], index)
    return blocks


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(1, 50), minutes=st.integers(1, 20), rate=st.sampled_from([4096, 65536, 500_000]), data=st.data()
)
def test_a_disk_recomputed_from_the_log_equals_its_bytes_at_every_number(
    seed: int, minutes: int, rate: int, data: st.DataObject
) -> None:
    lab = bench(seed, rate)
    lab.wait(minutes=minutes)
    lab.follow(lab.post(VM + "/deallocate"))
    disk = names(lab)[1 + data.draw(st.integers(0, 1))]
    rows = writes(lab, disk)
    url = reader(lab, disk)
    assert rows, "a running machine writes"
    for row in data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=4)) + rows[-1:]:
        sequence = row["sequence"]
        expected = recomputed(rows, disk, sequence)
        listed = lab.send("GET", f"{url}&comp=pagelist&sequence={sequence}").body.decode()
        spans = [tuple(map(int, part.split("</Start><End>"))) for part in _between(listed)]
        assert {index for a, b in spans for index in range(a // BLOCK, (b + 1) // BLOCK)} == set(expected)
        for first, last in spans:
            got = lab.send("GET", f"{url}&sequence={sequence}", x_ms_range=f"bytes={first}-{last}").body
            want = b"".join(expected[index] for index in range(first // BLOCK, (last + 1) // BLOCK))
            assert got == want
    # Now is the last number.
    assert lab.send("HEAD", url).headers["x-ms-lab-sequence"] == str(rows[-1]["sequence"])


def _between(text: str) -> list[str]:
    return [part.split("</End>")[0] for part in text.split("<PageRange><Start>")[1:]]


def test_the_digest_that_the_lab_tells_is_that_of_the_bytes() -> None:
    lab = bench()
    lab.wait(minutes=3)
    disk = names(lab)[1]
    rows = writes(lab, disk)
    for row in rows[-1:]:
        image = bytearray(GIB)
        for index, data in recomputed(rows, disk, row["sequence"]).items():
            image[index * BLOCK : index * BLOCK + BLOCK] = data
        told = lab.get(f"/_lab/disks?disk={quote(disk)}&sequence={row['sequence']}").body
        assert told["sha256"] == hashlib.sha256(image).hexdigest()
        assert (told["sequence"], told["size"]) == (row["sequence"], GIB)


def test_the_digest_of_what_was_written_is_that_of_its_runs() -> None:
    lab = bench()
    lab.wait(minutes=3)
    disk = names(lab)[1]
    rows = writes(lab, disk)
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        blocks = recomputed(rows, disk, row["sequence"])
        runs: list[tuple[int, list[bytes]]] = []
        for index in sorted(blocks):
            if index - 1 in blocks:
                runs[-1][1].append(blocks[index])
            else:
                runs.append((index, [blocks[index]]))
        expected = hashlib.sha256()
        for first, data in runs:
            expected.update(struct.pack(">QQ", first * BLOCK, len(data) * BLOCK) + b"".join(data))
        told = lab.get(f"/_lab/disks?disk={quote(disk)}&written=true&sequence={row['sequence']}").body
        assert told["sha256"] == expected.hexdigest()


def test_numbers_have_no_gaps_and_run_with_time() -> None:
    lab = bench()
    lab.wait(hours=1)
    rows = writes(lab)
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert all(row["offset"] % BLOCK == 0 and row["length"] % BLOCK == 0 and row["length"] > 0 for row in rows)
    assert all(row["offset"] + row["length"] <= 4 * GIB for row in rows)
    per_disk = {name: [row for row in rows if row["disk"] == name] for name in names(lab)}
    assert all(len(found) >= 239 for found in per_disk.values())
    assert writes(lab, size=7) == rows


def test_who_looks_often_sees_what_who_looks_once_sees() -> None:
    often, once = bench(), bench()
    for _ in range(60):
        often.wait(7)
        often.get("/_lab/writes?limit=1")
    once.wait(7 * 60)
    assert writes(often) == writes(once)


def test_a_rate_is_kept() -> None:
    def rate(lab: Lab) -> float:
        before = sum(row["length"] for row in writes(lab))
        lab.wait(minutes=60)
        return float(sum(row["length"] for row in writes(lab)) - before) / 3600

    assert rate(bench(rate=64 * 1024)) == pytest.approx(64 * 1024, rel=0.15)
    assert rate(bench(rate=300 * 1024)) == pytest.approx(300 * 1024, rel=0.15)


def test_another_seed_writes_elsewhere() -> None:
    def places(seed: int) -> list[tuple[int, str]]:
        lab = bench(seed)
        lab.wait(minutes=5)
        return [(row["offset"], row["time"]) for row in writes(lab, names(lab)[1])]

    assert places(1) == places(1) != places(2)


def test_a_block_says_which_write_it_is() -> None:
    lab = bench()
    lab.wait(minutes=2)
    disk = names(lab)[2]
    lab.follow(lab.post(VM + "/powerOff"))
    rows = writes(lab, disk)
    url = reader(lab, disk)
    last = rows[-1]
    data = lab.send("GET", url, x_ms_range=f"bytes={last['offset']}-{last['offset'] + BLOCK - 1}").body
    assert block_header(data)[1:] == (last["sequence"], last["offset"] // BLOCK)


def test_a_disk_that_is_gone_is_still_told_about() -> None:
    lab = bench()
    lab.wait(minutes=2)
    disk = names(lab)[2]
    lab.gone(VM)
    before = writes(lab, disk)
    digest = lab.get(f"/_lab/disks?disk={quote(disk)}").body["sha256"]
    lab.gone(disk)
    assert writes(lab, disk) == before
    assert lab.get(f"/_lab/disks?disk={quote(disk)}").body["sha256"] == digest
    assert disk not in {row["disk"] for row in lab.get("/_lab/disks").body["value"]}


@pytest.mark.parametrize("query", ["since=x", "limit=-1", "limit=many"])
def test_a_question_that_is_none_is_refused(query: str) -> None:
    lab = bench()
    assert lab.get(f"/_lab/writes?{query}").status == 400
    assert lab.get("/_lab/disks?disk=none").status == 404
    assert lab.get(f"/_lab/disks?disk={quote(names(lab)[0])}&sequence=last").status == 400
