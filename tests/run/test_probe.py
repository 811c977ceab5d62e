"""Probes over real sockets: a network that refuses, resets, hangs, comes late and says what is no HTTP; and a lab,
where no real network leads to a machine."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from farshore import examples
from farshore.cli.handles import Handles, LabProber
from farshore.lab.certificates import certificates
from farshore.lab.transport import lab_client, lab_clock
from farshore.run.probers import HERE, SocketProber
from farshore.run.verbs.base import Connect, Execute, Get, Probed
from run.bench import Bench

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GET = Get(path="/health?a=b", host=None, https=False, verify=True)
QUICK = 0.3


def probed(serve: Serve, get: Get | None, *, tls: ssl.SSLContext | None = None, seconds: float = QUICK) -> Probed:
    """What a probe says of a server that behaves so."""

    serving: list[asyncio.Task[None] | None] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        try:
            with suppress(ConnectionError):
                await serve(reader, writer)
        finally:
            writer.transport.abort()

    async def whole() -> Probed:
        server = await asyncio.start_server(behave, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        try:
            order = Connect(address="127.0.0.1", port=port, timeout_seconds=seconds, get=get)
            return await SocketProber().connect(order)
        finally:
            server.close()
            for task in serving:
                if task is not None:
                    task.cancel()
            await asyncio.gather(*filter(None, serving), return_exceptions=True)
            await asyncio.sleep(0)

    return asyncio.run(whole())


def says(*parts: bytes | float) -> Serve:
    """A server that writes these parts, and lets so many seconds pass between them; then it closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
        writer.close()
        await writer.wait_closed()

    return serve


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes so that the other side is told of a reset."""
    await reader.readline()
    held = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(QUICK * 3)
    writer.close()


@pytest.mark.parametrize(
    ("serve", "status", "said"),
    [
        (says(b"HTTP/1.1 200 OK\r\n\r\n"), 200, "HTTP 200"),
        (says(b"HTTP/1.0 503\r\n\r\n"), 503, "HTTP 503"),
        (says(b"HTTP/1.1 404 Not Found\n\n"), 404, "HTTP 404"),
        (says(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), 204, "HTTP 204"),
        (says(b"HTTP/1.1 2", 0.05, b"01 Created\r\n\r\n"), 201, "HTTP 201"),
        (says(QUICK * 2, b"HTTP/1.1 200 OK\r\n\r\n"), None, "connected, and no answer within 0.3 s"),
        (hangs, None, "connected, and no answer within 0.3 s"),
        (resets, None, "the connection was reset"),
        (says(), None, "closed without an answer"),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n"), None, "closed without an answer"),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), None, "nothing but interim answers"),
        (says(b"HTTP/1.1 200"), None, "not HTTP/1.1"),
        (says(b"HTTP/1.1 999 x\r\n\r\n"), None, "not HTTP/1.1"),
        (says(b"220 mail ESMTP\r\n"), None, "not HTTP/1.1: b'220 mail"),
        (says(b"PRI * HTTP/2.0\r\n\r\n"), None, "not HTTP/1.1"),
        (says(b"\x00\xff\xfe"), None, "not HTTP/1.1"),
        (says(b"x" * 200_000), None, "can't be read"),
    ],
)
def test_whatever_comes_of_a_get_is_an_answer(serve: Serve, status: int | None, said: str) -> None:
    found = probed(serve, GET)
    assert found.status == status and said in found.said, found
    assert found.asked_from == HERE


def test_what_a_get_says() -> None:
    heard = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    assert probed(serve, Get(path="/health?a=b", host="www.example.com", https=False, verify=True)).status == 200
    lines = heard.decode().split("\r\n")
    assert lines[0] == "GET /health?a=b HTTP/1.1" and "Connection: close" in lines
    assert lines[1].startswith("Host: www.example.com:")


def test_who_listens_and_who_does_not() -> None:
    assert probed(hangs, None).status == 0, "a connection that is taken is all that a TCP probe asks for"

    async def refused() -> Probed:
        server = await asyncio.start_server(hangs, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await SocketProber().connect(Connect(address="127.0.0.1", port=port, timeout_seconds=QUICK))

    found = asyncio.run(refused())
    assert found.status is None and "refused" in found.said


def test_a_certificate_counts_unless_it_is_said_not_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    answer = says(b"HTTP/1.1 200 OK\r\n\r\n")

    def asked(host: str | None, *, verify: bool) -> Probed:
        return probed(answer, Get(path="/", host=host, https=True, verify=verify), tls=context, seconds=5)

    strange = asked("localhost", verify=True)
    assert strange.status is None and "certificate is not trusted here" in strange.said
    assert asked("www.example.com", verify=False).status == 200
    monkeypatch.setenv("SSL_CERT_FILE", str(made.ca))
    assert asked("localhost", verify=True).status == 200
    other = asked("www.example.com", verify=True)
    assert other.status is None and "certificate is not trusted here" in other.said
    plain = probed(answer, Get(path="/", host=None, https=True, verify=False), seconds=5)
    assert plain.status is None and plain.said.startswith("no TLS")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("import os; print(os.environ['FARSHORE_MACHINE'])", 0, "ended with status 0: web1"),
        ("import sys; print('no', flush=True); print('not yet', file=sys.stderr); sys.exit(3)", 3, "status 3: not yet"),
        ("import os; os.kill(os.getpid(), 9)", -9, "status -9, and said nothing"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", 0, "status 0"),
        ("import time; time.sleep(60)", None, "did not end within 0.5 s"),
        ("import os, time; os.fork(); time.sleep(60)", None, "did not end within 0.5 s"),
    ],
)
def test_how_a_program_ends(code: str, status: int | None, said: str) -> None:
    seconds = 0.5 if status is None else 20
    order = Execute(
        command=(sys.executable, "-c", code), environment={"FARSHORE_MACHINE": "web1"}, timeout_seconds=seconds
    )
    found = asyncio.run(SocketProber().execute(order))
    assert found.status == status and said in found.said, found


def test_a_program_that_is_not_there() -> None:
    order = Execute(command=("./no-such-program",), environment={}, timeout_seconds=5)
    found = asyncio.run(SocketProber().execute(order))
    assert found.status is None and "can't be run" in found.said


@pytest.mark.parametrize(
    ("address", "port", "get", "status", "said"),
    [
        ("10.1.0.4", 443, None, 0, "web1 took it"),
        ("10.1.0.4", 443, GET, 200, "as every machine of a lab answers"),
        ("10.1.0.4", 81, GET, None, "Denied"),
        ("10.1.0.99", 443, None, None, ":"),
    ],
)
def test_in_a_lab_a_probe_goes_from_a_site(
    address: str, port: int, get: Get | None, status: int | None, said: str
) -> None:
    _, estate = examples.read("two-circuits-two-locations")
    cloud = Bench(estate=estate).cloud

    async def asked() -> Probed:
        clock = lab_clock(cloud)
        async with clock.actor("test"), lab_client(cloud, clock) as client:
            prober = LabProber(Handles(client), estate.sites[0].name)
            return await prober.connect(Connect(address=address, port=port, timeout_seconds=5, get=get))

    found = asyncio.run(asked())
    assert found.status == status and said in found.said
    assert found.asked_from == "site datacenter, in the lab's data plane"
