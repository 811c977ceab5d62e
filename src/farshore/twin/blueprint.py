"""From an estate to what is to be built.

networks ─► machines ─► gateways ─► edges ─► sites        hosts and wires, from the inside out
tables, groups, BGP                                       once all stand
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from farshore.estate.estate import Estate
from farshore.twin import bird, circuits, gateways, groups, sites
from farshore.twin.draft import Draft, told_apart
from farshore.twin.ground import Ground
from farshore.twin.limits import left_out
from farshore.twin.machines import Machines, way_out
from farshore.twin.networks import fabrics_of


@dataclass(frozen=True)
class Blueprint:
    """What stands for an estate."""

    plan: dict[str, Any]
    """Hosts and wires as JSON (draft.py)."""
    missing: dict[str, str]
    """What of the estate has no host, and why: by id."""

    @property
    def hosts(self) -> list[str]:
        return [host["name"] for host in self.plan["hosts"]]


def blueprint_of(estate: Estate) -> Blueprint:
    """What stands for an estate in its condition (`Outside.down`, `stopped`). Raises `InputError` for an estate that is
    too large, or that uses the addresses of the twin's own wires."""
    ground = Ground(estate)
    told_apart(prefix for network in ground.networks.values() for prefix in network.address_space)
    told_apart(prefix for site in estate.sites for prefix in site.prefixes)
    draft = Draft(missing=left_out(estate))

    fabrics = fabrics_of(ground, draft)
    networks = {key: fabric.host for key, fabric in fabrics.items()}
    machines = Machines(ground, draft)
    machines.stand(networks)
    doors = gateways.gateways_of(ground, draft, fabrics)
    edges = circuits.edges_of(ground, draft, doors)
    routers = sites.sites_of(ground, draft, edges)

    for fabric in fabrics.values():
        fabric.lay(machines, fabrics)
    for edge in edges:
        circuits.speak(edge, routers[edge.host.name])
    families: dict[str, set[int]] = {}
    for gateway in doors.values():
        mine = [
            (edge.host, weight, 6 in edge.families)
            for edge in edges
            for other, weight in edge.gateways
            if other is gateway
        ]
        gateways.speak(gateway, ground, fabrics, mine)
        families[gateway.key] = ({4} if mine else set()) | ({6} if any(six for _, _, six in mine) else set())
    for fabric in fabrics.values():
        fabric.listen(gateways.heard_by(fabric, doors, ground, families))

    guard = groups.Groups(ground)
    for standing in machines.all:
        way_out(standing, networks)
        guard.guard(standing)
    for host in draft.hosts.values():
        host.nft = [*groups.memory(), *groups.keep_state(host), *host.nft]
        if host.bird:
            host.bird = [*bird.preamble(host), *host.bird]
    return Blueprint(draft.finished(), draft.missing)
