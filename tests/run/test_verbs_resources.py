"""`put`, `delete`, `deallocate`, `person`, `site_change` by hand: there already, different, refused, lost, failing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.azure.lro import Pending
from farshore.errors import TransportError
from farshore.plan import actions
from farshore.run.verbs import VERBS, verb_named
from farshore.run.verbs.base import (
    CHANCES,
    Absent,
    Accepted,
    AgainError,
    Asked,
    InProgress,
    Present,
    Refused,
    get_url,
)
from run.talk import ARM, GROUP, NOW, SILENCE, Answer, answer, gone, hold, refusal, situation

TABLE = f"{GROUP}/providers/Microsoft.Network/routeTables/rt"
BODY: dict[str, Any] = {
    "id": TABLE,
    "location": "eastasia",
    "properties": {
        "disableBgpRoutePropagation": True,
        "routes": [{"name": "all", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}}],
    },
}
PUT = actions.put(BODY).arguments
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
OPERATION = f"{ARM}{GROUP}/providers/Microsoft.Network/locations/x/operations/1"
SUCCEEDED = answer(200, {"status": "Succeeded", "startTime": "2026-01-05T06:00:01Z", "endTime": "2026-01-05T06:00:09Z"})


def table(state: str = "Succeeded", **properties: Any) -> Response:
    """A route table as ARM shows it: with more than was said."""
    shown = {**BODY["properties"], "provisioningState": state, "resourceGuid": "g", **properties}
    return answer(200, {**BODY, "etag": 'W/"7"', "tags": {"kept": "yes"}, "properties": shown})


# put. ----------------------------------------------------------------------------------------------------------------


def look(*script: Answer, **more: Any) -> Any:
    return hold(VERBS["put"].look(situation(PUT, **more)), script).result


def test_what_is_there_already_is_not_written() -> None:
    assert look(table()) == Present(result={"found": True})
    assert look(gone()) == Absent()
    assert look(table(disableBgpRoutePropagation=False)) == Absent()
    assert look(table(routes=[])) == Absent()
    assert look(table("Updating")) == InProgress(pending=Pending(resource=f"{TABLE}?api-version=2024-05-01"))
    assert look(table("Failed")) == Absent(), "it is put once more"


def test_a_doubted_put_that_is_there_says_when() -> None:
    shown = table()
    dated = Response(status=200, body=shown.body, headers={"date": "Mon, 05 Jan 2026 06:00:30 GMT"})
    assert look(dated, doubted=True) == Present(result={"found": True, "ended_at": "2026-01-05T06:00:30.000000Z"})


def test_a_create_can_only_create() -> None:
    held = hold(VERBS["put"].act(situation(PUT)), [gone(), answer(201, {}, azure_asyncoperation=OPERATION)])
    assert held.result == Accepted(pending=Pending(operation=OPERATION))
    put = held.writes[0]
    assert put.headers == {"if-none-match": "*"} and put.body == BODY and not put.repeatable


def test_a_change_keeps_what_it_does_not_say_and_says_what_it_was_made_from() -> None:
    there = table(routes=[{"name": "other", "properties": {"addressPrefix": "10.9.0.0/16"}}])
    held = hold(VERBS["put"].act(situation(PUT)), [there, answer(200, table("Updating").body)])
    put = held.writes[0]
    assert put.headers == {"if-match": 'W/"7"'}
    assert [route["name"] for route in put.body["properties"]["routes"]] == ["other", "all"]
    assert put.body["tags"] == {"kept": "yes"}
    assert "provisioningState" not in put.body["properties"] and "etag" not in put.body
    assert held.result.pending.resource == f"{TABLE}?api-version=2024-05-01", "no header: the resource is polled"


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (refusal(412, "PreconditionFailed"), 20),
        (refusal(429, "TooManyRequests", retry_after="9"), 9),
        (refusal(409, "AnotherOperationInProgress"), 20),
        (refusal(400, "ReferencedResourceNotProvisioned", retry_after="30"), 30),
    ],
)
def test_a_no_that_changed_nothing_is_tried_again(said: Response, wait: float) -> None:
    refused = hold(VERBS["put"].act(situation(PUT)), [gone(), said]).result
    assert isinstance(refused, Refused) and refused.wait == timedelta(seconds=wait)


@pytest.mark.parametrize(
    "said", [refusal(400, "InvalidRequestFormat"), refusal(403, "No"), refusal(501, "NotImplemented")]
)
def test_a_no_for_good(said: Response) -> None:
    assert hold(VERBS["put"].act(situation(PUT)), [gone(), said]).code == said.body["error"]["code"]


@pytest.mark.parametrize("said", [SILENCE, refusal(500, "InternalServerError"), answer(504), refusal(408, "Timeout")])
def test_no_answer_to_a_write_is_doubt(said: Answer) -> None:
    held = hold(VERBS["put"].act(situation(PUT)), [gone(), said])
    assert isinstance(held.error, TransportError) and len(held.writes) == 1


def test_a_put_is_done_when_a_get_shows_it_and_not_when_the_operation_says_so() -> None:
    pending = Pending(operation=OPERATION)
    script = [SUCCEEDED, gone(), table("Updating"), table()]
    held = hold(VERBS["put"].follow(situation(PUT, pending=pending)), script)
    assert held.result == {"started_at": "2026-01-05T06:00:01Z", "ended_at": "2026-01-05T06:00:09Z"}


def test_a_put_that_did_not_take_is_told_with_what_differs() -> None:
    held = hold(VERBS["put"].follow(situation(PUT)), [table(disableBgpRoutePropagation=False)] * 50)
    assert held.code == "NotAsWritten" and "properties.disableBgpRoutePropagation differ" in str(held.error)
    assert hold(VERBS["put"].follow(situation(PUT)), [gone()] * 50).code == "NotAsWritten"
    assert hold(VERBS["put"].follow(situation(PUT)), [table("Failed")]).code == "ProvisioningFailed"


def test_what_a_get_never_shows_is_not_missed() -> None:
    body = {"id": VM, "properties": {"osProfile": {"computerName": "vm", "adminPassword": "secret"}}}
    arguments = actions.put(body).arguments
    shown = answer(
        200, {"id": VM, "properties": {"osProfile": {"computerName": "vm"}, "provisioningState": "Succeeded"}}
    )
    assert isinstance(hold(VERBS["put"].look(situation(arguments)), [shown]).result, Present)


def test_site_recoverys_own_shapes_are_written_as_they_are() -> None:
    id_ = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v/replicationPolicies/p"
    body = {"id": id_, "properties": {"providerSpecificInput": {"instanceType": "A2A", "recoveryPointHistory": 1440}}}
    arguments = actions.put(body).arguments
    shown = answer(200, {"id": id_, "properties": {"providerSpecificDetails": {"instanceType": "A2A"}}})
    assert isinstance(hold(VERBS["put"].look(situation(arguments)), [shown]).result, Present)
    put = hold(VERBS["put"].act(situation(arguments)), [shown, answer(202, None, location=OPERATION)]).writes[0]
    assert put.body == body and put.headers == {}


# delete. -------------------------------------------------------------------------------------------------------------

DELETE = actions.delete(resource_id(TABLE)).arguments


def delete(*script: Answer, **more: Any) -> Any:
    return hold(VERBS["delete"].act(situation(DELETE, **more)), script)


def test_a_delete_leaves_at_once() -> None:
    held = delete(answer(202, None, azure_asyncoperation=OPERATION, location=OPERATION + "r"))
    assert held.asked == ["DELETE rt"] and not held.waits
    assert held.requests[0].timeout is not None and held.requests[0].timeout < timedelta(seconds=20)
    assert hold(VERBS["delete"].look(situation(DELETE)), []).result == Absent(), "nothing is looked at first"
    for said in (answer(200), answer(204), gone()):
        assert delete(said).result == Accepted()


@pytest.mark.parametrize(("kind", "body"), [("Items", {"disableProtectionReason": "NotSpecified"}), ("", None)])
def test_protection_is_disabled_and_not_purged(kind: str, body: Any) -> None:
    container = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v/replicationFabrics/f"
    container += "/replicationProtectionContainers/c"
    id_ = resource_id(f"{container}/replicationProtectedItems/web1" if kind else container)
    [request] = hold(VERBS["delete"].act(situation(actions.delete(id_).arguments)), [answer(202)]).requests
    assert request.method == "POST" and request.url.split("?")[0].endswith(f"{id_.name}/remove")
    assert request.body == (None if body is None else {"properties": body})


@pytest.mark.parametrize("elapsed", [0, 1, 15, 19.5, 20, 27])
def test_attempts_to_delete_stand_twenty_seconds_apart_from_the_first(elapsed: float) -> None:
    sent = NOW - timedelta(seconds=elapsed)
    refused = delete(refusal(503, "ServiceUnavailable"), sent_at=sent).result
    assert isinstance(refused, Refused)
    assert (elapsed + refused.wait.total_seconds()) % 20 == 0 and 0 < refused.wait.total_seconds() <= 20


def test_how_often_a_delete_is_tried() -> None:
    assert VERBS["delete"].attempts(situation(DELETE)) == 3
    assert VERBS["delete"].attempts(situation({**DELETE, "attempts": 7})) == 7
    assert isinstance(delete(SILENCE).error, TransportError)


def test_a_delete_is_done_when_nothing_is_there() -> None:
    pending = Pending(operation=OPERATION)
    held = hold(VERBS["delete"].follow(situation(DELETE, pending=pending, sent_at=NOW)), [SUCCEEDED, table(), gone()])
    assert held.result == {
        "sent_at": "2026-01-05T06:00:00.000000Z",
        "started_at": "2026-01-05T06:00:01Z",
        "ended_at": "2026-01-05T06:00:09Z",
    }
    assert hold(VERBS["delete"].follow(situation(DELETE)), [table()] * 50).code == "StillThere"


def test_a_delete_whose_operation_failed_is_tried_again() -> None:
    failed = answer(200, {"status": "Failed", "error": {"code": "InUse", "message": "m"}})
    held = hold(VERBS["delete"].follow(situation(DELETE, pending=Pending(operation=OPERATION))), [failed])
    assert isinstance(held.error, AgainError) and held.error.refused.fault.code == "InUse"


# deallocate. ---------------------------------------------------------------------------------------------------------

DEALLOCATE = actions.deallocate(resource_id(VM)).arguments


def power(state: str | None) -> Response:
    statuses = [{"code": "ProvisioningState/succeeded"}, *([] if state is None else [{"code": f"PowerState/{state}"}])]
    return answer(200, {"properties": {"instanceView": {"statuses": statuses}}})


def test_looking_at_a_machine_that_is_to_be_stopped() -> None:
    def found(*script: Answer, **arguments: Any) -> Any:
        return hold(VERBS["deallocate"].look(situation({**DEALLOCATE, **arguments})), script).result

    assert found(power("deallocated")) == Present(result={"found": True})
    for state in ("running", "stopped", "deallocating", None):
        assert found(power(state)) == Absent()
    assert found(gone()) == Present(result={"absent": True})
    assert found(gone(), if_there=False) == Absent()


@pytest.mark.parametrize("said", [SILENCE, refusal(503, "ServiceUnavailable"), refusal(504, "Timeout"), answer(429)])
def test_a_region_that_does_not_answer_yet_is_asked_again_and_again(said: Answer) -> None:
    """Its network may answer before its machines do: the step goes on trying, and does not fail at its look."""
    held = hold(VERBS["deallocate"].look(situation(DEALLOCATE)), [said] * CHANCES)
    assert held.result == Absent()


def test_a_machine_that_may_not_be_read_is_told() -> None:
    assert hold(VERBS["deallocate"].look(situation(DEALLOCATE)), [refusal(403, "No")]).code == "No"


def test_deallocating() -> None:
    held = hold(VERBS["deallocate"].act(situation(DEALLOCATE)), [answer(202, None, location=OPERATION)])
    assert held.asked == ["POST deallocate"] and not held.requests[0].repeatable
    busy = hold(VERBS["deallocate"].act(situation(DEALLOCATE)), [refusal(409, "OperationNotAllowed")]).result
    assert isinstance(busy, Refused)
    script = [answer(200), power("deallocating"), power("deallocated")]
    talk = VERBS["deallocate"].follow(situation(DEALLOCATE, pending=Pending(location=OPERATION)))
    assert hold(talk, script).error is None
    stubborn = hold(VERBS["deallocate"].follow(situation(DEALLOCATE)), [power("running")] * 50)
    assert stubborn.code == "NotDeallocated" and "running" in str(stubborn.error)


# person, site_change. ------------------------------------------------------------------------------------------------


def test_a_person_is_asked_and_believed() -> None:
    arguments = actions.person("call the provider").arguments
    assert hold(VERBS["person"].act(situation(arguments)), []).result == Asked(instruction="call the provider")
    assert hold(VERBS["person"].follow(situation(arguments, approved_by="ann")), []).result == {"by": "ann"}
    assert hold(VERBS["person"].look(situation(arguments)), []).result == Absent()


CIRCUIT = resource_id(f"{GROUP}/providers/Microsoft.Network/expressRouteCircuits/er")
ROUTER = {"name": "ce1", "local_preference": 50, "prepend": 2, "filters": []}
CHANGE = actions.site_change("dc", [ROUTER], [actions.expect_circuit(CIRCUIT, absent=["10.1.0.0/24"])]).arguments


def rows(*networks: str) -> Response:
    return answer(
        200, {"value": [{"network": network, "nextHop": "10.0.0.1", "path": "65010"} for network in networks]}
    )


def test_an_order_to_a_site_holds_whole_settings_and_is_given_even_where_it_looks_done() -> None:
    assert hold(VERBS["site_change"].look(situation(CHANGE)), []).result == Absent()
    held = hold(VERBS["site_change"].act(situation(CHANGE)), [])
    assert held.result == Accepted()
    assert [(order.site, list(order.routers), order.command) for order in held.applied] == [("dc", [ROUTER], None)]
    asked = Asked(instruction="please")
    assert hold(VERBS["site_change"].act(situation(CHANGE)), [], person=asked).result == asked


def test_a_site_that_says_done_and_does_nothing_is_found_out() -> None:
    held = hold(VERBS["site_change"].follow(situation(CHANGE, accepted_at=NOW)), [rows("10.1.0.0/24")] * 500)
    assert held.code == "SiteNotChanged"
    assert "10.1.0.0/24 is still announced" in str(held.error) and "er primary" in str(held.error)
    assert timedelta(minutes=10) <= held.now - NOW < timedelta(minutes=11)


def test_a_site_that_does_it_is_believed_by_both_links_tables() -> None:
    script = [rows("10.1.0.0/24"), rows(), rows("10.9.0.0/16"), rows()]
    held = hold(VERBS["site_change"].follow(situation(CHANGE, accepted_at=NOW, approved_by="ann")), script)
    assert held.result["by"] == "ann"
    assert held.result["tables"] == {"er/primary": ["10.9.0.0/16 via 10.0.0.1 path 65010"], "er/secondary": []}


# What verbs share. ---------------------------------------------------------------------------------------------------


def test_a_read_has_patience_and_knows_its_end() -> None:
    held = hold(get_url("/x"), [SILENCE, answer(503), answer(429), SILENCE, answer(200, {"a": 1})])
    assert held.result.body == {"a": 1} and held.waited == 40
    assert isinstance(hold(get_url("/x"), [SILENCE] * CHANCES).error, TransportError)
    assert hold(get_url("/x"), [refusal(503, "ServiceUnavailable")] * CHANCES).code == "ServiceUnavailable"
    assert hold(get_url("/x"), [refusal(403, "AuthorizationFailed")]).code == "AuthorizationFailed"
    assert hold(get_url("/x"), [gone()]).result.status == 404


def test_every_action_of_the_plan_has_its_verb() -> None:
    from farshore.errors import InputError

    for name in VERBS:
        assert verb_named(name).name == name and callable(getattr(actions, name))
    with pytest.raises(InputError, match="no verb fly"):
        verb_named("fly")
