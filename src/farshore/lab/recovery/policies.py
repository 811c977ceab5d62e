"""replicationPolicies: how many recovery points are kept (S4, S25).

`recoveryPointHistory` is in minutes. What a policy does not say is zero, as recorded: zero keeps the latest point only.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.recovery.names import CONTAINER_MAPPINGS, POLICIES
from farshore.lab.recovery.objects import RecoveryType, first, object_
from farshore.lab.registry import resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

LONGEST_HISTORY_IN_MINUTES = 15 * 24 * 60
"""15 days (S25)."""
_NUMBERS = (
    "recoveryPointHistory",
    "appConsistentFrequencyInMinutes",
    "crashConsistentFrequencyInMinutes",
    "recoveryPointThresholdInMinutes",
)
SHAPE_ONLY = ("InMageRcm", "InMageRcmFailback", "InMage", "InMageAzureV2", "HyperVReplicaAzure", "VMwareCbt")
"""Providers that bring machines from elsewhere: their policies are kept and shown, and nothing uses them."""


@resource_type(POLICIES)
class Policies(RecoveryType):
    noun = "policy"
    titles: ClassVar = {"Update": ("ModifyProtectionProfile", "Modify settings of the replication policy")}
    patches = True
    kind = "ProtectionProfile"

    def check(self, put: Put) -> None:
        given = _given(put)
        kind = given.get("instanceType")
        if kind in SHAPE_ONLY:
            return
        if kind != "A2A":
            raise bad_request(
                "ProviderNotSupported", f"The lab has no policies of instanceType {quoted(kind)}.", "instanceType"
            )
        for name in _NUMBERS:
            if not str(given.get(name) or 0).isdecimal():
                raise bad_request("InvalidParameter", f"{name} is a number of minutes, not '{given[name]}'.", name)
        history = int(given.get("recoveryPointHistory") or 0)
        if not 0 <= history <= LONGEST_HISTORY_IN_MINUTES:
            raise bad_request("InvalidParameter", f"recoveryPointHistory {history} is not 0 to 15 days in minutes.")
        app = int(given.get("appConsistentFrequencyInMinutes") or 0)
        if app and app < 60:
            raise bad_request("InvalidParameter", "appConsistentFrequencyInMinutes is at least 60, or 0 for none.")

    def patch(self, call: Call) -> Response:
        body = call.must_exist()
        call.id = resource_id(str(body["id"]))
        self.check(Put(cloud=call.cloud, id=call.id, body=call.object(), before=body, query=call.query))
        return super().patch(call)

    def built(self, put: Put) -> Body:
        given = _given(put)
        before = put.before_properties.get("providerSpecificDetails") or {}
        said = {**before, **given}
        if said.get("instanceType") in SHAPE_ONLY:
            unused = {"status": False, "associatedItemsCount": 0, "dataSourceType": "VM"}
            return {"friendlyName": put.id.name, "providerSpecificDetails": {**said, **unused}}
        return {
            "friendlyName": put.id.name,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointThresholdInMinutes": int(said.get("recoveryPointThresholdInMinutes") or 0),
                "recoveryPointHistory": int(said.get("recoveryPointHistory") or 0),
                "appConsistentFrequencyInMinutes": int(said.get("appConsistentFrequencyInMinutes") or 0),
                "multiVmSyncStatus": "Disabled" if said.get("multiVmSyncStatus") == "Disable" else "Enabled",
                "crashConsistentFrequencyInMinutes": int(said.get("crashConsistentFrequencyInMinutes") or 5),
            },
        }

    def on_delete(self, cloud: Cloud, id_: ResourceId) -> None:
        for mapping in cloud.of_type(CONTAINER_MAPPINGS):
            if str(mapping["properties"].get("policyId")).lower() == id_.key:
                raise Refused(409, "PolicyInUse", f"Policy {id_.name} is used by the mapping {mapping['name']}.")


def _given(put: Put) -> Body:
    """A PUT and a PATCH call the same thing by two names (recorded)."""
    said = first(put.properties, "providerSpecificInput", "replicationProviderSettings")
    return object_(said, "providerSpecificInput")


def retention(cloud: Cloud, policy: str) -> timedelta:
    """How long recovery points live under a policy."""
    return timedelta(minutes=int(_details(cloud, policy).get("recoveryPointHistory") or 0))


def app_consistent_every(cloud: Cloud, policy: str) -> timedelta:
    """How often a point is made that applications have agreed to; zero for never."""
    return timedelta(minutes=int(_details(cloud, policy).get("appConsistentFrequencyInMinutes") or 0))


def _details(cloud: Cloud, policy: str) -> Body:
    found: Body = ((cloud.body(policy) or {}).get("properties") or {}).get("providerSpecificDetails") or {}
    return found
