"""Two emulators that many use, asked the same way: moto's server (S3 objects) and Azurite (blobs).

Neither does what the lab does; what they show is how fast a server of this kind is taken to be. Each keeps an object of
the same bytes under a name, over TLS, and is installed under `build/` by `make bench-lab`. Azurite writes to its
folder, moto keeps its state in memory only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.lab.load import SERVER, pin

ACCOUNT = "bench"
PATIENCE = 60.0
"""Seconds until a server answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server that answers: `path` has `{n}` for an object's number."""

    name: str
    url: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def moto(tools: Path, folder: Path) -> Iterator[Peer]:
    port = _free_port()
    command = [str(tools / "moto" / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(port), "-s"]
    url = f"https://127.0.0.1:{port}"
    with _running(command, folder / "moto.log", {}):
        _asked("PUT", f"{url}/bench", {}, b"")
        yield Peer(name="moto's server, S3", url=url, path="/bench/object-{n}")


@contextmanager
def azurite(tools: Path, folder: Path, certificate: Path, key: Path) -> Iterator[Peer]:
    port, secret = _free_port(), base64.b64encode(os.urandom(32)).decode()
    command = [str(tools / "azurite" / "node_modules" / ".bin" / "azurite-blob"), "--blobHost", "127.0.0.1"]
    command += ["--blobPort", str(port), "--silent", "--skipApiVersionCheck", "--location", str(folder / "azurite")]
    command += ["--cert", str(certificate), "--key", str(key)]
    url, query = f"https://127.0.0.1:{port}", _signed(secret)
    with _running(command, folder / "azurite.log", {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{secret}"}):
        _asked("PUT", f"{url}/{ACCOUNT}/bench?restype=container&{query}", {}, b"")
        path = f"/{ACCOUNT}/bench/object-{{n}}?{query}"
        yield Peer(name="Azurite, blobs", url=url, path=path, headers={"x-ms-blob-type": "BlockBlob"})


def _signed(secret: str) -> str:
    """A shared access signature for the whole account, so that no request needs one of its own."""
    parts = {"sp": "rwdlac", "ss": "b", "srt": "sco", "st": "", "se": "2099-01-01T00:00:00Z", "sip": "", "spr": "https"}
    parts["sv"] = "2018-11-09"
    text = "\n".join([ACCOUNT, *parts.values(), ""])
    digest = hmac.new(base64.b64decode(secret), text.encode(), hashlib.sha256).digest()
    return urlencode({**{name: value for name, value in parts.items() if value}, "sig": base64.b64encode(digest)})


@contextmanager
def _running(command: list[str], log: Path, environment: dict[str, str]) -> Iterator[None]:
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **environment})
    pin(process.pid, SERVER)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _asked(method: str, url: str, headers: dict[str, str], body: bytes) -> None:
    """Ask until somebody answers."""
    context = ssl._create_unverified_context()
    until = time.monotonic() + PATIENCE
    while True:
        try:
            request = urllib.request.Request(url, method=method, data=body, headers=headers)
            urllib.request.urlopen(request, context=context, timeout=5).close()
            return
        except ConnectionError:
            raise
        except OSError as error:
            if time.monotonic() > until:
                raise RuntimeError(f"{method} {url.split('?')[0]} is not answered: {error}") from None
            time.sleep(0.2)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
