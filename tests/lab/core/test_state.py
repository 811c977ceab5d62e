"""State that outlives its process, and answers that depend on nothing but state, seed, request and moment."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from farshore.arm.json import dumps
from farshore.errors import HeldError, InputError
from farshore.lab.operations import UNDER_WAY
from farshore.lab.store import Store
from lab.core.bench import (
    COMPUTE,
    SUBSCRIPTION,
    Lab,
    example_lab,
    machine_body,
    net,
    network_body,
    nic_body,
    rid,
    subnet,
    vnet,
)
from lab.core.kinds import GATEWAY

VM = rid(f"{COMPUTE}/virtualMachines", "vm")
HANDLES = ("requests", "writes?limit=100000", "sites", "faults", "clock", "disks")


def story(lab: Lab) -> list[bytes]:
    """An hour of a lab with a bit of everything under way at its end; every answer, byte for byte."""
    said: list[bytes] = []

    def keep(answer: Any) -> Any:
        said.append(dumps([answer.status, dict(answer.headers), answer.body]))
        return answer

    nic = net("nic", kind="networkInterfaces")
    for url, body in (
        (vnet("hub"), network_body("10.10.10.0/24", GatewaySubnet="10.10.10.128/25", app="10.10.10.0/25")),
        (nic, nic_body(subnet("hub", "app"))),
        (VM, machine_body(nic, data_disks=1)),
    ):
        lab.follow(keep(lab.put(url, body, x_ms_client_request_id="story")))
    keep(lab.put(net("gw", kind="virtualNetworkGateways"), GATEWAY))
    lab.wait(minutes=4)
    keep(lab.post(VM + "/restart"))
    keep(lab.put(vnet("hub"), {"location": "eastasia"}))
    keep(lab.get(f"/subscriptions/{SUBSCRIPTION}/resources"))
    lab.fault(kind="reply-lost", method="PUT", path="routeTables", count=1)
    lab.ask("PUT", net("rt", kind="routeTables"), {"location": "eastasia"})
    lab.fault(kind="region", region="eastasia", state="lost", at="2026-03-01T09:00:00Z")
    return said


def everything(lab: Lab) -> dict[str, Any]:
    """What can be seen from outside, and what will happen next."""
    seen: dict[str, Any] = {name: lab.get(f"/_lab/{name}").body for name in HANDLES}
    urls = sorted(str(body["id"]) for body in lab.cloud.bodies.under("/"))
    for url in urls:
        answer = lab.ask("GET", url)
        seen[url] = None if answer is None else answer.body
    seen["resources"] = lab.get(f"/subscriptions/{SUBSCRIPTION}/resources").body
    seen["due"] = lab.cloud.next_due()
    return seen


def different(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [key for key in {**one, **other} if one.get(key) != other.get(key)]


def test_a_lab_opened_again_is_the_same_lab(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab.db")
    story(lab)
    before = everything(lab)
    assert len(lab.cloud.table(UNDER_WAY)) == 3, "a gateway, a restart and a table whose answer was lost"
    lab.cloud.store.close()
    again = Lab(tmp_path / "lab.db", seed=99, groups={})
    assert again.cloud.seed_number == 1 and again.now == lab.now
    assert different(everything(again), before) == []
    again.cloud.store.close()


def test_what_was_under_way_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    """One lab lives on, its twin is closed and opened again every few minutes: they stay alike."""
    one, path = Lab(), tmp_path / "lab.db"
    other = Lab(path)
    story(one)
    story(other)
    for _ in range(7):
        other.cloud.store.close()
        other = Lab(path, groups={})
        one.wait(minutes=9)
        other.wait(minutes=9)
        assert different(everything(other), everything(one)) == []
    for lab in (one, other):
        lab.fault(kind="region", region="eastasia", state="returned")
    other.cloud.store.close()
    other = Lab(path, groups={})
    for lab in (one, other):
        lab.wait(hours=1)
    assert different(everything(other), everything(one)) == []
    assert one.properties(net("gw", kind="virtualNetworkGateways"))["provisioningState"] == "Succeeded"
    other.cloud.store.close()


def test_what_was_answered_is_on_the_disk_when_the_process_dies(tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from lab.core.bench import *
lab = Lab(Path({str(tmp_path / "lab.db")!r}))
answer = lab.put(vnet("hub"), network_body("10.0.0.0/24", a="10.0.0.0/25"))
print(answer.status, answer.headers["azure-asyncoperation"], flush=True)
os._exit(9)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 9, done.stderr
    status, url = done.stdout.split()
    lab = Lab(tmp_path / "lab.db", groups={})
    assert status == "201" and lab.get(url).body == {"status": "InProgress"}
    assert lab.properties(vnet("hub"))["provisioningState"] == "Updating"
    lab.wait(60)
    assert lab.get(url).body == {"status": "Succeeded"} and lab.properties(subnet("hub", "a"))
    lab.cloud.store.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab.db")
    with pytest.raises(HeldError):
        Lab(tmp_path / "lab.db", groups={})
    lab.cloud.store.close()
    Lab(tmp_path / "lab.db", groups={}).cloud.store.close()


def test_a_file_that_is_no_lab_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    path.write_bytes(b"this is a letter and not a database, and it is long enough to look like one" * 20)
    with pytest.raises(InputError) as told:
        Lab(path)
    assert str(path) in str(told.value) or told.value.file == str(path)
    assert path.read_bytes().startswith(b"this is a letter")


def test_two_labs_of_one_seed_answer_alike_to_the_byte() -> None:
    one, other = Lab(seed=7), Lab(seed=7)
    assert story(one) == story(other)
    assert different(everything(one), everything(other)) == []


def test_another_seed_differs_in_durations_and_names() -> None:
    one, other = Lab(seed=7), Lab(seed=8)
    assert story(one) != story(other)
    due = [
        sorted(row["due"] for row in lab.cloud.table(UNDER_WAY).values() if "/gw" in row["resource"])
        for lab in (one, other)
    ]
    assert due[0] != due[1]


def test_the_clients_request_id_changes_nothing_but_its_echo() -> None:
    """A retried request must meet the same lab."""

    def told(mark: str) -> Any:
        lab = Lab()
        answer = lab.put(vnet("hub"), network_body("10.0.0.0/24"), x_ms_client_request_id=mark)
        headers = {key: value for key, value in answer.headers.items() if key != "x-ms-client-request-id"}
        return headers, answer.body, lab.cloud.next_due()

    assert told("a") == told("b")


def test_a_step_back_in_time_is_no_step() -> None:
    lab = Lab()
    lab.wait(hours=1)
    late = lab.cloud.now
    lab.now = late.replace(hour=1)
    assert lab.get(f"/subscriptions/{SUBSCRIPTION}/resources").status == 200
    assert lab.cloud.now == late
    assert lab.post("/_lab/clock", {"to": "2020-01-01T00:00:00Z"}).status == 400


def test_how_the_clock_is_turned_does_not_matter() -> None:
    """In one step, by seconds, or from event to event: what is due happens at its own time."""
    whole, small, events = (example_lab() for _ in range(3))
    end = whole.now.replace(minute=30)
    for lab in (whole, small, events):
        lab.fault(kind="region", region="eastasia", state="lost", at="2026-03-01T08:10:00Z")
        lab.fault(kind="region", region="eastasia", state="returned", at="2026-03-01T08:20:00Z")
    whole.must(whole.post("/_lab/clock", {"to": end.isoformat()}))
    while small.now < end:
        small.wait(20)
    while (due := events.cloud.next_due()) is not None and due <= end:
        events.must(events.post("/_lab/clock", {"to_next": True}))
    for lab in (whole, events):
        lab.now = end
        lab.cloud.advance(end)
    assert different(everything(whole), everything(small)) == []
    assert different(everything(whole), everything(events)) == []


# Tables. -------------------------------------------------------------------------------------------------------------

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcd"), st.integers(0, 9)),
        st.tuples(st.just("del"), st.sampled_from("abcd"), st.just(0)),
        st.tuples(st.just("commit"), st.just(""), st.just(0)),
    ),
    max_size=40,
)


@hypothesis_settings(max_examples=50, deadline=None)
@given(ACTS)
def test_a_table_read_again_has_its_rows_in_their_order(acts: list[tuple[str, str, int]]) -> None:
    """Order is behaviour: lists are answered in it. A row that was taken away and put again stands at the end."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "lab.db")
        table = store.table("t")
        for act, key, value in acts:
            if act == "put":
                table[key] = {"v": value}
            elif act == "del":
                table.pop(key, None)
            else:
                store.commit()
        rows = list(table.items())
        store.close()
        again = Store(Path(folder) / "lab.db")
        assert list(again.table("t").items()) == rows
        again.close()


@hypothesis_settings(max_examples=50, deadline=None)
@given(ACTS)
def test_a_shelf_is_what_was_put_on_it_before_and_after_it_is_written(acts: list[tuple[str, str, int]]) -> None:
    """Beside a dictionary: whatever is asked of it between two commits, and when it is read again."""
    with tempfile.TemporaryDirectory() as folder:
        store, kept = Store(Path(folder) / "lab.db"), dict[str, Any]()
        shelf = store.shelf("s")
        for act, key, value in acts:
            if act == "put":
                shelf[key] = kept[key] = {"v": value}
            elif act == "del":
                assert shelf.pop(key, None) == kept.pop(key, None)
            else:
                store.commit()
            assert [shelf.get(name) for name in "abcd"] == [kept.get(name) for name in "abcd"]
            if value % 2:
                assert list(shelf.items()) == list(kept.items()) and len(shelf) == len(kept)
                assert list(shelf.since("b")) == [kept[name] for name in sorted(kept) if name >= "b"]
        store.close()
        again = Store(Path(folder) / "lab.db")
        assert list(again.shelf("s").items()) == list(kept.items())
        again.close()
