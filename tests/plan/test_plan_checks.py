"""What the user asks of machines that have moved: which steps ask it, and in which order a wave goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from farshore.errors import InputError
from farshore.estate.checks import ITSELF, Check, Command, Http, Question, Script, Tcp
from farshore.estate.estate import Estate
from farshore.plan.file import plan_as_json, plan_from_json
from farshore.plan.graph import predicted_recovery
from farshore.plan.make import make_plan
from farshore.plan.model import Phase, Plan, StepKind
from farshore.prove import prove
from plan.estates import NEW, ONE, TWO, edited, example, source_id, with_project

WEB = Check(name="web answers", asks=Http(port=443, https=True, host="www.example.com"), machines=("web*",))
DB = Check(name="db listens", asks=Tcp(port=443), machines=("db1",))
OWN = Check(name="its own", asks=Script(text="true"), asker=ITSELF, wave=1)
ALL = (WEB, DB, OWN)


def planned(name: str = TWO, scenario: str = "published", *checks: Check) -> Plan:
    return make_plan(example(name, checks=checks or ALL), scenario=scenario)


def asks(plan: Plan, phase: Phase) -> list[str]:
    return [step.id.split("/", 2)[2] for step in plan.of_phase(phase) if "/holds/" in step.id]


def before(plan: Plan, id_: str) -> set[str]:
    """All that a step comes after."""
    found: set[str] = set()
    waiting = [id_]
    while waiting:
        step = plan.step(waiting.pop())
        for other in () if step is None else step.after:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def test_nothing_is_asked_that_nobody_asked_for() -> None:
    """An objective's ports are no checks: it promises a way, and says nothing of a service."""
    assert not any("/holds/" in step.id for step in make_plan(example(TWO)).steps)


@pytest.mark.parametrize("name", [TWO, ONE, NEW])
@pytest.mark.parametrize("scenario", ["published", "nothing-ahead", "grey", "data-plane"])
def test_in_a_disaster_a_wave_goes_on_when_the_checks_of_the_one_before_hold(name: str, scenario: str) -> None:
    plan = planned(name, scenario)
    assert asks(plan, Phase.FAILOVER) == [
        "db-listens/db1",
        "its-own/db1",
        "its-own/file1",
        "web-answers/web1",
        "web-answers/web2",
    ]
    second = before(plan, "failover/machine/web1")
    assert {f"failover/holds/{name}" for name in ("db-listens/db1", "its-own/db1", "its-own/file1")} <= second
    assert "failover/routes/db1" in before(plan, "failover/holds/db-listens/db1"), "its routes have been read"
    assert not any("/holds/" in id_ for id_ in before(plan, "failover/machine/db1"))
    committed = before(plan, "commit/machine/db1")
    assert {step.id for step in plan.of_phase(Phase.FAILOVER)} <= committed, "and nothing is final before they hold"


@pytest.mark.parametrize("name", [TWO, ONE])
def test_moved_on_purpose_with_kept_addresses_only_what_is_inside_is_asked_on_the_way(name: str) -> None:
    """The way to all of them goes over at once, after the last wave: until then no site can ask."""
    plan = planned(name, "maintenance", DB, replace(OWN, wave=None))
    way = [step.id for step in plan.of_phase(Phase.FAILOVER) if "/fence/" in step.id or "/connection/" in step.id]
    assert way
    for phase in ("failover", "failback"):
        on_the_way = before(plan, f"{phase}/machine/web1")
        assert f"{phase}/holds/its-own/db1" in on_the_way
        assert f"{phase}/holds/db-listens/db1" not in on_the_way
    assert set(way) <= before(plan, "failover/holds/db-listens/db1")
    assert "failover/holds/its-own/web1" not in before(plan, way[0]), "the way waits for no check of the last wave"


def test_moved_on_purpose_to_new_addresses_everything_is_asked_on_the_way() -> None:
    plan = planned(NEW, "maintenance")
    for phase in ("failover", "failback"):
        assert f"{phase}/holds/db-listens/db1" in before(plan, f"{phase}/machine/web1")
        assert f"{phase}/routes/db1" in before(plan, f"{phase}/holds/db-listens/db1")
    step = plan.step("failover/holds/db-listens/db1")
    assert step is not None and step.action.arguments["address"] == "10.101.0.6"


def test_where_the_lost_region_announces_nothing_no_wave_waits_for_the_fence() -> None:
    fence = "failover/fence/datacenter"
    assert fence not in before(planned(TWO), "failover/machine/web1")
    assert fence in before(planned(TWO, "grey-dead"), "failover/machine/web1"), "there sites would ask the lost ones"


def test_a_check_that_two_machines_take_part_in_waits_for_both() -> None:
    inside = Check(name="inside", asks=Tcp(port=1433), machines=("db1",), asker="web1")
    plan = planned(TWO, "published", inside)
    assert {"failover/routes/db1", "failover/routes/web1"} <= before(plan, "failover/holds/inside/db1")
    step = plan.step("failover/holds/inside/db1")
    assert step is not None and step.action.verb == "check_script"
    assert str(step.action.arguments["id"]).endswith("/rg-farshore-dr/providers/Microsoft.Compute/virtualMachines/web1")
    home = plan.step("failback/holds/inside/db1")
    assert home is not None and "/rg-source/" in str(home.action.arguments["id"])


def test_one_who_stays_away_asks_those_who_go_home() -> None:
    inside = Check(name="inside", asks=Tcp(port=1433), machines=("db1",), asker="web1")
    plan = planned(NEW, "partial", inside, WEB)
    step = plan.step("failback/holds/inside/db1")
    assert step is not None and "/rg-farshore-dr/" in str(step.action.arguments["id"])
    assert step.action.arguments["address"] == "10.1.0.6"
    assert asks(plan, Phase.FAILBACK) == ["inside/db1"], "who stays is not asked again"


def test_a_drill_asks_from_inside_and_one_over_the_path_from_sites_too() -> None:
    plan = planned(NEW)
    assert asks(plan, Phase.DRILL) == ["its-own/db1", "its-own/file1"]
    step = plan.step("drill/holds/its-own/db1")
    assert step is not None and str(step.action.arguments["id"]).endswith("/db1-test")
    assert "drill/holds/its-own/db1" in before(plan, "drill/test/web1")
    assert "drill/holds/its-own/db1" in before(plan, "drill/cleanup/db1")
    over = planned(NEW, "path-drill")
    assert len(asks(over, Phase.DRILL)) == 5
    reached = over.step("drill/holds/web-answers/web1")
    looked = over.step("drill/check/web1")
    assert reached is not None and looked is not None
    assert reached.action.arguments["address"] == looked.action.arguments["address"]


def test_a_swap_of_circuits_is_asked_about_from_outside() -> None:
    plan = planned(TWO, "swap")
    for phase in (Phase.FAILOVER, Phase.FAILBACK):
        assert asks(plan, phase) == ["web-answers/web1", "web-answers/web2", "db-listens/db1"]


@pytest.mark.parametrize("scenario", ["published", "nothing-ahead", "maintenance"])
@pytest.mark.parametrize("name", [TWO, ONE, NEW])
def test_checks_change_nothing(name: str, scenario: str) -> None:
    plan = planned(name, scenario)
    steps = [step for step in plan.steps if "/holds/" in step.id]
    assert steps and all(step.kind is StepKind.CHECK and not step.effects for step in steps)
    assert plan_from_json(plan_as_json(plan)) == plan


def test_a_machines_own_checks_are_no_recovery_time_of_its_and_a_later_waves_are() -> None:
    slow = replace(DB, within=timedelta(minutes=30))
    without, with_ = make_plan(example(TWO)), planned(TWO, "published", slow)
    own, later = (source_id("Microsoft.Compute/virtualMachines", name).key for name in ("db1", "web1"))
    assert predicted_recovery(with_)[own] == predicted_recovery(without)[own]
    routes, asked = (with_.step(f"failover/{name}/db1") for name in ("routes", "holds/db-listens"))
    assert routes is not None and asked is not None
    more = routes.expected_duration + asked.expected_duration
    assert predicted_recovery(with_)[later] == predicted_recovery(without)[later] + more.total_seconds()


@pytest.mark.parametrize(("name", "scenario"), [(TWO, "nothing-ahead"), (NEW, "maintenance")])
def test_a_plan_with_checks_is_proven(name: str, scenario: str) -> None:
    """The network that waits for the first wave only is no other danger than one that waits for all."""
    estate = example(name, checks=ALL)
    proof = prove(estate, make_plan(estate, scenario=scenario))
    assert proof.ok and proof.exhaustive, proof.counterexamples[:1]


# What each asks. -----------------------------------------------------------------------------------------------------


def asked(question: Question, estate: Estate | None = None, **more: Any) -> dict[str, Any]:
    check = Check(name="a", asks=question, machines=("web1",), **more)
    plan = make_plan(with_project(estate or example(TWO), checks=(check,)))
    step = plan.step("failover/holds/a/web1")
    assert step is not None
    return {"verb": step.action.verb, **step.action.arguments}


def windows(estate: Estate, *names: str) -> Estate:
    for name in names:
        id_ = source_id("Microsoft.Compute/virtualMachines", name)
        estate = edited(
            estate, id_, lambda body: body["properties"]["storageProfile"]["osDisk"].update(osType="Windows")
        )
    return estate


def test_from_here() -> None:
    told = asked(Tcp(port=1433))
    assert (told["verb"], told["port"], told["http"]) == ("probe", 1433, None)
    assert (told["check"], told["machine"], told["address"]) == ("a", "web1", "10.1.0.4")
    told = asked(Http(port=80, status=(200, 302)))
    assert told["http"] == {"path": "/", "status": [200, 302], "https": False, "host": None, "verify": True}
    told = asked(Command(words=("./check",)))
    assert told["verb"] == "check_command" and told["command"] == ["./check"]
    assert told["environment"] == {
        "FARSHORE_CHECK": "a",
        "FARSHORE_MACHINE": "web1",
        "FARSHORE_ADDRESS": "10.1.0.4",
        "FARSHORE_PHASE": "failover",
    }


def test_from_inside() -> None:
    told = asked(Tcp(port=1433), asker="db1", timeout=timedelta(seconds=2.4))
    assert told["script"] == "timeout 2 bash -c '</dev/tcp/10.1.0.4/1433'" and told["command_id"] == "RunShellScript"
    http = Http(port=8443, path="/a?b=c&d=$e", status=(200, 204), https=True, host="www.example.com", verify=False)
    told = asked(http, asker="db1")
    assert told["script"] == (
        "curl -sS -o /dev/null -w '%{http_code}\\n' -m 10 -k --resolve www.example.com:8443:10.1.0.4"
        " 'https://www.example.com:8443/a?b=c&d=$e'"
    )
    assert told["lines"] == ["200", "204"]
    told = asked(Script(text="exit 0", file="x.sh"), asker=ITSELF)
    assert told["script"] == "exit 0" and told["what"] == "x.sh" and told["parameters"]["FARSHORE_MACHINE"] == "web1"


def test_from_inside_of_windows() -> None:
    estate = windows(example(TWO), "db1")
    told = asked(Tcp(port=1433), estate, asker="db1")
    assert told["command_id"] == "RunPowerShellScript" and told["lines"] == ["True"]
    assert told["script"] == "(Test-NetConnection -ComputerName 10.1.0.4 -Port 1433).TcpTestSucceeded"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (replace(WEB, machines=("nva",)), "checks/web answers/machines: no machine that moves is meant"),
        (replace(WEB, wave=3), "checks/web answers/wave: no machine that moves is meant"),
        (replace(DB, asker="nva"), "checks/db listens/from: nva stands in eastasia and does not move"),
        (replace(OWN, asks=Script(text=None, file="x.sh")), "the script was not read"),
        (replace(WEB, asker="db1"), "a Windows machine is not asked to send a GET"),
    ],
)
def test_a_check_that_could_never_be_asked_is_refused(check: Check, said: str) -> None:
    with pytest.raises(InputError) as caught:
        make_plan(with_project(windows(example(TWO), "db1"), checks=(check,)))
    assert said in caught.value.message and caught.value.expected and caught.value.file is not None


def test_machines_that_are_made_again_of_another_point_are_asked_again() -> None:
    plan = planned(TWO, "change-point")
    assert len(asks(plan, Phase.COMMIT)) == 5
    assert "commit/check/db1" in before(plan, "commit/holds/db-listens/db1")
    assert "commit/holds/db-listens/db1" in before(plan, "commit/machine/web1"), "and then it is final"
    assert asks(planned(TWO), Phase.COMMIT) == []


@pytest.mark.parametrize("checks", [(), ALL])
@pytest.mark.parametrize("scenario", ["published", "nothing-ahead", "maintenance", "silent"])
@pytest.mark.parametrize("name", [TWO, NEW])
def test_routes_are_read_of_machines_that_have_been_looked_at(
    name: str, scenario: str, checks: tuple[Check, ...]
) -> None:
    plan = make_plan(example(name, checks=checks), scenario=scenario)
    for phase in ("failover", "failback"):
        for machine in ("db1", "web1"):
            assert f"{phase}/check/{machine}" in before(plan, f"{phase}/routes/{machine}")
