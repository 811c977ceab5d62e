"""`az` as somebody types it, against a served lab: `Az(lab, folder)("group", "create", ...)` gives what it prints."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from real.bare_lab import BareLab

PROGRAM = os.environ.get("FARSHORE_AZ", "")
PATIENCE = 180
"""Seconds of wall time for one command. The slowest takes ten."""


class AzError(AssertionError):
    """A command that ended with something else than 0; the text is what it wrote."""


class Az:
    def __init__(self, lab: BareLab, folder: Path) -> None:
        self.lab, self.calls = lab, 0
        self._folder = folder
        self._environment = {**lab.environment, "AZURE_CONFIG_DIR": str(folder / "az")}
        # az is a Python of its own.
        self._environment.pop("PYTHONPATH", None)
        self._environment.pop("PYTHONHOME", None)

    def login(self, secret: str = "lab") -> Any:
        """As the guide says it: the cloud by its address, a service principal by its secret."""
        self("cloud", "register", "--name", "lab", "--endpoint-resource-manager", self.lab.url)
        self("cloud", "set", "--name", "lab")
        who = self._environment["AZURE_CLIENT_ID"]
        tenant = self._environment["ARM_TENANT_ID"]
        return self("login", "--service-principal", "--username", who, "--password", secret, "--tenant", tenant)

    def __call__(self, *words: object) -> Any:
        """What the command prints as JSON; None where it prints nothing."""
        said = self.text(*words, "--output", "json")
        return json.loads(said) if said.strip() else None

    def text(self, *words: object) -> str:
        self.calls += 1
        told = [str(word) for word in words]
        done = subprocess.run(
            [PROGRAM, *told],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise AzError(f"az {' '.join(told)}\n{done.stdout}{done.stderr}")
        return done.stdout
