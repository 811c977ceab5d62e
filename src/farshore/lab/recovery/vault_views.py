"""What a vault lists over all its fabrics, and what it says of itself (S8).

The lab has what Azure to Azure uses; lists of what it does not have (appliances, migrations, clouds of VMM) are
empty, as a vault's are that never had any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery import jobs
from farshore.lab.recovery.names import (
    CONTAINER_MAPPINGS,
    CONTAINERS,
    FABRICS,
    ITEMS,
    NETWORK_MAPPINGS,
    VAULTS,
    shown_id,
)
from farshore.lab.recovery.objects import RecoveryType, keep
from farshore.lab.registry import action, resource_type, view

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

EMPTY = (
    "replicationAppliances",
    "replicationMigrationItems",
    "replicationNetworks",
    "replicationStorageClassifications",
    "replicationStorageClassificationMappings",
    "replicationvCenters",
    "replicationEvents",
    "replicationProtectionClusters",
    "replicationProtectionIntents",
)
HEALTH = f"{VAULTS}/replicationVaultHealth"
_FILTER = re.compile(r"(\w+)\s+eq\s+'([^']*)'", re.IGNORECASE)


def _under(call: Call, type_: str) -> list[Body]:
    """The shown bodies of a type in this vault."""
    call.must_exist()
    prefix = call.id.key + "/"
    found = [body for body in call.cloud.of_type(type_) if str(body["id"]).lower().startswith(prefix)]
    return [] if not found else list(call.cloud.type_of(resource_id(str(found[0]["id"]))).rows(call, found))


@view(VAULTS, "replicationProtectedItems")
def protected_items(call: Call) -> Response:
    """S8: with `$filter` on names of the item's own properties or its provider's details."""
    rows = _under(call, ITEMS)
    text = call.query.get("$filter", "")
    if text and not _FILTER.search(text):
        raise bad_request("InvalidFilter", f"The lab does not understand the filter '{text}'.", "$filter")
    for name, wanted in _FILTER.findall(text):
        rows = [row for row in rows if _matches(row["properties"], name, wanted)]
    return page(call, rows)


@view(VAULTS, "replicationProtectionContainers")
def containers(call: Call) -> Response:
    return page(call, _under(call, CONTAINERS))


@view(VAULTS, "replicationProtectionContainerMappings")
def container_mappings(call: Call) -> Response:
    return page(call, _under(call, CONTAINER_MAPPINGS))


@view(VAULTS, "replicationNetworkMappings")
def network_mappings(call: Call) -> Response:
    return page(call, _under(call, NETWORK_MAPPINGS))


@view(VAULTS, "replicationRecoveryServicesProviders")
def providers(call: Call) -> Response:
    """One for each fabric."""
    rows = []
    for fabric in _under(call, FABRICS):
        id_ = resource_id(str(fabric["id"]))
        name = call.cloud.guid("provider", id_.key)
        properties = {"fabricType": "Azure", "friendlyName": fabric["properties"]["friendlyName"]}
        properties |= {"fabricFriendlyName": fabric["properties"]["friendlyName"], "connectionStatus": "Connected"}
        own = shown_id(id_.child("replicationRecoveryServicesProviders", name))
        kind = f"{FABRICS}/replicationRecoveryServicesProviders"
        rows.append({"id": own, "name": name, "type": kind, "properties": properties})
    return page(call, rows)


def _nothing(call: Call) -> Response:
    call.must_exist()
    return page(call, [])


for _name in EMPTY:
    view(VAULTS, _name)(_nothing)


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


@view(VAULTS, "replicationSupportedOperatingSystems")
def operating_systems(call: Call) -> Response:
    """Families that Azure to Azure replicates, without the versions that a page would have to be read for."""
    call.must_exist()
    families: list[Body] = [
        {"osName": name, "osType": "linux", "osVersions": [{"version": "*"}]}
        for name in ("centos", "debian", "oracle", "redhat", "sles", "ubuntu")
    ]
    families += [
        {"osName": f"Windows Server {year} Datacenter", "osType": "windows", "osVersions": versions}
        for year, versions in (
            ("2008 R2", [{"version": "6.1", "servicePack": "SP1"}]),
            ("2012", [{"version": "6.2"}]),
            ("2012 R2", [{"version": "6.3"}]),
            ("2016", [{"version": "10.0"}]),
        )
    ]
    kind = f"{VAULTS}/replicationSupportedOperatingSystems"
    own = shown_id(call.id.child("replicationSupportedOperatingSystems", "Default"))
    listed = [{"instanceType": "A2A", "supportedOs": families}]
    return Response(
        status=200, body={"id": own, "name": "Default", "type": kind, "properties": {"supportedOsList": listed}}
    )


@view(VAULTS, "replicationVaultHealth")
def health(call: Call) -> Response:
    call.must_exist()
    rows = [row["properties"] for row in _under(call, ITEMS)]
    counts = {
        "testFailoverApplicableProtectedItemsCount": sum("TestFailover" in row["allowedOperations"] for row in rows),
        "testFailoverInProgressProtectedItemsCount": sum(
            row["currentScenario"]["scenarioName"] == "TestFailover" for row in rows
        ),
        "testFailoverWaitingProtectedItemsCount": sum(
            row["testFailoverState"] == "WaitingForCompletion" for row in rows
        ),
        "protectedItemsCriticalCount": sum(row["replicationHealth"] == "Critical" for row in rows),
        "protectedItemsWarningCount": sum(row["replicationHealth"] == "Warning" for row in rows),
        "protectedItemsNeutralCount": 0,
        "protectedItemsTestFailoverCriticalCount": 0,
        "protectedItemsTestFailoverWarningCount": sum(row["failoverHealth"] == "Warning" for row in rows),
        "protectedItemsConfigurationCriticalCount": 0,
        "protectedItemsConfigurationWarningCount": 0,
        "protectedItemsFailoverHealthCriticalCount": 0,
        "protectedItemsFailoverHealthWarningCount": sum(row["failoverHealth"] == "Warning" for row in rows),
    }
    fabrics, held = _under(call, FABRICS), _under(call, CONTAINERS)
    properties = {
        "vaultErrors": [],
        "protectedItemsHealth": {"resourceCount": len(rows), "issues": [], "categorizedResourceCounts": counts},
        "fabricsHealth": {"resourceCount": len(fabrics), "issues": [], "categorizedResourceCounts": None},
        "containersHealth": {"resourceCount": len(held), "issues": [], "categorizedResourceCounts": None},
    }
    id_ = shown_id(call.id.child("replicationVaultHealth", "Default"))
    return Response(status=200, body={"id": id_, "name": "Default", "type": HEALTH, "properties": properties})


@resource_type(HEALTH)
class VaultHealth(RecoveryType):
    """Only what `refresh` is asked of."""

    noun = "vault health"
    kind = "Vault"


@action(HEALTH, "refresh")
def refresh(call: Call) -> Response:
    response, job = jobs.begin(
        call,
        "refresh",
        scenario="RefreshVaultHealth",
        title="Refresh vault health",
        target=("Vault", call.cloud.guid("entity", call.id.key), ""),
        takes=call.cloud.duration("recovery.quick", call.id.key, call.cloud.count("refresh", call.id.key)),
    )
    jobs.start_task(call.cloud, job, "RefreshFailoverHealthTask", "Refreshing failover health")
    return response


@jobs.job_done(HEALTH, "refresh")
def refreshed(cloud: Cloud, operation: Operation) -> Body | None:
    return None


def _matches(properties: Body, name: str, wanted: str) -> bool:
    for place in (properties, properties["providerSpecificDetails"]):
        held = {key.lower(): value for key, value in place.items()}
        if name.lower() in held:
            return str(held[name.lower()]).lower() == wanted.lower()
    return False
