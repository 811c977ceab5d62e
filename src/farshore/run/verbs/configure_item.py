"""`configure_item`: PATCH a protected item (S13): names, size, network, each NIC's subnet and address (D68).

A second PATCH of the same settings does no harm, so nothing is looked at first. Afterwards the addresses are read: an
address that the service did not take is another address at failover, without any error (D68).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from farshore.arm.http import Request
from farshore.azure.lro import follow
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Acted, Situation, Talk, Verb, get, operation_times, properties, url, write
from farshore.run.verbs.recovery import BUSY, ended_job, job_id


class ConfigureItem(Verb):
    name = "configure_item"

    def act(self, situation: Situation) -> Talk[Acted]:
        body = {"properties": situation.arguments["properties"]}
        request = Request(method="PATCH", url=url(situation.id), body=body, repeatable=False)
        return (yield from write(request, retryable=BUSY))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        ended = None
        if situation.pending:
            ended = yield from follow(situation.pending, since=situation.since)
            yield from ended_job(situation.id, job_id(situation.pending), situation.since)
        response = yield from get(situation.id)
        shown = (properties(response).get("providerSpecificDetails") or {}).get("vmNics") or ()
        kept = {(nic, name): address for nic, name, address in _addresses(shown)}
        for nic, name, address in _addresses(situation.arguments["properties"].get("vmNics") or ()):
            found = kept.get((nic, name), address)
            if found != address:
                raise ArmError(
                    Fault(code="NotAsWritten", message=f"{situation.id.name} keeps {found} for {name}, not {address}")
                )
        return operation_times(ended or response)


def _addresses(nics: Any) -> Iterator[tuple[str, str, str]]:
    """NIC, configuration and failover address, in the words of a PATCH and in those of a GET."""
    for nic in nics:
        for item in nic.get("ipConfigs") or ():
            name, address = item.get("ipConfigName") or item.get("name"), item.get("recoveryStaticIPAddress")
            if name and address:
                yield str(nic.get("nicId")).lower(), str(name).lower(), str(address)
