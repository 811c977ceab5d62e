"""What hangs on a machine is said once, and nothing is forgotten; what Site Recovery has no field for on a NIC is put
there by a step (S13, S35, S63)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jsonschema
import pytest

from farshore import schemas
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import NETWORK_INTERFACES, PUBLIC_IP_ADDRESSES
from farshore.cli.views.plan import plan_text
from farshore.estate.estate import Change, Estate
from farshore.plan import make_plan
from farshore.plan.carried.references import references
from farshore.plan.carried.values import Carried, How
from farshore.plan.file import plan_as_json, plan_from_json
from farshore.plan.model import Plan, PutResource
from farshore.prove import prove
from plan.estates import NEW, SUBSCRIPTION, edited, example, source_id

NIC = source_id(NETWORK_INTERFACES, "web1-nic")
VM = source_id("Microsoft.Compute/virtualMachines", "web1")
BALANCER = source_id("Microsoft.Network/loadBalancers", "lb-web")
GROUP = source_id("Microsoft.Network/applicationSecurityGroups", "web")
PUBLIC = source_id(PUBLIC_IP_ADDRESSES, "pip-web1")


def _with(estate: Estate, *bodies: Body) -> Estate:
    return estate.with_changes([Change(put=body) for body in bodies])


def _configuration(body: Body) -> dict[str, Any]:
    properties: dict[str, Any] = body["properties"]["ipConfigurations"][0]["properties"]
    return properties


def grouped(estate: Estate) -> Estate:
    made = {"id": GROUP.text, "name": "web", "type": GROUP.type, "location": "eastasia", "properties": {}}
    return edited(
        _with(estate, made), NIC, lambda body: _configuration(body).update({"applicationSecurityGroups": [_ref(GROUP)]})
    )


def balanced(estate: Estate) -> Estate:
    """web1 behind an internal load balancer in its own subnet."""
    subnet = source_id("Microsoft.Network/virtualNetworks", "Source-vNet1").child("subnets", "app")

    def part(kind: str, name: str) -> dict[str, str]:
        return {"id": BALANCER.child(kind, name).text}

    rule: dict[str, Any] = {"protocol": "Tcp", "frontendPort": 443, "backendPort": 443}
    rule |= {
        "frontendIPConfiguration": part("frontendIPConfigurations", "front"),
        "backendAddressPool": part("backendAddressPools", "web"),
        "probe": part("probes", "up"),
    }
    front = {"privateIPAddress": "10.1.0.100", "privateIPAllocationMethod": "Static", "subnet": _ref(subnet)}
    balancer: Body = {
        "id": BALANCER.text,
        "name": BALANCER.name,
        "type": BALANCER.type,
        "location": "eastasia",
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "frontendIPConfigurations": [
                {**part("frontendIPConfigurations", "front"), "name": "front", "properties": front}
            ],
            "backendAddressPools": [{**part("backendAddressPools", "web"), "name": "web", "properties": {}}],
            "probes": [
                {**part("probes", "up"), "name": "up", "properties": {"protocol": "Tcp", "port": 443}},
            ],
            "loadBalancingRules": [{**part("loadBalancingRules", "https"), "name": "https", "properties": rule}],
        },
    }
    pools = {"loadBalancerBackendAddressPools": [part("backendAddressPools", "web")]}
    return edited(_with(estate, balancer), NIC, lambda body: _configuration(body).update(pools))


def _ref(id_: ResourceId) -> dict[str, str]:
    return {"id": id_.text}


def _only(plan: Plan, part: str, holder: ResourceId = NIC) -> Carried:
    (row,) = [row for row in plan.carried if part in row.path and row.holder.lower() == holder.key]
    return row


def test_the_example_leaves_nothing_to_do() -> None:
    plan = make_plan(example())
    assert not [row for row in plan.carried if row.open]
    assert "by hand" not in plan_text(plan)


@pytest.mark.parametrize("name", ["two-circuits-two-locations", NEW])
def test_each_reference_of_a_machine_is_said_exactly_once(name: str) -> None:
    estate = grouped(example(name))
    plan = make_plan(estate)
    told = Counter((row.holder.lower(), row.path) for row in plan.carried)
    assert set(told.values()) == {1}
    for machine in plan.machines:
        for id_ in (machine.id, machine.nic):
            body = estate.get(id_)
            assert body is not None
            assert {path for path, _ in references(body)} <= {path for key, path in told if key == id_.key}


def test_a_reference_that_no_rule_knows_is_listed() -> None:
    tap = source_id("Microsoft.Network/virtualNetworkTaps", "tap")
    estate = edited(example(), NIC, lambda body: body["properties"].update({"somethingNew": {"deep": [_ref(tap)]}}))
    row = _only(make_plan(estate), "somethingNew")
    assert row.how is How.NOT_UNDERSTOOD
    assert row.path == "properties.somethingNew.deep[0].id" and row.refers == tap.text
    assert row.instruction is not None and "virtualNetworkTaps/tap" in row.instruction


def test_what_names_a_machine_from_elsewhere_is_listed() -> None:
    alert = source_id("Microsoft.Insights/metricAlerts", "cpu")
    other = source_id("Microsoft.Unheard/of", "it")
    extension = ResourceId(f"{VM.text}/extensions/agent")
    bodies = (
        {"id": alert.text, "name": "cpu", "properties": {"scopes": [VM.text]}},
        {"id": other.text, "name": "it", "properties": {"disk": f"{NIC.text}/ipConfigurations/ipconfig1"}},
        {"id": extension.text, "name": "agent", "properties": {}},
    )
    plan = make_plan(_with(example(), *bodies))
    assert _only(plan, "scopes", alert).how is How.HAND
    assert _only(plan, "disk", other).how is How.NOT_UNDERSTOOD
    installed = _only(plan, "id", extension)
    assert installed.how is How.HAND and "extension" in str(installed.instruction)


@pytest.mark.parametrize(
    ("change", "part", "said"),
    [
        ({"zones": ["2"]}, "zones", "recoveryAvailabilityZone"),
        ({"identity": {"type": "SystemAssigned"}}, "identity.type", "principal"),
        ({"identity": {"type": "UserAssigned", "userAssignedIdentities": {PUBLIC.text: {}}}}, "userAssigned", "add"),
    ],
)
def test_what_a_machine_has_and_a_failover_does_not_carry(change: Body, part: str, said: str) -> None:
    row = _only(make_plan(edited(example(), VM, lambda body: body.update(change))), part, VM)
    assert row.how is How.HAND and said in str(row.instruction)


def test_a_disk_of_a_customer_managed_key_needs_a_set_in_the_target() -> None:
    disk = source_id("Microsoft.Compute/disks", "web1-os")
    held = source_id("Microsoft.Compute/diskEncryptionSets", "keys")
    estate = edited(
        example(), disk, lambda body: body["properties"].update({"encryption": {"diskEncryptionSetId": held.text}})
    )
    row = _only(make_plan(estate), "diskEncryptionSetId", disk)
    assert row.how is How.HAND and "recoveryDiskEncryptionSetId" in str(row.instruction)


def test_a_group_is_made_in_the_target_and_put_on_the_nic_there_and_back() -> None:
    plan = make_plan(grouped(example()))
    there, home = plan.step("failover/card/web1-nic"), plan.step("failback/card/web1-nic")
    assert there is not None and home is not None
    made = [step.subject for step in plan.steps if "/applicationSecurityGroups/" in step.subject]
    assert len(made) == 1, "the target has the group before it is named"
    assert there.after == ("failover/machine/web1",) and home.after == ("failback/machine/web1",)
    for step, group in ((there, ResourceId(made[0])), (home, GROUP)):
        (effect,) = step.effects
        assert isinstance(effect, PutResource)
        assert _configuration(effect.body)["applicationSecurityGroups"] == [_ref(group)]
    assert set(_only(plan, "applicationSecurityGroups").steps) == {there.id, home.id}
    check = plan.step("failover/check/web1")
    assert check is not None and check.after == (there.id,)


def test_a_failback_alone_does_not_bring_the_groups_back() -> None:
    plan = make_plan(grouped(example()))
    step = plan.step("failback/machine/web1")
    assert step is not None
    nics = [e.body for e in step.effects if isinstance(e, PutResource) and str(e.body["id"]).lower() == NIC.key]
    assert [("applicationSecurityGroups" in _configuration(body)) for body in nics] == [False]


def test_a_plan_with_groups_is_proven() -> None:
    estate = grouped(example())
    assert prove(estate, make_plan(estate)).ok


def test_dns_servers_of_a_nic_move_with_the_address_map() -> None:
    estate = edited(
        example(NEW), NIC, lambda body: body["properties"].update({"dnsSettings": {"dnsServers": ["10.1.0.5"]}})
    )
    plan = make_plan(estate)
    step = plan.step("failover/card/web1-nic")
    web2 = next(machine for machine in plan.machines if machine.address == "10.1.0.5")
    assert step is not None
    body: Any = step.action.arguments["body"]
    assert body["properties"]["dnsSettings"] == {"dnsServers": [web2.target_address]}
    assert not step.effects, "it changes no forwarding"


def _record(address: str) -> Body:
    zone = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-source/providers/Microsoft.Network/privateDnsZones/corp"
    return {"id": f"{zone}/A/web1", "name": "web1", "properties": {"aRecords": [{"ipv4Address": address}]}}


def test_a_record_of_an_address_that_changes_is_listed() -> None:
    plan = make_plan(_with(example(NEW), _record("10.1.0.4")))
    (change,) = plan.names
    machine = next(machine for machine in plan.machines if machine.address == "10.1.0.4")
    assert (change.old, change.new) == ("10.1.0.4", machine.target_address)
    assert change.new in plan_text(plan)


def test_a_record_of_an_address_that_is_kept_is_not() -> None:
    assert not make_plan(_with(example(), _record("10.1.0.4"))).names


def test_a_public_address_is_never_kept_and_its_names_change() -> None:
    public = {
        "id": PUBLIC.text,
        "name": "pip-web1",
        "type": PUBLIC_IP_ADDRESSES,
        "location": "eastasia",
        "properties": {"ipAddress": "203.0.113.7"},
    }
    estate = edited(
        _with(example(), public, _record("203.0.113.7")),
        NIC,
        lambda body: _configuration(body).update({"publicIPAddress": _ref(PUBLIC)}),
    )
    plan = make_plan(estate)
    assert [change.old for change in plan.names] == ["203.0.113.7"]
    row = _only(plan, "publicIPAddress")
    made = plan.step("provision/public-ip/pip-web1")
    assert row.how is How.STEP and made is not None and row.steps == (made.id,)
    assert _item_says(plan, "protect/configure/web1")["recoveryPublicIPAddressId"] == made.subject
    assert _item_says(plan, "reprotect/configure/web1")["recoveryPublicIPAddressId"] == PUBLIC.text


def _item_says(plan: Plan, step_id: str) -> dict[str, Any]:
    """What the item is told of the machine's first configuration."""
    step = plan.step(step_id)
    assert step is not None
    properties: Any = step.action.arguments["properties"]
    said: dict[str, Any] = properties["vmNics"][0]["ipConfigs"][0]
    return said


def test_an_internal_load_balancer_is_made_ahead_and_its_pool_joined_there_and_back() -> None:
    estate = balanced(example(NEW))
    plan = make_plan(estate)
    made = plan.step("provision/load-balancer/lb-web")
    assert made is not None
    body: Any = made.action.arguments["body"]
    network = next(step for step in plan.steps if step.id == "provision/network/Source-vNet1")
    assert network.id in made.after
    web1 = next(machine for machine in plan.machines if machine.address == "10.1.0.4")
    frontend = body["properties"]["frontendIPConfigurations"][0]["properties"]
    assert frontend["privateIPAddress"].rsplit(".", 1)[0] == web1.target_address.rsplit(".", 1)[0]
    assert frontend["subnet"]["id"].startswith(network.subject)
    rule = body["properties"]["loadBalancingRules"][0]["properties"]
    assert rule["probe"]["id"] == f"{made.subject}/probes/up"
    pool = f"{made.subject}/backendAddressPools/web"
    assert _item_says(plan, "protect/configure/web1")["recoveryLBBackendAddressPoolIds"] == [pool]
    home = _item_says(plan, "reprotect/configure/web1")["recoveryLBBackendAddressPoolIds"]
    assert home == [f"{BALANCER.text}/backendAddressPools/web"]
    assert _only(plan, "loadBalancerBackendAddressPools").steps == (made.id,)
    assert prove(estate, plan).ok


def test_a_pool_of_a_public_load_balancer_is_a_persons() -> None:
    estate = edited(
        balanced(example()),
        BALANCER,
        lambda body: body["properties"]["frontendIPConfigurations"][0].update(
            {"properties": {"publicIPAddress": _ref(PUBLIC)}}
        ),
    )
    plan = make_plan(estate)
    assert plan.step("provision/load-balancer/lb-web") is None
    row = _only(plan, "loadBalancerBackendAddressPools")
    assert row.how is How.HAND and "recoveryLBBackendAddressPoolIds" in str(row.instruction)
    assert "recoveryLBBackendAddressPoolIds" not in _item_says(plan, "protect/configure/web1")


def test_the_rows_are_in_the_file_and_come_back() -> None:
    plan = make_plan(_with(grouped(example(NEW)), _record("10.1.0.4")))
    document = plan_as_json(plan)
    jsonschema.validate(document, schemas.read("plan"))
    assert plan_from_json(document) == plan
    without = {key: value for key, value in document.items() if key not in ("carried", "names")}
    assert plan_from_json(without).carried == ()


def test_zones_and_private_endpoints_of_the_networks_are_listed() -> None:
    network = source_id("Microsoft.Network/virtualNetworks", "Source-vNet1")
    link = source_id("Microsoft.Network/privateDnsZones", "corp").child("virtualNetworkLinks", "spoke")
    endpoint = source_id("Microsoft.Network/privateEndpoints", "vault")
    subnet = network.child("subnets", "app")
    estate = _with(
        example(),
        {"id": link.text, "name": "spoke", "properties": {"virtualNetwork": _ref(network)}},
        {"id": endpoint.text, "name": "vault", "location": "eastasia", "properties": {"subnet": _ref(subnet)}},
    )
    plan = make_plan(estate)
    there = plan.step("provision/network/Source-vNet1")
    assert there is not None
    name = there.subject.rsplit("/", 1)[-1]
    for holder, path in ((link, "virtualNetwork"), (endpoint, "subnet")):
        row = _only(plan, path, holder)
        assert row.machine is None and row.how is How.HAND and name in str(row.instruction)
    assert plan_from_json(plan_as_json(plan)) == plan
    assert "network: Before the failover" in plan_text(plan)
