"""What a client says of an item after it is protected (PATCH, S13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.json import Body
from farshore.lab.recovery.item_nics import nic_settings
from farshore.lab.recovery.objects import must_be_ours, must_find, objects

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


def settings(cloud: Cloud, body: Body, sent: Body) -> Body:
    """The details of an item after a PATCH (S13). Raises `Refused` for what is not there."""
    details = body["properties"]["providerSpecificDetails"]
    given = details_of(sent)
    changed: Body = {}
    for key in ("recoveryAzureVMName", "recoveryAzureVMSize"):
        if sent.get(key):
            changed[key] = sent[key]
    if sent.get("recoveryAzureVMName"):
        changed["tfoAzureVMName"] = f"{sent['recoveryAzureVMName']}-test"
    for key in ("selectedRecoveryAzureNetworkId", "selectedTfoAzureNetworkId"):
        if sent.get(key):
            changed[key] = must_find(cloud, sent[key], key).text
    if sent.get("recoveryAvailabilitySetId"):
        changed["recoveryAvailabilitySet"] = must_find(cloud, sent["recoveryAvailabilitySetId"], "availabilitySet").text
    if given.get("recoveryResourceGroupId"):
        changed["recoveryAzureResourceGroupId"] = must_find(cloud, given["recoveryResourceGroupId"], "group").text
    for key in ("tfoAzureVMName", "recoveryBootDiagStorageAccountId", "recoveryProximityPlacementGroupId"):
        if given.get(key):
            changed[key] = given[key]
    kept = "recoveryCapacityReservationGroupId"
    if given.get(kept):
        changed[kept] = must_find(cloud, given[kept], kept).text
    nics = nic_settings(cloud, details["vmNics"], objects(sent.get("vmNics"), "vmNics"))
    if "selectedRecoveryAzureNetworkId" in changed:
        nics = [{**nic, "recoveryVMNetworkId": changed["selectedRecoveryAzureNetworkId"]} for nic in nics]
    return {**changed, "vmNics": nics}


def details_of(properties: Body) -> Body:
    """`providerSpecificDetails` of a request, or nothing. Refused where they are another provider's."""
    found = properties.get("providerSpecificDetails")
    details = found if isinstance(found, dict) else {}
    must_be_ours(details)
    return details
