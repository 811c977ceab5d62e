"""Microsoft.Network/networkWatchers/flowLogs, and the two questions of a watcher that came before them: shape only.

    PUT flowLogs              tracked; shows the target's guid and defaults for what was not said
    POST configureFlowLog     {targetResourceId, properties, flowAnalyticsConfiguration?} -> the same with defaults, 200
    POST queryFlowLogStatus   {targetResourceId} -> what is configured there, 200 (recorded: both at once)

A security group, network, subnet or interface has one flow log at most; no flow is logged here. Analytics that nobody
switched on are shown switched off (recorded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.network import watcher_targets as targets
from farshore.lab.network.watcher_targets import WATCHERS
from farshore.lab.registry import action
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

CONFIGURED = "flowLogs.configured"
"""Key of a target -> what `configureFlowLog` was told."""
RETENTION: Body = {"days": 0, "enabled": False}
FORMAT: Body = {"type": "JSON", "version": 1}
ANALYTICS = "networkWatcherFlowAnalyticsConfiguration"


def flow_log(put: Put) -> Body:
    """What a flow log shows beside what was sent."""
    target = str(put.properties.get("targetResourceId") or "")
    return {
        **({"targetResourceId": target, "targetResourceGuid": _guid(put.cloud, target)} if target else {}),
        "enabled": put.properties.get("enabled", True),
        "flowAnalyticsConfiguration": _analytics(put.properties.get("flowAnalyticsConfiguration")),
        "retentionPolicy": {**RETENTION, **_part(put.properties, "retentionPolicy")},
        "format": {**FORMAT, **_part(put.properties, "format")},
    }


@action(WATCHERS, "configureFlowLog")
def configure(call: Call) -> Response:
    target, sent = _target(call), call.properties()
    if not sent.get("storageId") or not isinstance(sent.get("enabled"), bool):
        raise bad_request("InvalidRequestFormat", "A flow log needs a storageId, and whether it is enabled.")
    properties = {
        "storageId": sent["storageId"],
        "enabled": sent["enabled"],
        "retentionPolicy": {**RETENTION, **_part(sent, "retentionPolicy")},
        "format": {**FORMAT, **_part(sent, "format")},
    }
    body: Body = {"targetResourceId": target.text, "properties": properties}
    analytics = _analytics(call.object().get("flowAnalyticsConfiguration"))
    if analytics:
        body["flowAnalyticsConfiguration"] = analytics
    call.cloud.table(CONFIGURED)[target.key] = body
    return Response(status=200, body=body)


@action(WATCHERS, "queryFlowLogStatus")
def status(call: Call) -> Response:
    target = _target(call)
    nothing: Body = {"storageId": "", "enabled": False, "retentionPolicy": RETENTION, "format": FORMAT}
    unset: Body = {"targetResourceId": target.text, "properties": nothing}
    return Response(status=200, body=call.cloud.table(CONFIGURED).get(target.key) or unset)


def _target(call: Call) -> ResourceId:
    targets.must_say(call, "targetResourceId")
    target = targets.id_of(call.object()["targetResourceId"])
    if not call.cloud.exists(target):
        raise Refused(404, "ResourceNotFound", f"The resource {target.text} was not found.")
    return target


def _guid(cloud: Cloud, target: str) -> str:
    held = (cloud.body(targets.id_of(target)) or {}).get("properties") or {}
    return str(held.get("resourceGuid") or cloud.guid("flowLogs.target", target.lower()))


def _analytics(sent: object) -> Body:
    inner = sent.get(ANALYTICS) if isinstance(sent, dict) else None
    return {ANALYTICS: {"enabled": False, **inner}} if isinstance(inner, dict) else {}


def _part(properties: Body, name: str) -> Body:
    found = properties.get(name)
    return found if isinstance(found, dict) else {}
