"""The same over TLS and real HTTP, where paths, headers and bodies are taken apart by a server: bytes on a socket."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given

from lab.automation.served import Served
from lab.fuzz import mangling, rules
from lab.fuzz.estate import fresh
from lab.fuzz.mangling import Case
from lab.fuzz.rig import TOKEN, Answer, Sent
from lab.fuzz.settings import fuzz

BROKEN = (
    b"GET",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /subscriptions HTTP/9.9\r\nhost: x\r\n\r\n",
    b"GET  /  HTTP/1.1\r\nhost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{}",
    b"\x16\x03\x01" * 20,
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000 + b"\r\n",
)


class Wire:
    """Sends a request as its bytes, to a lab that is served."""

    def __init__(self, served: Served, folder: Path) -> None:
        parts = urlsplit(served.known["url"])
        self._address = (str(parts.hostname), int(parts.port or 0))
        self._context = ssl.create_default_context(cafile=str(folder / served.known["ca"]))

    def raw(self, content: bytes, method: str, timeout: float = 10) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; None where the server hangs up."""
        with (
            socket.create_connection(self._address, timeout=timeout) as plain,
            self._context.wrap_socket(plain, server_hostname=self._address[0]) as connected,
        ):
            connected.sendall(content)
            response = http.client.HTTPResponse(connected, method=method)
            try:
                response.begin()
                return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
            except (http.client.HTTPException, ConnectionError, TimeoutError):
                return None

    def send(self, sent: Sent) -> Answer | None:
        target = sent.path + (f"?{sent.query}" if sent.query else "")
        lines = [f"{sent.method} {target} HTTP/1.1", "host: lab", "connection: close"]
        lines += [f"{name}: {value}" for name, value in sent.headers.items()]
        lines += [f"content-length: {len(sent.content)}", "", ""]
        found = self.raw("\r\n".join(lines).encode("latin-1", "replace") + sent.content, sent.method)
        return None if found is None else Answer(status=found[0], headers=found[1], content=found[2])


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    folder = tmp_path_factory.mktemp("served")
    with Served(folder, fresh("served"), runbooks=False) as served:
        yield Wire(served, folder)


@fuzz(share=2)
@given(mangling.requests())
def test_whatever_comes_over_the_wire_is_answered(wire: Wire, case: Case) -> None:
    if case.operation.tail in ("/_lab/clock", "/_lab/faults"):
        return  # They last, and this lab has more to answer.
    answer = wire.send(case.sent)
    if answer is None or answer.content == b"Invalid HTTP request received.":
        # Not HTTP any more: the lab has never heard of it.
        assert not all(33 <= ord(letter) < 127 for letter in case.sent.path + case.sent.query)
        return
    rules.well_formed(case, answer)


def test_what_is_no_http_hurts_nobody(wire: Wire) -> None:
    for content in BROKEN:
        found = wire.raw(content, "GET", timeout=0.3)
        assert found is None or found[0] < 500, (content[:80], found)
    alive = wire.send(Sent(method="GET", path="/subscriptions", headers={"authorization": TOKEN}))
    assert alive is not None and alive.status == 200 and json.loads(alive.content)["value"]
