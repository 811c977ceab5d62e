"""`change_names` by hand and by a program: what it is given, what is read afterwards, and a second time."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.http import Request, Response
from farshore.arm.ids import make_id
from farshore.errors import ArmError, TransportError
from farshore.plan import actions
from farshore.run.actuators import NameCommand
from farshore.run.verbs import VERBS
from farshore.run.verbs.base import Absent, Accepted
from prove.plans import SUBSCRIPTION, step
from run.bench import Bench, story
from run.talk import answer, gone, hold, refusal, situation

ZONE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateDnsZones/corp"
RECORD = f"{ZONE}/A/web1"
PUBLIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/pip"
ROW = {"record": RECORD, "type": "A", "from": "10.1.0.4", "to": "10.101.0.4"}
CHANGE = actions.change_names("southeastasia", [ROW], ["./names"]).arguments


def shows(*addresses: str) -> Response:
    return answer(200, {"properties": {"aRecords": [{"ipv4Address": address} for address in addresses]}})


def test_it_is_given_the_whole_list_and_nothing_is_looked_at_before() -> None:
    assert hold(VERBS["change_names"].look(situation(CHANGE)), []).result == Absent(), "in doubt it is asked again"
    held = hold(VERBS["change_names"].act(situation(CHANGE)), [])
    assert held.result == Accepted()
    [order] = held.renamed
    assert order.order == {"region": "southeastasia", "records": [ROW]} and order.command == ("./names",)


def test_an_address_that_nobody_knew_is_read_when_it_is_time() -> None:
    row = {**ROW, "to": "the value of the target's public address", "to_of": PUBLIC}
    arguments = actions.change_names("southeastasia", [row], ["./names"]).arguments
    held = hold(
        VERBS["change_names"].act(situation(arguments)), [answer(200, {"properties": {"ipAddress": "20.0.0.9"}})]
    )
    assert held.renamed[0].order["records"] == [{**ROW, "to": "20.0.0.9"}]
    assert hold(VERBS["change_names"].act(situation(arguments)), [gone()]).code == "NoAddressYet"


def test_what_the_program_says_is_not_believed() -> None:
    late = hold(VERBS["change_names"].follow(situation(CHANGE)), [shows("10.1.0.4"), shows("10.101.0.4")])
    assert late.result == {"records": [{"record": RECORD, "addresses": ["10.101.0.4"]}], "not_looked_at": []}
    assert "api-version=2020-06-01" in late.requests[0].url
    never = hold(VERBS["change_names"].follow(situation(CHANGE)), [shows("10.1.0.4", "10.101.0.4")] * 100)
    assert never.code == "NamesNotChanged" and "web1 shows 10.1.0.4, 10.101.0.4" in str(never.error)


@pytest.mark.parametrize("said", [gone(), refusal(501, "NotImplemented")])
def test_a_zone_that_arm_does_not_have_is_not_looked_at(said: Response) -> None:
    held = hold(VERBS["change_names"].follow(situation(CHANGE)), [said])
    assert held.result == {"records": [], "not_looked_at": [RECORD]}


def test_the_order_comes_on_standard_input_and_a_second_time_says_the_same(tmp_path: Path) -> None:
    """A zone file of the user's own, kept by his program."""
    zone, program = tmp_path / "zone.json", tmp_path / "names.py"
    zone.write_text(json.dumps({RECORD: ["10.1.0.4", "10.9.9.9"]}))
    program.write_text(
        "import json, sys\n"
        "order = json.load(sys.stdin)\n"
        f"zone = json.load(open({str(zone)!r}))\n"
        "for row in order['records']:\n"
        "    kept = [a for a in zone[row['record']] if a not in (row['from'], row['to'])]\n"
        "    zone[row['record']] = [*kept, row['to']]\n"
        f"json.dump(zone, open({str(zone)!r}, 'w'))\n"
    )
    order: dict[str, Any] = {"region": "southeastasia", "records": [ROW]}
    for _ in range(2):
        asyncio.run(NameCommand([sys.executable, str(program)]).rename(order))
        assert json.loads(zone.read_text()) == {RECORD: ["10.9.9.9", "10.101.0.4"]}


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(ArmError, match="no such zone") as raised:
        code = "import sys; sys.exit('no such zone')"
        asyncio.run(NameCommand([sys.executable, "-c", code]).rename({"region": "r", "records": []}))
    assert raised.value.fault.code == "NameCommandFailed"


class Zone:
    """The user's program, whose end nobody hears of the first time; it has changed the record all the same."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.orders = bench, list[Any]()

    async def rename(self, order: Mapping[str, Any]) -> None:
        self.orders.append(order)
        for row in order["records"]:
            body = {"properties": {"aRecords": [{"ipv4Address": row["to"]}]}}
            url = f"{row['record']}?api-version=2020-06-01"
            answer = self.bench.cloud.handle(Request(method="PUT", url=url, body=body), self.bench.cloud.now)
            assert answer.ok, answer
        if len(self.orders) == 1:
            raise TransportError("no answer")


@pytest.mark.parametrize("kills", [(), (0.1,), (0.5, 0.1)])
def test_in_doubt_and_after_a_crash_it_is_asked_the_same_again(kills: tuple[float, ...], tmp_path: Path) -> None:
    bench = Bench(tmp_path / "runs.db")
    zone = make_id(SUBSCRIPTION, "rg-southeastasia", "Microsoft.Network/privateDnsZones", "corp").text
    record = {"id": f"{zone}/A/web1", "name": "web1", "properties": {"aRecords": [{"ipv4Address": "10.1.0.4"}]}}
    bench.cloud.seed([{"id": zone, "name": "corp", "location": "global", "properties": {}}, record])
    row = {**ROW, "record": f"{zone}/A/web1"}
    names = step("names", action=actions.change_names("southeastasia", [row], ["./names"]))
    program = Zone(bench)
    outcome = bench.run(story(names), kills=kills, names=program)
    assert not outcome.halted and not outcome.failed
    assert len(program.orders) >= 2 and all(order == program.orders[0] for order in program.orders)
    [result] = [event.body["result"] for event in bench.journal.read("r") if event.kind.value == "done"]
    assert result["records"] == [{"record": row["record"], "addresses": ["10.101.0.4"]}]
