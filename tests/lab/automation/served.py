"""A lab served in a thread of its own, and a client of it over HTTPS that needs nothing but Python."""

from __future__ import annotations

import asyncio
import json
import ssl
import textwrap
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from farshore.lab.cloud import Cloud
from farshore.lab.server import serve_until
from lab.automation.account import ACCOUNT

VERSION = "api-version=2024-05-01"


class Served:
    """A lab served in a thread; `ask` is a client over HTTPS."""

    def __init__(self, folder: Path, cloud: Cloud, speed: str = "jump", runbooks: bool = True) -> None:
        self._folder, self._cloud, self._speed, self._runbooks = folder, cloud, speed, runbooks
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.known: dict[str, Any] = {}

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._ready.wait(30)
        self.known = json.loads((self._folder / "lab.json").read_text())
        return self

    def __exit__(self, *error: object) -> None:
        assert self._loop is not None and self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await serve_until(
            self._folder,
            self._cloud,
            self._stop,
            speed=self._speed,
            runbooks=self._runbooks,
            ready=lambda url: self._ready.set(),
        )

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The body of the answer."""
        sent = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        url = path if path.startswith("https:") else self.known["url"] + path
        request = urllib.request.Request(
            url + ("" if "api-version" in url else f"?{VERSION}"),
            method=method,
            data=sent,
            headers={"Authorization": f"Bearer {self.known['token']}"},
        )
        context = ssl.create_default_context(cafile=str(self._folder / self.known["ca"]))
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            content = answer.read()
        return (
            json.loads(content)
            if answer.headers["content-type"].startswith("application/json") and content
            else content
        )

    def publish(self, name: str, text: str) -> None:
        place = f"{ACCOUNT}/runbooks/{name}"
        self.ask("PUT", place, {"properties": {"runbookType": "Python3"}})
        self.ask("PUT", f"{place}/draft/content", textwrap.dedent(text))
        self.ask("POST", f"{place}/publish")
        self.until(lambda: self.ask("GET", place)["properties"]["state"] == "Published")

    def start(self, runbook: str, job: str = "job1", **parameters: str) -> str:
        place = f"{ACCOUNT}/jobs/{job}"
        self.ask("PUT", place, {"properties": {"runbook": {"name": runbook}, "parameters": parameters}})
        return place

    def over(self, job: str) -> dict[str, Any]:
        """The job's properties when it is over."""
        over = ("Completed", "Failed", "Stopped")
        self.until(lambda: self.ask("GET", job)["properties"]["status"] in over)
        return dict(self.ask("GET", job)["properties"])

    def output(self, job: str) -> str:
        return bytes(self.ask("GET", f"{job}/output")).decode()

    def until(self, met: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < end, "it took too long"
            time.sleep(0.05)
