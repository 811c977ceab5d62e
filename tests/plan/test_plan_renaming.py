"""Records of DNS zones as steps: by the user's program or by a person, after the machines, and undone at home."""

from __future__ import annotations

from typing import Any

from farshore.arm.json import Body
from farshore.arm.network import NETWORK_INTERFACES, PUBLIC_IP_ADDRESSES, VIRTUAL_NETWORKS
from farshore.estate.estate import Change, Estate
from farshore.estate.project import Dns
from farshore.plan import Plan, make_plan
from farshore.plan.file import plan_as_json, plan_from_json
from farshore.plan.model import Step, StepKind
from farshore.prove import prove
from plan.estates import NEW, SUBSCRIPTION, TWO, edited, example, source_id, target_id, with_project

ZONE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-source/providers/Microsoft.Network/privateDnsZones/corp"
COMMAND = Dns(command=("./names", "--zone", "corp"))
PUBLIC = source_id(PUBLIC_IP_ADDRESSES, "pip-web1")
ENDPOINTS = "Microsoft.Network/privateEndpoints"


def record(name: str, address: str) -> Body:
    return {"id": f"{ZONE}/A/{name}", "name": name, "properties": {"aRecords": [{"ipv4Address": address}]}}


def named(estate: Estate, *bodies: Body) -> Estate:
    return estate.with_changes([Change(put=body) for body in bodies])


def step(plan: Plan, id_: str) -> Step:
    found = plan.step(id_)
    assert found is not None, id_
    return found


def told(plan: Plan, id_: str) -> list[dict[str, Any]]:
    arguments: Any = step(plan, id_).action.arguments
    return list(arguments["records"])


def before(plan: Plan, id_: str) -> set[str]:
    """Every step that a step comes after."""
    found: set[str] = set()
    waiting = list(step(plan, id_).after)
    while waiting:
        at = waiting.pop()
        if at not in found and plan.step(at) is not None:
            found.add(at)
            waiting += step(plan, at).after
    return found


def test_a_program_changes_them_once_machines_run_there_and_back_once_they_are_home() -> None:
    estate = with_project(named(example(NEW), record("web1", "10.1.0.4"), record("db1", "10.1.0.6")), dns=COMMAND)
    plan = make_plan(estate)
    there = told(plan, "failover/names")
    assert [(row["record"].rsplit("/", 1)[-1], row["from"], row["to"]) for row in there] == [
        ("db1", "10.1.0.6", "10.101.0.6"),
        ("web1", "10.1.0.4", "10.101.0.4"),
    ]
    assert step(plan, "failover/names").action.arguments["command"] == ["./names", "--zone", "corp"]
    assert {"failover/check/web1", "failover/check/db1"} <= before(plan, "failover/names")
    home = told(plan, "failback/names")
    assert [(row["from"], row["to"]) for row in home] == [("10.101.0.6", "10.1.0.6"), ("10.101.0.4", "10.1.0.4")]
    assert {"failback/check/web1", "failback/check/db1"} <= before(plan, "failback/names")
    assert plan.step("failover/names-by-hand") is None
    assert plan_from_json(plan_as_json(plan)) == plan
    assert prove(estate, plan).ok


def test_without_a_program_a_person_is_shown_the_list() -> None:
    plan = make_plan(named(example(NEW), record("web1", "10.1.0.4")))
    asked = step(plan, "failover/names-by-hand")
    assert asked.kind is StepKind.PERSON and plan.step("failover/names") is None
    instruction = str(asked.action.arguments["instruction"])
    assert f"{ZONE}/A/web1 A: 10.1.0.4 becomes 10.101.0.4" in instruction
    undone = str(step(plan, "failback/names-by-hand").action.arguments["instruction"])
    assert "10.101.0.4 becomes 10.1.0.4 again" in undone


def test_no_name_that_changes_is_no_step() -> None:
    plan = make_plan(with_project(named(example(TWO), record("web1", "10.1.0.4")), dns=COMMAND))
    assert not [item for item in plan.steps if "names" in item.id]


def test_those_who_go_home_take_their_names_with_them_and_no_others() -> None:
    estate = named(example(NEW), record("web1", "10.1.0.4"), record("db1", "10.1.0.6"))
    plan = make_plan(with_project(estate, dns=COMMAND), scenario="partial")
    assert [row["record"].rsplit("/", 1)[-1] for row in told(plan, "failback/names")] == ["db1"]


def test_the_record_of_an_endpoint_stays_while_machines_stay() -> None:
    """The endpoint is the network's: it is used there as long as somebody is there."""
    estate = named(
        example(NEW),
        record("db1", "10.1.0.6"),
        record("keys", "10.1.0.40"),
        endpoint("pe", "Source-vNet1", "10.1.0.40"),
        endpoint("pe-there", "Source-vNet1-asr", "10.101.0.77", there=True),
    )
    plan = make_plan(with_project(estate, dns=COMMAND), scenario="partial")
    assert [row["record"].rsplit("/", 1)[-1] for row in told(plan, "failover/names")] == ["db1", "keys"]
    assert [row["record"].rsplit("/", 1)[-1] for row in told(plan, "failback/names")] == ["db1"]


def test_a_public_address_is_read_when_it_stands() -> None:
    public: Body = {
        "id": PUBLIC.text,
        "name": PUBLIC.name,
        "type": PUBLIC.type,
        "location": "eastasia",
        "properties": {"ipAddress": "203.0.113.7"},
    }

    def published(body: Body) -> None:
        body["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": PUBLIC.text}

    estate = named(example(TWO), public, record("www", "203.0.113.7"))
    estate = edited(estate, source_id(NETWORK_INTERFACES, "web1-nic"), published)
    plan = make_plan(with_project(estate, dns=COMMAND))
    [row] = told(plan, "failover/names")
    made = step(plan, "provision/public-ip/pip-web1").subject
    assert (row["from"], row["to_of"]) == ("203.0.113.7", made)
    [back] = told(plan, "failback/names")
    assert (back["from_of"], back["to"]) == (made, "203.0.113.7")
    assert plan_from_json(plan_as_json(plan)) == plan


def endpoint(name: str, network: str, address: str, *, there: bool = False) -> Body:
    id_ = (target_id if there else source_id)(ENDPOINTS, name)
    subnet = (target_id if there else source_id)(VIRTUAL_NETWORKS, network).child("subnets", "app")
    service = source_id("Microsoft.KeyVault/vaults", "keys").text
    properties: Body = {
        "subnet": {"id": subnet.text},
        "privateLinkServiceConnections": [{"name": "a", "properties": {"privateLinkServiceId": service}}],
        "customDnsConfigs": [{"fqdn": "keys.vault.azure.net", "ipAddresses": [address]}],
    }
    location = "southeastasia" if there else "eastasia"
    return {"id": id_.text, "name": name, "type": ENDPOINTS, "location": location, "properties": properties}


def test_an_endpoints_record_is_a_persons_until_the_targets_endpoint_stands() -> None:
    """Nobody knows the address of an endpoint that a person makes; of one that stands everybody does."""
    estate = named(example(TWO), endpoint("pe", "Source-vNet1", "10.1.0.40"), record("keys", "10.1.0.40"))
    plan = make_plan(with_project(estate, dns=COMMAND))
    asked = str(step(plan, "failover/names-by-hand").action.arguments["instruction"])
    assert "10.1.0.40 becomes the address of the target's private endpoint" in asked
    assert plan.step("failover/names") is None
    stands = named(estate, endpoint("pe-there", "Source-vNet1-asr", "10.1.0.77", there=True))
    plan = make_plan(with_project(stands, dns=COMMAND))
    assert [(row["from"], row["to"]) for row in told(plan, "failover/names")] == [("10.1.0.40", "10.1.0.77")]
    assert plan.step("failover/names-by-hand") is None
