"""A `Project` as the text of a farshore.yaml: the same keys, in their order, each said in full.

What is read again is an equal project (but for `file`, `lines` and `given`, which are a text's own). `notes` are
comments of a whole section, for what a person should know who reads it first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from textwrap import wrap
from typing import Any

from farshore.arm.ids import ResourceId
from farshore.estate.checks import Check, Command, Http, Script, Tcp
from farshore.estate.outside import Router, Site
from farshore.estate.project import Appliance, Dns, LabSettings, Objective, Placement, Project, SiteChange
from farshore.estate.project_sites import UNRESOLVED

WIDTH = 120


def project_yaml(project: Project, notes: Mapping[str, Iterable[str]] | None = None) -> str:
    """`notes`: by key of the file (`target`, `appliances`), sentences to stand above it; "" for the top."""
    said = notes or {}
    lines = [*_comments(said.get("", ()))]
    for key, body in _sections(project):
        above = [*_comments([_MEANING[key]] if key in _MEANING else []), *_comments(said.get(key, ()))]
        lines += ["", *above, *body] if above or len(body) > 1 else body
    return "\n".join(lines) + "\n"


_MEANING = {
    "target": "resourceGroup is for what is made there; it must not be located in the source region (L36)."
    " names: {name} stands for the source's name, or for what the pattern `of` leaves of it.",
    "link": "The target hub's connection before a disaster: cold (none yet), silent (spokes not announced), armed.",
    "appliances": "How appliances get to the target, since they can't be replicated (S32).",
    "objectives": "Who must reach whom, through what, within what time, despite which failures.",
    "checks": "What is asked of machines once they have moved.",
    "replace_vault": "Whether machines that a vault in the source's region protects are protected anew (S10, FS501).",
    "raise_bandwidth": "Circuits that get more bandwidth in a failover; it can't be lowered again (E6).",
    "drill": "Where a test failover's machines stand: ranges that nothing else has (D16, D19).",
}
"""What a person should know of a section."""


def yaml_text(text: str) -> str:
    """A YAML text: in quotes where a plain one could mean something else."""
    if (_PLAIN.fullmatch(text) and text.lower() not in _WORDS) or _RANGE.fullmatch(text):
        return text
    return f'"{"".join(map(_escaped, text))}"'


_PLAIN = re.compile(r"/?[A-Za-z][\w./-]*( [\w./][\w./-]*)*", re.ASCII)
_RANGE = re.compile(r"\d+(\.\d+){3}/\d+", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def _sections(project: Project) -> Iterator[tuple[str, list[str]]]:
    target = project.target
    yield "version", [f"version: {project.version}"]
    yield "name", [f"name: {yaml_text(project.name)}"]
    yield "cloud", [f"cloud: {yaml_text(project.cloud)}"]
    yield "source", [f"source: {_flow({'region': project.source_region})}"]
    there = {"region": target.region, "resourceGroup": target.resource_group, "names": target.names, "of": target.of}
    yield "target", [f"target: {_flow(there)}"]
    yield "topology", [f"topology: {project.topology.value}"]
    yield "link", [f"link: {project.link.value}"]
    rows = [{"from": str(row.from_), "to": str(row.to)} for row in project.address_map]
    yield "addresses", ["addresses:", "  map:", *_rows(rows, 4)] if rows else ["addresses: keep"]
    changes, loads = dict(project.site_changes), dict(project.loads)
    sites = [line for s in project.sites for line in _site(s, changes.get(s.name, SiteChange()), loads.get(s.name))]
    yield "sites", ["sites:", *sites]
    yield "appliances", _listed("appliances", [_appliance(appliance) for appliance in project.appliances])
    machines = project.machines
    yield (
        "machines",
        [
            "machines:",
            f"  include: {_flow(machines.include)}",
            f"  exclude: {_flow(machines.exclude)}",
            f"  boot_order: {_flow(machines.boot_order)}",
            f"  consistency_groups: {_flow(machines.consistency_groups)}",
            *_keyed("placement", {name: _placement(place) for name, place in machines.placement}, 2),
        ],
    )
    pairs = {here.text: there.text for here, there in project.disk_encryption_sets}
    yield "disk_encryption_sets", _keyed("disk_encryption_sets", pairs, 0)
    yield "dns", [f"dns: {_flow(_done_by(project.dns))}"]
    yield "objectives", _listed("objectives", [_objective(objective) for objective in project.objectives])
    checks = [line for check in project.checks for line in _check(check)]
    yield "checks", ["checks:", *checks] if checks else ["checks: []"]
    raised = [{"circuit": _circuit(item.circuit), "mbps": item.mbps} for item in project.raise_bandwidth]
    yield "raise_bandwidth", _listed("raise_bandwidth", raised)
    yield "replace_vault", [f"replace_vault: {_flow(project.replace_vault)}"]
    ahead = project.provision_ahead
    yield "provision_ahead", [f"provision_ahead: {ahead[0] if ahead[0] in ('all', 'none') else _flow(ahead)}"]
    drill = project.drill
    if drill.network is not None:
        yield "drill", [f"drill: {_flow({'network': drill.network.text})}"]
    elif drill.address_space:
        yield "drill", [f"drill: {_flow({'address_space': [str(prefix) for prefix in drill.address_space]})}"]
    approvals = project.approvals
    yield "approvals", [f"approvals: {_flow({'failover': approvals.failover, 'quorum': approvals.quorum})}"]
    yield "lab", [f"lab: {_lab(project.lab)}"]


# Sections. ---------------------------------------------------------------------------------------------------------


def _site(site: Site, change: SiteChange, load: float | None) -> Iterator[str]:
    yield f"  - name: {yaml_text(site.name)}"
    yield f"    asn: {site.asn}"
    yield f"    prefixes: {_flow([str(prefix) for prefix in site.prefixes])}"
    if site.routers:
        yield "    routers:"
        for router in site.routers:
            yield from _items(_router(router), 6)
    if site.links:
        yield "    links:"
        links = [
            {"to": link.to, "local_preference": link.local_preference, "transit": link.transit} for link in site.links
        ]
        yield from _rows(links, 6)
    yield f"    stateful_firewall: {_flow(site.stateful_firewall)}"
    if load is not None:
        yield f"    load_mbps: {_flow(load)}"
    yield f"    change: {_flow(_done_by(change))}"


def _router(router: Router) -> dict[str, Any]:
    return {
        "name": router.name,
        "circuit": _circuit(router.circuit),
        "links": router.links,
        "local_preference": router.local_preference,
        "prepend": router.prepend,
        "med": router.med,
        "readvertise": [_circuit(circuit) for circuit in router.readvertise],
        "filters": [
            {"direction": item.direction, "prefix": str(item.prefix), "action": item.action} for item in router.filters
        ],
    }


def _circuit(circuit: ResourceId) -> str:
    return circuit.name if circuit.subscription == UNRESOLVED else circuit.text


def _done_by(how: SiteChange | Dns) -> Any:
    return "manual" if how.command is None else {"command": how.command}


def _appliance(appliance: Appliance) -> dict[str, Any]:
    target: Any = "manual"
    if appliance.existing is not None:
        target = {"existing": appliance.existing.text}
    elif appliance.template is not None:
        target = {"template": appliance.template}
    return {"source": appliance.source.text, "target": target, "stateful": appliance.stateful}


def _placement(place: Placement) -> dict[str, Any]:
    said = {
        "availabilitySet": place.availability_set,
        "proximityPlacementGroup": place.proximity_placement_group,
        "capacityReservationGroup": place.capacity_reservation_group,
    }
    zone = {} if place.zone is None else {"zone": int(place.zone)}
    return zone | {key: id_.text for key, id_ in said.items() if id_ is not None}


def _objective(objective: Objective) -> dict[str, Any]:
    return {
        "name": objective.name,
        "from": objective.from_,
        "to": objective.to,
        "ports": objective.ports,
        **({} if objective.through is None else {"through": objective.through}),
        "deny": objective.deny,
        "recovery_time_minutes": _minutes(objective.recovery_time),
        "recovery_point_minutes": _minutes(objective.recovery_point),
        "survive": objective.survive,
        "asymmetry": objective.asymmetry.value,
    }


def _check(check: Check) -> Iterator[str]:
    head: dict[str, Any] = {"name": check.name}
    head |= {"machines": check.machines} if check.wave is None else {"wave": check.wave}
    head["from"] = check.asker
    if not isinstance(check.asks, Script):
        head["timeout_seconds"] = check.timeout.total_seconds()
    head["within_minutes"] = _minutes(check.within)
    yield from _items(head, 2)
    match check.asks:
        case Tcp(port=port):
            yield f"    tcp: {port}"
        case Http() as http:
            yield f"    http: {_flow(_http(http))}"
        case Command(words=words):
            yield f"    command: {_flow(words)}"
        case Script(file=str(file)):
            yield f"    script: {_flow({'file': file})}"
        case Script(text=text):
            yield from _literal("script", text or "", 4)


def _http(http: Http) -> dict[str, Any]:
    said: dict[str, Any] = {"port": http.port, "path": http.path, "status": http.status, "https": http.https}
    said |= {} if http.host is None else {"host": http.host}
    return said | ({"verify": http.verify} if http.https else {})


def _lab(lab: LabSettings) -> str:
    said = {"seed": str(lab.seed), "speed": lab.speed}
    if lab.write_rate_bytes_per_second is not None:
        said["write_rate_bytes_per_second"] = str(lab.write_rate_bytes_per_second)
    said |= {"throttling": _flow(lab.throttling), "runbooks": _flow(lab.runbooks)}
    if lab.durations:
        rows = {name: value if spread is None else [value, spread] for name, (value, spread) in lab.durations.items()}
        said["durations"] = _flow(rows)
    return "{" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}"


def _minutes(time: timedelta) -> float:
    return time.total_seconds() / 60


# YAML. -------------------------------------------------------------------------------------------------------------


def _flow(value: Any) -> str:
    """A value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            # YAML 1.1 takes 1e-07 for a text.
            return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
        case str():
            return yaml_text(value)
        case Mapping():
            return "{" + ", ".join(f"{yaml_text(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
        case _:
            return "[" + ", ".join(map(_flow, value)) + "]"


def _listed(key: str, rows: list[dict[str, Any]]) -> list[str]:
    return [f"{key}:", *(line for row in rows for line in _items(row, 2))] if rows else [f"{key}: []"]


def _items(row: Mapping[str, Any], indent: int) -> Iterator[str]:
    """A member of a list, a key a line."""
    for index, (key, value) in enumerate(row.items()):
        yield f"{' ' * indent}{'  ' if index else '- '}{key}: {_flow(value)}"


def _rows(rows: Iterable[Mapping[str, Any]], indent: int) -> Iterator[str]:
    """Members of a list, a line each."""
    return (f"{' ' * indent}- {_flow(row)}" for row in rows)


def _keyed(key: str, rows: Mapping[str, Any], indent: int) -> list[str]:
    """A mapping whose keys are the user's own names."""
    space = " " * indent
    if not rows:
        return [f"{space}{key}: {{}}"]
    return [f"{space}{key}:", *(f"{space}  {yaml_text(name)}: {_flow(value)}" for name, value in rows.items())]


def _literal(key: str, text: str, indent: int) -> Iterator[str]:
    """A text of several lines, as it is where YAML gives it back as it is."""
    lines = text.removesuffix("\n").split("\n")
    plain = all(line.replace("\t", " ").isprintable() for line in lines)
    if not plain or not lines[0].strip() or lines[0][0].isspace() or not lines[-1].strip():
        yield f"{' ' * indent}{key}: {yaml_text(text)}"
        return
    yield f"{' ' * indent}{key}: |{'' if text.endswith(chr(10)) else '-'}"
    yield from (f"{' ' * indent}  {line}" if line else "" for line in lines)


def _comments(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        yield from (f"# {line}" for line in wrap(sentence, WIDTH - 2, break_long_words=False, break_on_hyphens=False))


def _escaped(letter: str) -> str:
    if letter.isprintable() and letter not in '"\\':
        return letter
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
