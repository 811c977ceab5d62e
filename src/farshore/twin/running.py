"""A twin that runs: the process inside, seen from here.

It needs Linux with network, mount and process namespaces, BIRD 2, nftables and iproute2; root it doesn't need where the
kernel lets users have namespaces of their own. `why_not` says what is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from farshore.errors import FarshoreError

NEEDED = {"bird": "bird2", "nft": "nftables", "ip": "iproute2", "unshare": "util-linux", "mount": "mount"}
_APART = ("-n", "-m", "-p", "-f", "--kill-child", "--mount-proc")


class TwinError(FarshoreError):
    """The twin could not be built or asked."""


class TwinUnsettledError(TwinError):
    """BGP went on and on."""


@cache
def why_not() -> str | None:
    """Why no twin can be built on this machine; None where one can."""
    absent = [
        f"{tool} (package {package})" for tool, package in NEEDED.items() if shutil.which(tool, path=_path()) is None
    ]
    if absent:
        return f"{', '.join(absent)} is not installed" if len(absent) == 1 else f"not installed: {', '.join(absent)}"
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    return None if _apart() is not None else "this kernel gives us no namespaces of our own"


@cache
def _apart() -> tuple[str, ...] | None:
    """How this machine lets us have namespaces: as a user of our own first, else as root."""
    for way in (("unshare", "-U", "-r", *_APART), ("unshare", *_APART)):
        script = "mount -n -t tmpfs tmpfs /run && ip link add w0 type veth peer name w1 && nft add table inet t"
        done = subprocess.run([*way, "sh", "-c", script], capture_output=True, check=False, env=_environment())
        if done.returncode == 0:
            return way
    return None


class Twin:
    """The process inside, for as long as this is open."""

    def __init__(self) -> None:
        why, apart = why_not(), _apart()
        if why is not None or apart is None:
            raise TwinError(f"No twin can be built here: {why}")
        self._process = subprocess.Popen(
            [*apart, sys.executable, "-m", "farshore.twin.inside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
            # An interrupt at the terminal is for us: we close the line, and the twin ends in order.
            start_new_session=True,
        )

    def __enter__(self) -> Twin:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, order: str, **more: Any) -> dict[str, Any]:
        """One order (`inside.Inside`), and its answer. Raises `TwinError` where it could not be done."""
        assert self._process.stdin is not None and self._process.stdout is not None, "opened with pipes"
        try:
            self._process.stdin.write(json.dumps({"do": order, **more}) + "\n")
            self._process.stdin.flush()
            text = self._process.stdout.readline()
        except BrokenPipeError:
            text = ""
        if not text:
            raise TwinError("The twin has ended by itself")
        answer: dict[str, Any] = json.loads(text)
        if "error" in answer:
            kind = TwinUnsettledError if answer["error"].startswith("UnsettledError: ") else TwinError
            raise kind(f"The twin could not {order}: {answer['error']}")
        return answer

    def close(self) -> None:
        """The end of it: the process inside, and with it all its hosts."""
        assert self._process.stdin is not None and self._process.stdout is not None, "opened with pipes"
        # What was not sent any more can't be: the process may have ended by itself.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _path() -> str:
    """Where Debian puts what administrators use is not on every user's path."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def _environment() -> dict[str, str]:
    source = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PATH": _path(), "PYTHONPATH": source, "LC_ALL": "C"}
