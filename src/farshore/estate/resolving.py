"""What the names of a project mean in an estate.

A router's circuit may be given by name; an objective may name a machine or an appliance; `machines` and `boot_order`
hold patterns. Here each finds what it means, or is an `InputError` with its line and what there is instead; and a drill
without a network gets ranges that nothing else has. Objectives that the file does not give are derived in
`assess/objectives.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, NoReturn

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.network import EXPRESS_ROUTE_CIRCUITS, LOAD_BALANCERS, NETWORK_INTERFACES
from farshore.errors import InputError
from farshore.estate.checks import HERE, ITSELF, Check
from farshore.estate.outside import Router, Site
from farshore.estate.project import Drill, Objective, Project
from farshore.estate.project_sites import UNRESOLVED

if TYPE_CHECKING:
    from farshore.estate.estate import Estate


def resolve(project: Project, estate: Estate) -> Project:
    """See `Project.resolved`. Resolving twice changes nothing."""
    sites = resolved_sites(project, estate)
    for key, patterns in (("include", project.machines.include), ("exclude", project.machines.exclude)):
        _check_machines(project, estate, f"machines/{key}", patterns)
    for index, group in enumerate(project.machines.boot_order):
        _check_machines(project, estate, f"machines/boot_order/{index}", group)
    for index, group in enumerate(project.machines.consistency_groups):
        _check_machines(project, estate, f"machines/consistency_groups/{index}", group)
    for name, _ in project.machines.placement:
        _check_machine(project, estate, f"machines/placement/{name}", name)
    objectives = tuple(_objective(project, estate, objective) for objective in project.objectives)
    for check in project.checks:
        _check(project, estate, check)
    raises = tuple(
        replace(item, circuit=_circuit(project, estate, item.circuit, f"raise_bandwidth/{index}/circuit"))
        for index, item in enumerate(project.raise_bandwidth)
    )
    drill = project.drill
    if drill.network is None and not drill.address_space:
        drill = Drill(address_space=free_ranges(project, estate))
    return replace(project, sites=sites, objectives=objectives, raise_bandwidth=raises, drill=drill)


def resolved_sites(project: Project, estate: Estate) -> tuple[Site, ...]:
    """The project's sites, their routers' circuits found in the estate."""
    return tuple(_site(project, estate, site) for site in project.sites)


def free_ranges(project: Project | None, estate: Estate) -> tuple[Network, ...]:
    """For each range that the source's machines live in, one of its length that overlaps nothing (D16, D19)."""
    region = None if project is None else project.source_region
    taken = [network for vnet in estate.virtual_networks for network in vnet.address_space]
    if project is not None:
        taken += [prefix for site in project.sites for prefix in site.prefixes]
        taken += [network for row in project.address_map for network in (row.from_, row.to)]
    wanted: dict[Network, None] = {}
    for nic in estate.network_interfaces:
        if (region is not None and nic.location != region) or nic.virtual_machine is None or nic.enable_ip_forwarding:
            continue
        subnet = None if nic.primary is None else nic.primary.subnet
        vnet = None if subnet is None else estate.virtual_network(subnet.parent)
        if vnet is not None:
            wanted.update(dict.fromkeys(network for network in vnet.address_space if network.version == 4))
    found: list[Network] = []
    for network in sorted(wanted, key=str):
        spare = _spare(network.prefixlen, [*taken, *found])
        if spare is not None:
            found.append(spare)
    return tuple(found)


def _spare(length: int, taken: Iterable[Network]) -> IPv4Network | None:
    """The first range of that length, from 10.201.0.0 on, that overlaps none that is taken."""
    used = [network for network in taken if isinstance(network, IPv4Network)]
    for second in [*range(201, 256), *range(0, 201)]:
        whole = IPv4Network(f"10.{second}.0.0/16")
        spare = whole if length <= 16 else next(whole.subnets(new_prefix=length))
        if length < 16:
            spare = IPv4Network(f"10.{second}.0.0/{length}", strict=False)
        if not any(spare.overlaps(network) for network in used):
            return spare
    return None


def _site(project: Project, estate: Estate, site: Site) -> Site:
    routers = []
    for router in site.routers:
        path = f"sites/{site.name}/routers/{router.name}"
        routers.append(_router(project, estate, router, path))
    return replace(site, routers=tuple(routers))


def _router(project: Project, estate: Estate, router: Router, path: str) -> Router:
    return replace(
        router,
        circuit=_circuit(project, estate, router.circuit, f"{path}/circuit"),
        readvertise=tuple(
            _circuit(project, estate, circuit, f"{path}/readvertise/{index}")
            for index, circuit in enumerate(router.readvertise)
        ),
    )


def _circuit(project: Project, estate: Estate, circuit: ResourceId, path: str) -> ResourceId:
    there = [resource_id(str(body["id"])) for body in estate.of_type(EXPRESS_ROUTE_CIRCUITS)]
    names = ", ".join(sorted(id_.name for id_ in there)) or "none"
    if circuit.subscription != UNRESOLVED:
        found = [id_ for id_ in there if id_ == circuit]
    else:
        found = [id_ for id_ in there if id_.name.lower() == circuit.name.lower()]
    if not found:
        _fail(
            project,
            path,
            f"the estate has no circuit {circuit.name}",
            value=circuit.name if circuit.subscription == UNRESOLVED else circuit.text,
            expected=f"a circuit of the estate: {names}",
            near=difflib.get_close_matches(circuit.name, [id_.name for id_ in there], n=1),
            remedy="correct the name, or read the circuit into the estate",
        )
    if len(found) > 1:
        _fail(
            project,
            path,
            f"{len(found)} circuits are called {circuit.name}",
            value=circuit.name,
            expected="the id of one: " + ", ".join(id_.text for id_ in found),
            remedy="write the id in place of the name",
        )
    return found[0]


def _check_machines(project: Project, estate: Estate, path: str, patterns: Iterable[str]) -> None:
    for index, pattern in enumerate(patterns):
        _check_machine(project, estate, f"{path}/{index}", pattern)


def _check_machine(project: Project, estate: Estate, path: str, pattern: str) -> None:
    machines = [vm.id for vm in estate.virtual_machines]
    if pattern == "*" or any(matches(id_, pattern) for id_ in machines):
        return
    names = sorted({id_.name for id_ in machines})
    _fail(
        project,
        path,
        f"no machine of the estate is called {pattern}",
        value=pattern,
        expected=f"a machine's name, id or pattern: {_some(names)}",
        near=difflib.get_close_matches(pattern, names, n=1),
    )


def _check(project: Project, estate: Estate, check: Check) -> None:
    _check_machines(project, estate, f"checks/{check.name}/machines", check.machines)
    if check.asker not in (HERE, ITSELF):
        found = askers(project, estate, check.asker)
        if len(found) != 1:
            names = sorted({vm.id.name for vm in estate.virtual_machines})
            _fail(
                project,
                f"checks/{check.name}/from",
                f"{len(found) or 'no'} machine{'s are' if len(found) > 1 else ' is'} called {check.asker}",
                value=check.asker,
                expected=f"{HERE}, {ITSELF}, or the name or id of one machine: {_some(names)}",
                near=[] if found else difflib.get_close_matches(check.asker, [HERE, ITSELF, *names], n=1),
                remedy="write the id of one" if found else "correct the name",
            )


def askers(project: Project, estate: Estate, named: str) -> list[ResourceId]:
    """The machines that a check's `from` may mean. While machines are away there are two of each name: the source's is
    the one that is meant."""
    found = [vm for vm in estate.virtual_machines if matches(vm.id, named)]
    here = [vm for vm in found if vm.location == project.source_region]
    return [vm.id for vm in (here if len(found) > 1 and here else found)]


def matches(id_: ResourceId, pattern: str) -> bool:
    """Whether a machine is meant by a name, id or pattern of the project file."""
    return fnmatchcase(id_.name.lower(), pattern.lower()) or fnmatchcase(id_.key, pattern.lower())


def means(id_: ResourceId, patterns: Iterable[str]) -> bool:
    """Whether any of these names, ids or patterns means a machine."""
    return any(matches(id_, pattern) for pattern in patterns)


def _objective(project: Project, estate: Estate, objective: Objective) -> Objective:
    path = f"objectives/{objective.name}"
    sites = {site.name for site in project.sites}
    for key, end in (("from", objective.from_), ("to", objective.to)):
        if end in sites or end in ("machines", "internet") or (not end.startswith("/") and "/" in end):
            continue
        machines = [vm.id for vm in estate.virtual_machines]
        if not any(matches(id_, end) for id_ in machines):
            words = (*sorted(sites), "machines", "internet")
            names = sorted({id_.name for id_ in machines})
            _fail(
                project,
                f"{path}/{key}",
                f"no site and no machine is called {end}",
                value=end,
                expected=f"{', '.join(words)}, an address range, or a machine: {_some(names)}",
                near=difflib.get_close_matches(end, [*words, *names], n=1),
            )
    if objective.through is None:
        return objective
    return replace(objective, through=_appliance(project, estate, objective.through, f"{path}/through").text)


def _appliance(project: Project, estate: Estate, text: str, path: str) -> ResourceId:
    """The NIC or load balancer that an objective's `through` means: by id, by name, or by the machine's name."""
    named = [appliance.source for appliance in project.appliances]
    fronts = named or [
        resource_id(str(body["id"])) for kind in (NETWORK_INTERFACES, LOAD_BALANCERS) for body in estate.of_type(kind)
    ]
    machines = {
        nic.id: nic.virtual_machine for nic in estate.network_interfaces if nic.virtual_machine and nic.id in fronts
    }
    found = [id_ for id_ in fronts if text.lower() in (id_.key, id_.name.lower())] or [
        id_ for id_, vm in machines.items() if text.lower() in (vm.key, vm.name.lower())
    ]
    if len(found) != 1:
        there = ", ".join(sorted(id_.name for id_ in fronts)[:12]) or "none"
        what = f"{len(found)} appliances are called {text}" if found else f"there is no appliance {text}"
        remedy = [] if found else difflib.get_close_matches(text, [id_.name for id_ in fronts], n=1)
        _fail(project, path, what, value=text, expected=f"one of `appliances`: {there}", near=remedy)
    return found[0]


def _some(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "") or "there are none"


def _fail(
    project: Project,
    path: str,
    message: str,
    *,
    value: object,
    expected: str,
    near: list[str] | None = None,
    remedy: str = "correct the name, or read what it means into the estate",
) -> NoReturn:
    raise InputError(
        f"{path}: {message}",
        file=project.file,
        line=project.line_of(path),
        value=value,
        expected=expected,
        remedy=f"did you mean {near[0]}?" if near else remedy,
    )
