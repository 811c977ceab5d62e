"""Microsoft.Storage/storageAccounts: what holds unmanaged disks, and the cache that replication writes to (S27).

A PUT of a new account answers 202 and a place to look, all else is done at once. The account's keys are the lab's
own. Its blobs are read by `lab/storage/blobs.py`.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network.private_endpoints import connections_of
from farshore.lab.patterns import STORAGE
from farshore.lab.registry import action, resource_type
from farshore.lab.resources.region_facts import PAIR_OF
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

STORAGE_ACCOUNTS = "Microsoft.Storage/storageAccounts"
SERVICES = ("dfs", "web", "blob", "queue", "table", "file")


@resource_type(STORAGE_ACCOUNTS)
class StorageAccounts(ResourceType):
    pattern = STORAGE
    patches = True
    put_takes = "storageAccounts.put"
    read_only = (
        "provisioningState",
        "keyCreationTime",
        "creationTime",
        "primaryEndpoints",
        "primaryLocation",
        "statusOfPrimary",
    )

    def validate(self, put: Put) -> None:
        name = put.id.name
        if not _is_name(name):
            raise bad_request(
                "AccountNameInvalid",
                f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 "
                "characters in length and use numbers and lower-case letters only.",
            )
        taken = account_named(put.cloud, name)
        if taken is not None and resource_id(str(taken["id"])) != put.id:
            raise Refused(409, "StorageAccountAlreadyTaken", f"The storage account named {name} is already taken.")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        made = {"keyCreationTime": _both(stamp(put.cloud.now)), "creationTime": stamp(put.cloud.now)}
        services = {"file": {}, "blob": {}, **((put.properties.get("encryption") or {}).get("services") or {})}
        enabled = {"keyType": "Account", "enabled": True, "lastEnabledTime": stamp(put.cloud.now)}
        before = ((put.before_properties.get("encryption") or {}).get("services")) or {}
        encryption = {
            "keySource": "Microsoft.Storage",
            **(put.properties.get("encryption") or {}),
            "services": {name: {**enabled, **before.get(name, {}), **(said or {})} for name, said in services.items()},
        }
        defaults = {
            "minimumTlsVersion": "TLS1_0",
            "allowBlobPublicAccess": True,
            "networkAcls": {
                "bypass": "AzureServices",
                "virtualNetworkRules": [],
                "ipRules": [],
                "defaultAction": "Allow",
            },
            "supportsHttpsTrafficOnly": True,
            "accessTier": "Hot",
            "primaryEndpoints": {kind: f"https://{put.id.name}.{kind}.core.windows.net/" for kind in SERVICES},
            "primaryLocation": put.location,
            "statusOfPrimary": "available",
        }
        sku = put.body.get("sku") or {}
        name = str(sku.get("name") or "")
        pair = PAIR_OF.get(put.location)
        if "GRS" in name.upper() or "GZRS" in name.upper():
            defaults |= {} if pair is None else {"secondaryLocation": pair, "statusOfSecondary": "available"}
        tier = {"tier": name.split("_", 1)[0]} if "_" in name else {}
        unasked = put.unasked({"privateEndpointConnections": [], "encryption": encryption})
        properties = {**defaults, **made, **body["properties"], **unasked}
        tags = put.unasked({"tags": {}})
        return {**body, "sku": {**tier, **sku}, **tags, **_tags(put), "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """With the private endpoints that lead to it."""
        led = connections_of(cloud, id_)
        return {**body, "properties": {**body["properties"], "privateEndpointConnections": led}} if led else body


@action(STORAGE_ACCOUNTS, "listKeys")
def list_keys(call: Call) -> Response:
    body = call.must_exist()
    made = (body["properties"].get("keyCreationTime") or {}).get("key1")
    keys = [
        {"creationTime": made, "keyName": name, "value": key(call.cloud, call.id, name), "permissions": "FULL"}
        for name in ("key1", "key2")
    ]
    return Response(status=200, body={"keys": keys})


@action("Microsoft.Storage", "checkNameAvailability")
def check_name(call: Call) -> Response:
    name = str(call.object().get("name") or "")
    if not _is_name(name):
        body = {"nameAvailable": False, "reason": "AccountNameInvalid", "message": f"{name} is not a valid name."}
    elif account_named(call.cloud, name) is not None:
        said = f"The storage account named {name} is already taken."
        body = {"nameAvailable": False, "reason": "AlreadyExists", "message": said}
    else:
        body = {"nameAvailable": True}
    return Response(status=200, body=body)


def _is_name(name: str) -> bool:
    return 3 <= len(name) <= 24 and name.isalnum() and name.isascii() and name == name.lower()


def key(cloud: Cloud, account: ResourceId, name: str = "key1") -> str:
    """An account's key: 64 bytes in base64."""
    digest = hashlib.sha512(f"{cloud.seed_number}/{account.key}/{name}".encode()).digest()
    return b64encode(digest).decode()


def account_named(cloud: Cloud, name: str) -> Body | None:
    """The account of this name: it is one of all Azure's."""
    for body in cloud.of_type(STORAGE_ACCOUNTS):
        if str(body["name"]).lower() == name.lower():
            return body
    return None


def _tags(put: Put) -> Body:
    return {"tags": put.body["tags"]} if put.body.get("tags") else {}


def _both(value: str) -> dict[str, str]:
    return {"key1": value, "key2": value}
