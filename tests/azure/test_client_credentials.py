"""Where the token goes, and where it must not: ARM's own host, and nobody who brings a credential of his own."""

from __future__ import annotations

import asyncio

from farshore.arm.http import Request, Response
from farshore.azure.clouds import client_for
from farshore.clock import WallClock


def heard(request: Request) -> dict[str, str]:
    """The headers that reach whoever answers."""
    seen: list[Request] = []

    async def answer(asked: Request) -> Response:
        seen.append(asked)
        return Response(status=200, body={})

    async def send() -> None:
        async with client_for(answer, WallClock()) as client:
            await client.send(request)

    asyncio.run(send())
    return dict(seen[0].headers)


def test_the_token_goes_to_arm() -> None:
    assert heard(Request(method="GET", url="/subscriptions"))["authorization"].startswith("Bearer ")


def test_the_token_does_not_go_to_another_host() -> None:
    assert "authorization" not in heard(Request(method="GET", url="https://elsewhere.example/next"))


def test_a_credential_of_one_s_own_is_left_alone() -> None:
    request = Request(method="GET", url="/_blob/a/b", headers={"authorization": "AccountKey x"})
    assert heard(request)["authorization"] == "AccountKey x"
