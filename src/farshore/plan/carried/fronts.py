"""What stands before a machine and can be made in the target ahead: internal load balancers and public addresses.

An item names pools and a public address for each configuration (S13: `recoveryLBBackendAddressPoolIds`,
`recoveryPublicIPAddressId`), of the region that it goes to. So the counterparts are put before replication is
configured, and the settings name them; on the way back they name the source's own. A load balancer with a frontend
outside of the mirrored networks (a public one) is made by a person, and used where it stands already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.arm.network import LOAD_BALANCERS, PUBLIC_IP_ADDRESSES, IpConfiguration
from farshore.plan.carried.rules import Rule, of_front
from farshore.plan.design import Design
from farshore.plan.draft import Draft

_RULE = (
    "protocol",
    "loadDistribution",
    "frontendPort",
    "backendPort",
    "idleTimeoutInMinutes",
    "enableFloatingIP",
    "enableTcpReset",
    "disableOutboundSnat",
)
_PROBE = ("protocol", "port", "requestPath", "intervalInSeconds", "numberOfProbes", "probeThreshold")


def build(design: Design, draft: Draft, made: Mapping[ResourceId, str]) -> None:
    """Put each counterpart; a load balancer after the networks of its frontends."""
    group = [step for id_, step in made.items() if not id_.pairs]
    for id_ in _wanted(design):
        body = design.estate.get(id_)
        if body is None or not _made_here(design, id_):
            continue
        if id_.is_a(PUBLIC_IP_ADDRESSES):
            draft.put(
                _name(design, id_),
                design.target.public_ip(body),
                title=f"Create the public address {design.counterparts.of(id_).name}, of another value, as {id_.name}",
                after=group,
                forwarding=False,
            )
            continue
        networks = [subnet.parent for subnet in _subnets(body) if subnet is not None]
        draft.put(
            _name(design, id_),
            balancer(design, body),
            title=f"Create the load balancer {design.counterparts.of(id_).name} as {id_.name}",
            after=[*group, *(made.get(network) for network in networks if network is not None)],
        )


def step_of(design: Design, text: str) -> str:
    """The id that the step would have which makes what a reference leads to."""
    return f"provision/{_name(design, _top(resource_id(text)))}"


def carried(design: Design, id_: ResourceId) -> bool:
    """Whether the item can name the counterpart of a pool or a public address: the plan makes it, or it is there."""
    top = _top(id_)
    return _made_here(design, top) or design.counterparts.exists(top)


def rule_of(design: Design, path: str, text: str) -> Rule | None:
    """The rule of a NIC's pool or public address that is carried; None for any other reference."""
    found = of_front(path)
    return found if found is not None and carried(design, resource_id(text)) else None


def settings(configuration: IpConfiguration, design: Design | None) -> dict[str, Any]:
    """What the item says of a configuration (S13). Without a design: home, to what it had there."""
    pools, public = _named(configuration, design)
    said: dict[str, Any] = {}
    if pools:
        said["recoveryLBBackendAddressPoolIds"] = [id_.text for id_ in pools]
    if public is not None:
        said["recoveryPublicIPAddressId"] = public.text
    return said


def shown(configuration: IpConfiguration, design: Design) -> dict[str, Any]:
    """The same, as the target's NIC shows it."""
    pools, public = _named(configuration, design)
    said: dict[str, Any] = {}
    if pools:
        said["loadBalancerBackendAddressPools"] = [{"id": id_.text} for id_ in pools]
    if public is not None:
        said["publicIPAddress"] = {"id": public.text}
    return said


def balancer(design: Design, body: Body) -> Body:
    """The load balancer's counterpart: frontends in the target's subnets, at the mapped addresses, with its pools,
    probes and rules. Members come with their NICs; inbound NAT rules lead to one NIC each, and are left out."""
    source = _properties(body)
    own = resource_id(str(body["id"]))

    def there(reference: Any) -> dict[str, str]:
        return {"id": design.counterparts.of(resource_id(str(reference["id"]))).text}

    frontends = []
    for item in _items(source, "frontendIPConfigurations"):
        held = _properties(item)
        properties = _chosen(held, ("privateIPAllocationMethod", "privateIPAddressVersion"))
        properties["subnet"] = there(held["subnet"])
        # Kept where it was dynamic too: clients know it.
        if held.get("privateIPAddress"):
            properties["privateIPAddress"] = design.target.network_text(held["privateIPAddress"])
            properties["privateIPAllocationMethod"] = "Static"
        frontends.append({"name": item["name"], "properties": properties})
    rules = []
    for item in _items(source, "loadBalancingRules"):
        held = _properties(item)
        properties = _chosen(held, _RULE)
        for key in ("frontendIPConfiguration", "backendAddressPool", "probe"):
            if held.get(key):
                properties[key] = there(held[key])
        rules.append({"name": item["name"], "properties": properties})
    id_ = design.counterparts.of(own)
    made: Body = {
        "id": id_.text,
        "name": id_.name,
        "type": LOAD_BALANCERS,
        "location": design.project.target.region,
        "properties": {
            "frontendIPConfigurations": frontends,
            "backendAddressPools": [{"name": item["name"]} for item in _items(source, "backendAddressPools")],
            "probes": [
                {"name": item["name"], "properties": _chosen(_properties(item), _PROBE)}
                for item in _items(source, "probes")
            ],
            "loadBalancingRules": rules,
        },
    }
    if isinstance(body.get("sku"), Mapping):
        made["sku"] = _chosen(body["sku"], ("name", "tier"))
    if body.get("tags"):
        made["tags"] = body["tags"]
    return made


# Parts. ------------------------------------------------------------------------------------------------------------


def _wanted(design: Design) -> tuple[ResourceId, ...]:
    """Public addresses and load balancers of the machines' NICs."""
    found: dict[ResourceId, None] = {}
    for machine in design.machines:
        for card in machine.cards:
            for item in card.nic.ip_configurations:
                held = (item.public_ip_address, *item.load_balancer_backend_address_pools)
                found.update(dict.fromkeys(_top(id_) for id_ in held if id_ is not None))
    return tuple(found)


def _named(configuration: IpConfiguration, design: Design | None) -> tuple[tuple[ResourceId, ...], ResourceId | None]:
    pools, public = configuration.load_balancer_backend_address_pools, configuration.public_ip_address
    if design is None:
        return pools, public
    of = design.counterparts.of
    there = None if public is None or not carried(design, public) else of(public)
    return tuple(of(pool) for pool in pools if carried(design, pool)), there


def _made_here(design: Design, id_: ResourceId) -> bool:
    body = design.estate.get(id_)
    if body is None or id_ in {appliance.source for appliance in design.project.appliances}:
        return False
    if id_.is_a(PUBLIC_IP_ADDRESSES):
        return True
    held = {network.id for network in design.networks}
    subnets = _subnets(body)
    return (
        id_.is_a(LOAD_BALANCERS)
        and bool(subnets)
        and all(subnet is not None and subnet.parent in held for subnet in subnets)
    )


def _subnets(body: Body) -> list[ResourceId | None]:
    """The subnet of each frontend; None for a public one."""
    found: list[ResourceId | None] = []
    for item in _items(_properties(body), "frontendIPConfigurations"):
        text = (_properties(item).get("subnet") or {}).get("id")
        found.append(resource_id(text) if isinstance(text, str) and text.startswith("/") else None)
    return found


def _name(design: Design, id_: ResourceId) -> str:
    kind = "public-ip" if id_.is_a(PUBLIC_IP_ADDRESSES) else "load-balancer"
    return f"{kind}/{design.label(id_)}"


def _top(id_: ResourceId) -> ResourceId:
    while id_.parent is not None:
        id_ = id_.parent
    return id_


def _properties(body: Mapping[str, Any]) -> dict[str, Any]:
    found = body.get("properties")
    return found if isinstance(found, dict) else {}


def _items(properties: Mapping[str, Any], key: str) -> list[Body]:
    found = properties.get(key)
    return [item for item in found if isinstance(item, dict) and item.get("name")] if isinstance(found, list) else []


def _chosen(source: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: source[key] for key in keys if source.get(key) is not None}
