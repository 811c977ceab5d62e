"""automationAccounts/schedules, jobSchedules, modules, packages, webhooks, runtime environments: kept and shown.

A schedule starts nothing here and a module is not fetched; what a runbook imports is what the Python that runs the lab
can import. `jobSchedules` links a runbook with a schedule, both of which must be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.automation.asset import ACCOUNTS, Asset, name_in, text_of
from farshore.lab.call import Call
from farshore.lab.registry import resource_type
from farshore.lab.types import Put
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

FREQUENCIES = ("OneTime", "Day", "Hour", "Week", "Month", "Minute")


@resource_type(f"{ACCOUNTS}/schedules")
class Schedules(Asset):
    def validate(self, put: Put) -> None:
        said = {**put.before_properties, **put.properties}
        frequency = text_of(said, "frequency")
        if frequency not in FREQUENCIES:
            raise bad_request("BadRequest", f"frequency {frequency} is none of {', '.join(FREQUENCIES)}.", "frequency")
        try:
            moment(text_of(said, "startTime"))
        except ValueError:
            raise bad_request(
                "BadRequest", f"startTime is no time: {quoted(said['startTime'])}.", "startTime"
            ) from None

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual = {
            "startTimeOffsetMinutes": 0.0,
            "expiryTime": "9999-12-31T23:59:59.9999999+00:00",
            "expiryTimeOffsetMinutes": 0.0,
            "isEnabled": True,
            "nextRun": body["properties"].get("startTime"),
            "nextRunOffsetMinutes": 0.0,
            "interval": None,
            "timeZone": "UTC",
            "description": None,
            "advancedSchedule": None,
        }
        properties = {**usual, **body["properties"]}
        if isinstance(properties["interval"], str) and properties["interval"].isdecimal():
            properties["interval"] = int(properties["interval"])
        return {**body, "properties": properties}


@resource_type(f"{ACCOUNTS}/jobSchedules")
class JobSchedules(Asset):
    patches = False

    def validate(self, put: Put) -> None:
        if put.before is not None:
            raise Refused(409, "Conflict", f"A job schedule {put.id.name} is there already.")
        account = put.id.parent
        assert account is not None
        for kind in ("runbook", "schedule"):
            name = name_in(put.properties, kind)
            if not put.cloud.exists(account.child(f"{kind}s", name)):
                raise Refused(404, "NotFound", f"The {kind} {name} of the account {account.name} was not found.")

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        usual = {"parameters": None, "runOn": None}
        return {**body, "properties": {"jobScheduleId": put.id.name, **usual, **body["properties"]}}

    def patch(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "A job schedule is deleted and made anew.")


class Kept(Asset):
    """Shape only: validated as every body is, stored and shown whole."""

    shape_only = True
    tracked = True
    states = True

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        return {**body, "tags": put.body.get("tags") or {}}


@resource_type(f"{ACCOUNTS}/modules")
class Modules(Kept):
    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual = {"isGlobal": False, "version": None, "sizeInBytes": 0, "activityCount": 0, "isComposite": False}
        properties = {**usual, **body["properties"], "lastModifiedTime": stamp(put.cloud.now)}
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Where its text comes from is not shown."""
        properties = {key: value for key, value in body["properties"].items() if key != "contentLink"}
        properties["error"] = {"code": None, "message": ""}
        return {**super().show(cloud, id_, {**body, "properties": properties}, query), "etag": None}

    def first_answer(self, put: Put) -> Body | None:
        """Azure fetches its text then, and knows of no error (recorded)."""
        shown = super().first_answer(put)
        if shown is None:
            return None
        told = {"error": {"code": None, "message": None}, "provisioningState": "Creating"}
        return {**shown, "properties": {**shown["properties"], **told}}


@resource_type(f"{ACCOUNTS}/powerShell72Modules")
class PowerShell72Modules(Modules):
    pass


@resource_type(f"{ACCOUNTS}/python2Packages")
class Python2Packages(Modules):
    pass


@resource_type(f"{ACCOUNTS}/python3Packages")
class Python3Packages(Modules):
    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        """A list shows less of each (recorded)."""
        rows = super().rows(call, found)
        for shown in rows:
            shown["properties"] = {key: value for key, value in shown["properties"].items() if key != "error"}
        return [{name: shown[name] for name in ("id", "name", "properties")} for shown in rows]


@resource_type(f"{ACCOUNTS}/webhooks")
class Webhooks(Asset):
    """Shape only: nobody calls them. The address is told once by whoever made it up, and shown to nobody."""

    shape_only = True
    secrets = ("uri",)

    def validate(self, put: Put) -> None:
        said = {**put.before_properties, **put.properties}
        account = put.id.parent
        assert account is not None
        name = name_in(said, "runbook")
        if not put.cloud.exists(account.child("runbooks", name)):
            raise Refused(404, "NotFound", f"The runbook {name} of the account {account.name} was not found.")

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual = {"isEnabled": True, "lastInvokedTime": None, "runOn": None, "parameters": None, "lastModifiedBy": ""}
        return {**body, "properties": {**usual, **body["properties"], "uri": ""}}


@resource_type(f"{ACCOUNTS}/runtimeEnvironments")
class RuntimeEnvironments(Kept):
    pass


class Bare(Asset):
    """Shape only, and no location of its own. What it holds in secret is shown to nobody."""

    shape_only = True

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        properties = {key: value for key, value in body["properties"].items() if key not in self.secrets}
        return super().show(cloud, id_, {**body, "properties": properties}, query)


class WorkerGroups(Bare):
    """`hybridRunbookWorkerGroups`: no machine of the lab works for one."""

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual = {"groupType": "User", "credential": {"name": None}, "hybridRunbookWorkers": None}
        sent = {key: value for key, value in body["properties"].items() if value is not None}
        return {**body, "properties": {**usual, **sent}}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """When it was made is told beside its properties (recorded)."""
        shown = super().show(cloud, id_, body, query)
        properties = dict(shown["properties"])
        made = {"createdAt": properties.pop("creationTime", None)}
        made["lastModifiedAt"] = properties.pop("lastModifiedTime", None)
        return {**shown, "properties": properties, "systemData": made}


_BARE: Mapping[str, tuple[str, ...]] = {
    "certificates": ("base64Value",),
    "connectionTypes": (),
    "connections": (),
    "hybridRunbookWorkerGroups/hybridRunbookWorkers": (),
    "nodeConfigurations": (),
    "privateEndpointConnections": (),
    "softwareUpdateConfigurations": (),
    "sourceControls": ("securityToken",),
    "sourceControls/sourceControlSyncJobs": (),
}
"""Type below an account to the names of its secrets."""

for _name, _secrets in _BARE.items():
    _parts = {"__doc__": f"{ACCOUNTS}/{_name}: shape only.", "__module__": __name__, "secrets": _secrets}
    resource_type(f"{ACCOUNTS}/{_name}")(type("Bare", (Bare,), _parts))

resource_type(f"{ACCOUNTS}/hybridRunbookWorkerGroups")(WorkerGroups)

for _name in ("configurations", "runtimeEnvironments/packages", "watchers"):
    resource_type(f"{ACCOUNTS}/{_name}")(type("Kept", (Kept,), {"__doc__": Kept.__doc__, "__module__": __name__}))
