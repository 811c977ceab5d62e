"""What a vault lists over all its fabrics, and what it keeps for itself (S8)."""

from __future__ import annotations

import re

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery.names import CONTAINER_MAPPINGS, CONTAINERS, ITEMS, NETWORK_MAPPINGS, VAULTS, shown_id
from farshore.lab.recovery.objects import RecoveryType, keep
from farshore.lab.registry import resource_type, view

WINDOWS: dict[str, Body] = {
    "2008 R2": {"version": "6.1", "servicePack": "SP1"},
    "2012": {"version": "6.2"},
    "2012 R2": {"version": "6.3"},
    "2016": {"version": "10.0"},
}
"""The years of the servers that are replicated, and the version that each calls itself."""
_FILTER = re.compile(r"(\w+)\s+eq\s+'([^']*)'", re.IGNORECASE)


def under(call: Call, type_: str) -> list[Body]:
    """The shown bodies of a type in this vault."""
    call.must_exist()
    prefix = call.id.key + "/"
    found = [body for body in call.cloud.of_type(type_) if str(body["id"]).lower().startswith(prefix)]
    return [] if not found else list(call.cloud.type_of(resource_id(str(found[0]["id"]))).rows(call, found))


@view(VAULTS, "replicationProtectedItems")
def protected_items(call: Call) -> Response:
    """S8: with `$filter` on names of the item's own properties or its provider's details."""
    rows = under(call, ITEMS)
    text = call.query.get("$filter", "")
    if text and not _FILTER.search(text):
        raise bad_request("InvalidFilter", f"The lab does not understand the filter '{text}'.", "$filter")
    for name, wanted in _FILTER.findall(text):
        rows = [row for row in rows if _matches(row["properties"], name, wanted)]
    return page(call, rows)


@view(VAULTS, "replicationProtectionContainers")
def containers(call: Call) -> Response:
    return page(call, under(call, CONTAINERS))


@view(VAULTS, "replicationProtectionContainerMappings")
def container_mappings(call: Call) -> Response:
    return page(call, under(call, CONTAINER_MAPPINGS))


@view(VAULTS, "replicationNetworkMappings")
def network_mappings(call: Call) -> Response:
    return page(call, under(call, NETWORK_MAPPINGS))


@resource_type(f"{VAULTS}/replicationAlertSettings")
class AlertSettings(RecoveryType):
    """To whom mail would go. Recorded: a PUT is answered 200 with the body, and there is no job."""

    noun = "alert settings"
    kind = "Vault"

    def put(self, call: Call) -> Response:
        id_ = self.full_id(call)
        self.check_place(call, id_, call.object(), call.cloud.body(id_))
        sent = call.properties()
        properties = {"sendToOwners": "DoNotSend", "customEmailAddresses": [], "locale": "", **sent}
        keep(call.cloud, id_, self.type, properties)
        return Response(status=200, body=call.cloud.show(id_))


@resource_type(f"{VAULTS}/replicationVaultSettings")
class VaultSettings(RecoveryType):
    """Kept and shown: what they are for (a migration project, a kind of VMware's replication) the lab has not."""

    noun = "vault settings"
    kind = "Vault"

    def put(self, call: Call) -> Response:
        id_ = self.full_id(call)
        self.check_place(call, id_, call.object(), call.cloud.body(id_))
        usual = {"migrationSolutionId": None, "vmwareToAzureProviderType": None}
        before = (call.cloud.body(id_) or {}).get("properties") or {}
        keep(call.cloud, id_, self.type, {**usual, **before, **call.properties()})
        return Response(status=200, body=call.cloud.show(id_))


@view(VAULTS, "replicationSupportedOperatingSystems")
def operating_systems(call: Call) -> Response:
    """Families that Azure to Azure replicates, without the versions that a page would have to be read for."""
    call.must_exist()
    wanted = call.query.get("instancetype") or "A2A"
    families: list[Body] = [
        {"osName": name, "osType": "linux", "osVersions": [{"version": "*"}]}
        for name in ("centos", "debian", "oracle", "rhel", "redhat", "suse", "sles", "ubuntu")
    ]
    families += [
        {"osName": f"Windows Server {year} {edition}", "osType": "windows", "osVersions": [version]}
        for year, version in WINDOWS.items()
        for edition in ("Standard", "Datacenter")
    ]
    kind = f"{VAULTS}/replicationSupportedOperatingSystems"
    own = shown_id(call.id.child("replicationSupportedOperatingSystems", "Default"))
    listed = [{"instanceType": "A2A", "supportedOs": families}] if wanted.lower() == "a2a" else []
    return Response(
        status=200, body={"id": own, "name": "Default", "type": kind, "properties": {"supportedOsList": listed}}
    )


def _matches(properties: Body, name: str, wanted: str) -> bool:
    for place in (properties, properties["providerSpecificDetails"]):
        held = {key.lower(): value for key, value in place.items()}
        if name.lower() in held:
            return str(held[name.lower()]).lower() == wanted.lower()
    return False
