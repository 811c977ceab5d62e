"""A served lab without a socket: raw paths, headers and bytes in, what a client gets out, and a digest of its state."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from farshore.arm.json import dumps
from farshore.lab import Cloud, identity
from farshore.lab.served_clock import HAND, ServedClock
from farshore.lab.server import LabApp
from lab.fuzz.estate import fresh

URL = "https://lab"
TOKEN = "Bearer " + identity.token("tenant", 0, audience=URL)
UNSEEN = ("requests", "counters", "meta", "graph.quota", "writes", "write_log")
"""What a refused write may change: the journal, the attempts that were counted, the clock, a quota, and what machines
have written, which is made up whenever somebody looks (`lab/storage/write_log.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it goes over the wire; `path` is escaped already."""

    method: str
    path: str
    query: str = "api-version=2024-05-01"
    headers: Mapping[str, str] = field(default_factory=lambda: {"authorization": TOKEN})
    content: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path}?{self.query} {dict(self.headers)} {self.content[:2000]!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes
    log: str = ""
    """What the lab wrote for its own people: a traceback, where it has failed."""

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def json(self) -> Any:
        """None where it is a text or nothing."""
        is_json = self.headers.get("content-type", "").startswith("application/json")
        return json.loads(self.content) if self.content and is_json else None


class Rig:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.app = LabApp(cloud, ServedClock(cloud.now, HAND), URL)

    def send(self, sent: Sent) -> Answer:
        log = io.StringIO()
        with contextlib.redirect_stderr(log):
            status, headers, content = asyncio.run(self._send(sent))
        return Answer(status=status, headers=headers, content=content, log=log.getvalue())

    async def _send(self, sent: Sent) -> tuple[int, dict[str, str], bytes]:
        told: list[dict[str, Any]] = []
        parts = [{"type": "http.request", "body": sent.content}]

        async def receive() -> dict[str, Any]:
            return parts.pop()

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        raw = sent.path.encode("latin-1", "replace")
        scope = {
            "type": "http",
            "method": sent.method,
            "path": _unescaped(raw),
            "raw_path": raw,
            "query_string": sent.query.encode("latin-1", "replace"),
            "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in sent.headers.items()],
        }
        await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in told[0]["headers"]}
        return told[0]["status"], headers, b"".join(message.get("body", b"") for message in told[1:])

    def wait(self, **delta: float) -> None:
        """Time goes on, and what is due happens."""
        body = {"advance_seconds": _seconds(**delta)}
        answer = self.send(Sent(method="POST", path="/_lab/clock", query="", content=dumps(body)))
        assert answer.status == 200, (answer.content, answer.log)

    def close(self) -> None:
        self.cloud.store.close()


@contextlib.contextmanager
def rig(name: str = "one") -> Iterator[Rig]:
    """The estate again, untouched."""
    found = Rig(fresh(name))
    try:
        yield found
    finally:
        found.close()


def digest(cloud: Cloud) -> dict[str, str]:
    """Of everything in the lab's file, by its part; two states are the same when these are."""
    store = cloud.store
    held: dict[str, Any] = {}
    for name, query in (
        ("bodies", "SELECT key, type, place, rev, body, made, changed FROM bodies ORDER BY key"),
        ("links", "SELECT source, kind, target, label, value FROM links ORDER BY source, n"),
        ("tables", "SELECT tbl, key, value FROM held ORDER BY tbl, key"),
        ("shelves", "SELECT tbl, key, value FROM rows ORDER BY tbl, key"),
    ):
        for row in store.all(query):
            part = str(row[0]) if name in ("tables", "shelves") else name
            if part not in UNSEEN:
                found = held.setdefault(part, hashlib.blake2b(digest_size=16))
                for item in row:
                    found.update(item if isinstance(item, bytes) else str(item).encode())
                    found.update(b"|")
    return {name: each.hexdigest() for name, each in held.items()}


def changed_in_place(cloud: Cloud) -> list[str]:
    """What is held in memory and differs from what was written: somebody changed it without saying so."""
    store, found = cloud.store, []
    for name, table in store._tables.items():
        rows = dict(store.all("SELECT key, value FROM held WHERE tbl = ?", (name,)))
        for key, value in table.items():
            if (bytes(value) if table.raw else dumps(value)) != rows.pop(key, None):
                found.append(f"{name}: {key}")
        found += [f"{name}: {key} is in the file alone" for key in rows]
    recent = cloud.bodies._recent
    for key, (kept, _) in recent._held.items():
        row = store.one("SELECT body, rev FROM bodies WHERE key = ?", (key,))
        if (None if not kept.rev else (dumps(kept.body), kept.rev)) != row:
            found.append(f"body {key}")
    return found


def _unescaped(raw: bytes) -> str:
    from urllib.parse import unquote

    return unquote(raw.decode("ascii", "replace"))


def _seconds(seconds: float = 0, minutes: float = 0, hours: float = 0) -> float:
    return seconds + 60 * minutes + 3600 * hours
