"""The client behind a function that answers: what is sent again and what is not, pages, tokens, secrets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from farshore.arm.http import Request, Response
from farshore.azure.client import RETRIES, ArmClient
from farshore.azure.clouds import client_for
from farshore.azure.transport import HandlerTransport
from farshore.clock import LabClock
from farshore.errors import ArmError, TransportError
from run.talk import NOW, SILENCE, Silence, answer, refusal

BASE = "https://management.lab"


class World:
    """Answers from a script, then with 200; keeps what it was asked and when."""

    def __init__(self, *script: Response | Silence) -> None:
        self.script = list(script)
        self.asked: list[Request] = []
        self.at: list[float] = []
        self.clock = LabClock(NOW)

    async def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        self.at.append((self.clock.now() - NOW).total_seconds())
        said = self.script.pop(0) if self.script else answer(200, {})
        if isinstance(said, Silence):
            raise TransportError("silence")
        return said

    def run(self, work: Callable[[ArmClient], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            async with self.clock.actor("test"), client_for(self, self.clock, BASE) as client:
                return await work(client)

        return asyncio.run(whole())

    def send(self, request: Request) -> Response:
        response: Response = self.run(lambda client: client.send(request))
        return response

    def ids(self) -> list[str]:
        return [request.headers["x-ms-client-request-id"] for request in self.asked]


FAILOVER = Request(method="POST", url="/items/vm/unplannedFailover?api-version=1", repeatable=False)
READ = Request(method="GET", url="/items/vm?api-version=1")
NOT_YET = [
    refusal(500, "InternalServerError"),
    refusal(503, "ServiceUnavailable", retry_after="1"),
    refusal(429, "TooManyRequests", retry_after="1"),
    refusal(409, "Conflict", retry_after="1"),
    answer(202, None, retry_after="1"),
    SILENCE,
]


# What is sent again. -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", NOT_YET, ids=lambda said: getattr(said, "status", "silence"))
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_what_is_not_repeatable_is_sent_once(said: Response | Silence, method: str) -> None:
    world = World(said)
    request = Request(method=method, url=FAILOVER.url, repeatable=False)
    if isinstance(said, Silence):
        with pytest.raises(TransportError):
            world.send(request)
    else:
        assert world.send(request).status == said.status
    assert len(world.asked) == 1
    assert world.at == [0.0]


def test_a_read_is_sent_again_and_keeps_its_request_id() -> None:
    world = World(answer(503), answer(500), answer(200, {"a": 1}))
    assert world.send(READ).body == {"a": 1}
    assert len(world.asked) == 3
    assert len(set(world.ids())) == 1, "one request, one id"


def test_two_requests_have_two_ids() -> None:
    world = World()

    async def twice(client: ArmClient) -> None:
        await client.send(READ)
        await client.send(READ)

    world.run(twice)
    assert len(set(world.ids())) == 2


def test_429_waits_as_told_on_the_clock() -> None:
    world = World(refusal(429, "TooManyRequests", retry_after="17"), answer(200, {}))
    assert world.send(READ).status == 200
    assert world.at == [0.0, 17.0]


def test_a_read_gives_up_after_a_few_times_with_the_answer_that_it_got() -> None:
    world = World(*[refusal(503, "ServiceUnavailable")] * 20)
    assert world.send(READ).status == 503
    assert len(world.asked) == 1 + RETRIES


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412])
def test_a_no_is_an_answer(status: int) -> None:
    world = World(refusal(status, "No"))
    assert world.send(READ).status == status
    assert len(world.asked) == 1


# Answers that are none. ----------------------------------------------------------------------------------------------


def test_half_an_answer_is_none() -> None:
    half = Response(status=200, body=b'{"value": [', headers={"content-type": "application/json"})
    with pytest.raises(TransportError, match="not the JSON"):
        World(half).send(READ)


def test_a_proxys_page_is_no_answer() -> None:
    page = Response(status=200, body=b"<html>log in", headers={"content-type": "text/html; charset=utf-8"})
    with pytest.raises(TransportError, match="page"):
        World(page).send(READ)
    with pytest.raises(TransportError):
        World(page).run(lambda client: client.list_all("/items"))


@pytest.mark.parametrize("body", [b"<html>502", b'{"error":', None, {"message": "no"}, {"error": "text"}, [1]])
def test_a_refusal_without_an_error_object_is_told_by_its_status(body: Any) -> None:
    # A gateway's 404 is not asked again, and has no JSON.
    headers = {"content-type": "application/json"} if isinstance(body, bytes) else {}
    world = World(Response(status=404, body=body, headers=headers))
    with pytest.raises(ArmError) as raised:
        world.run(lambda client: client.get("/items"))
    assert raised.value.fault.code == "HTTP404" and raised.value.fault.status == 404


def test_an_address_that_is_none_is_no_answer() -> None:
    with pytest.raises(TransportError, match="no URL"):
        World().send(Request(method="GET", url="https://[half/operations/1?sig=SECRET"))


# Pages. --------------------------------------------------------------------------------------------------------------


def test_pages_are_followed_as_they_came() -> None:
    link = f"{BASE}/items?api-version=1&$skipToken=a%2Fb%3D"
    world = World(
        answer(200, {"value": [{"id": 1}], "nextLink": link}),
        answer(200, {"value": [], "nextLink": "/items?page=3"}),
        answer(200, {"value": [{"id": 2}], "nextLink": None}),
    )
    assert world.run(lambda client: client.list_all("/items?api-version=1")) == [{"id": 1}, {"id": 2}]
    assert [request.url for request in world.asked] == [
        f"{BASE}/items?api-version=1",
        link,
        f"{BASE}/items?page=3",
    ]


def test_a_page_on_another_host_is_asked_for_without_the_token() -> None:
    world = World(
        answer(200, {"value": [1], "nextLink": "https://elsewhere.example/next?token=1"}), answer(200, {"value": [2]})
    )
    assert world.run(lambda client: client.list_all("/items")) == [1, 2]
    assert ["authorization" in request.headers for request in world.asked] == [True, False]


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://eastasia.management.lab/x", True),
        ("https://MANAGEMENT.LAB/x", True),
        ("https://management.lab.evil.example/x", False),
        ("https://evilmanagement.lab/x", False),
        ("https://management.lab@evil.example/x", False),
        ("//evil.example/x", False),
    ],
)
def test_who_is_trusted_with_the_token(url: str, trusted: bool) -> None:
    world = World()
    world.send(Request(method="GET", url=url))
    assert ("authorization" in world.asked[0].headers) is trusted


def test_the_token_does_not_go_over_a_line_that_anyone_can_read() -> None:
    world = World()
    with pytest.raises(TransportError):
        world.send(Request(method="GET", url="http://management.lab/x"))
    assert not world.asked


def test_pages_that_lead_back_to_themselves_end() -> None:
    world = World(*[answer(200, {"value": [1], "nextLink": "/items"})] * 3)
    assert world.run(lambda client: client.list_all("/items")) in ([1], [1, 1])


def test_a_list_that_breaks_off_is_no_short_list() -> None:
    world = World(answer(200, {"value": [1], "nextLink": "/items?page=2"}), refusal(403, "AuthorizationFailed"))
    with pytest.raises(ArmError, match="AuthorizationFailed"):
        world.run(lambda client: client.list_all("/items"))


# Headers, bodies, time. ----------------------------------------------------------------------------------------------


def test_what_is_sent() -> None:
    world = World()
    world.send(Request(method="PUT", url="/x", body={"a": [1, None]}, headers={"if-match": "e"}, repeatable=False))
    world.send(Request(method="POST", url="/x", repeatable=False))
    put, post = world.asked
    assert put.body == {"a": [1, None]} and put.headers["content-type"] == "application/json"
    assert put.headers["if-match"] == "e" and put.headers["accept"] == "application/json"
    assert post.body is None and post.headers["content-length"] == "0"
    assert "farshore" in put.headers["user-agent"]


def test_a_request_waits_as_long_as_it_says() -> None:
    world = World()
    world.send(Request(method="GET", url="/x", timeout=timedelta(seconds=4)))
    world.send(Request(method="GET", url="/x"))
    assert [request.timeout for request in world.asked] == [timedelta(seconds=4), timedelta(seconds=60)]


def test_bytes_come_as_bytes() -> None:
    assert World(Response(status=206, body=b"\x00\x01")).send(READ).body == b"\x00\x01"
    assert World(answer(204)).send(READ).body is None


# Who is asking. ------------------------------------------------------------------------------------------------------


class Refusing:
    """A credential that has none."""

    async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        from azure.core.exceptions import ClientAuthenticationError

        raise ClientAuthenticationError("please log in")

    async def close(self) -> None: ...

    async def __aenter__(self) -> Refusing:
        return self

    async def __aexit__(self, *exc_info: object) -> None: ...


def test_who_can_t_log_in_is_told_so() -> None:
    world = World()

    async def whole() -> None:
        client = ArmClient(BASE, transport=HandlerTransport(world, world.clock), credential=Refusing())
        async with world.clock.actor("test"), client:
            await client.send(FAILOVER)

    with pytest.raises(ArmError, match="please log in") as raised:
        asyncio.run(whole())
    assert raised.value.fault.code == "AuthenticationFailed" and not world.asked


# Secrets. ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [answer(200, {"properties": {"authorizationKey": "SECRET-KEY"}}), SILENCE])
def test_no_secret_reaches_a_log_or_an_exception(said: Response | Silence, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    request = Request(
        method="PUT",
        url="https://account.blob.lab/d?sv=1&sig=SECRET-SIG",
        body={"adminPassword": "SECRET-WORD"},
        headers={"authorization": "SharedKey SECRET-SHARED"},
        repeatable=False,
    )
    told = ""
    try:
        World(said).send(request)
        World(said).send(READ)
    except TransportError as error:
        told = f"{error} {error!r} {error.__cause__}"
    assert "management.lab" in caplog.text or told, "something was logged at all"
    assert "SECRET" not in caplog.text and "Bearer" not in caplog.text and "in-process" not in caplog.text
    assert "SECRET" not in told
