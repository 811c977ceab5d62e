"""A person waits at the portal until machines are Protected: not for one that has failed, and not for ever."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import cast

import pytest

from farshore.arm.compute import VIRTUAL_MACHINES
from farshore.arm.json import Body
from farshore.azure.client import ArmClient
from farshore.cli.exercise import portal
from farshore.clock import LabClock
from farshore.errors import ArmError
from plan.completed import VAULT
from plan.estates import source_id

MACHINES = [source_id(VIRTUAL_MACHINES, name) for name in ("web1", "db1")]


class Listed:
    """A vault whose items are always the same."""

    def __init__(self, **states: str) -> None:
        self.asked = 0
        self._items: list[Body] = [
            {
                "properties": {
                    "protectionState": state,
                    "providerSpecificDetails": {"fabricObjectId": source_id(VIRTUAL_MACHINES, name).text},
                }
            }
            for name, state in states.items()
        ]

    async def list_all(self, url: str) -> list[Body]:
        assert "replicationProtectedItems" in url
        self.asked += 1
        return self._items


def wait(vault: Listed) -> None:
    """On a lab's clock: a day is no time."""
    clock = LabClock(datetime(2026, 1, 1, tzinfo=UTC))

    async def person() -> None:
        async with clock.actor("person"):
            await portal._protected(cast(ArmClient, vault), clock, VAULT, MACHINES)

    asyncio.run(person())


@pytest.mark.parametrize(
    ("states", "looks", "says"),
    [
        ({"web1": "Protected", "db1": "InitialReplicationFailed"}, 1, "db1 (InitialReplicationFailed)"),
        ({"web1": "Protected", "db1": "InitialReplicationInProgress"}, portal.LOOKS, "db1 (InitialReplicationInProgr"),
        ({"web1": "Protected"}, portal.LOOKS, "db1 (not there yet)"),
    ],
)
def test_whom_it_waited_for_in_vain_is_told(states: dict[str, str], looks: int, says: str) -> None:
    vault = Listed(**states)
    with pytest.raises(ArmError) as raised:
        wait(vault)
    assert raised.value.fault.code == "NotProtected"
    assert says in raised.value.fault.message and "web1" not in raised.value.fault.message
    assert vault.asked == looks


def test_machines_that_are_protected_are_waited_for_no_longer() -> None:
    vault = Listed(web1="Protected", db1="Protected")
    wait(vault)
    assert vault.asked == 1
