"""Networks that stand in the target: Site Recovery's own and people's are completed and corrected, never replaced."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import NETWORK_INTERFACES, ROUTE_TABLES, VIRTUAL_NETWORKS
from farshore.assess import assess
from farshore.assess.findings import Finding
from farshore.estate.counterparts import Counterparts
from farshore.estate.estate import Change, Estate
from farshore.plan import Plan, apply, make_plan, start
from farshore.plan.merge import says
from farshore.plan.model import Phase
from plan.completed import CONTAINER, SPOKES, VAULT, made, made_id, mapped, protected
from plan.estates import NEW, ONE, TWO, edited, example, source_id, target_id
from plan.test_plan_target import body_of, puts

HOME = source_id(VIRTUAL_NETWORKS, "Source-vNet1")
THERE = made_id("Source-vNet1")


def completed(estate: Estate, plan: Plan) -> Estate:
    """The estate after the plan's provisioning, written as a run writes."""
    world = start(estate, plan)
    for step in plan.of_phase(Phase.PROVISION):
        assert step.action.verb != "delete", "nothing is replaced"
        world = apply(world, step.effects)
    return world.estate


def found(estate: Estate, code: str) -> list[Finding]:
    return [finding for finding in assess(estate).findings if finding.code == code]


@pytest.mark.parametrize("name", [TWO, ONE])
@pytest.mark.parametrize("with_mapping", [True, False])
def test_what_site_recovery_made_is_the_counterpart_and_is_completed(name: str, with_mapping: bool) -> None:
    """D11, D22, D44: with its mapping or without, in a group of Site Recovery's own."""
    estate = made(example(name))
    if with_mapping:
        estate = mapped(estate, [(source_id(VIRTUAL_NETWORKS, spoke), made_id(spoke)) for spoke in SPOKES])
    assert Counterparts(estate).of(HOME) == THERE
    after = completed(estate, make_plan(estate))
    home, there = after.virtual_network(HOME), after.virtual_network(THERE)
    assert home is not None and there is not None
    assert [subnet.name for subnet in there.subnets] == [subnet.name for subnet in home.subnets]
    for subnet in home.subnets:
        own = there.subnet(subnet.name)
        assert own is not None and own.address_prefixes == subnet.address_prefixes
        assert (own.route_table is None) is (subnet.route_table is None)
        assert (own.network_security_group is None) is (subnet.network_security_group is None)
    assert {peering.remote_virtual_network for peering in there.peerings} == {
        target_id(VIRTUAL_NETWORKS, "Source-Hub-vNet-asr")
    }
    assert after.virtual_network(target_id(VIRTUAL_NETWORKS, "Source-vNet1-asr")) is None, "built once"
    assert assess(estate).ok


def test_subnets_that_were_not_copied_are_added_and_the_rest_of_the_body_stays() -> None:
    def of_somebody(body: Body) -> None:
        properties = body["properties"]
        properties["subnets"] = [s for s in properties["subnets"] if s["name"] != "app"]
        properties["subnets"].append({"name": "jump", "properties": {"addressPrefix": "10.77.0.0/28"}})
        properties["addressSpace"]["addressPrefixes"].insert(0, "10.77.0.0/24")
        properties["enableDdosProtection"] = True
        body["tags"] = {"owner": "somebody"}

    estate = edited(made(example(TWO)), THERE, of_somebody)
    # Its ranges are not the source's alone any more: the mapping says whose counterpart it is.
    estate = mapped(estate, [(HOME, THERE)])
    after = completed(estate, make_plan(estate))
    there, body = after.virtual_network(THERE), after.get(THERE)
    assert there is not None and body is not None
    assert there.address_space == (ip_network("10.77.0.0/24"), ip_network("10.1.0.0/24"))
    jump, app = there.subnet("jump"), there.subnet("app")
    assert jump is not None and jump.address_prefixes == (ip_network("10.77.0.0/28"),)
    assert app is not None and app.route_table is not None
    assert body["properties"]["enableDdosProtection"] and body["tags"]["owner"] == "somebody"
    assert not found(estate, "FS407") and not found(estate, "FS408")


def test_copied_ranges_are_corrected_where_addresses_are_new() -> None:
    """D86: Site Recovery's default is wrong there. Nothing uses the network yet, so that a PUT corrects it."""
    estate = mapped(made(example(NEW)), [(HOME, THERE)])
    after = completed(estate, make_plan(estate))
    there = after.virtual_network(THERE)
    assert there is not None and there.address_space == (ip_network("10.101.0.0/24"),)
    assert all(p.subnet_of(ip_network("10.101.0.0/24")) for s in there.subnets for p in s.address_prefixes)  # type: ignore[arg-type]
    [finding] = [f for f in found(estate, "FS408") if f.subject == THERE.text]
    assert finding.severity == "warning" and any(
        "10.1.0.0/24 becomes 10.101.0.0/24" in text for text in finding.evidence
    )
    assert [f.severity for f in found(estate, "FS402") if f.subject == THERE.text] == ["warning"]


def test_a_range_of_somebodys_own_subnet_is_not_dropped_and_is_said() -> None:
    def of_somebody(body: Body) -> None:
        body["properties"]["subnets"].append({"name": "jump", "properties": {"addressPrefix": "10.1.0.240/28"}})

    estate = mapped(edited(made(example(NEW)), THERE, of_somebody), [(HOME, THERE)])
    plan = make_plan(estate)
    there = completed(estate, plan).virtual_network(THERE)
    assert there is not None and there.subnet("jump") is not None
    assert set(there.address_space) == {ip_network("10.1.0.0/24"), ip_network("10.101.0.0/24")}
    [finding] = found(estate, "FS407")
    assert finding.severity == "error" and "jump" in finding.evidence[0]


def resized(prefix: str) -> Any:
    def edit(body: Body) -> None:
        for subnet in body["properties"]["subnets"]:
            if subnet["name"] == "app":
                subnet["properties"]["addressPrefix"] = prefix

    return edit


def nic_in(estate: Estate, subnet: ResourceId) -> Estate:
    id_ = target_id(NETWORK_INTERFACES, "resident-nic")
    place = {"subnet": {"id": subnet.text}, "privateIPAddress": "10.1.0.9", "primary": True}
    properties = {"ipConfigurations": [{"name": "a", "properties": place}]}
    body = {"id": id_.text, "name": id_.name, "type": id_.type, "location": "southeastasia", "properties": properties}
    return estate.with_changes([Change(put=body)])


def test_a_subnet_that_is_too_small_is_corrected_unless_it_is_in_use() -> None:
    """L23."""
    whole = next(s for s in (example(TWO).get(HOME) or {})["properties"]["subnets"] if s["name"] == "app")
    wanted = ip_network(whole["properties"]["addressPrefix"])
    small = f"{wanted.network_address}/{wanted.prefixlen + 2}"
    estate = edited(made(example(TWO)), THERE, resized(small))
    there = completed(estate, make_plan(estate)).virtual_network(THERE)
    app = None if there is None else there.subnet("app")
    assert app is not None and app.address_prefixes == (wanted,)
    assert not found(estate, "FS407")
    [finding] = found(estate, "FS408")
    assert f"subnet app {small} becomes {wanted}" in finding.evidence
    used = nic_in(estate, THERE.child("subnets", "app"))
    [stuck] = found(used, "FS407")
    assert stuck.severity == "error" and "resident-nic" in stuck.evidence[0] and "app" in stuck.remedy


def test_a_range_that_holds_what_is_needed_is_left() -> None:
    def edit(body: Body) -> None:
        subnet = next(s for s in body["properties"]["subnets"] if s["name"] == "app")
        subnet["properties"] = {"addressPrefixes": [subnet["properties"].pop("addressPrefix")]}

    estate = edited(made(example(TWO)), THERE, edit)
    step = next(s for s in puts(make_plan(estate), Phase.PROVISION) if s.subject == THERE.text)
    app = next(s for s in body_of(step)["properties"]["subnets"] if s["name"] == "app")
    assert "addressPrefix" not in app["properties"], "in the same key as it stands, not in both"
    assert step.title.startswith("Complete the network")


def test_a_peered_networks_space_is_somebodys_to_change() -> None:
    """R31: the other side keeps the old space until it is synced."""

    def edit(body: Body) -> None:
        body["properties"]["addressSpace"]["addressPrefixes"] = ["10.1.0.0/25"]
        body["properties"]["virtualNetworkPeerings"] = [
            {
                "id": THERE.child("virtualNetworkPeerings", "to-hub").text,
                "name": "to-hub",
                "properties": {"peeringState": "Connected", "remoteVirtualNetwork": {"id": HOME.text}},
            }
        ]

    estate = mapped(edited(made(example(TWO)), THERE, edit), [(HOME, THERE)])
    [finding] = found(estate, "FS407")
    assert "syncRemoteAddressSpace=true" in finding.remedy and "10.1.0.0/24" in finding.remedy


def test_other_servers_and_tables_give_way_and_it_is_said() -> None:
    """A table that some subnets have where others have another is nobody's counterpart: the plan's own takes over."""
    source = edited(example(TWO), HOME, lambda b: b["properties"].update(dhcpOptions={"dnsServers": ["10.10.10.53"]}))
    tables = [target_id(ROUTE_TABLES, f"rt-of-somebody-{number}") for number in (1, 2)]

    def edit(body: Body) -> None:
        body["properties"]["dhcpOptions"] = {"dnsServers": ["10.9.9.9"]}
        app = next(s for s in body["properties"]["subnets"] if s["name"] == "app")
        app["properties"]["routeTable"] = {"id": tables[0].text}

    def other(body: Body) -> None:
        body["properties"]["subnets"].append({"name": "web", "properties": {"addressPrefix": "10.1.0.224/28"}})
        body["properties"]["subnets"][-1]["properties"]["routeTable"] = {"id": tables[1].text}

    def same(body: Body) -> None:
        app = next(s for s in body["properties"]["subnets"] if s["name"] == "app")
        shared = {"addressPrefix": "10.1.0.224/28", "routeTable": app["properties"]["routeTable"]}
        body["properties"]["subnets"].append({"name": "web", "properties": shared})

    made_two = made(edited(source, HOME, same))
    web = ResourceId(f"{THERE.text}/subnets/web")
    assert (made_two.get(web) or {})["properties"] == {"addressPrefix": "10.1.0.224/28"}

    def both(body: Body) -> None:
        edit(body)
        body["properties"]["subnets"] = [s for s in body["properties"]["subnets"] if s["name"] != "web"]
        other(body)

    estate = edited(made_two, THERE, both)
    bodies: list[Body] = [
        {"id": t.text, "name": t.name, "type": t.type, "location": "southeastasia", "properties": {"routes": []}}
        for t in tables
    ]
    estate = estate.with_changes([Change(put=body) for body in bodies])
    [finding] = found(estate, "FS408")
    assert finding.evidence[0] == "DNS servers 10.9.9.9 become 10.10.10.53"
    assert [text.split(" gives way")[0] for text in finding.evidence[1:]] == [
        "route table rt-of-somebody-1 on app",
        "route table rt-of-somebody-2 on web",
    ]
    after = completed(estate, make_plan(estate))
    body, there = after.get(THERE), after.virtual_network(THERE)
    assert body is not None and body["properties"]["dhcpOptions"]["dnsServers"] == ["10.10.10.53"]
    assert there is not None and {s.route_table for s in there.subnets} == {
        target_id(ROUTE_TABLES, "rt-source-vnet1-asr")
    }
    assert after.get(tables[0]) is not None, "what gives way is not deleted"


def test_a_mapping_to_a_network_of_other_ranges_makes_no_counterpart() -> None:
    estate = mapped(made(example(TWO)), [(HOME, made_id("Source-vNet2"))])
    assert Counterparts(estate).of(HOME) == THERE
    assert found(estate, "FS502")


def test_what_the_vault_has_is_adopted() -> None:
    """S1, S12, S33: vault, fabric, container, mapping, and a machine's item, whatever its name."""
    estate = protected(mapped(made(example(TWO)), [(HOME, THERE)]), "web1", "0b9c5f0e-made-by-the-portal")
    plan = make_plan(estate)
    web = next(machine for machine in plan.machines if machine.id.name == "web1")
    assert web.item == CONTAINER.child("replicationProtectedItems", "0b9c5f0e-made-by-the-portal")
    assert web.reverse_item.name == web.item.name
    enabling = plan.step("protect/enable/web1")
    assert enabling is not None and enabling.expected_duration.total_seconds() < 2
    db = next(machine for machine in plan.machines if machine.id.name == "db1")
    assert db.item.top == VAULT and db.item.name == "db1"
    mapping = next(s for s in puts(plan, Phase.PROTECT) if "network-mapping/eastasia" in s.id and "vNet1" in s.id)
    assert mapping.subject.endswith(f"{HOME.name}-{THERE.name}"), "the mapping that there is, not a second one"


def test_endpoints_that_somebody_has_put_on_a_subnet_stay() -> None:
    """A list without names is one value to a merge: the plan says all of it, its own and theirs."""

    def edit(body: Body) -> None:
        app = next(s for s in body["properties"]["subnets"] if s["name"] == "app")
        app["properties"]["serviceEndpoints"] = [
            {"service": "Microsoft.Sql", "locations": ["southeastasia"], "provisioningState": "Succeeded"}
        ]

    estate = edited(made(example(TWO)), THERE, edit)
    there = completed(estate, make_plan(estate)).virtual_network(THERE)
    app = None if there is None else there.subnet("app")
    assert app is not None and set(app.service_endpoints) == {"Microsoft.Sql", "Microsoft.Storage"}
    again = completed(estate, make_plan(estate))
    step = next(s for s in puts(make_plan(again), Phase.PROVISION) if s.subject == THERE.text)
    assert says(again.get(THERE), body_of(step)), "and a second time there is nothing to write"
