"""The mirror of a project whose machines have stayed: a project like any other, whose plan is proven the other way."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_network

import pytest

from farshore.arm.ids import resource_id
from farshore.assess import assess
from farshore.estate.checks import ITSELF, Check, Command, Script, Tcp
from farshore.estate.counterparts import Counterparts
from farshore.estate.estate import Change
from farshore.estate.project import Appliance, Drill, Placement, Raise, Target
from farshore.estate.project_reading import parse_project
from farshore.estate.project_yaml import project_yaml
from farshore.estate.vaults import lies_in
from farshore.plan.abandon import Begun, make_abandonment
from farshore.plan.builders.protect import LET_GO
from farshore.plan.durations import ALREADY_THERE
from farshore.plan.make import make_plan
from farshore.plan.merge import merged
from farshore.plan.model import Phase
from farshore.prove import prove
from plan.completed import VAULT, protected
from plan.estates import NEW, ONE, TWO, edited, example, source_id, target_id, with_project
from plan.mirrors import mirror_of, with_circuits_elsewhere

VM = "Microsoft.Compute/virtualMachines"


def test_names_are_read_back_by_a_pattern() -> None:
    target = Target(region="eastasia", resource_group="rg", names="{name}", of="{name}-asr")
    assert target.name("Hub-vNet-ASR") == "Hub-vNet"
    assert target.name("er-gateway") == "er-gateway", "one that does not fit is a name as a whole"
    assert target.name("-asr") == "-asr"
    assert replace(target, names="x.{name}", of="dr-{name}.1").name("DR-hub.1") == "x.hub"
    assert Target(region="eastasia", resource_group="rg", names="{name}-asr").name("hub") == "hub-asr"


@pytest.mark.parametrize("name", [TWO, ONE])
def test_a_mirror_is_assessed_planned_and_proven(name: str) -> None:
    mirror, estate = mirror_of(with_circuits_elsewhere(example(name)))
    project = estate.project
    assert project is not None and (project.source_region, project.target.region) == ("southeastasia", "eastasia")
    assert parse_project(project_yaml(mirror.project, mirror.notes)).target == mirror.project.target
    errors = [finding for finding in assess(estate).findings if finding.severity == "error"]
    assert errors == []
    plan = make_plan(estate, None, "no-drill")
    assert prove(estate, plan).ok
    there = {machine.target_id for machine in plan.machines}
    assert there == {source_id(VM, id_.name) for id_ in there}, "home again, by their own names"
    built = [step for step in plan.of_phase(Phase.PROVISION) if step.duration_source.startswith("E24")]
    assert built == [], "the old source's gateway stands, and is no gateway to build"


def test_machines_are_let_go_of_before_they_are_protected_anew() -> None:
    _, estate = mirror_of(example(TWO))
    plan = make_plan(estate, None, "no-drill")
    steps = {step.id: step for step in plan.of_phase(Phase.PROTECT)}
    enabled = [step for step in steps.values() if step.action.verb == "enable_replication"]
    assert len(enabled) == len(plan.machines)
    for step in enabled:
        label = step.id.removeprefix("protect/enable/")
        let_go = steps[f"protect/let-go/{label}"]
        assert step.after == (let_go.id,) and not let_go.effects
        assert lies_in(estate, resource_id(let_go.subject), "southeastasia")
        assert estate.get(resource_id(let_go.subject)) is not None
        assert set(steps[let_go.id].after) >= {id_ for id_ in steps if id_.startswith("protect/storage/")}
        item = resource_id(str(step.action.arguments["id"]))
        assert item.group_id == source_id(VM, "web1").group_id, "the vault is where the next disaster is not"


def test_what_the_plan_does_about_the_vault_is_a_warning() -> None:
    _, estate = mirror_of(example(TWO))
    found = [finding for finding in assess(estate).findings if finding.code == "FS501"]
    assert [finding.severity for finding in found] == ["warning"]
    assert "replicated nowhere" in " ".join(found[0].evidence)


def test_what_is_chosen_is_turned_round_and_what_cannot_be_is_said() -> None:
    begun = example(TWO)
    assert begun.project is not None
    circuit = begun.express_route_circuits[1].id
    begun = with_project(
        begun,
        raise_bandwidth=(Raise(circuit=circuit, mbps=1000),),
        drill=Drill(network=target_id("Microsoft.Network/virtualNetworks", "drills")),
    )
    stranger = {**(begun.get(source_id(VM, "web1")) or {}), "location": "southeastasia", "name": "jump"}
    stranger |= {"id": target_id(VM, "jump").text, "properties": {}}
    zoned = {**(begun.get(source_id(VM, "web1")) or {}), "zones": ["2"]}
    begun = begun.with_changes([Change(put=stranger), Change(put=zoned)])
    mirror, _ = mirror_of(begun)
    project = mirror.project
    assert begun.project is not None
    assert project.machines == replace(
        begun.project.machines, exclude=(target_id(VM, "jump").text,), placement=(("web1", Placement(zone="2")),)
    )
    assert project.raise_bandwidth == () and project.drill.network is None and project.drill.address_space
    assert {"raise_bandwidth", "drill", "machines", "replace_vault"} == set(mirror.notes)
    nic = "Microsoft.Network/networkInterfaces"
    assert project.appliances == (
        Appliance(source=target_id(nic, "nva-nic"), existing=source_id(nic, "nva-nic"), stateful=True),
    )
    assert project.objectives[0].through == target_id(nic, "nva-nic").text
    assert project.target.names == "{name}" and project.target.of == "{name}-asr"
    told = project_yaml(project, mirror.notes)
    assert all(said.split()[0] in told for notes in mirror.notes.values() for said in notes)


def test_what_is_said_by_ids_means_the_machines_where_they_are_now() -> None:
    begun = example(TWO)
    assert begun.project is not None
    sets = [target_id("Microsoft.Compute/diskEncryptionSets", name) for name in ("one", "two", "both")]
    first = replace(begun.project.objectives[0], name="by id", to=source_id(VM, "db1").text)
    begun = with_project(
        begun,
        machines=replace(begun.project.machines, boot_order=((source_id(VM, "DB*").text,), ("web1",))),
        objectives=(first,),
        checks=(
            Check(name="asks", asks=Tcp(port=1433), machines=("db1",), asker=source_id(VM, "web1").text),
            Check(name="ours", asks=Command(words=("./check", "-q"))),
            Check(name="script", asks=Script(text="true\n", file="s.sh"), asker=ITSELF),
        ),
        disk_encryption_sets=((sets[0], sets[2]), (sets[1], sets[2])),
    )
    mirror, _ = mirror_of(begun)
    project = mirror.project
    assert project.machines.boot_order == ((target_id(VM, "db1").text,), ("web1",))
    assert project.objectives[0].to == target_id(VM, "db1").text
    assert project.checks[0].asker == target_id(VM, "web1").text
    assert project.checks[2].asks == Script(text="true\n"), "a mirror has no files but its own"
    assert project.disk_encryption_sets == ((sets[2], sets[0]),)
    assert set(mirror.notes) == {"replace_vault", "checks", "disk_encryption_sets"}


def test_addresses_and_ranges_go_back() -> None:
    begun = example(NEW)
    mirror, _ = mirror_of(begun)
    assert begun.project is not None
    rows = [(row.from_, row.to) for row in begun.project.address_map]
    assert [(row.to, row.from_) for row in mirror.project.address_map] == rows
    ends = {objective.from_ for objective in mirror.project.objectives if "/" in objective.from_}
    there = [to for _, to in rows]
    assert ends and all(any(ip_network(end).subnet_of(to) for to in there) for end in ends)  # type: ignore[arg-type]


def test_the_mirror_of_a_mirror_has_the_first_names() -> None:
    begun = example(TWO)
    _, estate = mirror_of(begun)
    again, _ = mirror_of(estate)
    assert begun.project is not None
    assert again.project.target == replace(begun.project.target, resource_group="rg-farshore-dr")
    assert again.project.sites[0].name == begun.project.sites[0].name
    assert Counterparts(estate).of(target_id("Microsoft.Network/virtualNetworks", "Hub-asr")).name == "Hub"


def test_a_vault_beside_the_machines_is_left_alone_whoever_made_it() -> None:
    """Not only a mirror's: somebody protects a machine from a vault in its own region."""
    estate = edited(protected(example(TWO), "web1", "an-item"), VAULT, lambda body: body.update(location="eastasia"))
    assert [found.severity for found in assess(estate).findings if found.code == "FS501"] == ["error"]
    untold = make_plan(estate, None, "no-drill")
    assert not [step for step in untold.steps if step.id.startswith(LET_GO)], "nobody has said that it may"
    plan = make_plan(with_project(estate, replace_vault=True), None, "no-drill")
    [let_go] = [step for step in plan.of_phase(Phase.PROTECT) if step.id.startswith(LET_GO)]
    assert let_go.id == "protect/let-go/web1" and let_go.subject.endswith("/an-item")
    [vault] = [step for step in plan.steps if step.id.startswith("protect/vault/")]
    assert resource_id(vault.subject) == target_id(VAULT.type, f"{TWO}-vault")


def test_a_vault_has_another_name_where_its_own_is_taken_in_the_wrong_region() -> None:
    """A vault can't be moved, and a put with another location is refused."""
    taken = {"id": target_id(VAULT.type, f"{TWO}-vault").text, "location": "eastasia", "properties": {}}
    plan = make_plan(example(TWO).with_changes([Change(put=taken)]), None, "no-drill")
    [vault] = [step for step in plan.steps if step.id.startswith("protect/vault/")]
    assert resource_id(vault.subject).name == f"{TWO}-vault-southeastasia"


def test_a_run_given_up_between_tells_what_it_has_let_go_of() -> None:
    _, estate = mirror_of(example(TWO))
    plan = make_plan(estate, None, "no-drill")
    let_go = plan.step("protect/let-go/web1")
    assert let_go is not None
    ahead = [step for step in plan.of_phase(Phase.PROVISION, Phase.PROTECT) if step.kind.value != "check"]
    done = [step for step in ahead if step.action.verb == "put"]
    now = estate.with_changes(
        [Change(put=merged(estate.get(resource_id(step.subject)), step.action.arguments["body"])) for step in done]  # type: ignore[arg-type]
    ).with_changes([Change(delete=resource_id(let_go.subject))])
    ids = frozenset(step.id for step in (*done, let_go))
    way = make_abandonment(Begun(plan=plan, before=estate, done=ids, touched=ids), now)
    assert [row.id for row in way.remains] == [let_go.subject]
    assert not [step for step in way.steps if step.subject == let_go.subject], "nobody can put a replication back"


def test_what_is_made_again_has_none_of_what_azure_makes_up() -> None:
    """A gateway that stood before, that the run has changed: its configurations have etags of their own."""
    gateway = source_id("Microsoft.Network/virtualNetworkGateways", "ergw-source-hub")
    _, estate = mirror_of(example(TWO))
    there = estate.get(gateway)
    assert there is not None
    other = edited(estate, gateway, lambda body: body["properties"].update(allowRemoteVnetTraffic=True))
    plan = make_plan(other, None, "no-drill")
    [step] = [step for step in plan.steps if step.action.verb == "put" and resource_id(step.subject) == gateway]
    ids = frozenset({step.id})
    way = make_abandonment(Begun(plan=plan, before=other, done=ids, touched=ids), estate)
    [again] = [step for step in way.steps if step.action.verb == "put"]
    body = again.action.arguments["body"]
    assert body["properties"]["allowRemoteVnetTraffic"] is True  # type: ignore[index]
    assert "etag" not in json.dumps(body)


def test_a_gateway_that_stands_is_not_written_to_for_a_vpn_type_that_it_does_not_show() -> None:
    """Not every telling of an ExpressRoute gateway has one; a write takes minutes (E24) and would change nothing."""
    serving = target_id("Microsoft.Network/virtualNetworkGateways", "ergw-source-hub-asr")
    _, estate = mirror_of(example(TWO))
    plan = make_plan(edited(estate, serving, lambda body: body["properties"].update(vpnType="RouteBased")))
    [step] = [step for step in plan.of_phase(Phase.PROVISION) if step.id.startswith("provision/gateway/")]
    assert step.expected_duration == ALREADY_THERE.duration
