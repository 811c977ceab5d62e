"""A lab of so many resources, served by its own command; and its requests' bodies.

The lab is filled through its own store, served by `farshore lab up --foreground` in a process of its own, and asked
over TLS as any client asks it.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farshore.lab import Settings, open_lab

SUBSCRIPTION = "00000000-0000-0000-0000-0000000000b1"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-bench"
TABLES = f"{GROUP}/providers/Microsoft.Network/routeTables"
VERSION = "api-version=2024-05-01"
ROUTES = 6
"""Routes of a table: its body is then a little over 1 kB as it is sent, and over 2 kB as a GET shows it."""


AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A lab that answers."""

    url: str
    token: str
    ca: Path
    pid: int
    seconds_to_first_answer: float
    """From the start of the process, Python's own start included."""

    def get(self, path: str) -> Any:
        request = urllib.request.Request(path if "://" in path else self.url + path)
        request.add_header("Authorization", f"Bearer {self.token}")
        context = ssl.create_default_context(cafile=str(self.ca))
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return json.load(answer)

    def memory(self) -> float:
        """MiB of resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def table(number: int, routes: int = ROUTES) -> dict[str, Any]:
    """The body of a PUT of a route table with its routes."""
    rows = [
        {
            "name": f"to-site-{route}",
            "properties": {
                "addressPrefix": f"10.{number % 200}.{route * 8}.0/21",
                "nextHopType": "VirtualAppliance",
                "nextHopIpAddress": f"10.{number % 200}.250.{4 + route}",
            },
        }
        for route in range(routes)
    ]
    tags = {"environment": "production", "cost-centre": f"{number % 97:04d}", "owner": "network-platform@example.com"}
    return {"location": "eastasia", "tags": tags, "properties": {"disableBgpRoutePropagation": True, "routes": rows}}


def fill(folder: Path, resources: int, routes: int = ROUTES) -> int:
    """A project with a lab of so many resources, a table and its routes counted one by one; how many tables."""
    (folder / ".farshore").mkdir(parents=True, exist_ok=True)
    (folder / "farshore.yaml").write_text("version: 1\n")
    cloud = open_lab(
        folder / ".farshore" / "lab.db",
        now=datetime.now(UTC).replace(microsecond=0),
        settings=Settings(throttling=False),
    )
    group = {"id": GROUP, "name": "rg-bench", "type": "Microsoft.Resources/resourceGroups", "location": "eastasia"}
    cloud.seed([{**group, "properties": {"provisioningState": "Succeeded"}}])
    tables = resources // (1 + routes)
    for first in range(0, tables, AT_ONCE):
        names = [(f"rt-{number:07d}", number) for number in range(first, min(first + AT_ONCE, tables))]
        cloud.seed([{"id": f"{TABLES}/{name}", "name": name, **table(number, routes)} for name, number in names])
    cloud.store.close()
    return tables


@contextmanager
def serving(folder: Path, *, cores: set[int] | None = None) -> Iterator[Served]:
    """The lab of a folder, on some cores; stopped at the end."""
    state = folder / ".farshore" / "lab.json"
    command = [
        sys.executable,
        "-m",
        "farshore.cli",
        "lab",
        "up",
        "--foreground",
        "--speed",
        "1",
        "--project",
        str(folder),
    ]
    began = time.perf_counter()
    with (folder / "served.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    if cores is not None:
        os.sched_setaffinity(process.pid, cores)
    try:
        while not state.is_file():
            if process.poll() is not None:
                raise RuntimeError(f"the lab did not start: {(folder / 'served.log').read_text()}")
            time.sleep(0.002)
        known = json.loads(state.read_text())
        served = Served(
            url=known["url"],
            token=known["token"],
            ca=state.parent / known["ca"],
            pid=process.pid,
            seconds_to_first_answer=0.0,
        )
        served.get(f"{TABLES}/rt-0000000?{VERSION}")
        yield Served(
            url=served.url,
            token=served.token,
            ca=served.ca,
            pid=served.pid,
            seconds_to_first_answer=time.perf_counter() - began,
        )
    finally:
        process.terminate()
        process.wait(timeout=30)
