"""The two keys of a storage account: read by `listKeys`, and made anew one at a time by `regenerateKey`.

They are the lab's own. What was signed with a key that has been made anew is not good any more.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.registry import action
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

ACCOUNTS = "Microsoft.Storage/storageAccounts"
NAMES = ("key1", "key2")
TABLE = "storage.keys"
"""Key of an account -> its keys' names to how often each has been made anew."""
WITH_TIMES = "2021-02-01"
"""The first api-version that tells when a key was made."""


def key(cloud: Cloud, account: ResourceId, name: str = "key1") -> str:
    """An account's key: 64 bytes in base64."""
    turns = _turns(cloud, account).get(name, 0)
    digest = hashlib.sha512(f"{cloud.seed_number}/{account.key}/{name}{f'/{turns}' if turns else ''}".encode()).digest()
    return b64encode(digest).decode()


def forget(cloud: Cloud, account: ResourceId) -> None:
    """The account is gone."""
    cloud.table(TABLE).pop(account.key, None)


@action(ACCOUNTS, "listKeys")
def list_keys(call: Call) -> Response:
    return _keys(call, call.must_exist())


@action(ACCOUNTS, "regenerateKey")
def regenerate_key(call: Call) -> Response:
    body, name = call.must_exist(), str(call.object().get("keyName") or "")
    if name not in NAMES:
        message = "Values for request parameters are invalid: keyName."
        raise bad_request("InvalidValuesForRequestParameters", message, "keyName")
    cloud, turns = call.cloud, _turns(call.cloud, call.id)
    cloud.table(TABLE)[call.id.key] = {**turns, name: turns.get(name, 0) + 1}
    times = {**(body["properties"].get("keyCreationTime") or {}), name: stamp(cloud.now)}
    body = {**body, "properties": {**body["properties"], "keyCreationTime": times}}
    cloud.write(call.id, body, forwards=False)
    return _keys(call, body)


@action(ACCOUNTS, "revokeUserDelegationKeys")
def revoke_user_delegation_keys(call: Call) -> Response:
    """The lab has lent none."""
    call.must_exist()
    return Response(status=200)


def _keys(call: Call, body: Body) -> Response:
    times = body["properties"].get("keyCreationTime") or {}
    told = call.api_version[:10] >= WITH_TIMES
    keys = [
        {
            **({"creationTime": times.get(name)} if told else {}),
            "keyName": name,
            "value": key(call.cloud, call.id, name),
            "permissions": "FULL",
        }
        for name in NAMES
    ]
    return Response(status=200, body={"keys": keys})


def _turns(cloud: Cloud, account: ResourceId) -> dict[str, int]:
    found: Any = cloud.table(TABLE).get(account.key) or {}
    return dict(found)
