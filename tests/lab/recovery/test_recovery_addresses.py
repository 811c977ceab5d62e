"""The address that a machine has on the other side (S34, S35, D68): kept, set, taken by another, and back again."""

from __future__ import annotations

from typing import Any

import pytest

from lab.recovery.estate import (
    AWAY,
    HOME,
    SOURCE,
    TARGET,
    network_body,
    network_id,
    network_mapping,
    nic_body,
    nic_id,
    vm_id,
)
from lab.recovery.world import World

APP = f"{network_id('vnet-target')}/subnets/app"


def protected(*names: str, **options: Any) -> World:
    world = World(*names, **options)
    world.protect(*names)
    return world


def take(world: World, address: str | None, name: str = "other-nic") -> None:
    """Somebody else is at this address in the target."""
    world.put(nic_id(name, TARGET), nic_body(name, TARGET, AWAY, APP, address))


def say(world: World, name: str = "web1", region: str = HOME, **config: Any) -> None:
    nic = world.item(name, region)["providerSpecificDetails"]["vmNics"][0]
    given = {"ipConfigName": "ipconfig1", **config}
    world.succeeds(world.patch(name, {"vmNics": [{"nicId": nic["nicId"], "ipConfigs": [given]}]}, region))


def landed(world: World, name: str = "web1") -> tuple[str, str, str]:
    """Address, allocation method and subnet of a machine's NIC over there."""
    [config] = world.get(nic_id(f"{name}-nic", TARGET))["properties"]["ipConfigurations"]
    properties = config["properties"]
    subnet = str(properties["subnet"]["id"]).rsplit("/", 1)[1]
    return properties["privateIPAddress"], properties["privateIPAllocationMethod"], subnet


def test_a_static_address_is_kept_where_the_range_is_the_same() -> None:
    world = protected("web1", "web2")
    for name in ("web2", "web1"):
        world.fail_over(name)
    assert landed(world, "web1") == ("10.1.0.4", "Static", "app")
    assert landed(world, "web2") == ("10.1.0.5", "Static", "app")


def test_the_item_shows_what_it_would_do() -> None:
    world = protected("web1")
    [nic] = world.item("web1")["providerSpecificDetails"]["vmNics"]
    [config] = nic["ipConfigs"]
    assert (config["recoverySubnetName"], config["recoveryStaticIPAddress"]) == ("app", "10.1.0.4")
    assert (config["ipAddressType"], config["recoveryIPAddressType"]) == ("Static", "Static")


def test_an_address_that_another_has_is_lost_without_any_error() -> None:
    """The trap of D68: the next free one, and the job is as green as ever."""
    world = protected("web1")
    take(world, "10.1.0.4")
    job = world.succeeds(world.failover("web1"))
    assert job["errors"] == []
    assert landed(world) == ("10.1.0.5", "Static", "app")


def test_an_address_that_was_set_and_is_taken_is_lost_likewise() -> None:
    world = protected("web1")
    say(world, recoveryStaticIPAddress="10.1.0.40")
    take(world, "10.1.0.40")
    world.succeeds(world.failover("web1"))
    assert landed(world)[0] == "10.1.0.4"


def test_an_address_that_was_set_wins_over_its_own() -> None:
    world = protected("web1")
    say(world, recoveryStaticIPAddress="10.1.0.40")
    world.succeeds(world.failover("web1"))
    assert landed(world) == ("10.1.0.40", "Static", "app")


@pytest.mark.parametrize("address", ["10.1.0.1", "10.1.0.255", "192.168.0.4"])
def test_an_address_outside_the_subnet_or_azure_s_own_is_not_had(address: str) -> None:
    world = protected("web1")
    say(world, recoveryStaticIPAddress=address)
    world.succeeds(world.failover("web1"))
    assert landed(world) == ("10.1.0.4", "Static", "app"), "the first free one, which here is its own"


def test_nothing_pins_a_dynamic_machine_there_or_on_the_way_home() -> None:
    """S35, D68: dynamic stays dynamic and gets whatever is free."""
    world = protected("web1", dynamic=True)
    take(world, "10.1.0.4")
    world.fail_over("web1")
    assert landed(world) == ("10.1.0.5", "Dynamic", "app")


def test_a_dynamic_machine_is_pinned_by_its_item() -> None:
    world = protected("web1", dynamic=True)
    say(world, recoveryStaticIPAddress="10.1.0.4")
    world.succeeds(world.failover("web1"))
    assert landed(world) == ("10.1.0.4", "Static", "app")


def test_an_emptied_setting_makes_it_what_the_source_is() -> None:
    world = protected("web1")
    say(world, recoveryStaticIPAddress="10.1.0.40")
    say(world, recoveryStaticIPAddress="")
    world.succeeds(world.failover("web1"))
    assert landed(world) == ("10.1.0.4", "Static", "app")


def test_a_full_subnet_fails_the_failover() -> None:
    world = protected("web1", "web2")
    other = network_body("vnet-small", AWAY, "10.9.0.0/29", ("app", "10.9.0.0/29"))
    world.put(other["id"], {key: other[key] for key in ("location", "properties")})
    for name in ("web1", "web2"):
        world.succeeds(world.patch(name, {"selectedRecoveryAzureNetworkId": network_id("vnet-small")}))
    world.succeeds(world.failover("web1"))
    assert landed(world)[0] == "10.9.0.4"
    subnet = f"{network_id('vnet-small')}/subnets/app"
    for number, address in enumerate(("10.9.0.5", "10.9.0.6")):
        world.put(nic_id(f"full{number}", TARGET), nic_body(f"full{number}", TARGET, AWAY, subnet, address))
    assert world.fails(world.failover("web2")) == "SubnetIsFull"


@pytest.mark.parametrize(
    ("subnets", "said", "expected"),
    [
        ((("app", "10.9.0.0/24"), ("alpha", "10.9.1.0/24")), None, "app"),
        ((("zeta", "10.9.0.0/24"), ("Alpha", "10.9.1.0/24")), None, "Alpha"),
        ((("GatewaySubnet", "10.9.0.0/24"), ("zeta", "10.9.1.0/24")), None, "zeta"),
        ((("app", "10.9.0.0/24"), ("zeta", "10.9.1.0/24")), "zeta", "zeta"),
    ],
)
def test_the_subnet_is_the_one_said_else_of_the_same_name_else_the_first(
    subnets: tuple[tuple[str, str], ...], said: str | None, expected: str
) -> None:
    """S34."""
    world = World("web1")
    other = network_body("vnet-other", AWAY, "10.9.0.0/16", *subnets)
    world.put(other["id"], {key: other[key] for key in ("location", "properties")})
    details = {"recoveryAzureNetworkId": network_id("vnet-other"), **({"recoverySubnetName": said} if said else {})}
    world.succeeds(world.enable("web1", **details))
    world.until(lambda: world.state("web1") == "Protected")
    world.succeeds(world.failover("web1"))
    assert landed(world)[2] == expected


def test_without_a_mapping_or_a_word_there_is_no_network() -> None:
    world = World("web1")
    world.succeeds(world.send("DELETE", network_mapping(HOME)))
    world.protect("web1")
    assert world.item("web1")["providerSpecificDetails"]["selectedRecoveryAzureNetworkId"] is None
    assert world.fails(world.failover("web1")) == "NetworkNotMapped"
    world.succeeds(world.patch("web1", {"selectedRecoveryAzureNetworkId": network_id("vnet-target")}))
    world.succeeds(world.failover("web1"))
    assert landed(world) == ("10.1.0.4", "Static", "app")


def test_home_again_at_the_old_address_though_it_was_another_over_there() -> None:
    world = protected("web1")
    say(world, recoveryStaticIPAddress="10.1.0.40")
    world.fail_over("web1")
    world.succeeds(world.switch("web1"))
    world.until(lambda: world.state("web1", AWAY) == "Protected")
    [nic] = world.item("web1", AWAY)["providerSpecificDetails"]["vmNics"]
    assert nic["ipConfigs"][0]["staticIPAddress"] == "10.1.0.40"
    assert nic["ipConfigs"][0]["recoveryStaticIPAddress"] == "10.1.0.4"
    assert (nic["recoveryNicName"], nic["recoveryNicResourceGroupName"]) == ("web1-nic", "rg-source")
    world.fail_over("web1", AWAY, shutdown=True)
    assert world.addresses(nic_id("web1-nic")) == ["10.1.0.4"]


def test_home_again_at_another_address_if_somebody_sat_down_there_meanwhile() -> None:
    world = protected("web1")
    world.fail_over("web1")
    world.succeeds(world.switch("web1"))
    world.until(lambda: world.state("web1", AWAY) == "Protected")
    home = f"{network_id('vnet-source')}/subnets/app"
    world.put(nic_id("squatter"), nic_body("squatter", SOURCE, HOME, home, "10.1.0.4"))
    world.fail_over("web1", AWAY, shutdown=True)
    assert world.addresses(nic_id("web1-nic")) == ["10.1.0.5"]


def test_two_configurations_only_the_first_unless_the_item_says_otherwise() -> None:
    """S35."""
    for chosen in (False, True):
        world = World("web1")
        body = world.get(nic_id("web1-nic"))
        first = body["properties"]["ipConfigurations"][0]
        subnet = {"id": f"{network_id('vnet-source')}/subnets/app"}
        more: dict[str, Any] = {
            "subnet": subnet,
            "privateIPAllocationMethod": "Static",
            "privateIPAddress": "10.1.0.90",
            "primary": False,
        }
        both = [first, {"name": "second", "properties": more}]
        world.put(nic_id("web1-nic"), {"location": HOME, "properties": {"ipConfigurations": both}})
        world.protect("web1")
        if chosen:
            say(world, ipConfigName="second", isSeletedForFailover=True)
        world.succeeds(world.failover("web1"))
        assert world.addresses(nic_id("web1-nic", TARGET)) == ["10.1.0.4", "10.1.0.90"][: 1 + chosen]


def test_a_nic_that_is_to_be_reused_is_taken_and_kept_if_the_failover_fails() -> None:
    world = protected("web1")
    take(world, "10.1.0.60", "prepared")
    nic = world.item("web1")["providerSpecificDetails"]["vmNics"][0]
    said = {"nicId": nic["nicId"], "recoveryNicName": "prepared", "reuseExistingNic": True}
    world.succeeds(world.patch("web1", {"vmNics": [said]}))
    empty = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}
    taken = f"{TARGET}/providers/Microsoft.Compute/disks/web1-data"
    world.put(taken, {"location": AWAY, "properties": empty})
    assert world.fails(world.failover("web1")) == "DiskNameInUse"
    assert world.exists(nic_id("prepared", TARGET))
    world.delete(taken)
    world.succeeds(world.failover("web1"))
    machine = world.get(vm_id("web1", TARGET))["properties"]["networkProfile"]["networkInterfaces"]
    assert [entry["id"] for entry in machine] == [nic_id("prepared", TARGET)]
