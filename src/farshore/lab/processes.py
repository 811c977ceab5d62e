"""A served lab as a process beside the command line: start it, see it, stop it, and what a shell needs to use it.

start(project, ...)   a process of its own that serves the project's lab; returns when it answers
status(project)       what `.farshore/lab.json` says, if that process lives
ask(found, path)      what that lab answers, without a client
stop(project)         ask it to stop and wait until it has
environment(found)    variables for curl, the SDKs, az and terraform
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farshore.arm.json import loads
from farshore.errors import HeldError, InputError
from farshore.holder import Holder, is_alive
from farshore.lab.certificates import bundle
from farshore.lab.server import LOOKING, STATE

FOLDER = ".farshore"
LOG = "lab.log"
PATIENCE = 30.0
"""Seconds until a lab that is started must answer, and one that is stopped must have ended."""
ANSWER = 5.0
"""Seconds of wall time in which a lab that is well answers a plain question."""
NEIGHBOUR = 2.0
"""Seconds until a lab that another call has just begun answers."""
SDK_TENANT = "adfs"
"""For this tenant MSAL takes the authority at its word; for any other it asks login.microsoftonline.com about it."""


def start(project: Path, arguments: list[str], *, patience: float | None = PATIENCE) -> tuple[dict[str, Any], bool]:
    """Start `farshore *arguments` (a verb that calls `serve`) for this project and wait until it answers.

    Returns what `status` says, and whether it was this call that began it. The verb is asked to speak JSON, so that
    what it can't do is raised here as the same `InputError`. `patience` None waits as long as the process lives."""
    running = status(project)
    if running is not None:
        return running, False
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG
    with log.open("ab") as errors, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "farshore.cli", *arguments, "--format", "json"],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=errors,
            start_new_session=True,
        )
        began = time.monotonic()
        while patience is None or time.monotonic() - began < patience:
            found = status(project)
            if found is not None and ask(found, "/_lab/clock") is not None:
                # It outlives us on purpose, so there is nobody to wait for it and nothing to be warned of. Another one
                # may have been quicker: then ours ends by itself, because the state is held.
                process.returncode = process.returncode or 0
                return found, found["pid"] == process.pid
            if process.poll() is not None:
                break
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            process.wait(PATIENCE)
        said.seek(0)
        refusal = _refusal(said.read(), log)
        if refusal.code == HeldError.code:
            # Perhaps by one that is about to serve it: then that is the lab, and it is up.
            until = time.monotonic() + NEIGHBOUR
            while time.monotonic() < until:
                found = status(project)
                if found is not None and ask(found, "/_lab/clock") is not None:
                    return found, False
                time.sleep(0.05)
        raise refusal


def _refusal(said: bytes, log: Path) -> InputError:
    """Why it did not start, in its own words."""
    try:
        error = loads(said)["error"]
        return InputError(
            str(error["message"]),
            code=str(error["code"]),
            **{name: error[name] for name in ("file", "line", "value", "expected", "remedy")},
        )
    except (ValueError, KeyError, TypeError):
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return InputError(f"The lab did not start: {last[0]}", file=str(log), expected="a lab that answers")


def status(project: Path) -> dict[str, Any] | None:
    """What is known of the lab that is being served (lab.json and the `folder` it lies in), or None."""
    path = project / FOLDER / STATE
    try:
        found = loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or not {"url", "ca", "token", "pid"} <= found.keys() or not _lives(found):
        return None
    return {**found, "folder": str((project / FOLDER).resolve())}


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


def ask(found: Mapping[str, Any], path: str, *, patience: float = ANSWER) -> Any | None:
    """The body that the served lab answers to a GET, or None where it does not answer in time or refuses."""
    folder = Path(str(found["folder"]))
    try:
        context = ssl.create_default_context(cafile=str(folder / str(found["ca"])))
        # No proxy stands between a machine and itself.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        headers = {"Authorization": f"Bearer {found['token']}", **LOOKING}
        request = urllib.request.Request(f"{found['url']}{path}", headers=headers)
        with opener.open(request, timeout=patience) as answer:
            return loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    name: str
    value: str
    meaning: str


def environment(found: Mapping[str, Any], subscription: str) -> tuple[Variable, ...]:
    """What a shell needs so that curl, the Azure SDKs, az and Terraform's provider talk to the lab `found`."""
    folder = Path(str(found["folder"]))
    url, tenant = str(found["url"]), str(found["tenant"])
    trusted = str(bundle(folder))
    table = (
        ("FARSHORE_LAB_URL", url, "the lab's Azure Resource Manager"),
        ("FARSHORE_LAB_TOKEN", str(found["token"]), "a bearer token for it"),
        ("FARSHORE_LAB_CA", str(folder / str(found["ca"])), "the lab's authority alone, for curl --cacert"),
        ("CURL_CA_BUNDLE", trusted, "curl: the authorities of this machine and the lab's"),
        ("SSL_CERT_FILE", trusted, "OpenSSL, Go (terraform): the same"),
        ("REQUESTS_CA_BUNDLE", trusted, "Python (Azure SDKs, az): the same"),
        ("NODE_EXTRA_CA_CERTS", str(folder / str(found["ca"])), "Node: the lab's authority besides its own"),
        ("AZURE_AUTHORITY_HOST", url, "azure-identity: where tokens come from"),
        ("AZURE_TENANT_ID", SDK_TENANT, "azure-identity: a tenant for which it asks nobody else"),
        ("AZURE_CLIENT_ID", tenant, "azure-identity: the lab's owner; any other GUID is a principal of its own"),
        ("AZURE_CLIENT_SECRET", "lab", "azure-identity: any but 'wrong'"),
        ("AZURE_SUBSCRIPTION_ID", subscription, "the subscription of the lab's estate"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", url, "azure-identity: the managed identity's endpoint"),
        ("AZURE_CORE_INSTANCE_DISCOVERY", "false", "az: don't ask Microsoft whether this cloud exists"),
        ("AZURE_CORE_COLLECT_TELEMETRY", "no", "az: keep the lab to yourself"),
        (
            "ARM_METADATA_HOSTNAME",
            url.removeprefix("https://"),
            "terraform (azurerm): where the cloud describes itself",
        ),
        ("ARM_TENANT_ID", tenant, "terraform: the lab's tenant"),
        ("ARM_CLIENT_ID", tenant, "terraform: the lab's owner; any other GUID is a principal of its own"),
        ("ARM_CLIENT_SECRET", "lab", "terraform: any but 'wrong'"),
        ("ARM_SUBSCRIPTION_ID", subscription, "terraform: the subscription of the lab's estate"),
        ("NO_PROXY", _no_proxy(), "the lab is on this machine: no proxy on the way to it"),
    )
    return tuple(Variable(name=name, value=value, meaning=meaning) for name, value, meaning in table if value)


def _no_proxy() -> str:
    """What is there already and loopback; nothing where no proxy is set."""
    proxies = [os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")]
    held = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    names = [name.strip() for name in held.split(",") if name.strip()]
    if not any(proxies) and not names:
        return ""
    return ",".join(dict.fromkeys([*names, "127.0.0.1", "localhost"]))


def _lives(found: Mapping[str, Any]) -> bool:
    """Whether the process that wrote this is there; another one that was given its number since does not count."""
    pid = found.get("pid")
    if not isinstance(pid, int):
        return False
    here = Holder(host=socket.gethostname(), pid=pid, began=str(found.get("began") or ""), since="")
    return is_alive(here, datetime.now(UTC))
