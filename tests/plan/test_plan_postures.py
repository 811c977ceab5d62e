"""Postures side by side: what each predicts, what stands for it, and what a file of prices makes of that."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
import yaml

from farshore import schemas
from farshore.cli.postures import all_meters, postures_of
from farshore.cli.views.postures import postures_text
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan import make_plan
from farshore.plan.durations import CONVERGENCE, for_put
from farshore.plan.graph import finish_times, recoveries
from farshore.plan.make import designed
from farshore.plan.meters import KINDS, Meter, meters
from farshore.plan.model import Phase
from farshore.plan.prices import KEYS, parse_prices, template
from farshore.plan.scenario.scenario import scenario_named
from plan.estates import NEW, ONE, TWO, example

PRICES = """\
currency: EUR
gateway: {ergw1az: 140}
public_ip: 3.5
connection: 0
machine: {Standard_F2s_v2: 70}
disk: {StandardSSD_LRS: {4: 0.5}}
circuit: {Standard_MeteredData/200: 145}
cache_storage:
page_blob_gib: {Standard_LRS: 0.25}
site_recovery_instance: 25
peering_gb: 0.035
"""


def small(name: str) -> Estate:
    """An example that promises one thing: its proof is quick."""
    estate = example(name)
    assert estate.project is not None
    return example(name, objectives=estate.project.objectives[:1])


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return postures_of(small(TWO), "published", parse_prices(PRICES, file="prices.yaml"))


def by_name(told: dict[str, Any]) -> dict[str, Any]:
    return {row["scenario"]: row for row in told["rows"]}


def test_nothing_ahead_takes_longer_by_what_the_critical_path_has_more() -> None:
    """The gateway is made in the run (E24), and what stands on it; all of that is in the difference and no more."""
    paths = {}
    for name in ("cold+all-ahead", "nothing-ahead"):
        plan = make_plan(example(ONE), None, name)
        slowest = max(recoveries(plan), key=lambda found: found.seconds)
        ends = finish_times(plan.of_phase(Phase.FAILOVER))
        steps = [step for id_ in slowest.path.steps if (step := plan.step(id_)) is not None]
        walked = sum(step.expected_duration.total_seconds() for step in steps)
        assert walked == ends[slowest.path.steps[-1]].total_seconds(), "the path is a chain without a gap"
        last = steps[-1].action.verb
        paths[name] = walked + (0 if last == "failover" else CONVERGENCE.duration.total_seconds()), slowest.seconds
    (all_path, all_told), (path, told) = paths["cold+all-ahead"], paths["nothing-ahead"]
    assert told - all_told == path - all_path
    assert told - all_told >= for_put("Microsoft.Network/virtualNetworkGateways").duration.total_seconds()


def test_every_row_is_there_and_what_makes_no_sense_says_why(told: dict[str, Any]) -> None:
    jsonschema.validate(told, schemas.read("postures"))
    rows = by_name(told)
    assert list(rows) == [
        f"{link}+{ahead}" for link in ("cold", "silent", "armed") for ahead in ("all-ahead", "nothing-ahead")
    ]
    assert [name for name, row in rows.items() if row["why_not"]] == ["silent+nothing-ahead", "armed+nothing-ahead"]
    assert "its link is cold" in rows["armed+nothing-ahead"]["why_not"]
    assert rows["cold+nothing-ahead"]["recovery"]["decides"]["title"].startswith("Create the ExpressRoute gateway")
    assert rows["armed+all-ahead"]["recovery"]["seconds"] < rows["cold+all-ahead"]["recovery"]["seconds"]
    waves = [wave["seconds"] for wave in rows["armed+all-ahead"]["recovery"]["waves"]]
    assert waves == sorted(waves) and waves[-1] == rows["armed+all-ahead"]["recovery"]["seconds"]
    assert all(row["safe"]["proven"] for row in rows.values() if not row["why_not"])


def test_a_list_of_the_projects_own_is_a_row_where_the_link_is_cold() -> None:
    rows = by_name(
        postures_of(example(ONE, provision_ahead=("gateway", "routeTables"), objectives=()), "published", None)
    )
    assert len(rows) == 9
    own = rows["cold"]
    assert not own["why_not"] and own["provisioning"] == "as farshore.yaml says"
    kinds = {item["kind"] for item in own["standing"]}
    assert {"gateway", "route_table"} <= kinds and not {"peering", "machine"} & kinds
    assert own["cost"] is None and all(item["cost"] is None for item in own["standing"])


def test_one_circuit_with_kept_addresses_has_a_guards_exposure_and_only_cold_rows() -> None:
    rows = by_name(postures_of(small(ONE), "published", None))
    assert {row["posture"] for row in rows.values() if not row["why_not"]} == {"cold"}
    assert "D60" in rows["armed+all-ahead"]["why_not"]
    assert rows["cold+all-ahead"]["exposure"]["guard"]["seconds"] > 0
    assert "ambiguous" in rows["cold+all-ahead"]["exposure"]["guard"]["summary"]


def test_an_objective_names_the_rows_that_are_in_time() -> None:
    estate = small(TWO)
    assert estate.project is not None
    hasty = replace(estate.project.objectives[0], name="hasty", recovery_time=timedelta(minutes=12))
    answer = postures_of(example(TWO, objectives=(hasty,)), "published", None)
    (row,) = answer["objectives"]
    assert (row["name"], row["recovery_time_seconds"]) == ("hasty", 720)
    assert row["met_by"] == ["silent+all-ahead", "armed+all-ahead"]
    assert row["missed_by"] == ["cold+all-ahead", "cold+nothing-ahead"], "a person's fence, and the gateway"


def test_what_stands_is_counted_and_summed_and_unknown_is_said(told: dict[str, Any]) -> None:
    rows = by_name(told)
    armed, nothing = rows["armed+all-ahead"], rows["cold+nothing-ahead"]
    counted = {(item["kind"], *item["key"]): item for item in armed["standing"]}
    assert counted["gateway", "ErGw1AZ"]["hours"] == 730 and counted["gateway", "ErGw1AZ"]["cost"] == 140
    assert counted["circuit", "Standard_MeteredData/200"]["cost"] == 145
    assert counted["site_recovery_instance",]["quantity"] == 6
    assert counted["disk", "StandardSSD_LRS", "4"]["quantity"] == 12, "eleven replicas and the appliance's own"
    assert armed["cost"]["unknown"] == ["cache_storage"]
    # Both have circuit, eleven replicas, page blobs and instances; armed has gateway, address, appliance and its disk.
    assert nothing["cost"]["month"] == 145 + 11 * 0.5 + 2 * 0.25 + 6 * 25
    assert armed["cost"]["month"] == nothing["cost"]["month"] + 140 + 3.5 + 70 + 0.5


def test_a_circuit_that_the_source_is_on_is_not_counted() -> None:
    estate = example(NEW)
    design = designed(estate, scenario_named("published"))
    assert "circuit" not in {meter.kind for meter in meters(make_plan(estate), design)}


def test_the_text_names_every_row_and_fits(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (80, 140):
        monkeypatch.setattr("farshore.cli.views.table.terminal_width", lambda width=width: width)
        text = postures_text(told)
        assert max(map(len, text.splitlines())) <= width
        assert text.count("silent") == 2 and "without a price, and in no sum: cache_storage" in text


# The file of prices. -----------------------------------------------------------------------------------------------


def test_the_template_has_what_the_estate_needs_and_reads_as_nothing_known() -> None:
    wanted = all_meters(example(TWO), "published")
    text = template(wanted)
    read = parse_prices(text, file="prices.yaml")
    assert read.each == {} and read.currency == "EUR"
    assert {"gateway", "circuit", "machine", "connection"} <= set(yaml.safe_load(text))
    jsonschema.validate(_as_json(text), schemas.read("prices"))
    assert set(schemas.read("prices")["properties"]) == set(KEYS)
    assert set(KEYS) - {"currency", "peering_gb"} == set(KINDS) - {"route_table", "peering"}


def _as_json(text: str) -> Any:
    return json.loads(json.dumps(yaml.safe_load(text)))


def test_json_is_read_as_yaml_is() -> None:
    read = parse_prices(json.dumps(_as_json(PRICES)), file="prices.json")
    assert read == parse_prices(PRICES, file="prices.yaml")
    assert read.of(Meter(kind="disk", key=("standardssd_lrs", "4"), quantity=3)) == 1.5
    assert read.of(Meter(kind="machine", key=(None,), quantity=1)) is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("currency: EUR\ngatway: {ErGw1AZ: 1}\n", 2, "unknown key gatway"),
        ("gateway: {ErGw1AZ: 1}\n", 1, "currency is missing"),
        ("currency: EUR\ngateway: 140\n", 2, "a price for each of its names"),
        ("currency: EUR\ndisk:\n  Premium_LRS: 7\n", 3, "a price for each of its names"),
        ("currency: EUR\npublic_ip: -1\n", 2, "-1 is no price"),
        ("currency: EUR\npublic_ip: cheap\n", 2, "cheap is no price"),
        ("currency: EUR\nmachine: {A: 1, A: 2}\n", 2, "comes twice"),
        ("- 1\n", 1, "by kind of meter"),
        ("# nothing\n", 1, "empty"),
    ],
)
def test_a_wrong_price_file_is_one_clear_error(text: str, line: int, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_prices(text, file="prices.yaml")
    assert says in str(caught.value) and caught.value.line == line and caught.value.remedy
