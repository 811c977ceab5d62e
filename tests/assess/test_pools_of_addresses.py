"""A pool that names its members by address or NIC configuration: rules see the same appliances as by the NICs."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.ids import resource_id
from farshore.assess.context import Context

from .balanced import NVA, balanced
from .bench import Bench, bench


@pytest.mark.parametrize("named", ["by the NIC", "by address", "by configuration"])
def test_an_appliance_behind_a_balancer_that_drops_traffic_is_found_however_its_pool_names_it(named: str) -> None:
    held = bench()
    balanced(held, members=named == "by the NIC")
    if named != "by the NIC":
        pool_of(held)["loadBalancerBackendAddresses"] = [{"name": "nva", "properties": member(held, named)}]
    behind = Context(held.estate()).nics_of(resource_id(held["ilb"]["id"]))
    assert [nic.id.name for nic in behind] == ["nva-nic"]
    assert not held.findings("FS212")
    held.properties("nva-nic")["enableIPForwarding"] = False
    assert [finding.subject.rpartition("/")[2] for finding in held.findings("FS212")] == ["nva-nic"]


def pool_of(held: Bench) -> dict[str, Any]:
    properties: dict[str, Any] = held.properties("ilb")["backendAddressPools"][0]["properties"]
    return properties


def member(held: Bench, named: str) -> dict[str, Any]:
    if named == "by address":
        return {"ipAddress": NVA, "virtualNetwork": {"id": held["Source-Hub-vNet"]["id"]}}
    configuration = held.properties("nva-nic")["ipConfigurations"][0]["name"]
    return {"networkInterfaceIPConfiguration": {"id": f"{held['nva-nic']['id']}/ipConfigurations/{configuration}"}}
