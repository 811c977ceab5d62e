"""Microsoft.Storage/storageAccounts: what holds unmanaged disks, and the cache that replication writes to (S27).

A PUT of a new account answers 202 and a place to look, all else is done at once. Its keys are in
`lab/storage/keys.py`, its blobs are read by `lab/storage/blobs.py`.

What an account shows unasked follows from its kind, and from the api-version that it was made with (recorded).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.regions import find_region
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network.private_endpoints import connections_of
from farshore.lab.patterns import STORAGE
from farshore.lab.registry import action, resource_type, view
from farshore.lab.resources.region_facts import PAIR_OF
from farshore.lab.storage import keys
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

STORAGE_ACCOUNTS = "Microsoft.Storage/storageAccounts"
SERVICES = ("dfs", "web", "blob", "queue", "table", "file")
OF_KIND = {
    "storage": ("blob", "queue", "table", "file"),
    "blobstorage": ("dfs", "blob", "table"),
    "blockblobstorage": ("dfs", "web", "blob"),
    "filestorage": ("file",),
}
"""Kind of account to the services that it has; any other has all."""
UNASKED_SINCE = {
    "minimumTlsVersion": "2021-02-01",
    "allowBlobPublicAccess": "2021-02-01",
    "allowCrossTenantReplication": "2023-01-01",
}
"""Property to the first api-version whose new accounts have it unasked."""
RULES: Mapping[str, Body] = {
    "ipRules": {"action": "Allow"},
    "virtualNetworkRules": {"action": "Allow", "state": "Succeeded"},
}
"""What is shown of each rule beside what was told."""
LIMIT = 250
"""Accounts of a subscription in a region."""


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
        "secondaryEndpoints",
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
        defaults: Body = {
            "allowCrossTenantReplication": False,
            "minimumTlsVersion": "TLS1_0",
            "allowBlobPublicAccess": True,
            "supportsHttpsTrafficOnly": True,
            "accessTier": "Hot",
            "primaryEndpoints": _endpoints(put, put.id.name),
            "primaryLocation": put.location,
            "statusOfPrimary": "available",
        }
        sku = put.body.get("sku") or {}
        name = str(sku.get("name") or "")
        pair = PAIR_OF.get(put.location)
        if "GRS" in name.upper() or "GZRS" in name.upper():
            defaults |= {} if pair is None else {"secondaryLocation": pair, "statusOfSecondary": "available"}
        if name.upper().startswith("STANDARD_RA") and pair is not None:
            there = {kind: url for kind, url in _endpoints(put, f"{put.id.name}-secondary").items() if kind != "file"}
            defaults |= {"secondaryEndpoints": there}
        version = put.query.get("api-version", "")[:10]
        for early, late in UNASKED_SINCE.items():
            if version and version < late:
                defaults.pop(early, None)
        if _kind(put) == "storage":
            del defaults["accessTier"]
        tier = {"tier": name.split("_", 1)[0]} if "_" in name else {}
        unasked = put.unasked({"privateEndpointConnections": [], "encryption": encryption})
        acls = _acls(body["properties"].get("networkAcls") or {})
        properties = {**defaults, **made, **body["properties"], "networkAcls": acls, **unasked}
        tags = put.unasked({"tags": {}})
        return {**body, "sku": {**tier, **sku}, **tags, **_tags(put), "properties": properties}

    def on_gone(self, cloud: Cloud, id_: ResourceId, body: Body) -> None:
        keys.forget(cloud, id_)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """With the private endpoints that lead to it."""
        led = connections_of(cloud, id_)
        return {**body, "properties": {**body["properties"], "privateEndpointConnections": led}} if led else body


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


@view("Microsoft.Storage/locations", "usages")
def usages(call: Call) -> Response:
    region = find_region(call.id.name)
    if region is None:
        raise bad_request("InvalidLocation", f"Azure has no region '{call.id.name}'.", "location")
    mine = f"/subscriptions/{call.id.subscription}/".lower()
    found = [body for body in call.cloud.of_type(STORAGE_ACCOUNTS) if str(body["id"]).lower().startswith(mine)]
    there = [body for body in found if normal_location(str(body.get("location"))) == region.name]
    name = {"value": "StorageAccounts", "localizedValue": "Storage Accounts"}
    row = {"unit": "Count", "currentValue": len(there), "limit": LIMIT, "name": name}
    return Response(status=200, body={"value": [row]})


@view(STORAGE_ACCOUNTS, "privateLinkResources")
def private_link_resources(call: Call) -> Response:
    """What a private endpoint can lead to: each of the account's services."""
    body = call.must_exist()
    rows = [
        {
            "id": f"{body['id']}/privateLinkResources/{name}",
            "name": name,
            "type": f"{STORAGE_ACCOUNTS}/privateLinkResources",
            "properties": {
                "groupId": name,
                "requiredMembers": [name],
                "requiredZoneNames": [f"privatelink.{name}.core.windows.net"],
            },
        }
        for name in body["properties"].get("primaryEndpoints") or {}
    ]
    return Response(status=200, body={"value": rows})


def _is_name(name: str) -> bool:
    return 3 <= len(name) <= 24 and name.isalnum() and name.isascii() and name == name.lower()


def account_named(cloud: Cloud, name: str) -> Body | None:
    """The account of this name: it is one of all Azure's."""
    for body in cloud.of_type(STORAGE_ACCOUNTS):
        if str(body["name"]).lower() == name.lower():
            return body
    return None


def _kind(put: Put) -> str:
    return str(put.body.get("kind") or (put.before or {}).get("kind") or "").lower()


def _endpoints(put: Put, name: str) -> dict[str, str]:
    return {kind: f"https://{name}.{kind}.core.windows.net/" for kind in OF_KIND.get(_kind(put), SERVICES)}


def _acls(sent: Body) -> Body:
    """Who may reach an account: everybody, unless it says otherwise."""
    rules: Body = {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"}
    rules |= {"ipv6Rules": []} | {key: value for key, value in sent.items() if value is not None}
    for name, usual in RULES.items():
        rules[name] = [{**usual, **rule} if isinstance(rule, dict) else rule for rule in rules[name]]
    return rules


def _tags(put: Put) -> Body:
    return {"tags": put.body["tags"]} if put.body.get("tags") else {}


def _both(value: str) -> dict[str, str]:
    return {"key1": value, "key2": value}
