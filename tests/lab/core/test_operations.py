"""Long-running operations as a client follows them, and as Azure's recorded answers have them (L5, L6, S17)."""

from __future__ import annotations

from lab.core.bench import COMPUTE, GROUP, NETWORK, SUBSCRIPTION, Lab, network_body, refusal, rid, vnet
from lab.core.kinds import KINDS


def test_a_status_document_tells_how_far_it_is() -> None:
    lab = Lab()
    answer = lab.put(vnet("hub"), network_body("10.0.0.0/24"))
    url = answer.headers["azure-asyncoperation"]
    assert f"/subscriptions/{SUBSCRIPTION}/providers/{NETWORK}/locations/eastasia/operations/" in url
    assert url.startswith("https://") and url.endswith("?api-version=2024-05-01")
    waiting = lab.get(url)
    assert (waiting.status, waiting.body) == (200, {"status": "InProgress"})
    assert 1 <= int(waiting.headers["retry-after"]) <= 10
    lab.follow(answer)
    ended = lab.get(url)
    assert (ended.status, ended.body) == (200, {"status": "Succeeded"}) and "retry-after" not in ended.headers


def test_a_deletion_can_be_followed_either_way() -> None:
    lab = Lab()
    lab.made(vnet("hub"), network_body("10.0.0.0/24"))
    answer = lab.delete(vnet("hub"))
    status, result = answer.headers["azure-asyncoperation"], answer.headers["location"]
    assert "/operationResults/" in result and "/operations/" in status
    waiting = lab.get(result)
    assert waiting.status == 202 and waiting.headers["location"] == result
    lab.follow(answer)
    assert lab.get(result).status == 204 and lab.get(status).body == {"status": "Succeeded"}


def test_a_group_goes_with_everything_in_it() -> None:
    lab = Lab()
    for name in ("connection", "storage account", "disk"):
        KINDS[name].before(lab)
        lab.made(KINDS[name].url, KINDS[name].body)
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    answer = lab.delete(group)
    assert answer.status == 202 and "location" in answer.headers and "azure-asyncoperation" not in answer.headers
    assert lab.get(answer.headers["location"]).status == 202
    end = lab.follow(answer)
    # A circuit that its provider has built keeps its group (E2); everything else has gone, and the group is usable.
    assert refusal(end, 409) == "CircuitProvisionedCannotBeDeleted"
    assert {row["type"] for row in lab.body(group + "/resources")["value"]} == {f"{NETWORK}/expressRouteCircuits"}
    lab.made(KINDS["route table"].url, KINDS["route table"].body)
    other = Lab()
    for name in ("gateway", "machine"):
        KINDS[name].before(other)
        other.made(KINDS[name].url, KINDS[name].body)
    assert other.follow(other.delete(group)).status == 200
    assert refusal(other.get(group), 404) == "ResourceGroupNotFound"
    assert other.get(KINDS["machine"].url).status == 404
    assert refusal(other.delete(group), 404) == "ResourceGroupNotFound"


def test_polling_needs_an_operation_that_there_is() -> None:
    lab = Lab()
    base = f"/subscriptions/{SUBSCRIPTION}/providers/{NETWORK}/locations/eastasia"
    for kind in ("operations", "operationResults"):
        assert refusal(lab.get(f"{base}/{kind}/11111111-1111-4111-8111-111111111111"), 404) == "OperationNotFound"


def test_a_client_that_waits_too_long_still_gets_its_answer() -> None:
    lab = Lab()
    answer = lab.put(vnet("hub"), network_body("10.0.0.0/24"))
    lab.wait(days=20)
    assert lab.get(answer.headers["azure-asyncoperation"]).body == {"status": "Succeeded"}


def test_disks_and_machines_have_operations_with_names_and_times() -> None:
    lab = Lab()
    url = rid(f"{COMPUTE}/disks", "d")
    answer = lab.put(url, KINDS["disk"].body)
    status = lab.get(answer.headers["azure-asyncoperation"]).body
    assert set(status) == {"startTime", "status", "name"} and status["name"] in answer.headers["azure-asyncoperation"]
    end = lab.follow(answer).body
    assert set(end) == {"startTime", "endTime", "status", "name", "properties"}
    assert end["properties"] == {"output": lab.body(url)}
    gone = lab.follow(lab.delete(url)).body
    assert set(gone) == {"startTime", "endTime", "status", "name"}
