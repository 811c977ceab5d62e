"""`configure_item`: PATCH a protected item (S13): names, size, network, each NIC's subnet and address (D68).

A plan names a NIC by its id in Azure; an item knows its NICs by ids of its own, so the item is read first. A second
PATCH of the same settings does no harm, so nothing else is looked at. Afterwards the addresses are read: an address
that the service did not take is another address at failover, without any error (D68).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farshore.arm.http import Request, fault_of
from farshore.arm.ids import ResourceId
from farshore.azure.lro import follow
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Acted, Situation, Talk, Verb, get, operation_times, properties, url, write
from farshore.run.verbs.recovery import BUSY, ended_job, job_id

Nics = Sequence[Mapping[str, Any]]


class ConfigureItem(Verb):
    name = "configure_item"

    def act(self, situation: Situation) -> Talk[Acted]:
        said = dict(situation.arguments["properties"])
        if said.get("vmNics"):
            shown = yield from _nics_of(situation.id)
            said["vmNics"] = [{**nic, "nicId": _must_know(situation.id, shown, nic)["nicId"]} for nic in said["vmNics"]]
        body = {"properties": said}
        request = Request(method="PATCH", url=url(situation.id), body=body, repeatable=False)
        return (yield from write(request, retryable=BUSY))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        ended = None
        if situation.pending:
            ended = yield from follow(situation.pending, since=situation.since)
            yield from ended_job(situation.id, job_id(situation.pending), situation.since)
        response = yield from get(situation.id)
        shown = (properties(response).get("providerSpecificDetails") or {}).get("vmNics") or ()
        for nic in situation.arguments["properties"].get("vmNics") or ():
            for said in nic.get("ipConfigs") or ():
                wanted, kept = said.get("recoveryStaticIPAddress"), _address(shown, nic, said.get("ipConfigName"))
                if wanted and kept != wanted:
                    name = f"{situation.id.name} keeps {kept or 'no address'} for {said.get('ipConfigName')}"
                    raise ArmError(Fault(code="NotAsWritten", message=f"{name}, not {wanted} (D68)"))
        return operation_times(ended or response)


def _nics_of(item: ResourceId) -> Talk[Nics]:
    response = yield from get(item)
    if response.status == 404:
        raise ArmError(fault_of(response))
    found: Nics = (properties(response).get("providerSpecificDetails") or {}).get("vmNics") or ()
    return found


def _named(shown: Nics, nic: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The item's own entry for a NIC that is named by its id in Azure, or by the item's own."""
    wanted = str(nic.get("nicId")).lower()
    return next(
        (item for item in shown if wanted in {str(item.get(key)).lower() for key in ("sourceNicArmId", "nicId")}), None
    )


def _must_know(item: ResourceId, shown: Nics, nic: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _named(shown, nic)
    if found is None:
        raise ArmError(Fault(code="NoSuchNic", message=f"{item.name} knows no NIC {nic.get('nicId')}"))
    return found


def _address(shown: Nics, nic: Mapping[str, Any], name: str | None) -> str | None:
    """The failover address that the item keeps; the only configuration of a NIC may have no name (recorded)."""
    configurations = (_named(shown, nic) or {}).get("ipConfigs") or ()
    found = [item for item in configurations if str(item.get("name")).lower() == str(name).lower()]
    if not found and len(configurations) == 1:
        found = list(configurations)
    return found[0].get("recoveryStaticIPAddress") if found else None
