"""A served lab that holds nothing yet, for clients that come with an address and a login and build it all.

The lab is the one of `farshore lab up --empty`, in a process of its own, and clients get what `farshore lab env`
prints. What stands outside Azure is there from the beginning: the article's datacenter, whose routers wait for the
circuits `er-hongkong` and `er-singapore` of `rg-expressroute`. Of the cloud there is one group, that of the recovery.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from farshore import examples

EXAMPLE = "two-circuits-two-locations"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
RECOVERY_GROUP, RECOVERY_REGION = "rg-farshore-dr", "southeastasia"
ROOT = Path(__file__).parents[2]


class BareLab:
    """`with BareLab(folder) as lab:` serves it; `lab.environment` is `os.environ` and what a shell would be told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}

    def __enter__(self) -> BareLab:
        shutil.copytree(examples.path(EXAMPLE), self.folder, dirs_exist_ok=True)
        self._farshore("lab", "up", "--empty", "--subscription", SUBSCRIPTION)
        told = json.loads(self._farshore("lab", "env", "--format", "json"))
        self.environment = {**os.environ, **told}
        group = f"subscriptions/{SUBSCRIPTION}/resourceGroups/{RECOVERY_GROUP}?api-version=2022-09-01"
        self._ask(group, {"location": RECOVERY_REGION}, method="PUT")
        return self

    def __exit__(self, *error: object) -> None:
        self._farshore("lab", "down")

    @property
    def url(self) -> str:
        return self.environment["FARSHORE_LAB_URL"]

    def handle(self, path: str, body: Any = None) -> Any:
        """What stands beside ARM: `/_lab/PATH`, read, or told `body`."""
        return self._ask(f"_lab/{path}", body)

    def _ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.environment['FARSHORE_LAB_TOKEN']}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        trusted = ssl.create_default_context(cafile=self.environment["FARSHORE_LAB_CA"])
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def verdict(self, source: str, target: str) -> str:
        """How a packet to port 443 ends: `delivered`, or why not."""
        found = self.handle("packets", {"from": source, "to": target, "port": 443})
        return str(found["verdict"])

    def _farshore(self, *arguments: str) -> str:
        path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-m", "farshore", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
