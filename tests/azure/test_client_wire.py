"""The client on real sockets: answers that break off, that are garbage, that never come. Nothing but `TransportError`
comes out, and no signature with it."""

from __future__ import annotations

import asyncio
import gzip
import logging
import traceback
from datetime import timedelta

import pytest

from farshore.arm.http import Request, Response
from farshore.azure.client import ArmClient
from farshore.azure.clouds import _transport
from farshore.errors import TransportError

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
BODY = b'{"value": [1, 2, 3], "padding": "........................................"}'

BROKEN = {
    "half a body": HEAD + b"content-length: 100\r\n\r\n" + BODY[:20],
    "half a chunk": HEAD + b'transfer-encoding: chunked\r\n\r\n9\r\n{"value"',
    "half a gzip": HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(BODY)[:25],
    "no gzip at all": HEAD + b"content-encoding: gzip\r\n\r\n" + BODY,
    "half a JSON": HEAD + b"content-length: 20\r\n\r\n" + BODY[:20],
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a length that is none": HEAD + b"content-length: many\r\n\r\n",
    "nothing": b"",
    "a proxy's page": b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>",
}


def ask(reply: bytes | None, url: str = "/items?sv=1&sig=SECRET", host: str | None = None) -> Response:
    """What the client makes of these bytes; None never answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if reply is None:
                await asyncio.sleep(5)
            else:
                writer.write(reply)
                await writer.drain()
        finally:
            writer.close()

    async def whole() -> Response:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with ArmClient(host or f"http://127.0.0.1:{port}", transport=_transport(None)) as client:
                return await client.send(
                    Request(method="POST", url=url, repeatable=False, timeout=timedelta(seconds=0.3))
                )
        finally:
            server.close()

    return asyncio.run(whole())


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_is_none_and_says_no_secret(reply: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(TransportError) as raised:
        ask(reply)
    assert "POST /items" in str(raised.value)
    shown = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert "SECRET" not in shown


def test_silence_ends_with_the_clients_patience() -> None:
    with pytest.raises(TransportError) as raised:
        ask(None)
    assert "SECRET" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("url", ["ftp://x/items?sig=SECRET", "http://127.0.0.1:1/items?sig=SECRET"])
def test_an_address_where_nobody_is(url: str) -> None:
    with pytest.raises(TransportError) as raised:
        ask(b"", url)
    assert "SECRET" not in "".join(traceback.format_exception(raised.value))


def test_a_whole_answer_comes_whole() -> None:
    assert ask(HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY).body["value"] == [1, 2, 3]
    assert ask(HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(BODY)).body["value"] == [1, 2, 3]


def test_a_redirection_is_not_followed() -> None:
    """A POST that was led elsewhere would be sent twice, and a token would go along."""
    reply = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n"
    assert ask(reply).status == 307
