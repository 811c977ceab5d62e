"""Estates with something more than their topology's plain one, and the scenarios that it makes a difference to.

    zones    machines stand in two availability zones, the appliance in the one that dies
    pair     the appliance is two machines in two zones behind an internal load balancer, here and there (pair.py)
    sites    a second site, with routers of its own on every circuit: each has one of its links
    joined   the gateways let networks of their circuits speak with each other (E38): machines on both shores do, so
             that some of them may go home and others stay (D93)

Each is carried out in the scenarios that meet what is new in it, and in no others: what a dead region does to machines
does not hang on the zones that they stood in.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.plan.scenario.scenario import Scenario, usual_over
from farshore.plan.scenario.words import Back, Outage, Returns
from matrix import pair

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a project folder is made of: bodies of the estate, farshore.yaml, and the files that it names."""

    bodies: list[Body]
    project: Document
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """An estate with something more."""

    says: str
    """What there is more, in a few words."""
    made: Callable[[Parts], Parts]
    meets: Callable[[Scenario], bool]
    """Whether a scenario meets what is new."""
    lacks: Callable[[Document], bool] = lambda project: False
    """Whether farshore.yaml rules it out: no scenario would meet anything new."""


def _zones(parts: Parts) -> Parts:
    zones = {"db1": "1", "app1": "2", "nva": "1"}
    return replace(parts, bodies=_in_zones(parts.bodies, zones), project=_placed(parts.project, zones))


def _placed(project: Document, zones: Mapping[str, str]) -> Document:
    """farshore.yaml says where they stand in the target (S63); the appliance is deployed."""
    placement = {name: {"zone": int(zone)} for name, zone in zones.items() if not name.startswith("nva")}
    return {**project, "machines": {**project.get("machines", {}), "placement": placement}}


def _in_zones(bodies: list[Body], zones: Mapping[str, str]) -> list[Body]:
    """Machines in zones, and their disks with them."""
    return [{**body, "zones": [zones[name]]} if (name := _machine(body)) in zones else body for body in bodies]


def _machine(body: Body) -> str:
    """The machine that a body is, or is the disk of; empty for anything else."""
    id_ = resource_id(str(body["id"]))
    return id_.name.removesuffix("-os") if any(map(id_.is_a, _ZONAL)) else ""


_ZONAL = ("Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks")


def _pair(parts: Parts) -> Parts:
    bodies, front = pair.made_two(parts.bodies)
    zones = {"db1": "1", "app1": "2", "nva": "1", pair.SECOND_NAME: "2"}
    project = _placed(copy.deepcopy(parts.project), zones)
    project["appliances"] = [{"source": front, "target": {"template": pair.TEMPLATE}, "stateful": True}]
    for objective in project["objectives"]:
        objective["through"] = pair.FRONT
        objective["survive"].append("appliance")
    template = json.dumps(pair.template(json.loads(parts.files["nva.json"])), indent=1)
    return Parts(bodies=_in_zones(bodies, zones), project=project, files={**parts.files, pair.TEMPLATE: template})


def _sites(parts: Parts) -> Parts:
    """The site's range and the links of its circuits are halved: a link is one router's (E4, E9). Who has one link of
    a circuit does without it only where there is another circuit."""
    project = copy.deepcopy(parts.project)
    first = project["sites"][0]
    second = {**copy.deepcopy(first), "name": "branch"}
    halves = ip_network(first["prefixes"][0]).subnets()
    for site, link, half in zip((first, second), ("primary", "secondary"), halves, strict=True):
        site["prefixes"] = [str(half)]
        for router in site["routers"]:
            router["links"] = [link]
    for router in second["routers"]:
        router["name"] = f"branch-{router['name']}"
    for objective in project["objectives"]:
        if "circuit" not in objective["survive"]:
            objective["survive"].remove("circuit-link")
    project["sites"].append(second)
    again = {**copy.deepcopy(project["objectives"][0]), "name": "branch to machines", "from": "branch"}
    project["objectives"].append(again)
    return replace(parts, project=project)


def _joined(parts: Parts) -> Parts:
    """Both gateways: the target's is made as the source's is. Groups let the other shore's machines in."""
    return replace(parts, bodies=[_joining(body) for body in parts.bodies])


def _joining(body: Body) -> Body:
    kind, properties = resource_id(str(body["id"])).type, body.get("properties") or {}
    if kind == "Microsoft.Network/virtualNetworkGateways":
        return {**body, "properties": {**properties, "allowRemoteVnetTraffic": True}}
    if kind == "Microsoft.Network/networkSecurityGroups":
        rules = [_wider(rule) for rule in properties["securityRules"]]
        return {**body, "properties": {**properties, "securityRules": rules}}
    return body


def _wider(rule: Body) -> Body:
    """A rule that names a network of one shore names those of both."""
    if not str(rule["properties"].get("sourceAddressPrefix")).startswith("10."):
        return rule
    return {**rule, "properties": {**rule["properties"], "sourceAddressPrefix": "10.0.0.0/8"}}


def _usual(scenario: Scenario) -> bool:
    """It returns in one piece, and machines went to the outage's own point."""
    return scenario.returns is Returns.TOGETHER and scenario.over is usual_over(scenario.outage)


def _is_of(*outages: Outage) -> Callable[[Scenario], bool]:
    """These outages, with the usual way over, and home again."""
    return lambda scenario: scenario.outage in outages and _usual(scenario) and scenario.back is Back.FAILBACK


VARIANTS: Mapping[str, Variant] = {
    "zones": Variant(
        says="machines in two availability zones, the appliance in the one that dies",
        made=_zones,
        meets=lambda scenario: scenario.outage is Outage.ZONE and scenario.back is not Back.PARTIAL,
    ),
    "pair": Variant(
        says="two appliances in two zones behind an internal load balancer",
        made=_pair,
        meets=_is_of(Outage.APPLIANCE, Outage.ZONE, Outage.REGION),
    ),
    "sites": Variant(
        says="a second site with routers of its own on every circuit",
        made=_sites,
        meets=_is_of(Outage.SITE, Outage.REGION, Outage.GREY),
    ),
    "joined": Variant(
        says="gateways that let the networks of their circuits speak with each other",
        made=_joined,
        meets=lambda scenario: scenario.back is Back.PARTIAL and _usual(scenario),
        lacks=lambda project: project["addresses"] == "keep",
    ),
}
