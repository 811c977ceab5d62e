"""A served lab as a process beside the command line: start it, see it, stop it, and what a shell needs to use it.

start(project, ...)   a process of its own that serves the project's lab; returns when it can be asked
status(project)       what `.farshore/lab.json` says, if that process lives
stop(project)         ask it to stop and wait until it has
environment(project)  variables for az, the SDKs and curl
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farshore.arm.json import loads
from farshore.errors import HeldError, InputError
from farshore.lab.server import STATE
from farshore.run.holder import Holder, is_alive

FOLDER = ".farshore"
DATABASE = "lab.db"
PATIENCE = 30.0


def start(project: Path, arguments: list[str], *, patience: float = PATIENCE) -> dict[str, Any]:
    """Start `python -m farshore *arguments` (a verb that calls `serve`) for this project and wait until it serves."""
    running = status(project)
    if running is not None:
        raise HeldError(f"A lab is being served for {project} already, by process {running['pid']}")
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "lab.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "farshore.cli", *arguments],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = status(project)
        if found is not None:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    raise InputError(f"The lab did not start: {last[0]}", file=str(log), expected="a lab that answers")


def status(project: Path) -> dict[str, Any] | None:
    """What is known of the lab that is being served, or None."""
    path = project / FOLDER / STATE
    try:
        found = loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and _lives(found) else None


def stop(project: Path, *, patience: float = PATIENCE) -> bool:
    """Stop it; False where none was running."""
    found = status(project)
    if found is None:
        (project / FOLDER / STATE).unlink(missing_ok=True)
        return False
    os.kill(int(found["pid"]), signal.SIGTERM)
    until = time.monotonic() + patience
    while time.monotonic() < until and _lives(found):
        time.sleep(0.05)
    if _lives(found):
        raise HeldError(f"The lab of {project} does not stop: process {found['pid']}")
    return True


def environment(project: Path) -> dict[str, str]:
    """What a shell needs so that az, the SDKs, Terraform's provider and curl talk to the lab."""
    found = status(project)
    if found is None:
        raise InputError("No lab is being served for this project", value=str(project), remedy="farshore lab up")
    ca = str((project / FOLDER / str(found["ca"])).resolve())
    url, tenant = str(found["url"]), str(found["tenant"])
    return {
        "FARSHORE_LAB_URL": url,
        "FARSHORE_LAB_TOKEN": str(found["token"]),
        "REQUESTS_CA_BUNDLE": ca,
        "SSL_CERT_FILE": ca,
        "CURL_CA_BUNDLE": ca,
        "NODE_EXTRA_CA_CERTS": ca,
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": url,
        "AZURE_AUTHORITY_HOST": url,
        "AZURE_TENANT_ID": tenant,
        "AZURE_CLIENT_ID": tenant,
        "AZURE_CLIENT_SECRET": "lab",
        "ARM_METADATA_HOSTNAME": url.removeprefix("https://"),
        "ARM_TENANT_ID": tenant,
        "ARM_CLIENT_ID": tenant,
        "ARM_CLIENT_SECRET": "lab",
    }


def _lives(found: Mapping[str, Any]) -> bool:
    """Whether the process that wrote this is there; another one that was given its number since does not count."""
    pid = found.get("pid")
    if not isinstance(pid, int):
        return False
    here = Holder(host=socket.gethostname(), pid=pid, began=str(found.get("began") or ""), since="")
    return is_alive(here, datetime.now(UTC)) and not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """A child that has ended and that nobody has asked about yet."""
    with contextlib.suppress(ChildProcessError, OSError):
        ended, _ = os.waitpid(pid, os.WNOHANG)
        return ended == pid
    return False
