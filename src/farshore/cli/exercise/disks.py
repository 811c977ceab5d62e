"""Every byte of a disk, read by Azure's own ways and hashed: a SAS URL of a managed disk, the ranges of a page blob.

The lab's extension `sequence=N` reads the disk as it was right after write N, because a machine goes on writing while
we read. A disk is asked for in ranges; hashing leaves the interpreter free, so the next range is read meanwhile.

Whoever compares many disks may read of each only what was written (Azure's Get Page Ranges): equal then means the
same, and the zeros between are not hashed.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import struct
from typing import Any
from urllib.parse import urlsplit

from farshore.arm.http import Request, checked
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.versions import DISKS, STORAGE
from farshore.azure.client import ArmClient
from farshore.azure.conversation import converse
from farshore.azure.lro import follow
from farshore.clock import Clock
from farshore.errors import FarshoreError

CHUNK = 16 << 20
_PAGES = re.compile(r"<PageRange><Start>([0-9]+)</Start><End>([0-9]+)</End></PageRange>")
_RUN = struct.Struct(">QQ")


class DiskReader:
    """Reads disks through one client. `written`: of each disk, what was written and where."""

    def __init__(self, client: ArmClient, clock: Clock, *, written: bool = False) -> None:
        self._client = client
        self._clock = clock
        self.written = written
        self._keys: dict[str, str] = {}

    async def sha256(self, disk: str, size: int, sequence: int) -> str:
        """The digest of a disk as of a write. `disk` is a managed disk's id or a page blob's URL."""
        if not disk.startswith("/"):
            key = {"authorization": f"AccountKey {await self._key(disk)}"}
            return await self._hashed(f"{self._blob(disk)}?sequence={sequence}", key, size)
        id_ = resource_id(disk)
        url = await self._access(id_)
        try:
            return await self._hashed(f"{url}&sequence={sequence}", {}, size)
        finally:
            # A disk that somebody may read cannot be deleted, and Site Recovery is to delete this one some day.
            await self._operation(id_, "endGetAccess", {})

    async def _hashed(self, url: str, headers: dict[str, str], size: int) -> str:
        if self.written:
            return await self._written(url, headers)
        digest = hashlib.sha256()
        hashing: asyncio.Future[None] | None = None
        for start in range(0, size, CHUNK):
            part = await self._range(url, headers, start, min(start + CHUNK, size) - 1)
            if hashing is not None:
                await hashing
            hashing = asyncio.get_running_loop().run_in_executor(None, digest.update, part)
        if hashing is not None:
            await hashing
        return digest.hexdigest()

    async def _written(self, url: str, headers: dict[str, str]) -> str:
        """Of each run its offset and length (8 bytes each, the highest first), then its bytes."""
        request = Request(method="GET", url=f"{url}&comp=pagelist", headers=headers)
        listed = checked(await self._client.send(request), request).body
        if not isinstance(listed, bytes):
            raise FarshoreError(f"{request}: no list of pages")
        digest = hashlib.sha256()
        for first, last in (tuple(map(int, run)) for run in _PAGES.findall(listed.decode())):
            digest.update(_RUN.pack(first, last - first + 1))
            for start in range(first, last + 1, CHUNK):
                digest.update(await self._range(url, headers, start, min(start + CHUNK - 1, last)))
        return digest.hexdigest()

    async def _range(self, url: str, headers: dict[str, str], first: int, last: int) -> bytes:
        request = Request(method="GET", url=url, headers={**headers, "range": f"bytes={first}-{last}"})
        response = checked(await self._client.send(request), request)
        if response.status != 206 or not isinstance(response.body, bytes) or len(response.body) != last - first + 1:
            raise FarshoreError(f"{request}: half an answer to a range of {last - first + 1} bytes")
        return response.body

    async def _access(self, disk: ResourceId) -> str:
        body = await self._operation(disk, "beginGetAccess", {"access": "Read", "durationInSeconds": 86400})
        held = body.get("properties", {}).get("output", body)
        return str(held.get("accessSAS") or held["accessSas"])

    async def _operation(self, disk: ResourceId, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """A POST on a disk, followed to its end: the body of the last answer, empty where it has none."""
        request = Request(method="POST", url=f"{disk.text}/{verb}?api-version={DISKS}", body=body)
        response = checked(await self._client.send(request), request)
        name = f"{verb} {disk.name}"
        final = await converse(follow(response, since=self._clock.now(), result=True), self._client, self._clock, name)
        return final.body if isinstance(final.body, dict) else {}

    def _blob(self, url: str) -> str:
        """Where the lab answers for a blob; Azure answers at the URL itself."""
        parts = urlsplit(url)
        account = (parts.hostname or "").split(".", 1)[0]
        return f"{self._client.base_url}/_blob/{account}{parts.path}"

    async def _key(self, url: str) -> str:
        account = (urlsplit(url).hostname or "").split(".", 1)[0]
        if account not in self._keys:
            id_ = await self._account(account)
            request = Request(method="POST", url=f"{id_.text}/listKeys?api-version={STORAGE}", body={})
            body = checked(await self._client.send(request), request).body
            self._keys[account] = str(body["keys"][0]["value"])
        return self._keys[account]

    async def _account(self, name: str) -> ResourceId:
        subscriptions = await self._client.list_all("/subscriptions?api-version=2022-12-01")
        for subscription in subscriptions:
            url = f"{subscription['id']}/providers/Microsoft.Storage/storageAccounts?api-version={STORAGE}"
            for body in await self._client.list_all(url):
                if str(body["name"]).lower() == name:
                    return resource_id(str(body["id"]))
        raise FarshoreError(f"no storage account {name} in any subscription")
