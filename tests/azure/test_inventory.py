"""Reading an estate from a cloud that is not all there."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from farshore.arm.http import Request, Response
from farshore.azure.clouds import client_for
from farshore.azure.inventory import read_estate
from farshore.clock import LabClock
from farshore.errors import ArmError, TransportError
from run.talk import NOW, SILENCE, Silence, answer, gone, refusal

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
GROUP = {"id": f"{SCOPE}/resourceGroups/rg", "name": "rg", "location": "eastasia"}
MACHINE = {"id": f"{GROUP['id']}/providers/Microsoft.Compute/virtualMachines/vm", "name": "vm"}
VAULT = {"id": f"{GROUP['id']}/providers/Microsoft.RecoveryServices/vaults/v", "name": "v"}
FABRIC = {"id": f"{VAULT['id']}/replicationFabrics/f", "name": "f"}
POWER = {**MACHINE, "properties": {"instanceView": {"statuses": [{"code": "PowerState/running"}]}}}


class World:
    """Lists that are empty unless said otherwise; keys are ends of paths."""

    def __init__(self, **said: Response | Silence) -> None:
        self.said: dict[str, Response | Silence] = {
            "resourcegroups": answer(200, {"value": [GROUP]}),
            "virtualMachines": answer(200, {"value": [MACHINE]}),
            "vm": answer(200, POWER),
            **said,
        }
        self.asked: list[str] = []

    async def __call__(self, request: Request) -> Response:
        path = urlsplit(request.url).path
        self.asked.append(path)
        found = self.said.get(path.rsplit("/", 1)[-1], answer(200, {"value": []}))
        if isinstance(found, Silence):
            raise TransportError("silence")
        return found

    def read(self, silent: list[str] | None = None) -> list[dict[str, Any]]:
        clock = LabClock(NOW)

        async def whole() -> list[dict[str, Any]]:
            async with clock.actor("test"), client_for(self, clock) as client:
                return await read_estate(client, [SUBSCRIPTION], unanswered=None if silent is None else silent.append)

        return asyncio.run(whole())


def test_what_is_read_where() -> None:
    world = World(vaults=answer(200, {"value": [VAULT]}), replicationFabrics=answer(200, {"value": [FABRIC]}))
    bodies = world.read()
    assert POWER in bodies and GROUP in bodies and VAULT in bodies and FABRIC in bodies
    assert f"{GROUP['id']}/providers/Microsoft.Network/virtualNetworkGateways" in world.asked, "no list by subscription"
    assert f"{VAULT['id']}/replicationProtectedItems" in world.asked
    assert len(world.asked) == len(set(world.asked)), "nothing is asked twice"


def test_a_recovery_plan_is_read_by_itself_for_a_list_leaves_out_its_machines() -> None:
    plan = {"id": f"{VAULT['id']}/replicationRecoveryPlans/plan", "name": "plan"}
    listed = {**plan, "properties": {"groups": []}}
    whole = {**plan, "properties": {"groups": [{"groupType": "Boot"}]}}
    world = World(
        vaults=answer(200, {"value": [VAULT]}),
        replicationRecoveryPlans=answer(200, {"value": [listed]}),
        plan=answer(200, whole),
    )
    assert whole in world.read()


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_type_that_the_cloud_does_not_have_is_left_out(status: int) -> None:
    assert World(virtualHubs=answer(status)).read() == [GROUP, POWER]


def test_a_type_that_may_not_be_read_is_no_empty_type() -> None:
    with pytest.raises(ArmError, match="AuthorizationFailed"):
        World(routeTables=refusal(403, "AuthorizationFailed")).read()
    with pytest.raises(TransportError):
        World(routeTables=SILENCE).read()


@pytest.mark.parametrize("said", [SILENCE, gone(), refusal(503, "ServiceUnavailable"), refusal(504, "Timeout")])
def test_a_machine_of_a_lost_region_is_there_and_its_power_unknown(said: Response | Silence) -> None:
    assert World(vm=said).read() == [GROUP, MACHINE]


def test_a_machine_that_may_not_be_read_is_told() -> None:
    with pytest.raises(ArmError, match="AuthorizationFailed"):
        World(vm=refusal(403, "AuthorizationFailed")).read()


@pytest.mark.parametrize("said", [SILENCE, refusal(503, "ServiceUnavailable", "m")])
def test_a_vault_of_a_lost_region_is_there_and_what_is_in_it_unknown(said: Response | Silence) -> None:
    world = World(vaults=answer(200, {"value": [VAULT]}), replicationFabrics=said)
    silent: list[str] = []
    bodies = world.read(silent)
    assert VAULT in bodies and POWER in bodies
    assert silent == [VAULT["id"]]


def test_one_thing_in_two_lists_is_one_thing() -> None:
    again = {**GROUP, "id": str(GROUP["id"]).upper(), "tags": {"later": "yes"}}
    world = World(resourcegroups=answer(200, {"value": [GROUP, again]}), virtualMachines=answer(200, {"value": []}))
    assert world.read() == [again]
