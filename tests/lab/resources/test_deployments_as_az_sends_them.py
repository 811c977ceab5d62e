"""What `az deployment group create` puts on the wire, through the served lab's own door: a file's text as it is, behind
a key without quotes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from farshore.arm.json import dumps, loads
from farshore.lab.served_clock import ServedClock
from farshore.lab.server import LabApp
from lab.core.bench import Lab
from lab.resources.deployed import GROUP_ID, ip, template

TOKEN = "Bearer a.b.c"
DEPLOYMENT = f"{GROUP_ID}/providers/Microsoft.Resources/deployments/d"
FILE = dumps(template(ip("ip-1"))).decode().replace("{", "{ // as somebody has written it\n", 1)
SENT = f'{{"properties": {{"mode": "Incremental", "parameters": {{}}, template:{FILE}}}}}'


@pytest.fixture
def app() -> LabApp:
    cloud = Lab().cloud
    return LabApp(cloud, ServedClock(cloud.now, "hand"), "https://lab")


def ask(app: LabApp, method: str, path: str, content: str) -> tuple[int, Any]:
    """Status and body of one request over ASGI."""
    sent: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content.encode()}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"api-version=2025-04-01",
        "headers": [(b"authorization", TOKEN.encode()), (b"content-type", b"application/json")],
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], loads(b"".join(message.get("body", b"") for message in sent[1:]))


def test_a_file_is_read_as_arm_reads_it(app: LabApp) -> None:
    status, body = ask(app, "POST", f"{DEPLOYMENT}/validate", SENT)
    assert (status, body["properties"]["provisioningState"]) == (200, "Succeeded")
    assert ask(app, "PUT", DEPLOYMENT, SENT)[0] == 201


def test_what_arm_would_not_read_is_refused(app: LabApp) -> None:
    status, body = ask(app, "PUT", DEPLOYMENT, SENT[:-1])
    assert (status, body["error"]["code"]) == (400, "InvalidRequestContent")
