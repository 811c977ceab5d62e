"""Azure's Python clients for a served lab, and the names of the article's example that they build there."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest

from farshore.arm.json import Body
from real.bare_lab import RECOVERY_GROUP, SUBSCRIPTION, BareLab

identity = pytest.importorskip("azure.identity", reason="azure-identity is not installed: make real installs it")
HOME, AWAY, CIRCUITS = "rg-source", RECOVERY_GROUP, "rg-expressroute"
NEAR, FAR, VAULT = "eastasia", "southeastasia", "vault"
PRIVATE = "AzurePrivatePeering"
MACHINES = {"web1": "10.1.0.4", "app1": "10.2.0.4"}
SPOKES = {"web1": ("Source-vNet1", "10.1.0"), "app1": ("Source-vNet2", "10.2.0")}


def rid(group: str, kind: str, name: str) -> str:
    return f"{group_id(group)}/providers/{kind}/{name}"


def group_id(group: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"


def ref(group: str, kind: str, name: str) -> Body:
    return {"id": rid(group, kind, name)}


class Clients:
    """Every client of one subscription, as its pages say to make them; requests are counted."""

    def __init__(self, lab: BareLab) -> None:
        self.lab, self.calls = lab, 0
        self.credential = identity.DefaultAzureCredential()
        self._open: list[Any] = [self.credential]

    def close(self) -> None:
        for client in self._open:
            client.close()

    def _client(self, kind: Any) -> Any:
        def count(response: Any) -> None:
            self.calls += 1

        found = kind(
            self.credential,
            SUBSCRIPTION,
            base_url=self.lab.url,
            credential_scopes=[self.lab.url + "/.default"],
            polling_interval=1,
            raw_response_hook=count,
        )
        self._open.append(found)
        return found

    @cached_property
    def resources(self) -> Any:
        from azure.mgmt.resource.resources import ResourceManagementClient

        return self._client(ResourceManagementClient)

    @cached_property
    def network(self) -> Any:
        from azure.mgmt.network import NetworkManagementClient

        return self._client(NetworkManagementClient)

    @cached_property
    def compute(self) -> Any:
        from azure.mgmt.compute import ComputeManagementClient

        return self._client(ComputeManagementClient)

    @cached_property
    def storage(self) -> Any:
        from azure.mgmt.storage import StorageManagementClient

        return self._client(StorageManagementClient)

    @cached_property
    def vaults(self) -> Any:
        from azure.mgmt.recoveryservices import RecoveryServicesClient

        return self._client(RecoveryServicesClient)

    @cached_property
    def recovery(self) -> Any:
        from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

        return self._client(SiteRecoveryManagementClient)


def until(true: Callable[[], bool]) -> None:
    """Ask again until it is so. At the lab's pace `jump` an unchanged answer takes its clock to what comes next."""
    for _ in range(400):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")
