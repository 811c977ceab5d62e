"""plan.json: the round trip, edits by hand, and every complaint with its place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import jsonschema
import pytest

from farshore import examples, schemas
from farshore.arm.json import dumps, loads
from farshore.arm.network import VIRTUAL_NETWORK_GATEWAYS
from farshore.errors import InputError
from farshore.estate.estate import Change
from farshore.plan import check_against, make_plan, plan_as_json, plan_from_json
from farshore.plan.drift import CHANGED, GONE, NEW, SITES
from plan.estates import NEW as NEW_ADDRESSES
from plan.estates import ONE, TWO, edited, example, source_id


def document(name: str = TWO) -> dict[str, Any]:
    found: dict[str, Any] = loads(dumps(plan_as_json(make_plan(example(name)))))
    return found


def without(plan: dict[str, Any], *ids: str) -> dict[str, Any]:
    return {**plan, "steps": [step for step in plan["steps"] if step["id"] not in ids]}


@pytest.mark.parametrize("name", examples.names())
def test_the_round_trip_is_exact_and_fits_its_schema(name: str) -> None:
    plan = make_plan(example(name))
    value = loads(dumps(plan_as_json(plan)))
    assert plan_from_json(value) == plan
    assert plan_as_json(plan_from_json(value)) == value
    jsonschema.validate(value, schemas.read("plan"))


def test_a_removed_step_passes_its_order_on() -> None:
    plan = plan_from_json(without(document(), "provision/appliance-check/nva-nic"))
    step = plan.step("provision/connection/cn-source-hub")
    assert step is not None and "provision/appliance/nva-nic/virtualMachines/nva" in step.after


def test_the_sites_step_can_be_removed() -> None:
    plan = plan_from_json(without(document(), "provision/site/datacenter"))
    step = plan.step("provision/connection/cn-source-hub")
    assert step is not None and not any("site" in id_ for id_ in step.after)


def test_a_whole_phase_can_be_removed() -> None:
    value = document()
    gone = [step["id"] for step in value["steps"] if step["phase"] == "drill"]
    plan = plan_from_json(without(value, *gone))
    assert {id_.split("/")[0] for id_ in plan.events[0].after} == {"protect"}


def test_steps_can_be_put_in_another_order() -> None:
    value = document()
    for step in value["steps"]:
        if step["id"] == "provision/connection/cn-source-hub":
            step["after"] = ["provision/gateway/Source-Hub-vNet"]
    value["steps"].reverse()
    plan = plan_from_json(value)
    step = plan.step("provision/connection/cn-source-hub")
    assert step is not None and step.after == ("provision/gateway/Source-Hub-vNet",)
    assert plan_from_json(plan_as_json(plan)) == plan


def test_an_order_by_hand_wins_over_what_a_removed_step_came_after() -> None:
    value = without(document(), "provision/network/Source-Hub-vNet")
    for step in value["steps"]:
        if step["id"] == "provision/route-table/rt-source-gateway":
            step["after"] = ["provision/gateway/Source-Hub-vNet"]
    plan = plan_from_json(value)
    gateway = plan.step("provision/gateway/Source-Hub-vNet")
    assert gateway is not None and gateway.after == ("provision/public-ip/pip-ergw-source-hub",)


def test_a_cycle_is_named_in_its_order() -> None:
    value = document()
    for step in value["steps"]:
        if step["id"] == "provision/route-table/rt-source-gateway":
            step["after"] = ["provision/gateway/Source-Hub-vNet"]
    with pytest.raises(InputError, match="wait for each other: ") as caught:
        plan_from_json(value, file="mine.json")
    message = str(caught.value)
    names = message.split(": ", 1)[1].split(" -> ")
    assert names[0] == names[-1] and len(names) == 4 and caught.value.file == "mine.json"
    nodes = {step["id"]: step for step in value["steps"]}
    assert all(before in nodes[after]["after"] for before, after in pairwise(names))


BAD: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("another format", lambda p: p.update(format=2), "format: this format is not known"),
    ("no steps", lambda p: p.pop("steps"), "steps is missing"),
    ("steps of another kind", lambda p: p.update(steps={}), "steps: this is no list"),
    ("no id", lambda p: p["steps"][3].pop("id"), r"steps\[3\]: id is missing"),
    ("a blank id", lambda p: p["steps"][3].update(id=" "), r"steps\[3\].id: an id is not empty"),
    ("an unknown kind", lambda p: p["steps"][0].update(kind="magic"), r"steps\[0\].kind: magic is not known"),
    ("an unknown letter", lambda p: p["steps"][0].update(letter="e"), r"steps\[0\].letter: this is none"),
    ("after is a text", lambda p: p["steps"][1].update(after="disaster"), r"steps\[1\].after: this is no list"),
    ("a negative time", lambda p: p["steps"][0].update(expected_duration_seconds=-1), "not negative"),
    ("true for a number", lambda p: p["steps"][0].update(expected_duration_seconds=True), "no number"),
    ("an unknown effect", lambda p: p["steps"][0]["effects"][0].update(effect="wish"), r"effects\[0\].effect: this"),
    ("a body without an id", lambda p: p["steps"][0]["effects"][0]["body"].pop("id"), "body: id is missing"),
    ("a machine's id", lambda p: p["machines"][0].update(id="vm1"), r"machines\[0\].id: "),
    ("one step twice", lambda p: p["steps"].append(p["steps"][0]), "Two steps of the plan have the id"),
]


@pytest.mark.parametrize(("what", "spoil", "message"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_has_a_place(what: str, spoil: Callable[[dict[str, Any]], Any], message: str) -> None:
    value = copy.deepcopy(document())
    spoil(value)
    with pytest.raises(InputError, match=message) as caught:
        plan_from_json(value, file="mine.json")
    assert caught.value.file == "mine.json"


def test_a_list_is_no_plan() -> None:
    with pytest.raises(InputError, match="This is no plan"):
        plan_from_json([])


def test_a_plan_belongs_to_its_estate() -> None:
    estate = example()
    assert check_against(make_plan(estate), estate) == ()


def test_a_changed_body_is_drift_at_the_body() -> None:
    estate = example()
    plan = make_plan(estate)
    gateway = source_id(VIRTUAL_NETWORK_GATEWAYS, "ergw-source-hub")
    changed = edited(estate, gateway, lambda body: body["properties"]["sku"].update(name="ErGw3AZ"))
    (finding,) = check_against(plan, changed)
    assert finding.code == CHANGED and finding.subject == gateway.text and finding.severity == "error"


def test_what_azure_changes_by_itself_is_no_drift() -> None:
    estate = example()
    gateway = source_id(VIRTUAL_NETWORK_GATEWAYS, "ergw-source-hub")
    changed = edited(estate, gateway, lambda body: body.update(etag='W/"1"'))
    assert check_against(make_plan(estate), changed) == ()


def test_what_is_gone_and_what_is_new() -> None:
    estate = example()
    plan = make_plan(estate)
    table = source_id("Microsoft.Network/routeTables", "rt-source-vnet1")
    new = source_id("Microsoft.Network/routeTables", "rt-new")
    changed = estate.with_changes([Change(delete=table), Change(put={"id": new.text, "name": "rt-new"})])
    assert {(finding.code, finding.subject.lower()) for finding in check_against(plan, changed)} == {
        (GONE, table.key),
        (NEW, new.key),
    }


def test_changed_sites_are_drift_too() -> None:
    estate = example()
    plan = make_plan(estate)
    site = estate.sites[0]
    router = site.routers[0]
    changed = estate.with_sites((site.with_router(replace(router, prepend=1)),))
    (finding,) = check_against(plan, changed)
    assert finding.code == SITES and finding.subject == "sites"


def test_another_estates_plan_is_bad_input() -> None:
    with pytest.raises(InputError, match="another estate's: its circuit er-singapore"):
        check_against(make_plan(example(TWO)), example(ONE))
    plan = make_plan(example(NEW_ADDRESSES))
    estate = example(NEW_ADDRESSES)
    bare = estate.with_changes([Change(delete=plan.machines[0].id)])
    with pytest.raises(InputError, match="its machine"):
        check_against(plan, bare)
