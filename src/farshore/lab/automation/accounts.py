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
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@resource_type(ACCOUNTS)
class AutomationAccounts(Asset):
    tracked = True
    may_be_gone = True
    read_only = (
        *("provisioningState", "creationTime", "lastModifiedTime", "state"),
        *("automationHybridServiceUrl", "RegistrationUrl"),
    )

    def validate(self, put: Put) -> None:
        identity = put.body.get("identity")
        if identity is not None and not (isinstance(identity, dict) and isinstance(identity.get("type"), str)):
            raise bad_request("BadRequest", "identity is an object with a type, such as SystemAssigned.", "identity")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual = {
            "publicNetworkAccess": True,
            "disableLocalAuth": False,
            "description": None,
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
            "automationHybridServiceUrl": f"https://{number}.jrds.lab.azure-automation.net/automationAccounts/{number}",
            "RegistrationUrl": agents,
        }
        found = {**body, "tags": put.body.get("tags") or {}, "properties": properties}
        if (identity := body.get("identity")) is not None:
            found["identity"] = _identity(put, identity)
        return found

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        times = body["properties"]
        made = {"createdAt": times.get("creationTime"), "lastModifiedAt": times.get("lastModifiedTime")}
        return {**body, "systemData": made, "etag": None}


@view(ACCOUNTS, "linkedWorkspace")
def linked_workspace(call: Call) -> Response:
    """No account of the lab has one."""
    call.must_exist()
    return Response(status=200, body={"id": None})


def principal_of(account: Body) -> str | None:
    """The object id of an account's own identity, if it has one."""
    found = (account.get("identity") or {}).get("principalId")
    return None if found is None else str(found)


def _identity(put: Put, sent: Body) -> Body:
    if "systemassigned" not in str(sent["type"]).lower():
        return {key: value for key, value in sent.items() if key not in ("principalId", "tenantId")}
    return {**sent, "principalId": put.cloud.guid("principal", put.id.key), "tenantId": put.cloud.guid("tenant")}
