"""farshore.yaml to a `Project`: each section in the order of the file, each default where its key is read.

Nothing here knows the estate. A circuit that a router names by name is kept as a placeholder id until an estate
resolves it (`estate/resolving.py`). A contradiction between the topology and the circuits or addresses is not refused
here: it is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from farshore.estate.outside import Site
from farshore.estate.project import (
    PROVISIONABLE,
    SURVIVABLE,
    WHOLE,
    AddressMap,
    Approvals,
    Asymmetry,
    Drill,
    LabSettings,
    Link,
    Objective,
    Project,
    Target,
    Topology,
)
from farshore.estate.project_checks import checks_of
from farshore.estate.project_machines import disk_encryption_sets, dns, machines
from farshore.estate.project_sites import appliance, raises_of, sites_of
from farshore.estate.yaml_lists import each, named, networks, overlap, some, words
from farshore.estate.yaml_nodes import Place, Section, compose

SURVIVED = ("circuit-link", "gateway-instance")
"""What every topology gives: a circuit is two links (E4), a gateway two instances (E26). A single circuit survives no
circuit or location; with kept addresses two circuits don't either without a scenario (D91)."""

KEYS = (
    "version",
    "name",
    "cloud",
    "source",
    "target",
    "topology",
    "link",
    "addresses",
    "sites",
    "appliances",
    "machines",
    "disk_encryption_sets",
    "dns",
    "objectives",
    "checks",
    "raise_bandwidth",
    "replace_vault",
    "provision_ahead",
    "drill",
    "approvals",
    "lab",
)
"""The keys of a farshore.yaml, in the order in which we write them."""

DEFAULT_RESOURCE_GROUP = "rg-farshore-dr"
DEFAULT_NAMES = "{name}-asr"
"""Site Recovery's own suffix for what it makes in the target (S31)."""


_NAME_PARTS = re.compile(r"[A-Za-z0-9._-]*")
_GROUP = re.compile(r"[\w.()-]{0,89}[\w()-]")
"""Microsoft.Resources/resourceGroups: the names that ARM takes."""


def parse_project(text: str, *, file: str = "farshore.yaml", folder: Path | None = None) -> Project:
    """The project of a file's text. `folder` is where templates are looked for; None asks for none."""
    root = compose(text, file)
    top = root.section(*KEYS)
    version = top.need("version", "1")
    if version.value != 1 or isinstance(version.value, bool):
        version.fail("this version of the project file is not known here", expected="1", remedy="write version: 1")
    source = _source(top)
    target = _target(top, source)
    topology = top.need("topology", "one of " + ", ".join(Topology)).member(Topology)
    address_map = _addresses(top.get("addresses"))
    sites, changes, loads = sites_of(top)
    chosen = machines(top.get("machines"))
    return Project(
        version=1,
        name=_text(top.get("name"), Path(file).resolve().parent.name or "project"),
        cloud=_cloud(top.get("cloud")),
        source_region=source,
        target=target,
        topology=topology,
        link=_link(top.get("link"), topology, keep=not address_map),
        keep_addresses=not address_map,
        address_map=address_map,
        sites=sites,
        site_changes=changes,
        appliances=each(top.get("appliances"), lambda place: appliance(place, folder)),
        machines=chosen,
        disk_encryption_sets=disk_encryption_sets(top.get("disk_encryption_sets")),
        dns=dns(top.get("dns")),
        objectives=_objectives(top.get("objectives"), sites),
        checks=checks_of(top.get("checks"), len(chosen.boot_order), folder),
        loads=loads,
        raise_bandwidth=raises_of(top.get("raise_bandwidth")),
        replace_vault=(replaced := top.get("replace_vault")) is not None and replaced.boolean(),
        provision_ahead=_provision_ahead(top.get("provision_ahead")),
        drill=_drill(top.get("drill")),
        approvals=_approvals(top.get("approvals")),
        lab=_lab(top.get("lab")),
        file=file,
        lines=tuple(root.lines.items()),
        given=frozenset(key for key in KEYS if top.get(key) is not None),
    )


def default_link(topology: Topology, *, keep: bool) -> Link:
    """Cold where one circuit keeps addresses, because it can't hold both networks at once (D20, D60); else armed."""
    single = topology in (Topology.SINGLE_CIRCUIT_KEPT_ADDRESSES, Topology.SINGLE_CIRCUIT_NEW_ADDRESSES)
    return Link.COLD if topology is Topology.SINGLE_CIRCUIT_KEPT_ADDRESSES or (single and keep) else Link.ARMED


def _text(place: Place | None, default: str) -> str:
    return default if place is None else place.text()


def _cloud(place: Place | None) -> str:
    if place is None:
        return "lab"
    text = place.text()
    if text not in ("lab", "azure") and not re.match(r"https?://[^\s/]+", text):
        place.fail(f"{text} is no cloud", expected="lab, azure, or the URL of an ARM endpoint")
    return text


def _source(top: Section) -> str:
    source = top.need("source", "{region: eastasia}").section("region")
    return source.need("region", "an Azure region").region()


def _target(top: Section, source_region: str) -> Target:
    target = top.need("target", "{region: southeastasia}").section("region", "resourceGroup", "names", "of")
    region = target.need("region", "an Azure region")
    found = region.region()
    if found == source_region:
        region.fail("source and target are one region", expected="another region than the source's")
    names, of, group = target.get("names"), target.get("of"), target.get("resourceGroup")
    pattern, group_name = _text(names, DEFAULT_NAMES), _text(group, DEFAULT_RESOURCE_GROUP)
    own = _text(of, WHOLE)
    if names is not None and "{name}" not in pattern:
        names.fail("this pattern gives every resource one name", expected="a pattern with {name} in it")
    if names is not None and not _NAME_PARTS.fullmatch(pattern.replace("{name}", "")):
        names.fail(
            f"{pattern} gives names that Azure refuses",
            expected="{name} with letters, digits, - . _ around it",
            remedy="write {name}-asr, or another suffix",
        )
    if of is not None and (own.count("{name}") != 1 or not _NAME_PARTS.fullmatch(own.replace("{name}", ""))):
        of.fail(
            f"{own} is no pattern that names have",
            expected="{name} once, with letters, digits, - . _ around it",
            remedy="write {name}-asr, or leave it out where names are the source's own",
        )
    if group is not None and not _GROUP.fullmatch(group_name):
        group.fail(
            f"{group_name} is no name that a resource group can have",
            expected="1 to 90 letters, digits, - . _ ( ), no point at the end",
            remedy=f"write a name like {DEFAULT_RESOURCE_GROUP}, not an id",
        )
    return Target(region=found, resource_group=group_name, names=pattern, of=own)


def _link(place: Place | None, topology: Topology, *, keep: bool) -> Link:
    return default_link(topology, keep=keep) if place is None else place.member(Link)


def _addresses(place: Place | None) -> tuple[AddressMap, ...]:
    """`keep`, or the rows of a map; an empty result keeps."""
    if place is None:
        return ()
    if not place.is_mapping:
        if place.value != "keep":
            place.fail(
                f"{place.written} says neither that addresses are kept nor where they go",
                expected="keep, or {map: [{from: 10.1.0.0/24, to: 10.101.0.0/24}]}",
            )
        return ()
    row_places = place.section("map").need("map", "a list of {from, to}").items()
    if not row_places:
        place.fail("the map is empty", expected="keep, or a map with at least one {from, to}")
    rows: list[AddressMap] = []
    for at in row_places:
        row = at.section("from", "to")
        from_, to = row.need("from", "an address range"), row.need("to", "an address range")
        pair = AddressMap(from_=from_.network(), to=to.network())
        if (pair.from_.version, pair.from_.prefixlen) != (pair.to.version, pair.to.prefixlen):
            to.fail(
                f"{pair.from_} and {pair.to} have unequal lengths: some address would have no counterpart",
                expected=f"a range with /{pair.from_.prefixlen}",
            )
        for other in rows:
            if overlap(other.from_, pair.from_):
                what = f"{pair.from_} overlaps {other.from_} of another row"
                from_.fail(what, expected="each address in one row", remedy="part the rows, or remove one")
            if overlap(other.to, pair.to):
                what = f"{pair.to} overlaps {other.to} of another row: two machines would get one address"
                to.fail(what, expected="each address in one row", remedy="give the row a range of its own")
        rows.append(pair)
    return tuple(rows)


_OBJECTIVE_KEYS = (
    "name",
    "from",
    "to",
    "ports",
    "through",
    "deny",
    "recovery_time_minutes",
    "recovery_point_minutes",
    "survive",
    "asymmetry",
)
_PORT = re.compile(r"(tcp|udp)/(\d{1,5})|icmp")


def _objectives(place: Place | None, sites: Sequence[Site]) -> tuple[Objective, ...]:
    if place is None:
        return ()
    names = [site.name for site in sites]
    found = named(place, _OBJECTIVE_KEYS, lambda name, section: _objective(name, section, names))
    return tuple(objective for objective, _ in found)


def _objective(name: str, section: Section, sites: list[str]) -> Objective:
    ports, survive = section.get("ports"), section.get("survive")
    through, deny = section.get("through"), section.get("deny")
    asymmetry = section.get("asymmetry")
    time, point = section.get("recovery_time_minutes"), section.get("recovery_point_minutes")
    return Objective(
        name=name,
        from_=_end(section.need("from", "a site, machines, an address range or a machine's name"), sites),
        to=_end(section.need("to", "machines, an address range, a machine's name or a site"), sites),
        ports=("tcp/443",) if ports is None else tuple(_port(item) for item in some(ports)),
        through=None if through is None else through.text(),
        deny=False if deny is None else deny.boolean(),
        recovery_time=timedelta(minutes=60 if time is None else time.number(0)),
        recovery_point=timedelta(minutes=15 if point is None else point.number(0)),
        survive=SURVIVED if survive is None else words(survive, SURVIVABLE, may_be_empty=True),
        asymmetry=Asymmetry.STATELESS if asymmetry is None else asymmetry.member(Asymmetry),
    )


def _end(place: Place, sites: list[str]) -> str:
    """One end of an objective: a site's name, `machines`, `internet`, a range (host bits refused), an id or a name."""
    text = place.text()
    if text in sites or text in ("machines", "internet") or text.startswith("/"):
        return text
    return str(place.network()) if "/" in text else text


def _port(place: Place) -> str:
    matched = _PORT.fullmatch(place.written)
    if matched is None or (matched[2] is not None and not 0 < int(matched[2]) < 65536):
        place.fail(
            f"{place.written} is no port",
            expected="tcp/443, udp/53 (ports 1 to 65535) or icmp",
            remedy=f"write tcp/{place.written}" if place.written.isdecimal() and int(place.written) < 65536 else None,
        )
    return place.written


def _provision_ahead(place: Place | None) -> tuple[str, ...]:
    if place is None:
        return ("all",)
    if not place.is_list:
        if place.written not in ("all", "none"):
            place.fail(
                f"{place.written} does not say what is built before a disaster",
                expected=f"all, none, or a list of {', '.join(PROVISIONABLE)}",
                remedy=f"write [{place.written}]" if place.written in PROVISIONABLE else None,
            )
        return (place.written,)
    return words(place, PROVISIONABLE, may_be_empty=True) or ("none",)


def _drill(place: Place | None) -> Drill:
    if place is None:
        return Drill()
    section = place.section("network", "address_space")
    network, space = section.get("network"), section.get("address_space")
    if (network is None) == (space is None):
        place.fail(
            "a drill needs one network: one that exists, or address ranges for one to make",
            value="both" if network is not None else "neither",
            expected="either {network: ID} or {address_space: [...]}",
            remedy="remove one of the two" if network is not None else "write {address_space: [10.201.0.0/24]}",
        )
    if network is not None:
        id_ = network.id()
        if not id_.is_a("Microsoft.Network/virtualNetworks"):
            network.fail(f"{id_.short} is no network", expected="the id of a virtual network")
        return Drill(network=id_)
    assert space is not None
    return Drill(address_space=networks(space))


def _approvals(place: Place | None) -> Approvals:
    if place is None:
        return Approvals()
    section = place.section("failover", "quorum")
    people = tuple(dict.fromkeys(each(section.get("failover"), Place.text)))
    quorum = section.get("quorum")
    if quorum is None:
        return Approvals(failover=people)
    needed = quorum.integer(1, 100)
    if needed > max(len(people), 1):
        quorum.fail(
            f"{needed} approvals are asked of {len(people)} people",
            expected=f"at most {max(len(people), 1)}, as there are people",
            remedy="name more people in approvals/failover, or lower the quorum",
        )
    return Approvals(failover=people, quorum=needed)


def _lab(place: Place | None) -> LabSettings:
    if place is None:
        return LabSettings()
    section = place.section("seed", "speed", "write_rate_bytes_per_second", "throttling", "runbooks", "durations")
    seed, speed, rate = (section.get(key) for key in ("seed", "speed", "write_rate_bytes_per_second"))
    throttling, runbooks = section.get("throttling"), section.get("runbooks")
    if speed is not None and speed.written != "jump":
        value = speed.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:
            speed.fail(f"{speed.written} is no speed", expected="jump, or a number such as 1 or 1000")
    return LabSettings(
        seed=1 if seed is None else seed.integer(0, 2**63 - 1),
        speed="jump" if speed is None else speed.written,
        write_rate_bytes_per_second=None if rate is None else rate.integer(0, 2**40),
        throttling=True if throttling is None else throttling.boolean(),
        runbooks=False if runbooks is None else runbooks.boolean(),
        durations=_durations(section.get("durations")),
    )


def _durations(place: Place | None) -> dict[str, tuple[float, float | None]]:
    """`name: SECONDS`, or `name: [SECONDS, SPREAD]`; the lab knows the names (`farshore lab durations`)."""
    if place is None:
        return {}
    names = [str(key.value) for key, _ in place.node.value] if place.is_mapping else []
    section = place.section(*(names or ["connections.put"]))
    found: dict[str, tuple[float, float | None]] = {}
    for name in section:
        row = section.need(name, "seconds, or [seconds, spread]")
        if not row.is_list:
            found[name] = (row.number(0), None)
            continue
        parts = row.items()
        if len(parts) != 2:
            row.fail(f"{len(parts)} numbers are no duration", expected="[seconds, spread], such as [120, 0.2]")
        found[name] = (parts[0].number(0), parts[1].number(0))
    return found
