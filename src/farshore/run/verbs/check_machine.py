"""`check_machine`: the machine runs, and its NIC has exactly the promised address (D68)."""

from __future__ import annotations

from datetime import timedelta

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.azure.conversation import pause
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import (
    BEAT,
    VIEW,
    Looked,
    Present,
    Situation,
    Talk,
    Verb,
    get,
    power_state,
    properties,
    service_time,
)

PATIENCE = timedelta(minutes=10)


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
            if now - situation.now >= PATIENCE:
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
