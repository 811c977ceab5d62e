"""A region that is lost, and one that returns: who answers, what stands still, what comes back by itself (D60 to D65,
D92, E12, L36)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from farshore.arm.json import Body
from farshore.lab import Settings
from farshore.times import moment
from lab.core.bench import COMPUTE, NETWORK, SUBSCRIPTION, Lab, example_lab, network_body, refusal, rid, vnet

HONG_KONG = rid(f"{NETWORK}/expressRouteCircuits", "er-hongkong", group="rg-expressroute")
GATEWAY = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
CONNECTION = rid(f"{NETWORK}/connections", "cn-source-hub", group="rg-source")
WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group="rg-source")
NVA = rid(f"{COMPUTE}/virtualMachines", "nva", group="rg-source")
OURS = {"10.10.10.0/24", "10.1.0.0/24", "10.2.0.0/24"}


@pytest.fixture
def lab() -> Lab:
    return example_lab()


def lose(lab: Lab, region: str = "eastasia") -> None:
    lab.fault(kind="region", region=region, state="lost")


def give_back(lab: Lab, region: str = "eastasia") -> None:
    lab.fault(kind="region", region=region, state="returned")


def power(lab: Lab, machine: str = WEB1) -> str:
    shown = lab.body(machine + "/instanceView")["statuses"]
    return str(shown[1]["code"]).removeprefix("PowerState/")


def announced(lab: Lab) -> set[str]:
    """What the circuit's table holds of Azure, asked at one moment through the site's router."""
    site = lab.get("/_lab/sites").body["value"][0]
    return {row["network"] for row in site["routers"][0]["learned"]}


def first(lab: Lab, what: object, within: timedelta = timedelta(minutes=10)) -> datetime:
    """When `what(lab)` first holds, looked at every second."""
    until = lab.now + within
    while lab.now < until:
        if what(lab):  # type: ignore[operator]
            return lab.now
        lab.wait(1)
    raise AssertionError("it never did")


def test_what_lies_in_a_lost_region_does_not_answer_and_all_else_does(lab: Lab) -> None:
    lose(lab)
    for url in (WEB1, GATEWAY, CONNECTION, vnet("Source-vNet1", group="rg-source")):
        assert lab.ask("GET", url) is None
        assert lab.ask("DELETE", url) is None
    assert lab.ask("POST", WEB1 + "/deallocate") is None
    assert lab.ask("PATCH", WEB1, {"tags": {}}) is None
    assert lab.ask("GET", WEB1 + "/instanceView") is None
    assert lab.get(HONG_KONG).status == 200
    assert lab.follow(lab.post(HONG_KONG + "/peerings/AzurePrivatePeering/routeTables/primary")).status == 200
    far = rid(f"{NETWORK}/virtualNetworks", "far", group="rg-farshore-dr")
    lab.made(far, network_body("10.10.10.0/24", location="southeastasia"))
    # ARM's own lists are everybody's: a group can be read, a region's machines stand in it.
    assert lab.get(f"/subscriptions/{SUBSCRIPTION}/resourceGroups").status == 200


def test_a_write_into_a_group_of_the_lost_region_is_not_answered_wherever_the_resource_is(lab: Lab) -> None:
    """L36: the group's location holds what is in it."""
    lab.made(rid(f"{NETWORK}/routeTables", "far", group="rg-source"), {"location": "southeastasia"})
    lose(lab)
    url = rid(f"{NETWORK}/routeTables", "far", group="rg-source")
    assert lab.get(url).status == 200
    assert lab.ask("PUT", url, {"location": "southeastasia"}) is None
    assert lab.ask("PUT", url + "2", {"location": "southeastasia"}) is None
    assert lab.ask("DELETE", url) is None
    lab.made(rid(f"{NETWORK}/routeTables", "far", group="rg-farshore-dr"), {"location": "southeastasia"})


def test_the_disconnect_of_a_lost_region_fails(lab: Lab) -> None:
    """D62: its connection is a thing of its region, and stays."""
    lose(lab)
    assert lab.ask("DELETE", CONNECTION) is None
    lab.wait(hours=1)
    journal = lab.journal()[-1]
    assert (journal["method"], journal["status"], journal["answered"]) == ("DELETE", None, False)
    give_back(lab)
    lab.wait(minutes=10)
    assert lab.properties(CONNECTION)["provisioningState"] == "Succeeded"


def test_a_lab_can_be_set_to_refuse_instead_of_to_be_silent() -> None:
    lab = example_lab(settings=Settings(throttling=False, lost_region_answers=True))
    lose(lab)
    assert refusal(lab.get(WEB1), 503) == "ServiceUnavailable"


def test_a_region_is_the_same_in_both_its_spellings(lab: Lab) -> None:
    lose(lab, "East Asia")
    assert lab.ask("GET", WEB1) is None
    give_back(lab, "EastAsia")
    lab.wait(minutes=10)
    assert lab.get(WEB1).status == 200


def test_its_machines_stop_at_once_and_its_gateway_falls_silent_after_a_while(lab: Lab) -> None:
    """E12: nobody sees a lost region at once."""
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"
    lose(lab)
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] != "Delivered"
    assert announced(lab) == OURS
    began = lab.now
    silent = first(lab, lambda lab: not announced(lab))
    assert timedelta(seconds=15) < silent - began < timedelta(seconds=100)


def test_it_comes_back_piece_by_piece_with_its_machines_running(lab: Lab) -> None:
    lose(lab)
    lab.wait(hours=1)
    assert announced(lab) == set()
    give_back(lab)
    began = lab.now
    assert lab.ask("GET", WEB1) is None and announced(lab) == set()
    answers = first(lab, lambda lab: lab.ask("GET", WEB1) is not None)
    speaks = first(lab, lambda lab: announced(lab) == OURS)
    assert power(lab) in ("stopped", "running")
    runs = first(lab, lambda lab: power(lab) == "running")
    assert all(timedelta(0) < each - began < timedelta(minutes=4) for each in (answers, speaks, runs))
    first(lab, lambda lab: power(lab, NVA) == "running")
    assert lab.packet("datacenter", "10.1.0.4")["disposition"] == "Delivered"


def test_seeds_differ_in_what_comes_back_first() -> None:
    """Nobody may count on an order: ARM before the gateway's rows, or after them."""
    orders = set()
    for seed in range(1, 13):
        lab = example_lab(seed=seed)
        lose(lab)
        lab.wait(minutes=10)
        give_back(lab)
        events = lab.cloud.table("events")
        due = {name.split("|")[0]: row["due"] for name, row in events.items() if name.startswith(("region", "gateway"))}
        orders.add(due["region.arm"] < due["gateway.speaks"])
    assert orders == {True, False}


def test_returned_machines_hold_what_they_held_and_go_on_writing(lab: Lab) -> None:
    """D92: old data, and no memory of having been away."""
    disk = rid(f"{COMPUTE}/disks", "web1-data0", group="rg-source")

    def written() -> list[Body]:
        return list(lab.get(f"/_lab/writes?disk={disk}&limit=100000").body["value"])

    def digest(sequence: int) -> str:
        return str(lab.get(f"/_lab/disks?disk={disk}&sequence={sequence}").body["sha256"])

    lab.wait(minutes=5)
    lose(lab)
    lost_at, before = lab.now, written()
    assert before
    held = digest(before[-1]["sequence"])
    lab.wait(hours=2)
    assert written() == before
    give_back(lab)
    first(lab, lambda lab: lab.ask("GET", WEB1) is not None and power(lab) == "running")
    running_at = lab.now
    lab.wait(minutes=2)
    after = written()
    assert after[: len(before)] == before and len(after) > len(before)
    assert digest(before[-1]["sequence"]) == held
    quiet = [row for row in after if lost_at < moment(row["time"]) < running_at - timedelta(seconds=1)]
    assert quiet == []


def test_a_machine_that_was_off_stays_off(lab: Lab) -> None:
    lab.follow(lab.post(WEB1 + "/deallocate"))
    lose(lab)
    lab.wait(minutes=10)
    give_back(lab)
    lab.wait(minutes=10)
    assert power(lab) == "deallocated"


def test_operations_stand_still_and_go_on_after_the_return(lab: Lab) -> None:
    answer = lab.put(vnet("new", group="rg-source"), network_body("10.77.0.0/24"))
    stop = lab.post(WEB1 + "/deallocate")
    lose(lab)
    assert lab.ask("GET", answer.headers["azure-asyncoperation"]) is None
    lab.wait(hours=3)
    give_back(lab)
    first(lab, lambda lab: lab.ask("GET", WEB1) is not None)
    assert lab.get(answer.headers["azure-asyncoperation"]).body["status"] == "InProgress"
    assert lab.properties(vnet("new", group="rg-source"))["provisioningState"] == "Updating"
    lab.wait(minutes=5)
    assert lab.get(answer.headers["azure-asyncoperation"]).body["status"] == "Succeeded"
    assert lab.get(stop.headers["azure-asyncoperation"]).body["status"] == "Succeeded"
    assert power(lab) == "deallocated"


def test_a_region_lost_again_while_it_returns_is_lost(lab: Lab) -> None:
    lose(lab)
    lab.wait(minutes=10)
    give_back(lab)
    lab.wait(5)
    lose(lab)
    lab.wait(hours=1)
    assert lab.ask("GET", WEB1) is None and announced(lab) == set()
    give_back(lab)
    lab.wait(minutes=10)
    assert power(lab) == "running" and announced(lab) == OURS


@pytest.mark.parametrize("seconds", [20, 40, 60, 80, 100, 120])
def test_a_region_lost_again_at_any_moment_comes_back_whole(lab: Lab, seconds: int) -> None:
    """Also between its control plane and its machines: a machine that had not started yet has not forgotten to."""
    lose(lab)
    lab.wait(minutes=10)
    give_back(lab)
    lab.wait(seconds)
    lose(lab)
    lab.wait(minutes=10)
    assert lab.ask("GET", WEB1) is None and announced(lab) == set()
    give_back(lab)
    lab.wait(minutes=10)
    machines = lab.body(f"/subscriptions/{SUBSCRIPTION}/providers/{COMPUTE}/virtualMachines")["value"]
    assert {row["name"]: power(lab, row["id"]) for row in machines} == {row["name"]: "running" for row in machines}
    assert announced(lab) == OURS


def test_losing_twice_is_losing_once_and_a_return_of_what_is_here_is_nothing(lab: Lab) -> None:
    give_back(lab)
    assert lab.get(WEB1).status == 200
    lose(lab)
    lab.wait(seconds=10)
    lose(lab)
    lab.wait(minutes=10)
    assert announced(lab) == set()
    give_back(lab)
    lab.wait(10)
    give_back(lab)
    lab.wait(minutes=10)
    assert announced(lab) == OURS and power(lab) == "running"


def test_losses_can_be_planned(lab: Lab) -> None:
    at = lab.now + timedelta(minutes=3)
    shown = lab.fault(kind="region", region="eastasia", state="lost", at=at.isoformat())
    assert [row["region"] for row in shown["planned"]] == ["eastasia"]
    lab.wait(minutes=2, seconds=59)
    assert lab.get(WEB1).status == 200
    lab.wait(1)
    assert lab.ask("GET", WEB1) is None
