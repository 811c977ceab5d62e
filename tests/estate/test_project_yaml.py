"""A project that is written is the project that is read: the examples, and whatever a project can say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore import examples
from farshore.arm.ids import ResourceId, make_id
from farshore.estate.checks import HERE, ITSELF, Check, Command, Http, Question, Script, Tcp
from farshore.estate.outside import Filter, Router, Site, SiteLink
from farshore.estate.project import (
    PROVISIONABLE,
    SURVIVABLE,
    AddressMap,
    Appliance,
    Approvals,
    Asymmetry,
    Dns,
    Drill,
    LabSettings,
    Link,
    Machines,
    Objective,
    Placement,
    Project,
    Raise,
    SiteChange,
    Target,
    Topology,
)
from farshore.estate.project_reading import parse_project
from farshore.estate.project_sites import BANDWIDTHS, unresolved_circuit
from farshore.estate.project_yaml import project_yaml


def again(project: Project, notes: dict[str, list[str]] | None = None) -> Project:
    return bare(parse_project(project_yaml(project, notes)))


def bare(project: Project) -> Project:
    """Without what is a text's own."""
    return replace(project, file="", lines=(), given=frozenset())


@pytest.mark.parametrize("name", examples.names())
def test_an_example_is_read_as_it_was_written(name: str) -> None:
    project, estate = examples.read(name)
    assert again(project) == bare(project)
    assert estate.project is not None
    assert again(estate.project, {"": ["Of words. " * 40], "sites": ["Seen."]}) == bare(estate.project)


# Whatever a project can say. ---------------------------------------------------------------------------------------

LETTERS = st.characters(codec="utf-8", exclude_characters="\0/")
TEXTS = st.text(LETTERS, min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
NAMES = st.one_of(
    TEXTS, st.sampled_from(["no", "1", "1.5", "null", "a: b", "# c", "{x}", "it's", '"', "ü", "😀", "~", "0x1f"])
)
MINUTES = st.one_of(st.integers(1, 10**6), st.floats(0.001, 10**4)).map(lambda value: timedelta(minutes=value))
WORDS = st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
PREFIXES = st.sampled_from(["10.1.0.0/24", "192.168.0.0/16", "fd00::/64", "0.0.0.0/0"]).map(ip_network)
SOME_PREFIXES = st.lists(PREFIXES, min_size=1, max_size=3, unique=True).map(tuple)
WAYS = st.one_of(st.none(), WORDS)


def ids(type_: str) -> st.SearchStrategy[ResourceId]:
    names = st.sampled_from(["one", "Two-2", "a(b)", "x.y_z"])
    return st.builds(make_id, st.just("00000000-0000-0000-0000-000000000001"), names, st.just(type_), names)


CIRCUITS = st.one_of(
    ids("Microsoft.Network/expressRouteCircuits"), st.sampled_from(["er-one", "2"]).map(unresolved_circuit)
)
ROUTERS = st.builds(
    Router,
    name=NAMES,
    circuit=CIRCUITS,
    links=st.sampled_from([("primary",), ("secondary",), ("primary", "secondary")]),
    local_preference=st.integers(0, 2**32 - 1),
    prepend=st.integers(0, 64),
    med=st.integers(0, 2**31 - 1),
    readvertise=st.lists(CIRCUITS, max_size=2).map(tuple),
    filters=st.lists(
        st.builds(
            Filter,
            direction=st.sampled_from(["in", "out"]),
            prefix=PREFIXES,
            action=st.sampled_from(["deny", "allow"]),
        ),
        max_size=2,
    ).map(tuple),
)
SITES = st.builds(
    Site,
    name=NAMES.filter(lambda name: name.lower() not in ("machines", "internet")),
    asn=st.sampled_from([1, 65010, 4294967295]),
    prefixes=SOME_PREFIXES,
    routers=st.lists(ROUTERS, min_size=1, max_size=2, unique_by=lambda router: router.name).map(tuple),
    stateful_firewall=st.booleans(),
)
APPLIANCES = st.one_of(
    st.builds(
        Appliance,
        source=ids("Microsoft.Network/networkInterfaces"),
        existing=ids("Microsoft.Network/loadBalancers"),
        stateful=st.booleans(),
    ),
    st.builds(Appliance, source=ids("Microsoft.Network/loadBalancers"), template=st.just("nva file.json")),
    st.builds(Appliance, source=ids("Microsoft.Network/loadBalancers"), manual=st.just(True)),
)
PLACES = st.builds(
    Placement,
    zone=st.sampled_from(["1", "2", "3"]),
    proximity_placement_group=st.one_of(st.none(), ids("Microsoft.Compute/proximityPlacementGroups")),
    capacity_reservation_group=st.one_of(st.none(), ids("Microsoft.Compute/capacityReservationGroups")),
)
GROUPS = st.lists(NAMES, unique_by=str.lower, max_size=4).map(lambda names: tuple((name,) for name in names))
SCRIPTS = st.one_of(
    st.text(LETTERS, min_size=1, max_size=40),
    st.sampled_from(["a\n\tb  \n\n  c\n", " x\n", "\nx", "x\n\n", "x\r\ny\n"]),
).filter(lambda text: bool(text.strip()) and not text.lstrip("\n").startswith("#!"))
QUESTIONS: st.SearchStrategy[Question] = st.one_of(
    st.builds(Tcp, port=st.integers(1, 65535)),
    st.builds(Http, port=st.integers(1, 65535), path=st.just("/a?b=#c"), status=st.sampled_from([(200,), (200, 301)])),
    st.builds(Http, port=st.just(443), https=st.just(True), host=st.just("www.example.com"), verify=st.booleans()),
    st.builds(Script, text=SCRIPTS),
    st.builds(Command, words=WORDS),
)


@st.composite
def checks(draw: st.DrawFn) -> tuple[Check, ...]:
    found = []
    for name in draw(st.lists(st.sampled_from(["web answers", "db: 1", "3"]), unique=True)):
        asks = draw(QUESTIONS)
        usual = ITSELF if isinstance(asks, Script) else HERE
        seconds = 10 if isinstance(asks, Script) else draw(st.integers(1, 600))
        found.append(
            Check(
                name=name,
                asks=asks,
                machines=draw(WORDS),
                asker=usual if isinstance(asks, Command) else draw(st.sampled_from([usual, "web1"])),
                timeout=timedelta(seconds=seconds),
                within=timedelta(minutes=draw(st.integers(1, 1440))),
            )
        )
    return tuple(found)


@st.composite
def projects(draw: st.DrawFn) -> Project:
    sites = draw(st.lists(SITES, min_size=1, max_size=3, unique_by=lambda site: site.name).map(tuple))
    if len(sites) > 1:
        sites = (replace(sites[0], links=(SiteLink(to=sites[1].name, local_preference=7, transit=True),)), *sites[1:])
    keep = draw(st.booleans())
    rows = AddressMap(from_=ip_network("10.1.0.0/24"), to=ip_network("10.101.0.0/24"))
    ends = st.one_of(
        st.sampled_from(["machines", "internet", "10.1.0.0/24"]), NAMES.filter(lambda name: "/" not in name)
    )
    objectives = st.builds(
        Objective,
        name=NAMES,
        from_=ends,
        to=ends,
        ports=st.sampled_from([("tcp/443",), ("udp/53", "icmp")]),
        through=st.one_of(st.none(), NAMES),
        deny=st.booleans(),
        recovery_time=MINUTES,
        recovery_point=MINUTES,
        survive=st.lists(st.sampled_from(SURVIVABLE), unique=True).map(tuple),
        asymmetry=st.sampled_from(Asymmetry),
    )
    durations = st.dictionaries(
        st.just("connections.put"), st.tuples(st.floats(1e-7, 1e9), st.one_of(st.none(), st.floats(1e-7, 1.0)))
    )
    sets = ids("Microsoft.Compute/diskEncryptionSets")
    people = draw(st.lists(NAMES, unique=True, max_size=2).map(tuple))
    return Project(
        version=1,
        name=draw(NAMES),
        cloud=draw(st.sampled_from(["lab", "azure", "https://127.0.0.1:8443"])),
        source_region="eastasia",
        target=Target(
            region="southeastasia",
            resource_group=draw(st.sampled_from(["rg", "Rg_(1).x", "1"])),
            names=draw(st.sampled_from(["{name}", "{name}-asr", "a.{name}"])),
            of=draw(st.sampled_from(["{name}", "{name}-asr", "a.{name}"])),
        ),
        topology=draw(st.sampled_from(Topology)),
        link=draw(st.sampled_from(Link)),
        keep_addresses=keep,
        address_map=() if keep else (rows,),
        sites=sites,
        site_changes=tuple((site.name, SiteChange(command=draw(WAYS))) for site in sites),
        appliances=draw(st.lists(APPLIANCES, max_size=2).map(tuple)),
        machines=Machines(
            include=draw(WORDS),
            exclude=draw(st.lists(NAMES, max_size=2).map(tuple)),
            boot_order=draw(GROUPS),
            consistency_groups=draw(GROUPS),
            placement=tuple(draw(st.dictionaries(NAMES, PLACES, max_size=2)).items()),
        ),
        disk_encryption_sets=tuple(draw(st.dictionaries(sets, sets, max_size=2)).items()),
        dns=Dns(command=draw(WAYS)),
        objectives=draw(st.lists(objectives, max_size=2, unique_by=lambda objective: objective.name).map(tuple)),
        checks=draw(checks()),
        loads=tuple((site.name, draw(st.floats(0.001, 1e6))) for site in sites[:1]),
        raise_bandwidth=tuple(
            Raise(circuit=circuit, mbps=draw(st.sampled_from(BANDWIDTHS)))
            for circuit in draw(st.lists(CIRCUITS, unique_by=lambda circuit: circuit.key, max_size=2))
        ),
        provision_ahead=draw(
            st.one_of(
                st.sampled_from([("all",), ("none",)]),
                st.lists(st.sampled_from(PROVISIONABLE), min_size=1, unique=True).map(tuple),
            )
        ),
        drill=draw(
            st.one_of(
                st.builds(Drill),
                st.builds(Drill, network=ids("Microsoft.Network/virtualNetworks")),
                st.just(Drill(address_space=(ip_network("10.201.0.0/24"),))),
            )
        ),
        approvals=Approvals(failover=people, quorum=max(len(people), 1)),
        lab=LabSettings(
            seed=draw(st.integers(0, 2**63 - 1)),
            speed=draw(st.sampled_from(["jump", "1", "0.5"])),
            write_rate_bytes_per_second=draw(st.one_of(st.none(), st.integers(1, 2**40))),
            throttling=draw(st.booleans()),
            runbooks=draw(st.booleans()),
            durations=draw(durations),
        ),
    )


@settings(max_examples=100, deadline=None)
@given(projects())
def test_a_project_is_read_as_it_was_written(project: Project) -> None:
    assert again(project, {"target": ["One.", "Two."]}) == bare(project)
