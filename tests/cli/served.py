"""A lab as a process for tests of its verbs: begun, asked over HTTPS, and stopped by its own process id."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from farshore import examples
from farshore.cli.app import run

PUBLISHED = "two-circuits-two-locations"


def farshore(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Status, stdout and stderr of one command line in this process: what it starts is a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run([*arguments, "--project", str(cwd)])
    return status, out.getvalue(), err.getvalue()


def answer(*arguments: str, cwd: Path, status: int = 0) -> Any:
    """The one JSON document on stdout."""
    found, out, err = farshore(*arguments, "--format", "json", cwd=cwd)
    assert found == status, err + out
    return json.loads(out)


def refusal(*arguments: str, cwd: Path) -> dict[str, Any]:
    found: dict[str, Any] = answer(*arguments, cwd=cwd, status=1)["error"]
    return found


def begin(folder: Path) -> Path:
    folder.mkdir()
    for source in examples.path(PUBLISHED).iterdir():
        if source.is_file() and source.suffix != ".py":
            shutil.copyfile(source, folder / source.name)
    return folder


def end(folder: Path) -> None:
    """Stop what serves this folder, by the id in its lab.json."""
    place = folder / ".farshore" / "lab.json"
    if not place.is_file():
        return
    pid = json.loads(place.read_text())["pid"]
    for number in (signal.SIGCONT, signal.SIGTERM):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
    until = time.monotonic() + 20
    while place.is_file() and time.monotonic() < until:
        time.sleep(0.05)


def lab_json(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / ".farshore" / "lab.json").read_text())
    return found


def ask(folder: Path, method: str, path: str, body: Any = None, token: bool = True) -> tuple[int, Any]:
    """As any program would: HTTPS, the lab's authority, its token."""
    lab = lab_json(folder)
    context = ssl.create_default_context(cafile=str(folder / ".farshore" / lab["ca"]))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {lab['token']}"} if token else {})
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(lab["url"] + path, data=content, headers=headers, method=method)
    try:
        with opener.open(request, timeout=20) as found:
            return found.status, json.loads(found.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


def group_of(folder: Path) -> str:
    bodies = json.loads((folder / "estate.json").read_text())
    found: str = next(body["id"] for body in bodies if body["type"].endswith("resourceGroups"))
    return found
