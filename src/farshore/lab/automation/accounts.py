"""Microsoft.Automation/automationAccounts: where runbooks and what they use lie.

A managed identity has a principal of its own, whose token a runbook gets from the endpoint that its environment names;
role assignments are about it as about anybody. A recovery plan takes an account of any region in the vault's
subscription (S55); while its region is lost, its jobs do not begin (L36).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.automation.asset import ACCOUNTS, Asset
from farshore.lab.call import Call
from farshore.lab.network.private_endpoints import connections_of
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

IN_A_LIST = ("creationTime", "lastModifiedTime", "state", "disableLocalAuth")
AZ = "8.0.0"
"""The version of Azure's modules that an account's runbooks of PowerShell would have."""


@resource_type(ACCOUNTS)
class AutomationAccounts(Asset):
    tracked = True
    may_be_gone = True
    read_only = (
        *("provisioningState", "creationTime", "lastModifiedTime", "state"),
        *("automationHybridServiceUrl", "RegistrationUrl", "RuntimeConfiguration", "privateEndpointConnections"),
    )

    def validate(self, put: Put) -> None:
        identity = put.body.get("identity")
        if identity is not None and not (isinstance(identity, dict) and isinstance(identity.get("type"), str)):
            raise bad_request("BadRequest", "identity is an object with a type, such as SystemAssigned.", "identity")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual = {
            "disableLocalAuth": False,
            "encryption": {"keySource": "Microsoft.Automation", "identity": {"userAssignedIdentity": None}},
            "lastModifiedBy": None,
            "state": "Ok",
        }
        number = put.cloud.guid("automation", put.id.key)
        agents = f"https://{number}.agentsvc.lab.azure-automation.net/accounts/{number}"
        properties = {
            **usual,
            **body["properties"],
            # Every account is of the one kind that there is, whatever was asked for (recorded).
            "sku": {"name": "Basic", "family": None, "capacity": None},
            "RuntimeConfiguration": {name: {"builtinModules": {"Az": AZ}} for name in ("powershell", "powershell7")},
            "automationHybridServiceUrl": f"https://{number}.jrds.lab.azure-automation.net/automationAccounts/{number}",
            "RegistrationUrl": agents,
        }
        return {**body, "tags": put.body.get("tags") or {}, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        times = body["properties"]
        made = {"createdAt": times.get("creationTime"), "lastModifiedAt": times.get("lastModifiedTime")}
        properties = {**times, "privateEndpointConnections": connections_of(cloud, id_)}
        return {**body, "systemData": made, "etag": None, "properties": properties}

    def first_answer(self, put: Put) -> Body | None:
        """A change is answered without who is connected (recorded)."""
        shown = super().first_answer(put)
        if shown is None:
            return None
        told = {key: value for key, value in shown["properties"].items() if key != "privateEndpointConnections"}
        return {**shown, "properties": told}

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """A list shows less of each account (recorded)."""
        rows = []
        for shown in super().rows(call, found):
            told = {name: shown["properties"][name] for name in IN_A_LIST if name in shown["properties"]}
            rest = {name: item for name, item in shown.items() if name not in ("systemData", "etag")}
            rows.append({**rest, "properties": told})
        return rows


@view(ACCOUNTS, "softwareUpdateConfigurationMachineRuns")
@view(ACCOUNTS, "softwareUpdateConfigurationRuns")
def update_runs(call: Call) -> Response:
    """Nothing of the lab updates a machine."""
    call.must_exist()
    return Response(status=200, body={"value": []})


@view(ACCOUNTS, "linkedWorkspace")
def linked_workspace(call: Call) -> Response:
    """No account of the lab has one."""
    call.must_exist()
    return Response(status=200, body={"id": None})


def principal_of(account: Body) -> str | None:
    """The object id of an account's own identity, if it has one."""
    found = (account.get("identity") or {}).get("principalId")
    return None if found is None else str(found)
