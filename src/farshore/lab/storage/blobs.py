"""Page blobs of a storage account, read by ranges with the account's key.

An unmanaged disk is known by its URL, `https://{account}.blob.core.windows.net/{container}/{blob}`. The lab answers
for it at `{lab}/_blob/{account}/{container}/{blob}`. A request carries either

    Authorization: SharedKey {account}:{signature}      Azure's own, over the request's method, headers and resource
    Authorization: AccountKey {key}                     extension of the lab: the key itself

The resource that is signed is `/{account}/{container}/{blob}`, or `/{account}` and the path as it was asked for, which
is what client libraries sign when they are pointed at an address like this. Ranges, the page list and `sequence` are
as in `lab/storage/ranges.py`.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlsplit

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.lab.call import Call
from farshore.lab.regions import must_reach
from farshore.lab.registry import handle
from farshore.lab.storage import ranges, volumes
from farshore.lab.storage.accounts import account_named
from farshore.lab.storage.keys import key

SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def blob_url(account: str, path: str) -> str:
    """The URL by which Azure and the lab's write log know a blob."""
    return f"https://{account}.blob.core.windows.net/{path}"


@handle("HEAD", "_blob")
@handle("GET", "_blob")
def read_blob(call: Call) -> Response:
    cloud = call.cloud
    account, _, path = call.rest.partition("/")
    held = account_named(cloud, account)
    if held is None:
        return ranges.refused(404, "ResourceNotFound", "The specified resource does not exist.")
    must_reach(cloud, str(held.get("location")))
    if not _allowed(call, resource_id(str(held["id"])), path):
        return ranges.refused(403, "AuthenticationFailed", "Server failed to authenticate the request.")
    number = volumes.volume_of(cloud, blob_url(account, path))
    if number is None:
        return ranges.refused(404, "BlobNotFound", "The specified blob does not exist.")
    return ranges.answer(call, number)


def string_to_sign(call: Call, resource: str) -> str:
    """What a SharedKey signature covers: method, standard headers, x-ms headers, resource and query."""
    headers = call.headers
    standard = [headers.get(name, "") for name in SIGNED_HEADERS]
    length = SIGNED_HEADERS.index("content-length")
    standard[length] = "" if standard[length] == "0" else standard[length]
    ours = [f"{name}:{headers[name].strip()}" for name in sorted(headers) if name.startswith("x-ms-")]
    query = [f"{name}:{call.query[name]}" for name in sorted(call.query)]
    return "\n".join([call.request.method.upper(), *standard, *ours, "\n".join([resource, *query])])


def sign(account_key: str, text: str) -> str:
    return b64encode(hmac.new(b64decode(account_key), text.encode(), sha256).digest()).decode()


def _allowed(call: Call, account: ResourceId, path: str) -> bool:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    keys = [key(call.cloud, account, name) for name in ("key1", "key2")]
    if scheme == "AccountKey":
        return value in keys
    name, _, signature = value.partition(":")
    if scheme != "SharedKey" or name.lower() != account.name.lower():
        return False
    texts = [string_to_sign(call, resource) for resource in _resources(call, account.name, path)]
    # As bytes: a signature comes from outside, and texts are compared only where all of them is ASCII.
    given = signature.encode()
    return any(hmac.compare_digest(sign(each, text).encode(), given) for each in keys for text in texts)


def _resources(call: Call, account: str, path: str) -> Iterator[str]:
    yield f"/{account}/{path}"
    yield f"/{account}{urlsplit(call.request.url).path}"
