"""Each fault that can be asked for, made and undone, now and at a time (`lab/faults.py`, `lab/mishaps.py`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.times import stamp
from lab.core.bench import (
    COMPUTE,
    NETWORK,
    Lab,
    example_lab,
    machine_body,
    net,
    network_body,
    nic_body,
    refusal,
    rid,
    subnet,
    vnet,
)

HUB = vnet("hub")
BODY = network_body("10.0.0.0/24", app="10.0.0.0/25")
VM = rid(f"{COMPUTE}/virtualMachines", "vm")
WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group="rg-source")
GATEWAY = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")


def faults(lab: Lab) -> Body:
    return dict(lab.get("/_lab/faults").body)


def ends(lab: Lab, answer: Response) -> Body:
    """The status document of an operation that is over."""
    return dict(lab.follow(answer).body)


# Calls. --------------------------------------------------------------------------------------------------------------


def test_a_call_that_never_arrives_has_no_effect_and_no_answer() -> None:
    lab = Lab()
    lab.fault(kind="no-answer", method="PUT", path="virtualNetworks/hub")
    assert lab.ask("PUT", HUB, BODY) is None
    assert lab.get(HUB).status == 404
    assert (lab.journal()[-1]["status"], lab.journal()[-1]["answered"]) == (None, False)
    assert lab.put(HUB, BODY).status == 201 and not faults(lab)["mishaps"]


def test_a_call_that_arrives_twice_takes_effect_twice_and_its_second_answer_is_heard() -> None:
    lab = Lab()
    lab.fault(kind="twice", method="PUT", path="virtualNetworks/hub")
    answer = lab.put(HUB, BODY)
    assert refusal(answer, 409) == "AnotherOperationInProgress"
    rows = lab.journal()[-2:]
    assert [(row["status"], row["answered"]) for row in rows] == [(201, False), (409, True)]
    lab.wait(60)
    lab.fault(kind="twice", method="DELETE")
    assert lab.delete(HUB).status in (204, 409)
    lab.wait(60)
    assert lab.get(HUB).status == 404


def test_a_call_is_refused_with_the_code_that_was_asked_for() -> None:
    lab = Lab()
    lab.fault(kind="refuse", code="InternalServerError", status=503, message="Try again.", path="/hub", count=2)
    for method in ("PUT", "GET"):
        answer = lab.send(method, HUB, BODY)
        assert refusal(answer, 503) == "InternalServerError" and answer.body["error"]["message"] == "Try again."
    assert lab.get(HUB).status == 404
    lab.fault(kind="refuse", code="QuotaExceeded", count=9)
    lab.fault(kind="refuse", state="up")
    assert lab.put(HUB, BODY).status == 201


@pytest.mark.parametrize("more", [{}, {"verb": "put"}, {"path": "virtualNetworks/hub"}])
def test_an_operation_fails_with_the_code_that_was_asked_for(more: dict[str, Any]) -> None:
    lab = Lab()
    lab.fault(kind="fail-operation", code="NetworkingInternalOperationError", **more)
    answer = lab.put(HUB, BODY)
    end = ends(lab, answer)
    assert answer.status == 201 and end["status"] == "Failed"
    assert end["error"]["code"] == "NetworkingInternalOperationError"
    assert lab.properties(HUB)["provisioningState"] == "Failed"
    # It holds nothing any more, and the next attempt succeeds.
    assert lab.made(HUB, BODY)["properties"]["provisioningState"] == "Succeeded"


def test_an_operation_of_another_kind_does_not_fail() -> None:
    lab = Lab()
    lab.fault(kind="fail-operation", code="Nothing", verb="delete", path="hub")
    lab.made(HUB, BODY)
    lab.made(vnet("other"), network_body("10.1.0.0/24"))
    assert ends(lab, lab.delete(vnet("other")))["status"] == "Succeeded"
    assert ends(lab, lab.delete(HUB))["error"]["code"] == "Nothing" and lab.get(HUB).status == 200


def test_an_operation_hangs_until_it_is_let_go() -> None:
    lab = Lab()
    lab.fault(kind="hang-operation", path="virtualNetworks/hub")
    answer = lab.put(HUB, BODY)
    lab.wait(days=3)
    status = answer.headers["azure-asyncoperation"]
    assert lab.get(status).body["status"] == "InProgress"
    assert refusal(lab.put(HUB, BODY), 409) == "AnotherOperationInProgress"
    assert [(row["resource"], row["verb"]) for row in faults(lab)["hung"]] == [(HUB, "put")]
    lab.fault(kind="hang-operation", state="up")
    lab.wait(1)
    assert lab.get(status).body["status"] == "Succeeded" and not faults(lab)["hung"]


def test_faults_come_at_their_time_and_are_cleared_before_it() -> None:
    lab = Lab()
    at = stamp(lab.now + timedelta(minutes=5))
    lab.fault(kind="refuse", code="Busy", at=at, count=5)
    assert lab.put(HUB, BODY).status == 201
    lab.wait(minutes=6)
    assert refusal(lab.put(HUB, BODY), 500) == "Busy"
    lab.fault(kind="hang-operation", at=stamp(lab.now + timedelta(minutes=5)))
    lab.fault(kind="clear")
    lab.wait(minutes=6)
    shown = faults(lab)
    assert lab.put(HUB, BODY).status == 200
    assert not any(shown[name] for name in ("planned", "mishaps", "hung", "shortages", "silent", "refused"))


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "refuse"},
        {"kind": "refuse", "code": "two words"},
        {"kind": "refuse", "code": "A", "status": 200},
        {"kind": "refuse", "code": "A", "method": "put"},
        {"kind": "fail-operation"},
        {"kind": "capacity", "region": "eastasia"},
        {"kind": "capacity", "region": "mars", "size": "Standard_D2s_v3"},
        {"kind": "control-plane"},
        {"kind": "churn", "id": WEB1, "bytes_per_second": "fast"},
        {"kind": "replication", "id": WEB1},
        {"kind": "edit", "id": WEB1},
        {"kind": "edit", "id": WEB1, "change": {}},
        {"kind": "edit", "id": WEB1, "change": {"name": "web9"}},
        {"kind": "edit", "id": WEB1, "change": {"tags": {}}, "delete": True},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_when_it_is_asked_for(wanted: Body) -> None:
    lab = example_lab()
    before = faults(lab)
    assert refusal(lab.post("/_lab/faults", wanted)) == "InvalidFault"
    assert faults(lab) == before


# Half of an outage. --------------------------------------------------------------------------------------------------


def test_without_its_control_plane_a_region_is_silent_and_works() -> None:
    lab = example_lab()
    under_way = lab.put(vnet("Source-vNet9", group="rg-source"), network_body("10.77.0.0/24"))
    lab.fault(kind="control-plane", region="eastasia", state="down")
    assert lab.ask("GET", WEB1) is None and lab.ask("GET", GATEWAY) is None
    lab.wait(minutes=30)
    assert lab.packet("datacenter", "10.1.0.4", port=443)["disposition"] == "Delivered"
    assert lab.ask("GET", under_way.headers["azure-asyncoperation"]) is None
    lab.fault(kind="control-plane", region="eastasia", state="up")
    assert lab.body(WEB1 + "/instanceView")["statuses"][1]["code"] == "PowerState/running"
    assert lab.get(under_way.headers["azure-asyncoperation"]).body["status"] == "InProgress"
    lab.wait(minutes=2)
    assert lab.get(under_way.headers["azure-asyncoperation"]).body["status"] == "Succeeded"


def test_without_its_data_plane_a_region_answers_and_nothing_passes() -> None:
    lab = example_lab()
    assert lab.packet("datacenter", "10.1.0.4", port=443)["disposition"] == "Delivered"
    lab.fault(kind="data-plane", region="East Asia", state="down")
    assert lab.packet("datacenter", "10.1.0.4", port=443)["disposition"] != "Delivered"
    assert lab.body(WEB1 + "/instanceView")["statuses"][1]["code"] == "PowerState/running"
    assert lab.patch(WEB1, {"tags": {"a": "b"}}).ok
    lab.fault(kind="data-plane", region="eastasia", state="up")
    assert lab.packet("datacenter", "10.1.0.4", port=443)["disposition"] == "Delivered"


def test_a_region_that_returns_stays_silent_while_its_control_plane_is_down() -> None:
    lab = example_lab()
    lab.fault(kind="region", region="eastasia", state="lost")
    lab.fault(kind="control-plane", region="eastasia", state="down")
    lab.fault(kind="region", region="eastasia", state="returned")
    lab.wait(minutes=20)
    assert lab.ask("GET", WEB1) is None
    assert lab.packet("datacenter", "10.1.0.4", port=443)["disposition"] == "Delivered"
    lab.fault(kind="clear")
    assert lab.get(WEB1).status == 200


# What carries packets. -----------------------------------------------------------------------------------------------

CIRCUIT = rid(f"{NETWORK}/expressRouteCircuits", "er-hongkong", group="rg-expressroute")
LINKS: list[Body] = [{"kind": "circuit-link", "id": CIRCUIT, "link": link} for link in ("primary", "secondary")]
INSTANCES: list[Body] = [{"kind": "gateway-instance", "id": GATEWAY, "instance": number} for number in (0, 1)]


@pytest.mark.parametrize(
    "taken",
    [
        [{"kind": "location", "location": "Hong Kong"}],
        [{"kind": "circuit", "id": CIRCUIT}],
        LINKS,
        [{"kind": "gateway", "id": GATEWAY}],
        INSTANCES,
        [{"kind": "connection", "id": rid(f"{NETWORK}/connections", "cn-source-hub", group="rg-source")}],
        [{"kind": "appliance", "id": rid(f"{NETWORK}/networkInterfaces", "nva-nic", group="rg-source")}],
        [{"kind": "machine", "id": WEB1}],
        [{"kind": "nic", "id": rid(f"{NETWORK}/networkInterfaces", "web1-nic", group="rg-source")}],
        [{"kind": "router", "site": "datacenter", "router": "ce1"}],
    ],
    ids=lambda taken: "both " + taken[0]["kind"] if len(taken) > 1 else taken[0]["kind"],
)
def test_what_is_taken_away_at_a_time_carries_nothing_until_it_is_given_back(taken: list[Body]) -> None:
    """One of two is missed by nobody."""
    lab = example_lab()

    def arrives() -> bool:
        return str(lab.packet("datacenter", "10.1.0.4", port=443)["disposition"]) == "Delivered"

    at = stamp(lab.now + timedelta(minutes=5))
    for number, fault in enumerate(taken):
        assert arrives()
        lab.fault(**fault, state="down", **({"at": at} if number == len(taken) - 1 else {}))
    assert arrives()
    lab.wait(minutes=6)
    assert not arrives()
    lab.fault(**taken[0], state="up")
    assert arrives()


# Shortages and edits. ------------------------------------------------------------------------------------------------


def with_machine() -> Lab:
    lab = Lab()
    lab.made(HUB, BODY)
    lab.made(net("nic", kind="networkInterfaces"), nic_body(subnet("hub", "app")))
    return lab


def power(lab: Lab) -> str:
    return str(lab.body(VM + "/instanceView")["statuses"][1]["code"])


def test_a_size_that_a_region_has_no_room_for_is_allocated_to_nobody() -> None:
    """L15's code; a machine that runs goes on."""
    lab = with_machine()
    lab.fault(kind="capacity", region="eastasia", size="standard_d2s_V3")
    end = ends(lab, lab.put(VM, machine_body(net("nic", kind="networkInterfaces"))))
    assert (end["status"], end["error"]["code"]) == ("Failed", "AllocationFailed")
    assert lab.properties(VM)["provisioningState"] == "Failed" and power(lab) == "PowerState/deallocated"
    end = ends(lab, lab.post(VM + "/start"))
    assert end["error"]["code"] == "AllocationFailed" and power(lab) == "PowerState/deallocated"
    lab.fault(kind="capacity", region="eastasia", size="Standard_D2s_v3", state="up")
    assert ends(lab, lab.post(VM + "/start"))["status"] == "Succeeded" and power(lab) == "PowerState/running"
    lab.fault(kind="capacity", region="eastasia", size="Standard_D2s_v3")
    assert power(lab) == "PowerState/running" and ends(lab, lab.post(VM + "/restart"))["status"] == "Succeeded"


def test_another_size_and_another_region_have_room() -> None:
    lab = with_machine()
    lab.fault(kind="capacity", region="eastasia", size="Standard_D4s_v3")
    lab.fault(kind="capacity", region="southeastasia", size="Standard_D2s_v3")
    end = ends(lab, lab.put(VM, machine_body(net("nic", kind="networkInterfaces"))))
    assert end["status"] == "Succeeded" and len(faults(lab)["shortages"]) == 2


def test_a_resource_is_edited_behind_the_users_back() -> None:
    lab = Lab()
    table = net("rt", kind="routeTables")
    lab.made(table, {"location": "eastasia", "properties": {"routes": []}})
    before, rows = lab.body(table), len(lab.journal())
    route: Body = {"name": "r", "properties": {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"}}
    change: Body = {"tags": {"by": "a colleague"}, "properties": {"routes": [route]}}
    lab.fault(kind="edit", id=table, change=change, at=stamp(lab.now + timedelta(minutes=1)))
    assert lab.body(table) == before
    lab.wait(minutes=2)
    after = lab.body(table)
    assert after["tags"] == {"by": "a colleague"} and after["etag"] != before["etag"]
    assert after["properties"]["routes"][0]["properties"]["addressPrefix"] == "10.9.0.0/16"
    assert refusal(lab.put(table, before, if_match=before["etag"]), 412) == "PreconditionFailed"
    lab.fault(kind="edit", id=table, delete=True)
    assert lab.get(table).status == 404 and len(lab.journal()) == rows + 1


def test_an_edit_that_the_resources_own_rules_refuse_changes_nothing() -> None:
    lab = with_machine()
    before = lab.body(HUB)
    wanted: Body = {"kind": "edit", "id": subnet("hub", "app"), "delete": True}
    assert not lab.post("/_lab/faults", wanted).ok
    lab.fault(**wanted, at=stamp(lab.now + timedelta(minutes=1)))
    lab.wait(minutes=2)
    assert lab.body(HUB) == before
    [row] = faults(lab)["refused"]
    assert row["fault"]["id"] == subnet("hub", "app") and row["error"]["code"]
