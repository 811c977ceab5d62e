"""farshore.yaml: every complaint has its line, every default its reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore import examples, schemas
from farshore.errors import InputError
from farshore.estate import Estate
from farshore.estate.outside import SiteLink
from farshore.estate.project import Link, Project, Topology, new_project_yaml, read_project
from farshore.estate.project_reading import KEYS, default_link, parse_project

SMALL = """\
version: 1
source: {region: eastasia}
target: {region: Southeast Asia}
topology: two-circuits-two-locations
sites:
  - name: datacenter
    asn: 65010
    prefixes: [192.168.0.0/16]
    routers:
      - name: ce1
        circuit: er-hongkong
      - {name: ce2, circuit: er-singapore}
"""


def published(name: str = examples.PUBLISHED) -> str:
    return (examples.path(name) / "farshore.yaml").read_text()


def test_the_labs_durations_are_read() -> None:
    project = parse_project(SMALL + "lab: {durations: {connections.put: 60, network.put: [2, 0.5]}}\n")
    assert project.lab.durations == {"connections.put": (60.0, None), "network.put": (2.0, 0.5)}


def refused(text: str, estate: Estate | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        project = parse_project(text)
        if estate is not None:
            project.resolved(estate)
    assert caught.value.file == "farshore.yaml"
    return caught.value


def test_five_keys_are_enough() -> None:
    project = parse_project(SMALL, file="shore/farshore.yaml")
    assert project.name == "shore" and project.cloud == "lab"
    assert project.target.region == "southeastasia" and "{name}" in project.target.names
    assert project.link is Link.ARMED and project.keep_addresses and project.provision_ahead == ("all",)
    assert project.sites[0].stateful_firewall and project.change_of("datacenter").command is None
    assert project.sites[0].routers[0].links == ("primary", "secondary")
    assert project.sites[0].routers[0].local_preference == 100
    assert project.machines.include == ("*",) and project.approvals.quorum == 1


@pytest.mark.parametrize("topology", list(Topology))
def test_a_link_is_cold_only_where_one_circuit_keeps_addresses(topology: Topology) -> None:
    cold = topology is Topology.SINGLE_CIRCUIT_KEPT_ADDRESSES
    assert default_link(topology, keep="kept" in topology) is (Link.COLD if cold else Link.ARMED)


WRONG = [
    # what is replaced, by what, the line, a word of the message, a word of the expectation
    ("topology:", "topolgy:", 4, "unknown key topolgy", "topology"),
    ("version: 1", "version: 2", 1, "version", "1"),
    ("version: 1", "version: one", 1, "version", "1"),
    ("version: 1\n", "", 1, "version is missing", "1"),
    ("eastasia", "eastaisa", 2, "eastaisa", "region"),
    ("Southeast Asia", "East Asia", 3, "one region", "another"),
    ("two-circuits-two-locations", "two-circuits", 4, "two-circuits", "two-circuits-one-location"),
    ("asn: 65010", "asn: '65010'", 7, "asn", "whole number"),
    ("asn: 65010", "asn: 65515", 7, "reserved", "65515"),
    ("192.168.0.0/16", "192.168.1.0/16", 8, "host bits", "10.1.0.0/24"),
    ("192.168.0.0/16", "192.168.0.0", 8, "not an address range", "10.1.0.0/24"),
    ("192.168.0.0/16", "192.168.0.0/16, 192.168.0.0/16", 8, "twice", "once"),
    ("[192.168.0.0/16]", "192.168.0.0/16", 8, "a list must stand here", "list"),
    ("name: ce2", "name: ce1", 12, "two are called ce1", "once"),
    ("name: ce2", "nam: ce2", 12, "unknown key nam", "name"),
    ("circuit: er-hongkong", "circuit: [er-hongkong]", 11, "a text must stand here", "text"),
    ("circuit: er-hongkong", "circuit: /subscriptions/x", 11, "circuit", None),
    ("name: ce2,", "name: ce2, links: [third],", 12, "third", "primary"),
    ("name: ce2,", "name: ce2, local_preference: -1,", 12, "local_preference", "0"),
    ("name: ce2,", "name: ce2, filters: [{direction: up, prefix: 10.0.0.0/8, action: deny}],", 12, "up", "in, out"),
    ("name: datacenter", "name: data/center", 6, "slash", "slash"),
]
APPENDED = [
    ("cloud: azur\n", 13, "azur", "lab"),
    ("link: warm\n", 13, "warm", "armed"),
    ("addresses: move\n", 13, "move", "keep"),
    ("addresses: {map: []}\n", 13, "empty", "from"),
    ("addresses:\n  map:\n    - {from: 10.1.0.0/24, to: 10.101.0.0/25}\n", 15, "unequal", "/24"),
    ("addresses:\n  map:\n    - {from: 10.1.0.1/24, to: 10.101.0.0/24}\n", 15, "host bits", "10.1.0.0/24"),
    (
        "addresses: {map: [{from: 10.1.0.0/24, to: 10.3.0.0/24}, {from: 10.1.0.0/24, to: 10.4.0.0/24}]}\n",
        13,
        "overlaps",
        "one row",
    ),
    ("machines: {boot_order: [[a, b], [A]]}\n", 13, "two boot groups", "once"),
    ("machines: {boot_order: [[a], [b], [c], [d], [e], [f], [g], [h]]}\n", 13, "8 boot groups", "7"),
    ("machines: {inlcude: [a]}\n", 13, "inlcude", "include"),
    ("machines: {consistency_groups: [[a, b], [B]]}\n", 13, "two consistency groups", "once"),
    ("machines: {consistency_groups: [[]]}\n", 13, "empty", "names"),
    (f"machines: {{consistency_groups: [[{', '.join(f'm{n}' for n in range(17))}]]}}\n", 13, "17 machines", "16"),
    ("machines:\n  placement:\n    web1: {zone: 4}\n", 15, "4 is no availability zone", "1, 2, 3"),
    ("machines: {placement: {web1: {}}}\n", 13, "no place", "zone"),
    ("machines: {placement: {web1: {zon: 1}}}\n", 13, "unknown key zon", "zone"),
    (
        "machines: {placement: {web1: {zone: 1, availabilitySet: /subscriptions/s/resourceGroups/g/providers/"
        "Microsoft.Compute/availabilitySets/a}}}\n",
        13,
        "a zone or in an availability set",
        "one of the two",
    ),
    (
        "disk_encryption_sets:\n  /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/a:"
        " /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/a\n",
        14,
        "another type",
        "diskEncryptionSets",
    ),
    ("disk_encryption_sets: {keys: keys}\n", 13, "no resource id", "/subscriptions"),
    ("dns: by-hand\n", 13, "by-hand", "manual"),
    ("dns: {comand: [a]}\n", 13, "comand", "command"),
    ("dns: {command: []}\n", 13, "empty", "program"),
    ("provision_ahead: [gatway]\n", 13, "gatway", "gateway"),
    ("provision_ahead: some\n", 13, "some", "none"),
    ("drill: {}\n", 13, "one network", "address_space"),
    ("drill: {address_space: [10.9.0.0/24], network: /subscriptions/x}\n", 13, "one network", "either"),
    ("approvals: {failover: [a], quorum: 2}\n", 13, "2 approvals", "people"),
    ("lab: {speed: fast}\n", 13, "fast", "jump"),
    ("lab: {durations: {connections.put: soon}}\n", 13, "soon", "number"),
    ("lab: {durations: {connections.put: [1]}}\n", 13, "1 numbers", "[seconds, spread]"),
    ("lab: {durations: 5}\n", 13, "keys", "mapping"),
    ("lab: {seed: true}\n", 13, "seed", "whole"),
    ("lab: {runbooks: 1}\n", 13, "runbooks", "true"),
    ("objectives: [{name: a, from: datacenter, to: machines, survive: [circut]}]\n", 13, "circut", "circuit-link"),
    ("objectives: [{name: a, from: datacenter, to: 10.1.0.1/24}]\n", 13, "host bits", "10.1.0.0/24"),
    ("objectives: [{name: a, from: datacenter, to: machines, ports: [443]}]\n", 13, "443", "tcp/443"),
    (
        "objectives: [{name: a, from: datacenter, to: machines, recovery_time_minutes: 0}]\n",
        13,
        "0 does not fit",
        "above 0",
    ),
    ("objectives: [{name: a, from: datacenter, to: machines, deny: maybe}]\n", 13, "neither", "true"),
    ("appliances: [{source: nva-nic}]\n", 13, "resource id", "/subscriptions/"),
    ("name: 7\n", 13, "a text must stand here", "text"),
    ("name: a\nname: b\n", 14, "twice", "once"),
    ("sites: []\n", 13, "twice", "once"),
    ("x: &a [*a]\n", 13, "unknown key x", "version"),
    ("name: 'a\n", 14, "not YAML", "YAML"),
    ("\tname: a\n", 13, "not YAML", "YAML"),
    ("--- a\n", 13, "not YAML", "YAML"),
]


@pytest.mark.parametrize(("old", "new", "line", "message", "expected"), WRONG)
def test_what_is_wrong_is_named_with_line_and_expectation(
    old: str, new: str, line: int, message: str, expected: str | None
) -> None:
    assert old in SMALL
    error = refused(SMALL.replace(old, new, 1))
    assert error.line == line and message in error.message
    assert expected is None or expected in (error.expected or "")


@pytest.mark.parametrize(("text", "line", "message", "expected"), APPENDED)
def test_what_is_wrong_further_down(text: str, line: int, message: str, expected: str) -> None:
    error = refused(SMALL + text)
    assert error.line == line and message in error.message and expected in (error.expected or "")


@pytest.mark.parametrize("key", KEYS)
def test_a_misspelt_key_suggests_the_right_one(key: str) -> None:
    wrong = key[:-1] + "_" if len(key) > 4 else key + "x"
    error = refused(f"{wrong}: 1\n" + SMALL)
    assert error.line == 1 and error.remedy == f"did you mean {key}?"


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "text", "3"])
def test_a_file_that_is_no_project(text: str) -> None:
    assert refused(text).expected


BRANCH = """\
  - name: branch
    asn: 65020
    prefixes: [192.168.9.0/24]
    links: [{to: datacenter, transit: true}]
"""


def test_a_site_with_a_line_to_another_needs_no_router() -> None:
    _, branch = parse_project(SMALL + BRANCH).sites
    assert branch.routers == () and branch.links == (SiteLink(to="datacenter", transit=True),)
    jsonschema.validate(yaml.safe_load(SMALL + BRANCH), schemas.read("project"))


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("to: datacenter", "to: datacentre", 16, "datacentre is no other site"),
        ("to: datacenter", "to: branch", 16, "branch is no other site"),
        ("transit: true}", "transit: true}, {to: datacenter}", 16, "there are two links to datacenter"),
        ("transit: true", "transit: maybe", 16, "transit"),
        ("links: [{to: datacenter, transit: true}]", "links: []", 13, "routers is missing"),
        ("    links", "    routers: []\n    links", 16, "the site has no router"),
    ],
)
def test_a_line_that_can_t_be(old: str, new: str, line: int, what: str) -> None:
    error = refused(SMALL + BRANCH.replace(old, new))
    assert error.line == line and what in str(error) and error.expected


def test_the_ends_of_a_line_agree_on_what_it_carries() -> None:
    error = refused(SMALL + "    links: [{to: branch}]\n" + BRANCH)
    assert error.line == 13 and "differ on whether their link is transit" in str(error)


def test_ways_of_an_appliance_to_the_target(tmp_path: Path) -> None:
    nic = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nva"
    path = tmp_path / "farshore.yaml"

    def read(target: str) -> Any:
        path.write_text(SMALL + f"appliances: [{{source: {nic}, target: {target}}}]\n")
        return read_project(path).appliances[0]

    assert read("manual").manual
    assert read(f"existing {nic}2").existing == read(f"{{existing: {nic}2}}").existing
    with pytest.raises(InputError, match=r"no file nva\.json") as caught:
        read("{template: nva.json}")
    assert caught.value.line == 13
    (tmp_path / "nva.json").write_text("{}")
    assert read("{template: nva.json}").template == "nva.json"
    for wrong in ("existing", "existing x", "automatic", "{}", f"{{existing: {nic}, template: nva.json}}"):
        with pytest.raises(InputError):
            read(wrong)


# Names, resolved. --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def estate() -> Estate:
    return examples.read(examples.PUBLISHED)[1]


def test_a_circuit_is_found_by_name_in_any_case_and_by_id(estate: Estate) -> None:
    project = parse_project(SMALL.replace("er-hongkong", "ER-HongKong")).resolved(estate)
    found = project.sites[0].routers[0].circuit
    assert estate.express_route_circuit(found) is not None
    by_id = parse_project(SMALL.replace("er-hongkong", found.text)).resolved(estate)
    assert by_id.sites == project.sites and project.resolved(estate).sites == project.sites


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("circuit: er-hongkong", "circuit: er-hongkon", 11, ("er-hongkong", "er-singapore")),
        ("name: ce2,", "name: ce2, readvertise: [er-tokyo],", 12, ("er-singapore",)),
    ],
)
def test_a_circuit_that_is_not_there_lists_those_that_are(
    estate: Estate, old: str, new: str, line: int, words: tuple[str, ...]
) -> None:
    error = refused(SMALL.replace(old, new), estate)
    assert error.line == line and all(word in (error.expected or "") for word in words)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("machines: {boot_order: [[db1], [web7]]}\n", "web7"),
        ("machines: {include: [web1, wbe2]}\n", "wbe2"),
        ("machines: {consistency_groups: [[web1, wbe2]]}\n", "wbe2"),
        ("machines: {placement: {wbe2: {zone: 1}}}\n", "wbe2"),
        ("objectives: [{name: a, from: datacenter, to: erp}]\n", "erp"),
        ("objectives: [{name: a, from: branch, to: machines}]\n", "branch"),
        ("objectives: [{name: a, from: datacenter, to: machines, through: nvb-nic}]\n", "nvb-nic"),
    ],
)
def test_a_name_that_means_nothing_here(estate: Estate, text: str, name: str) -> None:
    error = refused(SMALL + text, estate)
    assert error.line == 13 and error.value == name


@pytest.mark.parametrize("through", ["nva-nic", "NVA-NIC", "nva"])
def test_an_appliance_is_found_by_its_nic_or_machine(estate: Estate, through: str) -> None:
    text = SMALL + f"objectives: [{{name: a, from: datacenter, to: web1, through: {through}}}]\n"
    found = parse_project(text).resolved(estate).objectives[0].through
    assert found is not None and found.endswith("networkInterfaces/nva-nic")


def test_an_objective_in_few_words(estate: Estate) -> None:
    text = SMALL + "objectives: [{name: a, from: internet, to: web1, deny: true}]\n"
    (objective,) = parse_project(text).resolved(estate).objectives
    assert objective.deny and objective.ports == ("tcp/443",) and not objective.derived
    assert objective.recovery_time == timedelta(minutes=60) and "circuit" not in objective.survive


def test_without_a_drill_ranges_are_chosen_that_nothing_has(estate: Estate) -> None:
    project = parse_project(SMALL).resolved(estate)
    taken = [network for vnet in estate.virtual_networks for network in vnet.address_space]
    assert len(project.drill.address_space) == 2
    assert not any(drill.overlaps(network) for drill in project.drill.address_space for network in taken)
    assert "objectives" not in project.given and "objectives" in parse_project(SMALL + "objectives: []\n").given


def test_lines_of_paths() -> None:
    project = parse_project(SMALL)
    assert project.line_of("sites/datacenter/routers/ce1") == 10
    assert project.line_of("sites/datacenter/routers/ce2/local_preference") == 12
    assert project.line_of("topology") == 4 and project.line_of("drill") is None


# What `farshore new` writes, and the schema. ------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, *examples.names()])
@pytest.mark.parametrize("called", ["my project", "123", "yes", 'a: "b"'])
def test_a_new_project_parses_resolves_and_fits_its_schema(name: str | None, called: str) -> None:
    estate = None if name is None else examples.read(name)[1]
    text = new_project_yaml(estate, called)
    project = parse_project(text)
    assert project.name == called
    assert all(f"\n{key}:" in "\n" + text for key in KEYS), "every key is written out"
    jsonschema.Draft202012Validator(schemas.read("project")).validate(yaml.safe_load(text))
    if estate is not None:
        resolved = project.resolved(estate)
        assert resolved.source_region == "eastasia" and resolved.target.region == "southeastasia"
        assert resolved.objectives[0].through is not None


VALIDATOR = jsonschema.Draft202012Validator(schemas.read("project"))
JUNK = st.sampled_from([None, True, 0, -1, 2.5, "", "text", "10.1.0.0/24", "eastasia", [], ["x"], {}, {"x": 1}])


@settings(max_examples=200)
@given(st.data())
def test_what_the_reader_takes_the_schema_takes(data: st.DataObject) -> None:
    """One value anywhere in a good file is replaced by junk: where the reader is content, the schema is, and neither
    fails in any other way than by saying so."""
    document = yaml.safe_load(published(data.draw(st.sampled_from(examples.names()))))
    holder: Any = document
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        inner = holder[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
            holder = inner
            continue
        holder[key] = data.draw(JUNK)
        break
    try:
        project = parse_project(yaml.safe_dump(document, sort_keys=False))
    except InputError as error:
        assert error.line is not None and error.expected
    else:
        assert isinstance(project, Project)
        VALIDATOR.validate(document)
