"""Which cloud, and how to reach it: a client for the lab that is being served, for Azure, or for a URL.

    lab     `.farshore/lab.json` of the project: url, ca (a file beside it or an absolute path), token
    azure   management.azure.com, with whatever azure-identity finds (environment, managed identity, az login)
    a URL   an ARM endpoint of its own; the lab's token if lab.json is about that URL, else azure-identity

One aiohttp session with one TLS context serves all requests of a client: given a path, azure-core would build a
context for each request. A lab inside this process brings its own transport: `client_for(transport, clock)`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken

from farshore.arm.json import loads
from farshore.azure.client import ArmClient
from farshore.azure.transport import Handler, HandlerTransport
from farshore.clock import Clock
from farshore.errors import InputError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline.transport import AsyncHttpTransport

AZURE = "https://management.azure.com"
IN_PROCESS = "https://management.lab"


def open_cloud(cloud: str, *, project: Path | None = None, headers: Mapping[str, str] | None = None) -> ArmClient:
    """A client for `lab`, `azure` or a URL. Use it as an async context manager, inside a running loop. `headers` go to
    the project's lab only."""
    lab = lab_file(project)
    if cloud == "lab":
        if lab is None:
            raise InputError(
                "No lab is being served for this project",
                value=str(project) if project else None,
                expected=".farshore/lab.json",
                remedy="farshore lab up serves one",
            )
        return _served(lab, headers)
    if cloud == "azure":
        return ArmClient(AZURE, transport=_transport(None), credential=_identity())
    address = urlsplit(cloud)
    if address.scheme != "https" or not address.hostname:
        raise InputError("This is no cloud", value=cloud, expected="lab, azure, or an https URL")
    if lab is not None and str(lab.get("url", "")).rstrip("/") == cloud.rstrip("/"):
        return _served(lab, headers)
    return ArmClient(cloud, transport=_transport(None), credential=_identity())


def client_for(handler: Handler, clock: Clock, base_url: str = IN_PROCESS) -> ArmClient:
    """A client for something in this process that answers requests."""
    return ArmClient(base_url, transport=HandlerTransport(handler, clock), credential=StaticToken("in-process"))


class StaticToken:
    """A credential that always has the same token: the lab's."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 86_400)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> StaticToken:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass


def _served(lab: dict[str, Any], headers: Mapping[str, str] | None) -> ArmClient:
    credential = StaticToken(str(lab.get("token") or "lab"))
    return ArmClient(str(lab["url"]), transport=_transport(lab.get("ca")), credential=credential, headers=headers)


def lab_file(project: Path | None) -> dict[str, Any] | None:
    """What lab.json says, with the CA's path made absolute; None where there is no such file."""
    path = (project or Path.cwd()) / ".farshore" / "lab.json"
    if not path.is_file():
        return None
    try:
        found = loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"The lab's file can't be read: {error}", file=str(path)) from None
    if not isinstance(found, dict) or not isinstance(found.get("url"), str):
        raise InputError("The lab's file has no url", file=str(path), expected='{"url", "ca", "token"}')
    if found.get("ca"):
        found["ca"] = str(path.parent / str(found["ca"]))
    return found


def _transport(ca: str | None) -> AsyncHttpTransport[Any, Any]:
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport

    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise InputError(f"The lab's certificate can't be read: {error}", file=ca) from None
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=64),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        # A proxy of the environment stands between us and the world, not between us and a lab on this machine.
        trust_env=ca is None,
    )
    transport: AsyncHttpTransport[Any, Any] = AioHttpTransport(session=session, session_owner=True)
    return transport


def _identity() -> AsyncTokenCredential:
    # azure-identity takes half a second to import, and only Azure needs it.
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential()
