"""Edits of farshore.yaml: what its keys may be instead. What is promised is never made less, but for what an objective
claims to survive, an objective that speaks of nobody, and the part of an order that names what isn't there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network

from farshore.arm.decode import Network
from farshore.assess import resolve
from farshore.estate.estate import Estate
from farshore.estate.outside import Router, Site
from farshore.estate.project import AddressMap, Appliance, Drill, Link, Machines, Project, Topology
from farshore.prove.edits.values import Edit, shown

Change = Callable[[Project], Project]


def project_edits(estate: Estate, subject: str) -> Iterator[Edit]:
    """Edits of the key that a path names (`sites/datacenter/routers/ce1`), likeliest first."""
    project = estate.project
    if project is None:
        return
    first = subject.partition("/")[0]
    of = _BY_KEY.get(first)
    if of is not None:
        yield from of(estate, project)


def _edit(path: str, text: str, change: Change) -> Edit:
    return Edit(subject=path, text=text, project=change)


def _sites(estate: Estate, project: Project) -> Iterator[Edit]:
    for site in project.sites:
        path = f"sites/{site.name}"
        for router in site.routers:
            yield from _router(estate, site, router)
        for circuit in estate.express_route_circuits:
            for peering in circuit.peerings:
                if peering.peer_asn and peering.peer_asn != site.asn:
                    asn = peering.peer_asn
                    yield _edit(f"{path}/asn", f"set asn of {path} to {asn}", _site(replace(site, asn=asn)))
            if not any(router.circuit == circuit.id for router in site.routers):
                made = Router(name=f"ce-{circuit.id.name}", circuit=circuit.id)
                words = f"put a router of {site.name} on circuit {circuit.id.name}"
                yield _edit(f"{path}/routers", words, _site(replace(site, routers=(*site.routers, made))))
        for prefix in site.prefixes:
            if len(site.prefixes) > 1:
                rest = tuple(other for other in site.prefixes if other != prefix)
                words = f"take {prefix} out of {path}/prefixes"
                yield _edit(f"{path}/prefixes", words, _site(replace(site, prefixes=rest)))


def _router(estate: Estate, site: Site, router: Router) -> Iterator[Edit]:
    path = f"sites/{site.name}/routers/{router.name}"

    def with_(text: str, changed: Router) -> Edit:
        return _edit(path, text, _site(site.with_router(changed)))

    if router.readvertise:
        yield with_(f"let {path} pass on nothing of another circuit", replace(router, readvertise=()))
    for place, held in enumerate(router.filters):
        rest = (*router.filters[:place], *router.filters[place + 1 :])
        words = f"take the filter {held.direction} {held.prefix} {held.action} off {path}"
        yield with_(words, replace(router, filters=rest))
    if len(router.filters) > 1:
        yield with_(f"take all filters off {path}", replace(router, filters=()))
    if set(router.links) != {"primary", "secondary"}:
        words = f"put {path} on both links"
        yield with_(words, replace(router, links=("primary", "secondary")))
        for link in ("primary", "secondary"):
            if router.links != (link,):
                yield with_(f"put {path} on the {link} link", replace(router, links=(link,)))
    for circuit in estate.express_route_circuits:
        if router.circuit != circuit.id:
            yield with_(f"put {path} on circuit {circuit.id.name}", replace(router, circuit=circuit.id))
    most = max(other.local_preference for other in site.routers)
    for preference in dict.fromkeys((100, max(most, 100) + 100)):
        if router.local_preference != preference:
            words = f"set local_preference of {path} to {preference}"
            yield with_(words, replace(router, local_preference=preference))
    if router.prepend:
        yield with_(f"set prepend of {path} to 0", replace(router, prepend=0))


def _site(changed: Site) -> Change:
    return lambda project: replace(
        project, sites=tuple(changed if site.name == changed.name else site for site in project.sites)
    )


def _shape(estate: Estate, project: Project) -> Iterator[Edit]:
    """Topology, link and addresses: each may be what contradicts the other two."""
    for topology in Topology:
        if topology != project.topology:
            yield _edit("topology", f"set topology to {topology.value}", _set(topology=topology))
    for link in Link:
        if link != project.link:
            yield _edit("link", f"set link to {link.value}", _set(link=link))
    if project.keep_addresses:
        return
    for row in project.address_map:
        rest = tuple(other for other in project.address_map if other != row)
        words = f"take {row.from_} to {row.to} out of addresses/map"
        if rest:
            yield _edit("addresses/map", words, _set(address_map=rest))
        for wanted in _free(estate, project, row.from_.prefixlen):
            rows = tuple(replace(other, to=wanted) if other == row else other for other in project.address_map)
            yield _edit("addresses/map", f"map {row.from_} to {wanted}", _set(address_map=rows))
    yield from _rows(estate, project)


def _rows(estate: Estate, project: Project) -> Iterator[Edit]:
    """Rows for ranges that have none: one, and all."""
    missing = [
        prefix
        for network in estate.virtual_networks
        if network.location == project.source_region
        for prefix in network.address_space
        if not any(prefix == row.from_ for row in project.address_map)
    ]
    made: list[AddressMap] = []
    for prefix in missing:
        used = [row.to for row in made]
        wanted = next((w for w in _free(estate, project, prefix.prefixlen) if w not in used), None)
        if wanted is None:
            continue
        inside = [row for row in project.address_map if row.from_.version == prefix.version]
        kept = tuple(row for row in inside if not row.from_.overlaps(prefix))
        made.append(AddressMap(from_=prefix, to=wanted))
        rows = (*kept, made[-1])
        yield _edit("addresses/map", f"map {prefix} to {wanted}", _set(address_map=rows))
    if len(made) > 1:
        kept = tuple(r for r in project.address_map if not any(_meet(r.from_, new.from_) for new in made))
        words = ", ".join(f"{row.from_} to {row.to}" for row in made)
        yield _edit("addresses/map", f"map {words}", _set(address_map=(*kept, *made)))


def _free(estate: Estate, project: Project, length: int) -> Iterator[Network]:
    taken = [prefix for network in estate.virtual_networks for prefix in network.address_space]
    taken += [prefix for site in estate.sites for prefix in site.prefixes]
    taken += [row.to for row in project.address_map] + list(project.drill.address_space)
    found = 0
    for third in range(256):
        prefix = ip_network(f"10.250.{third}.0/24") if length >= 24 else ip_network(f"10.{third}.0.0/16")
        if length in (16, 24) and not any(_meet(prefix, other) for other in taken):
            yield prefix
            found += 1
            if found == 4:
                return


def _meet(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _drill(estate: Estate, project: Project) -> Iterator[Edit]:
    words = "let the drill have a network of its own, in ranges that nothing else has"
    yield _edit("drill", words, _set(drill=Drill()))
    for prefix in project.drill.address_space:
        rest = tuple(other for other in project.drill.address_space if other != prefix)
        words = f"take {prefix} out of drill/address_space"
        yield _edit("drill/address_space", words, _set(drill=replace(project.drill, address_space=rest)))


def _machines(estate: Estate, project: Project) -> Iterator[Edit]:
    held = project.machines
    for name in (item for group in held.boot_order for item in group):
        order = tuple(kept for group in held.boot_order if (kept := tuple(item for item in group if item != name)))
        words = f"take {name} out of machines/boot_order"
        yield _edit("machines/boot_order", words, _set(machines=replace(held, boot_order=order)))
    for name in held.exclude:
        rest = tuple(other for other in held.exclude if other != name)
        words = f"take {name} out of machines/exclude"
        yield _edit("machines/exclude", words, _set(machines=replace(held, exclude=rest)))
    if held.exclude or held.include != ("*",):
        words = "let all machines go: machines/include *, nothing in machines/exclude"
        yield _edit("machines", words, _set(machines=Machines(boot_order=held.boot_order)))


def _target(estate: Estate, project: Project) -> Iterator[Edit]:
    groups = {key.split("/")[4] for key in estate.resources if key.count("/") > 4}
    for group in ("rg-farshore-target", *sorted(groups)):
        if group.lower() != project.target.resource_group.lower():
            words = f"set target/resourceGroup to {group}"
            yield _edit("target/resourceGroup", words, _set(target=replace(project.target, resource_group=group)))


def _appliances(estate: Estate, project: Project) -> Iterator[Edit]:
    for held in project.appliances:
        rest = tuple(other for other in project.appliances if other != held)
        for nic in estate.network_interfaces:
            if nic.enable_ip_forwarding and nic.id != held.source and nic.location == project.source_region:
                words = f"let appliances name {nic.id.short} in place of {held.source.short}"
                yield _edit("appliances", words, _set(appliances=(*rest, replace(held, source=nic.id))))
            if nic.enable_ip_forwarding and nic.id != held.existing and nic.location == project.target.region:
                words = f"let the target's appliance be {nic.id.short}"
                there = replace(held, existing=nic.id, template=None, manual=False)
                yield _edit("appliances", words, _set(appliances=(*rest, there)))
        by_hand = replace(held, existing=None, template=None, manual=True)
        if by_hand != held:
            words = f"let a person bring {held.source.short} to the target (target: manual)"
            yield _edit("appliances", words, _set(appliances=(*rest, by_hand)))
        words = f"take {held.source.short} out of appliances"
        yield _edit("appliances", words, _set(appliances=rest))
    known = {held.source for held in project.appliances}
    for nic in estate.network_interfaces:
        if nic.enable_ip_forwarding and nic.id not in known and nic.location == project.source_region:
            made = Appliance(source=nic.id, manual=True)
            words = f"name {nic.id.short} under appliances (target: manual)"
            yield _edit("appliances", words, _set(appliances=(*project.appliances, made)))


def _objectives(estate: Estate, project: Project) -> Iterator[Edit]:
    for held in project.objectives:
        path = f"objectives/{held.name}"
        others = [objective for objective in project.objectives if objective.name != held.name]
        for kind in held.survive:
            less = replace(held, survive=tuple(other for other in held.survive if other != kind))
            words = f"let {path} not claim to survive the loss of any one {kind}"
            yield _edit(path, words, _set(objectives=(*others, less))).weaker()
        names = [held.through] if held.through else []
        for nic in estate.network_interfaces:
            if names and nic.enable_ip_forwarding and nic.id.name not in names:
                words = f"let {path} go through {shown(nic.id.name)}"
                yield _edit(path, words, _set(objectives=(*others, replace(held, through=nic.id.text))))
        if not resolve(held, estate):
            yield _edit(path, f"take {path} out", _set(objectives=tuple(others))).weaker()


def _set(**values: object) -> Change:
    return lambda project: replace(project, **values)  # type: ignore[arg-type]


_BY_KEY = {
    "sites": _sites,
    "topology": _shape,
    "link": _shape,
    "addresses": _shape,
    "drill": _drill,
    "machines": _machines,
    "target": _target,
    "appliances": _appliances,
    "objectives": _objectives,
}
