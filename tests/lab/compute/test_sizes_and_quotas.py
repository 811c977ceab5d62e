"""Sizes, what a region sells of them, and how many of them a subscription may have there."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.lab.compute.sizes import cores_of, family_of, family_shown
from lab.core.bench import (
    COMPUTE,
    NETWORK,
    SUBSCRIPTION,
    Lab,
    machine_body,
    net,
    network_body,
    nic_body,
    refusal,
    rid,
    subnet,
    vnet,
)
from lab.recovery.estate import AWAY, TARGET, vm_id
from lab.recovery.world import World

PLACES = f"/subscriptions/{SUBSCRIPTION}/providers/{COMPUTE}/locations/eastasia"
FAMILY = "standardDSv3Family"


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.made(vnet("spoke"), network_body("10.1.0.0/24", app="10.1.0.0/25"))
    return made


def vm(name: str) -> str:
    return rid(f"{COMPUTE}/virtualMachines", name)


def body_of(lab: Lab, name: str, size: str = "Standard_D2s_v3") -> Body:
    nic = net(f"{name}-nic", kind="networkInterfaces")
    if lab.get(nic).status == 404:
        lab.made(nic, nic_body(subnet("spoke", "app")))
    body = machine_body(nic)
    body["properties"]["hardwareProfile"]["vmSize"] = size
    return body


def counts(lab: Lab, url: str = f"{PLACES}/usages") -> dict[str, tuple[int, int]]:
    return {row["name"]["value"]: (row["currentValue"], row["limit"]) for row in lab.body(url)["value"]}


@pytest.mark.parametrize(
    ("size", "cores", "family"),
    [
        ("Standard_D2s_v3", 2, "standardDSv3Family"),
        ("Standard_D16s_v5", 16, "standardDSv5Family"),
        ("Standard_D48ds_v5", 48, "standardDDSv5Family"),
        ("standard_e4s_v5", 4, "standardESv5Family"),
        ("Standard_DS3_v2", 4, "standardDSv2Family"),
        ("Standard_DS4_v2", 8, "standardDSv2Family"),
        ("Standard_D11_v2", 2, "standardDv2Family"),
        ("Standard_B2ms", 2, "standardBSFamily"),
        ("Standard_F72s_v2", 72, "standardFSv2Family"),
        ("Standard_E64-16s_v3", 64, "standardESv3Family"),
        ("mine", 1, "standardOtherFamily"),
    ],
)
def test_a_name_says_cores_and_family(size: str, cores: int, family: str) -> None:
    assert (cores_of(size), family_of(size)) == (cores, family)
    assert family_shown("standardDSv3Family") == "Standard DSv3 Family vCPUs"


def test_counts_of_the_network_tell_whether_their_limits_can_be_raised(lab: Lab) -> None:
    """Recorded, since 2022."""
    url = PLACES.replace(COMPUTE, NETWORK) + "/usages?api-version="
    assert all("isAdjustable" not in row for row in lab.body(f"{url}2019-07-01")["value"])
    told = {row["name"]["value"]: row["isAdjustable"] for row in lab.body(f"{url}2022-01-01")["value"]}
    assert [name for name, can_be in told.items() if not can_be] == ["NetworkWatchers"]


def test_usages_count_what_is_there(lab: Lab) -> None:
    """Deallocated machines count, too."""
    before = counts(lab)
    assert before["cores"][0] == 0 == before[FAMILY][0] and before["availabilitySets"][0] == 0
    lab.made(vm("a"), body_of(lab, "a"))
    lab.made(vm("b"), body_of(lab, "b", "Standard_E4s_v5"))
    lab.put(rid(f"{COMPUTE}/availabilitySets", "set"), {"location": "eastasia"})
    lab.follow(lab.post(f"{vm('a')}/deallocate"))
    now = {name: value for name, (value, _) in counts(lab).items()}
    assert (now["cores"], now[FAMILY], now["standardESv5Family"]) == (6, 2, 4)
    assert (now["virtualMachines"], now["availabilitySets"]) == (2, 1)
    assert counts(lab, PLACES.replace("eastasia", "southeastasia") + "/usages")["cores"][0] == 0
    network = counts(lab, PLACES.replace(COMPUTE, NETWORK) + "/usages")
    assert network["VirtualNetworks"][0] == 1 and network["NetworkInterfaces"][0] == 2
    lab.gone(vm("b"))
    assert counts(lab)["cores"][0] == 2
    assert refusal(lab.get(PLACES.replace("eastasia", "atlantis") + "/usages")) == "InvalidLocation"


@pytest.mark.parametrize(("name", "called"), [("cores", "Total Regional Cores"), (FAMILY, f"{FAMILY} Cores")])
def test_a_machine_beyond_the_quota_is_refused_with_the_numbers(lab: Lab, name: str, called: str) -> None:
    lab.made(vm("a"), body_of(lab, "a"))
    lab.fault(kind="quota", region="East Asia", name=name, limit=3)
    assert counts(lab)[name] == (2, 3)
    refused = lab.put(vm("b"), body_of(lab, "b"))
    assert refusal(refused, 409) == "OperationNotAllowed"
    message = refused.body["error"]["message"]
    assert f"exceeding approved {called} quota" in message
    assert "Current Limit: 3, Current Usage: 2, Additional Required: 2, (Minimum) New Limit Required: 4." in message
    assert lab.get(vm("b")).status == 404
    # What is there stays, starts and may shrink; it may not grow.
    lab.follow(lab.post(f"{vm('a')}/restart"))
    assert refusal(lab.put(vm("a"), body_of(lab, "a", "Standard_D4s_v3")), 409) == "OperationNotAllowed"
    lab.made(vm("a"), body_of(lab, "a"))
    lab.fault(kind="quota", region="eastasia", name=name, state="up")
    lab.made(vm("b"), body_of(lab, "b"))


def test_other_limits(lab: Lab) -> None:
    lab.made(vm("a"), body_of(lab, "a"))
    body = body_of(lab, "b")
    for name in ("virtualMachines", "availabilitySets", "NetworkInterfaces"):
        lab.fault(kind="quota", region="eastasia", name=name, limit=1)
    assert refusal(lab.put(vm("b"), body), 409) == "OperationNotAllowed"
    sets = [rid(f"{COMPUTE}/availabilitySets", name) for name in ("one", "two")]
    lab.must(lab.put(sets[0], {"location": "eastasia"}))
    assert refusal(lab.put(sets[1], {"location": "eastasia"}), 409) == "OperationNotAllowed"
    lab.must(lab.put(sets[0], {"location": "eastasia", "tags": {"a": "b"}}))
    nic = net("late", kind="networkInterfaces")
    assert refusal(lab.put(nic, nic_body(subnet("spoke", "app")))) == "NetworkInterfaceCountLimitReached"


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "quota", "region": "eastasia", "name": "cores"},
        {"kind": "quota", "region": "eastasia", "name": "cores", "limit": -1},
        {"kind": "quota", "region": "eastasia", "name": "cores", "limit": "many"},
        {"kind": "quota", "region": "eastasia", "name": "VirtualNetworks", "limit": 1},
        {"kind": "quota", "name": "cores", "limit": 1},
        {"kind": "restriction", "region": "eastasia"},
        {"kind": "restriction", "region": "mars", "size": "Standard_D2s_v3"},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(lab: Lab, wanted: dict[str, Any]) -> None:
    assert refusal(lab.post("/_lab/faults", wanted)) == "InvalidFault"


def test_sizes_that_are_not_sold(lab: Lab) -> None:
    """L15: SkuNotAvailable."""

    def restrictions(region: str) -> list[Body]:
        rows = lab.body(f"/subscriptions/{SUBSCRIPTION}/providers/{COMPUTE}/skus?$filter=location eq '{region}'")
        [row] = [row for row in rows["value"] if row["name"] == "Standard_D2s_v3"]
        assert row["locations"] == [region] and row["locationInfo"][0]["zones"] == ["1", "2", "3"]
        assert {"name": "vCPUs", "value": "2"} in row["capabilities"] and row["family"] == FAMILY
        return list(row["restrictions"])

    lab.made(vm("a"), body_of(lab, "a"))
    assert restrictions("eastasia") == []
    lab.fault(kind="restriction", region="eastasia", size="standard_d2s_v3")
    assert restrictions("eastasia")[0]["reasonCode"] == "NotAvailableForSubscription"
    assert restrictions("southeastasia") == []
    assert refusal(lab.put(vm("b"), body_of(lab, "b")), 409) == "SkuNotAvailable"
    offered = {row["name"] for row in lab.body(f"{vm('a')}/vmSizes")["value"]}
    assert "Standard_D4s_v3" in offered and "Standard_D2s_v3" not in offered
    lab.made(vm("a"), body_of(lab, "a"))  # it is there already
    lab.fault(kind="clear")
    assert restrictions("eastasia") == []
    url = f"/subscriptions/{SUBSCRIPTION}/providers/{COMPUTE}/skus"
    assert len(lab.body(url)["value"]) == 200 and lab.body(url)["nextLink"]
    assert refusal(lab.get(f"{url}?$filter=name eq 'a'")) == "InvalidParameter"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "quota", "region": AWAY, "name": "cores", "limit": 1}, "OperationNotAllowed"),
        ({"kind": "quota", "region": AWAY, "name": "NetworkInterfaces", "limit": 0}, "NetworkInterfaceCountLimit"),
        ({"kind": "restriction", "region": AWAY, "size": None}, "SkuNotAvailable"),
    ],
)
def test_a_failover_beyond_a_quota_fails_leaves_nothing_and_can_be_done_again(fault: Body, code: str) -> None:
    """S57, S60: what the target has to have room for."""
    world = World("web1")
    world.protect("web1")
    if "size" in fault:
        size = world.get(vm_id("web1"))["properties"]["hardwareProfile"]["vmSize"]
        fault = {**fault, "size": size}
    assert world.send("POST", "/_lab/faults", fault).ok
    job = world.done(world.failover("web1"))
    assert job["state"] == "Failed" and code in str(job["errors"])
    assert not world.exists(vm_id("web1", TARGET))
    assert world.send("POST", "/_lab/faults", {"kind": "clear"}).ok
    assert world.done(world.failover("web1"))["state"] == "Succeeded"
