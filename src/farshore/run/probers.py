"""Who opens a connection or runs a program for a check: this process, from where Farshore runs.

Whatever goes wrong is an answer: a refusal, silence, a reset, something that is not HTTP. Where no network leads to a
machine's address, as in a lab, whoever drives the run brings a prober of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import ssl
from contextlib import suppress
from typing import Any, Protocol

from farshore.run.verbs.base import Connect, Execute, Get, Probed

HERE = "where Farshore runs"
MOST_INTERIM = 10
"""Answers of 1xx before the real one."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")


class Prober(Protocol):
    async def connect(self, order: Connect) -> Probed: ...

    async def execute(self, order: Execute) -> Probed: ...


class SocketProber:
    """Sockets and processes of this machine."""

    where = HERE

    async def connect(self, order: Connect) -> Probed:
        """Connect, ask where there is something to ask, and close; all of it within the order's time."""
        stage = "no connection"
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(order.timeout_seconds):
                reader, writer = await asyncio.open_connection(order.address, order.port, **_tls(order))
                if order.get is None:
                    return self._answer(0, "the connection was taken")
                stage = "connected, and no answer"
                return self._http(await _asked(reader, writer, order, order.get))
        except TimeoutError:
            return self._answer(None, f"{stage} within {order.timeout_seconds:g} s")
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            return self._answer(None, _words(error))
        finally:
            if writer is not None:
                await _closed(writer)

    async def execute(self, order: Execute) -> Probed:
        """Run the program; it and what it began are killed when its time is over."""
        process: asyncio.subprocess.Process | None = None
        try:
            process = await asyncio.create_subprocess_exec(
                *order.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **order.environment},
                start_new_session=True,
            )
            written, _ = await asyncio.wait_for(process.communicate(), order.timeout_seconds)
        except TimeoutError:
            return self._answer(None, f"{order.command[0]} did not end within {order.timeout_seconds:g} s")
        except (OSError, ValueError) as error:
            return self._answer(None, f"{order.command[0]} can't be run: {error}")
        finally:
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        lines = written.decode(errors="replace").strip().splitlines()
        last = f": {lines[-1].strip()[:200]}" if lines else ", and said nothing"
        return self._answer(process.returncode, f"{order.command[0]} ended with status {process.returncode}{last}")

    def _http(self, line: bytes) -> Probed:
        found = _STATUS.fullmatch(line)
        if found is not None:
            return self._answer(int(found[1]), f"HTTP {found[1].decode()}")
        if not line:
            return self._answer(None, "connected, and the connection was closed without an answer")
        return self._answer(None, f"connected, and what came is not HTTP/1.1: {line[:60]!r}")

    def _answer(self, status: int | None, said: str) -> Probed:
        return Probed(status=status, said=said, asked_from=self.where)


def _tls(order: Connect) -> dict[str, Any]:
    if order.get is None or not order.get.https:
        return {}
    context = ssl.create_default_context()
    if not order.get.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context, "server_hostname": order.get.host or order.address}


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, order: Connect, get: Get) -> bytes:
    """The status line that answers a GET, whatever it is; interim answers are passed over."""
    usual = 443 if get.https else 80
    host = get.host or (f"[{order.address}]" if ":" in order.address else order.address)
    name = host if order.port == usual else f"{host}:{order.port}"
    lines = [f"GET {get.path} HTTP/1.1", f"Host: {name}", "User-Agent: farshore", "Accept: */*", "Connection: close"]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    await writer.drain()
    for _ in range(MOST_INTERIM):
        line = await reader.readline()
        found = _STATUS.fullmatch(line)
        if found is None or not found[1].startswith(b"1"):
            return line
        while (await reader.readline()).strip():
            pass
    raise ValueError("nothing but interim answers")


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Nobody waits for the other side's goodbye."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionResetError):
        return "the connection was reset"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted here: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error.reason or error}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"what came can't be read: {error}"
