"""Sites: a core that answers for all addresses of the site, and its routers towards the circuits.

    core ──iBGP──► router ──eBGP──► edge

A router hears its links' edges, filters, and hands on to the core with its local preference and MED; the core takes the
highest preference, then the shortest path, then the lowest MED, and shares between equals (E42). The site's own
prefixes are the core's, as local routes: the longest match against what Azure offers is the kernel's. What comes from a
circuit always goes to the core first, which decides for the whole site.

A router says the site's prefixes, with its prepends; what came by other circuits only where `readvertise` names them
(E48), or where another site told it over a line (site_lines.py): then the core reflects what it has chosen, and routes
carry the circuit that they came by as (64602, circuit).
"""

from __future__ import annotations

from farshore.arm.decode import Network
from farshore.estate.outside import Router, Site
from farshore.twin.bird import Session, among, into_kernel, protocol, says
from farshore.twin.circuits import Edge
from farshore.twin.draft import DELIVER, Draft, Host
from farshore.twin.gateways import MSEE
from farshore.twin.ground import Ground, inside
from farshore.twin.networks import FAMILIES
from farshore.twin.site_lines import OF_ANOTHER_SITE, join, lines_of


def sites_of(ground: Ground, draft: Draft, edges: list[Edge]) -> dict[str, list[tuple[Host, int]]]:
    """All sites; and by edge's host the routers on its link, with their sites' numbers."""
    links: dict[str, list[tuple[Host, int]]] = {edge.host.name: [] for edge in edges}
    cores = {site.name: draft.host(f"site:{site.name.lower()}") for site in ground.estate.sites}
    lines, numbers = lines_of(ground), _numbers(ground)
    for site in ground.estate.sites:
        core = cores[site.name]
        for prefix in site.prefixes:
            kind = f"local {prefix} dev lo" if prefix.prefixlen else f"blackhole {prefix}"
            core.ip.append(f"-{prefix.version} route add {kind} table main metric 1")
        tells = any(line.transit for line in lines if site.name in line.ends)
        reflects = tells or any(router.readvertise for router in site.routers)
        for router in site.routers:
            if ground.router(site.name, router.name):
                host = draft.host(f"router:{site.name.lower()}/{router.name.lower()}", stateful=site.stateful_firewall)
                mine = [edge for edge in edges if _on(ground, router, edge)]
                _wire(draft, core, host, mine)
                for edge in mine:
                    links[edge.host.name].append((host, site.asn))
                _speak(site, router, core, host, mine, _passed_on(router, numbers, tells), reflects)
    for line in lines:
        join(draft, line, cores)
    for core in cores.values():
        families = [
            f for f in FAMILIES if any(line.startswith("protocol bgp") and f"_{f} " in line for line in core.bird)
        ]
        for family in families:
            core.bird += into_kernel(family, "source = RTS_BGP")
    return links


def _on(ground: Ground, router: Router, edge: Edge) -> bool:
    """Whether a router is on an edge's link, and the customer's side of the link works."""
    return (
        edge.circuit.id.key == router.circuit.key and edge.side in router.links and ground.link(edge.circuit, edge.side)
    )


def _numbers(ground: Ground) -> dict[str, int]:
    return {key: number for number, key in enumerate(sorted(ground.circuits))}


def _wire(draft: Draft, core: Host, host: Host, edges: list[Edge]) -> None:
    home = draft.wire(host, core)
    for family in FAMILIES:
        host.ip.append(f"-{family} route add default via {core.at[family]} dev {home} onlink table {DELIVER}")
        # What it has to say itself, to whoever it has no route of BGP's for: a traceroute from its own site.
        host.ip.append(f"-{family} rule add iif lo lookup {DELIVER} priority 40000")
    for edge in edges:
        wire = draft.wire(host, edge.host)
        for family in FAMILIES:
            host.ip.append(f"-{family} rule add iif {wire} lookup {DELIVER} priority 100")


def _passed_on(router: Router, numbers: dict[str, int], tells: bool) -> list[str]:
    """The communities of what a router tells its circuit of what the site heard elsewhere."""
    found = [f"(64602, {numbers[id_.key]})" for id_ in router.readvertise if id_.key in numbers]
    return [*found, OF_ANOTHER_SITE] if tells else found


def _speak(
    site: Site, router: Router, core: Host, host: Host, edges: list[Edge], passed: list[str], reflects: bool
) -> None:
    for family in sorted({family for edge in edges for family in edge.families}):
        said = [prefix for prefix in site.prefixes if _allowed(router, "out", prefix)]
        host.bird += says(family, "own", said)
        host.bird += into_kernel(family, "source = RTS_BGP")
        for edge in edges:
            if family in edge.families:
                accept = (
                    f"{_filter(router, 'in', family)} bgp_local_pref = {router.local_preference};"
                    f" bgp_med = {2 * router.med}; bgp_community.add((64602, {edge.number})); accept;"
                )
                more = f"bgp_path.prepend({site.asn}); " * router.prepend
                say = f"if source = RTS_STATIC then {{ {more}accept; }}"
                if passed:
                    own = among(site.prefixes, family)
                    refuse = f"if net ~ {own} then reject;" if own else ""
                    say += (
                        f" {refuse} {_filter(router, 'out', family)}"
                        f" if bgp_community ~ [ {', '.join(passed)} ] then {{ {more}bgp_community.empty; accept; }}"
                    )
                host.bird += protocol(Session(host, edge.host, family, site.asn, MSEE, accept, say))
        accept = "accept;" if passed else "reject;"
        say = "if source = RTS_BGP then accept;"
        host.bird += protocol(Session(host, core, family, site.asn, site.asn, accept, say))
        back = "if source = RTS_BGP then accept;" if reflects else ""
        session = Session(core, host, family, site.asn, site.asn, "accept;", back, "rr client; med metric;")
        core.bird += protocol(session)


def _allowed(router: Router, direction: str, prefix: Network) -> bool:
    """The longest filter that covers a prefix decides, none allows."""
    matching = [item for item in router.filters if item.direction == direction and inside(prefix, item.prefix)]
    return not matching or max(matching, key=lambda item: item.prefix.prefixlen).action == "allow"


def _filter(router: Router, direction: str, family: int) -> str:
    """A router's filters as BIRD reads them: longest first, the first that matches decides."""
    mine = [item for item in router.filters if item.direction == direction and item.prefix.version == family]
    allowed = []
    text = ""
    for item in sorted(mine, key=lambda item: -item.prefix.prefixlen):
        if item.action == "allow":
            allowed.append(item.prefix)
        else:
            spared = [prefix for prefix in allowed if inside(prefix, item.prefix)]
            but = f" && !(net ~ {among(spared, family, '+')})" if spared else ""
            text += f"if net ~ {among([item.prefix], family, '+')}{but} then reject; "
    return text
