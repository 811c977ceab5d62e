"""automationAccounts/variables and credentials: what runbooks use by name.

A variable's value is JSON in a text, as Azure has it. The value of an encrypted variable and the password of a
credential are kept apart from the bodies; no answer, no log and no list shows them. A runbook that runs gets them
(`lab/automation/queue.py`), as in Azure. Whether a variable is encrypted is said once, when it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body, Json
from farshore.lab.answers import bad_request
from farshore.lab.automation.asset import ACCOUNTS, Asset, switch, text_of, text_or_none
from farshore.lab.registry import listener, resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

VARIABLES = f"{ACCOUNTS}/variables"
CREDENTIALS = f"{ACCOUNTS}/credentials"
SECRETS = "automation.secrets"
"""Key of a variable or credential -> what is never shown."""


@resource_type(VARIABLES)
class Variables(Asset):
    secrets = ("value",)

    def validate(self, put: Put) -> None:
        text_or_none(put.properties, "value")
        text_or_none(put.properties, "description")
        encrypted = switch(put.properties, "isEncrypted")
        said = put.before is not None and put.properties.get("isEncrypted") is not None
        if said and encrypted != put.before_properties["isEncrypted"]:
            raise bad_request("BadRequest", "isEncrypted of a variable never changes.", "isEncrypted")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = body["properties"]
        encrypted = bool(put.before_properties.get("isEncrypted", properties.get("isEncrypted")))
        value = properties.pop("value", None)
        properties |= {"isEncrypted": encrypted, "description": properties.get("description")}
        if not encrypted:
            properties["value"] = value
        elif value is not None:
            put.cloud.table(SECRETS)[put.id.key] = value
        return body

    def seed(self, cloud: Cloud, body: Body) -> Body:
        properties = {"isEncrypted": False, "value": None, **(body.get("properties") or {})}
        return {**body, "properties": properties}


@resource_type(CREDENTIALS)
class Credentials(Asset):
    secrets = ("password",)

    def validate(self, put: Put) -> None:
        text_of(put.properties, "userName")
        text_or_none(put.properties, "description")
        if put.before is None or "password" in put.properties:
            text_of(put.properties, "password")

    def seed(self, cloud: Cloud, body: Body) -> Body:
        return {**body, "properties": {"userName": "", **(body.get("properties") or {})}}

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = body["properties"]
        password = properties.pop("password", None)
        if password is not None:
            put.cloud.table(SECRETS)[put.id.key] = password
        properties["description"] = properties.get("description")
        return body


@listener("resource.gone")
def forget(cloud: Cloud, subject: str, data: Json) -> None:
    cloud.table(SECRETS).pop(subject, None)


def for_runbooks(cloud: Cloud, account: ResourceId) -> Body:
    """What a runbook of this account may ask for by name: variables as JSON texts, credentials with passwords."""
    secrets = cloud.table(SECRETS)
    variables = {}
    for body in cloud.children(account, "variables"):
        shown, hidden = body["properties"].get("value"), secrets.get(str(body["id"]).lower())
        variables[str(body["name"])] = hidden if body["properties"]["isEncrypted"] else shown
    credentials = {
        str(body["name"]): {
            "username": body["properties"]["userName"],
            "password": secrets.get(str(body["id"]).lower(), ""),
        }
        for body in cloud.children(account, "credentials")
    }
    return {"variables": variables, "credentials": credentials}
