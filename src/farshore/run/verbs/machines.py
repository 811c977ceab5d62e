"""`deallocate` and `check_machine`: a machine's power, and its address.

A returned machine is deallocated, never deleted (D92): reprotect needs it. Its region may answer for it later than
for other things, so this is tried for long; a second deallocate does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Request, Response, Wait
from farshore.arm.ids import resource_id
from farshore.azure.conversation import pause
from farshore.azure.lro import follow
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import (
    BEAT,
    Absent,
    Acted,
    Looked,
    Present,
    Situation,
    Talk,
    Verb,
    get,
    operation_times,
    power_state,
    properties,
    service_time,
    url,
    write,
)

VIEW = "$expand=instanceView&"
APART = timedelta(seconds=20)
TIMEOUT = timedelta(seconds=15)
PATIENCE = timedelta(minutes=10)
LOOKS = 30


class Deallocate(Verb):
    name = "deallocate"

    def attempts(self, situation: Situation) -> int:
        return 90

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=APART, since=situation.intended_at)

    def look(self, situation: Situation) -> Talk[Looked]:
        response = yield from get(situation.id, VIEW, TIMEOUT)
        if response.status == 404 and situation.arguments.get("if_there", True):
            return Present(result={"absent": True})
        if power_state(response) == "deallocated":
            return Present(result={"found": True})
        return Absent()

    def act(self, situation: Situation) -> Talk[Acted]:
        request = Request(method="POST", url=url(situation.id, "/deallocate"), repeatable=False, timeout=TIMEOUT)
        return (yield from write(request, retryable=frozenset({"operationnotallowed"})))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        times: dict[str, Any] = {}
        if situation.pending:
            times = operation_times((yield from follow(situation.pending, since=situation.since)))
        for _ in range(LOOKS):
            response = yield from get(situation.id, VIEW)
            if response.status == 404 or power_state(response) == "deallocated":
                return times or {"ended_at": service_time(response)}
            yield from pause(BEAT, situation.since)
        raise ArmError(
            Fault(code="NotDeallocated", message=f"{situation.id.short} is {power_state(response)} after deallocate")
        )


class CheckMachine(Verb):
    name = "check_machine"

    def look(self, situation: Situation) -> Talk[Looked]:
        nic_id, address = resource_id(str(situation.arguments["nic"])), str(situation.arguments["address"])
        now = situation.now
        while True:
            machine = yield from get(situation.id, VIEW)
            nic = yield from get(nic_id)
            power, addresses = power_state(machine), addresses_of(nic)
            if power == "running" and addresses[:1] == [address]:
                return Present(result={"power": power, "address": address, "ended_at": service_time(nic)})
            if now - situation.intended_at >= PATIENCE:
                break
            now = yield from pause(BEAT, situation.intended_at)
        what = "is not there" if machine.status == 404 else f"is {power or 'in no known state'}"
        where = ", ".join(addresses) or "no address"
        raise ArmError(
            Fault(
                code="MachineNotAsPromised",
                message=f"{situation.id.short} {what} with {where}; it should run with {address} (D68)",
            )
        )


def addresses_of(nic: Response) -> list[str]:
    """A NIC's private addresses, the primary one first."""
    configurations = properties(nic).get("ipConfigurations") or ()
    found = [(item.get("properties") or {}) for item in configurations]
    found.sort(key=lambda item: item.get("primary") is False)
    return [str(item["privateIPAddress"]) for item in found if item.get("privateIPAddress")]
