"""Long-running operations, followed by hand: each answer ARM is allowed to give, and those it should not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from farshore.arm.http import Response
from farshore.azure.lro import MISSES, Pending, follow, pending_from, pending_of, retry_after, running
from farshore.errors import ArmError, TransportError
from run.talk import ARM, GROUP, NOW, SILENCE, Answer, Held, answer, gone, hold, refusal

OPERATION = f"{ARM}{GROUP}/providers/Microsoft.Network/locations/x/operations/1?api-version=2024-05-01"
LOCATION = f"{ARM}{GROUP}/providers/Microsoft.Network/locations/x/operationResults/1?api-version=2024-05-01"
RESOURCE = f"{GROUP}/providers/Microsoft.Network/virtualNetworkGateways/gw?api-version=2024-05-01"


def status(text: str, **headers: str) -> Response:
    return answer(200, {"status": text}, **headers)


def state(text: str | None, **headers: str) -> Response:
    return answer(200, {"id": "x", "properties": {} if text is None else {"provisioningState": text}}, **headers)


def urls(held: Held) -> list[str]:
    return [request.url for request in held.requests]


# What an accepted write leaves to follow. ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "resource", "pending"),
    [
        (answer(201, {}, azure_asyncoperation="op"), None, Pending(operation="op")),
        (answer(200, {}, azure_asyncoperation="op"), RESOURCE, Pending(operation="op")),
        (answer(202, None, azure_asyncoperation="op", location="l"), None, Pending(operation="op", location="l")),
        (answer(202, None, location="l"), None, Pending(location="l")),
        (answer(201, state("Updating").body, location="l"), RESOURCE, Pending(location="l")),
        # A Location on a 200 is where the resource lives, not what to wait for.
        (answer(200, state("Succeeded").body, location="l"), RESOURCE, Pending()),
        (state("Updating"), RESOURCE, Pending(resource=RESOURCE)),
        (state("Updating"), None, Pending()),
        (state("Succeeded"), RESOURCE, Pending()),
        (state(None), RESOURCE, Pending()),
        (answer(204), RESOURCE, Pending()),
    ],
)
def test_what_there_is_to_follow(response: Response, resource: str | None, pending: Pending) -> None:
    assert pending_of(response, resource) == pending
    assert pending_from(pending.as_json()) == pending
    assert bool(pending) == bool(pending.as_json())


# The three ways. -----------------------------------------------------------------------------------------------------


def test_the_status_document_comes_before_location() -> None:
    started = answer(202, None, azure_asyncoperation=OPERATION, location=LOCATION)
    held = hold(follow(started, since=NOW), [status("InProgress"), status("Succeeded")])
    assert urls(held) == [OPERATION, OPERATION]
    assert held.result.body == {"status": "Succeeded"}


def test_what_a_post_asked_for_is_read_from_location_in_the_end() -> None:
    started = answer(202, None, azure_asyncoperation=OPERATION, location=LOCATION)
    held = hold(follow(started, since=NOW, result=True), [status("Succeeded"), answer(200, {"value": [1]})])
    assert urls(held) == [OPERATION, LOCATION]
    assert held.result.body == {"value": [1]}


@pytest.mark.parametrize("miss", [SILENCE, answer(503), answer(429), answer(202)])
def test_a_result_that_does_not_come_at_once_is_asked_for_again(miss: Answer) -> None:
    started = answer(202, None, azure_asyncoperation=OPERATION, location=LOCATION)
    held = hold(follow(started, since=NOW, result=True), [status("Succeeded"), miss, answer(200, {"value": [1]})])
    assert urls(held) == [OPERATION, LOCATION, LOCATION]
    assert held.result.body == {"value": [1]}


def test_location_is_polled_until_it_is_no_202() -> None:
    held = hold(follow(answer(202, None, location=LOCATION), since=NOW), [answer(202), answer(202), answer(204)])
    assert urls(held) == [LOCATION] * 3
    assert held.result.status == 204


def test_a_202_that_names_another_location_is_followed_there() -> None:
    moved = LOCATION.replace("/1?", "/2?")
    script = [answer(202, None, location=moved), answer(202), answer(200, {"value": []})]
    held = hold(follow(answer(202, None, location=LOCATION), since=NOW), script)
    assert urls(held) == [LOCATION, moved, moved]
    stays = hold(follow(OPERATION, since=NOW), [answer(202, None, location=moved), status("Succeeded")])
    assert urls(stays) == [OPERATION, OPERATION], "a status document is where it was said to be"


def test_without_either_header_the_resource_itself_is_polled() -> None:
    held = hold(
        follow(state("Updating"), since=NOW, resource=RESOURCE),
        [state("Updating"), state("SomethingNew"), state("Succeeded")],
    )
    assert urls(held) == [RESOURCE] * 3
    assert held.waited == 30


def test_an_answer_that_is_done_asks_for_nothing() -> None:
    done = state("Succeeded")
    held = hold(follow(done, since=NOW, resource=RESOURCE), [])
    assert held.result is done and not held.requests and not held.waits


def test_words_that_arm_may_add_count_as_running() -> None:
    for word in ("Accepted", "InProgress", "Running", "Deploying", "Creating"):
        assert running(status(word))
    assert not running(status("succeeded"))
    assert not running(answer(200, [1, 2])) and not running(answer(204))


# Time. ---------------------------------------------------------------------------------------------------------------


def test_the_pause_is_what_the_service_last_asked_for() -> None:
    started = answer(202, None, location=LOCATION, retry_after="7")
    script = [answer(202, None, retry_after="3"), answer(202), answer(200)]
    held = hold(follow(started, since=NOW), script)
    assert [wait.total_seconds() for wait in held.waits] == [7, 2, 3], "on a grid from the moment of acceptance"


def test_milliseconds_come_before_seconds_and_nonsense_is_ten() -> None:
    assert retry_after(answer(202, None, retry_after_ms="250", retry_after="60")) == timedelta(seconds=0.25)
    assert retry_after(answer(202, None, retry_after_ms="no", retry_after="60")) == timedelta(seconds=60)
    for text in ("0", "-5", "soon", "", "nan", "inf", "1e400"):
        assert retry_after(answer(202, None, retry_after=text)) is None, text
    held = hold(follow(answer(202, None, location=LOCATION, retry_after="soon"), since=NOW), [answer(200)])
    assert held.waited == 10


def test_a_date_to_wait_for_is_measured_by_the_services_own_clock() -> None:
    said = answer(
        202, None, location=LOCATION, date="Mon, 05 Jan 2026 05:58:00 GMT", retry_after="Mon, 05 Jan 2026 05:58:30 GMT"
    )
    assert retry_after(said) == timedelta(seconds=30)
    past = answer(202, None, date="Mon, 05 Jan 2026 05:58:00 GMT", retry_after="Mon, 05 Jan 2026 05:57:00 GMT")
    assert retry_after(past) is None
    assert retry_after(answer(202, None, retry_after="Mon, 05 Jan 2026 05:58:30 GMT")) is None, "no clock to go by"


def test_a_stored_url_is_asked_at_once_and_then_on_the_first_beat() -> None:
    later = NOW + timedelta(seconds=1234.5)
    held = hold(follow(OPERATION, since=NOW), [status("InProgress"), status("Succeeded")], now=later)
    assert urls(held) == [OPERATION] * 2
    assert [wait.total_seconds() for wait in held.waits] == [5.5]
    stored = pending_from({"operation": OPERATION, "location": LOCATION})
    assert urls(hold(follow(stored, since=NOW), [status("Succeeded")])) == [OPERATION]


# How it can end badly. -----------------------------------------------------------------------------------------------


def test_a_failed_operation_is_its_own_error() -> None:
    fault = {"code": "OverlappingAddressSpace", "message": "10.1.0.0/24", "target": "x", "details": [{"code": "D"}]}
    held = hold(
        follow(answer(201, {}, azure_asyncoperation=OPERATION), since=NOW),
        [answer(200, {"status": "Failed", "error": fault})],
    )
    assert held.code == "OverlappingAddressSpace"
    assert isinstance(held.error, ArmError)
    assert held.error.fault.target == "x" and held.error.fault.details == ({"code": "D"},)


@pytest.mark.parametrize("word", ["Failed", "Canceled", "Cancelled", "canceled"])
def test_an_end_without_an_error_object_still_names_it(word: str) -> None:
    held = hold(follow(answer(201, {}, azure_asyncoperation=OPERATION), since=NOW), [status(word)])
    assert held.code == f"Operation{word}"
    assert hold(follow(Pending(resource=RESOURCE), since=NOW), [state(word)]).code == f"Operation{word}"


@pytest.mark.parametrize("body", [{"error": None}, {"error": "text"}, {"error": {}}, {"error": {"details": "x"}}])
def test_an_error_object_that_is_none_breaks_nothing(body: dict[str, object]) -> None:
    assert hold(follow(OPERATION, since=NOW), [answer(200, {"status": "Failed", **body})]).code
    assert hold(follow(OPERATION, since=NOW), [answer(400, body)]).code == "HTTP400"


def test_succeeded_with_an_error_beside_it_has_succeeded() -> None:
    body = {"status": "Succeeded", "error": {"code": "X", "message": "left over (S17)"}}
    assert hold(follow(OPERATION, since=NOW), [answer(200, body)]).result.body == body


def test_a_refused_poll_is_a_refusal() -> None:
    assert hold(follow(OPERATION, since=NOW), [refusal(403, "AuthorizationFailed")]).code == "AuthorizationFailed"


def test_an_operation_that_nobody_knows_any_more_is_over() -> None:
    assert hold(follow(OPERATION, since=NOW), [status("InProgress"), gone()]).result.status == 404
    assert hold(follow(answer(202, None, location=LOCATION), since=NOW), [gone()]).result.status == 404


def test_lost_answers_are_missed_and_tried_again() -> None:
    script: list[Answer] = [
        SILENCE,
        answer(503),
        answer(429, None, retry_after="40"),
        answer(408),
        SILENCE,
        status("Succeeded"),
    ]
    held = hold(follow(OPERATION, since=NOW), script)
    assert held.result.body == {"status": "Succeeded"}
    assert [wait.total_seconds() for wait in held.waits] == [10, 10, 20, 40, 40], "429 waits as told"


def test_patience_is_for_misses_in_a_row() -> None:
    mixed: list[Answer] = [SILENCE, answer(500)] * (MISSES // 2)
    held = hold(follow(OPERATION, since=NOW), [*mixed, status("InProgress"), *mixed, status("Succeeded")])
    assert held.result.body == {"status": "Succeeded"}


def test_patience_ends() -> None:
    silence: list[Answer] = [SILENCE] * (MISSES + 1)
    silent = hold(follow(OPERATION, since=NOW), silence)
    assert isinstance(silent.error, TransportError) and len(silent.requests) == MISSES + 1
    refused = hold(follow(OPERATION, since=NOW), [refusal(503, "ServiceUnavailable")] * (MISSES + 1))
    assert refused.code == "ServiceUnavailable" and len(refused.requests) == MISSES + 1
