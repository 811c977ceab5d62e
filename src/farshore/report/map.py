"""The map: sites, circuits, and both regions with their hubs and spokes, as one SVG.

Columns from left to right are the way a packet goes: the site with its routers, the circuits at their peering
locations, the regions. A region's box holds its hub (gateway, appliance) and, to the right of it, the spokes that
are peered with the hub, each with its address range and its machines. Lines are what carries traffic: a router's
circuit, a connection, a peering. What is lost is drawn dashed. The same function draws for the report and for pages.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

from farshore.arm.ids import ResourceId
from farshore.arm.network import VirtualNetwork
from farshore.estate.estate import Estate

ROW = 22
PAD = 14
SITE_X, SITE_W = 10, 190
CIRCUIT_X, CIRCUIT_W = 262, 200
REGION_X = 530
HUB_W, SPOKE_W, GAP = 210, 230, 64
REGION_W = PAD * 2 + HUB_W + GAP + SPOKE_W


@dataclass(slots=True)
class _Box:
    """A drawn box and where lines touch it."""

    x: float
    y: float
    w: float
    h: float

    @property
    def left(self) -> tuple[float, float]:
        return (self.x, self.y + self.h / 2)

    @property
    def right(self) -> tuple[float, float]:
        return (self.x + self.w, self.y + self.h / 2)


@dataclass(slots=True)
class _Drawing:
    """Frames lie behind lines, lines behind boxes."""

    frames: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    def box(self, x: float, y: float, w: float, rows: Iterable[str], *, kind: str, lost: bool = False) -> _Box:
        """A box with a bold first row; its height follows the rows. What is too long goes on in a row of its own."""
        texts = [(index == 0, part) for index, row in enumerate(rows) for part in _parts(row, w)]
        height = PAD + ROW * len(texts)
        classes = f"{kind} lost" if lost else kind
        self.parts.append(f'<rect class="{classes}" x="{x}" y="{y}" width="{w}" height="{height}" rx="3"/>')
        for index, (is_name, text) in enumerate(texts):
            weight = "name" if is_name else "row"
            baseline = y + ROW * (index + 1)
            self.parts.append(f'<text class="{weight}" x="{x + 10}" y="{baseline}">{escape(text)}</text>')
        return _Box(x, y, w, height)

    def line(self, start: tuple[float, float], end: tuple[float, float], *, kind: str, label: str = "") -> None:
        (x1, y1), (x2, y2) = start, end
        middle = (x1 + x2) / 2
        self.lines.append(f'<path class="{kind}" d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"/>')
        if label:
            self.parts.append(
                f'<text class="label" x="{middle}" y="{(y1 + y2) / 2 - 5}" text-anchor="middle">{escape(label)}</text>'
            )


def map_svg(estate: Estate, *, regions: tuple[str, ...] = (), title: str = "Map") -> str:
    """An SVG element of the estate. `regions` come first and in that order; the rest follow by name."""
    drawing = _Drawing()
    known = {network.location for network in estate.virtual_networks}
    ordered = [*(r for r in regions if r in known), *sorted(known - set(regions))]
    top: float = 10
    hubs: dict[str, _Box] = {}
    for region in ordered:
        top = _region(drawing, estate, region, top, hubs) + 18
    circuits = _circuits(drawing, estate, top)
    _sites(drawing, estate, circuits, top)
    for connection in estate.connections:
        gateway = estate.virtual_network_gateway(connection.virtual_network_gateway1)
        network = gateway.subnet.parent if gateway is not None and gateway.subnet is not None else None
        if connection.peer is not None and network is not None:
            start, end = circuits.get(connection.peer.key), hubs.get(network.key)
            if start is not None and end is not None:
                lost = f"region:{_location(estate, network)}" in estate.outside.down
                drawing.line(start.right, end.left, kind="connection lost" if lost else "connection")
    height = max(top, *(box.y + box.h + 10 for box in circuits.values())) if circuits else top
    width = REGION_X + REGION_W + 10
    body = "\n".join([*drawing.frames, *drawing.lines, *drawing.parts])
    return (
        f'<svg class="map" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">\n<title>{escape(title)}</title>\n{body}\n</svg>'
    )


def _region(drawing: _Drawing, estate: Estate, region: str, top: float, hubs: dict[str, _Box]) -> float:
    """Draw one region from `top`; return where it ends."""
    networks = [network for network in estate.virtual_networks if network.location == region]
    gateways = {g.subnet.parent.key: g for g in estate.virtual_network_gateways if g.subnet and g.subnet.parent}
    hub_networks = [network for network in networks if network.id.key in gateways or _is_transit(network)]
    lost = f"region:{region}" in estate.outside.down
    y = top + ROW + 12
    drawn: set[str] = set()
    for hub in hub_networks:
        gateway = gateways.get(hub.id.key)
        rows = [hub.name, _ranges(hub)]
        rows += [f"gateway {gateway.sku or 'without SKU'}"] if gateway is not None else []
        rows += [f"appliance {address}" for address in _appliances(estate, hub)]
        box = drawing.box(REGION_X + PAD, y, HUB_W, rows, kind="hub", lost=lost)
        hubs[hub.id.key] = box
        spoke_y = y
        for spoke in _spokes(networks, hub):
            if spoke.id.key in drawn or spoke in hub_networks:
                continue
            drawn.add(spoke.id.key)
            spoke_box = _network(drawing, estate, spoke, spoke_y, lost)
            drawing.line(box.right, spoke_box.left, kind="peering lost" if lost else "peering")
            spoke_y = spoke_box.y + spoke_box.h + 12
        y = max(box.y + box.h + 12, spoke_y)
        drawn.add(hub.id.key)
    for network in networks:
        if network.id.key not in drawn:
            alone = _network(drawing, estate, network, y, lost)
            y = alone.y + alone.h + 12
    classes = "region lost" if lost else "region"
    drawing.frames += [
        f'<rect class="{classes}" x="{REGION_X}" y="{top}" width="{REGION_W}" height="{y - top}" rx="4"/>',
        f'<text class="place" x="{REGION_X + PAD}" y="{top + 20}">{escape(region)}{", lost" if lost else ""}</text>',
    ]
    return y


def _network(drawing: _Drawing, estate: Estate, network: VirtualNetwork, y: float, lost: bool) -> _Box:
    x = REGION_X + PAD + HUB_W + GAP
    return drawing.box(
        x, y, SPOKE_W, [network.name, _ranges(network), *_machines(estate, network)], kind="spoke", lost=lost
    )


def _circuits(drawing: _Drawing, estate: Estate, height: float) -> dict[str, _Box]:
    circuits = estate.express_route_circuits
    boxes: dict[str, _Box] = {}
    step = height / (len(circuits) + 1) if circuits else 0
    for index, circuit in enumerate(circuits):
        lost = circuit.id.key in estate.outside.down
        rows = [circuit.id.name, circuit.peering_location or "location unknown"]
        rows.append(f"{circuit.sku_tier or '?'}, {circuit.bandwidth_in_mbps or '?'} Mbps")
        y = max(10.0, step * (index + 1) - 40)
        boxes[circuit.id.key] = drawing.box(CIRCUIT_X, y, CIRCUIT_W, rows, kind="circuit", lost=lost)
    return boxes


def _sites(drawing: _Drawing, estate: Estate, circuits: dict[str, _Box], height: float) -> None:
    step = height / (len(estate.sites) + 1) if estate.sites else 0
    for index, site in enumerate(estate.sites):
        rows = [site.name, ", ".join(str(prefix) for prefix in site.prefixes), f"AS {site.asn}"]
        rows += [f"{router.name}  preference {router.local_preference}" for router in site.routers]
        y = max(10.0, step * (index + 1) - 50)
        box = drawing.box(SITE_X, y, SITE_W, rows, kind="site")
        for router in site.routers:
            circuit = circuits.get(router.circuit.key)
            if circuit is not None:
                denied = any(rule.direction == "in" and rule.action == "deny" for rule in router.filters)
                drawing.line(
                    box.right, circuit.left, kind="fenced" if denied else "link", label="fenced" if denied else ""
                )


def _location(estate: Estate, network: ResourceId) -> str:
    found = estate.virtual_network(network)
    return "" if found is None else found.location


def _is_transit(network: VirtualNetwork) -> bool:
    return any(peering.allow_gateway_transit for peering in network.peerings)


def _spokes(networks: list[VirtualNetwork], hub: VirtualNetwork) -> list[VirtualNetwork]:
    peers = {peering.remote_virtual_network for peering in hub.peerings}
    return [network for network in networks if network.id in peers]


def _appliances(estate: Estate, network: VirtualNetwork) -> list[str]:
    found = []
    for nic in estate.network_interfaces:
        primary = nic.primary
        if nic.enable_ip_forwarding and primary is not None and _inside(primary.subnet, network.id):
            found.append(str(primary.private_ip_address))
    return found


def _machines(estate: Estate, network: VirtualNetwork) -> list[str]:
    rows = []
    for nic in estate.network_interfaces:
        primary = nic.primary
        if nic.virtual_machine is not None and primary is not None and _inside(primary.subnet, network.id):
            stopped = nic.virtual_machine.key in estate.outside.stopped
            rows.append(f"{nic.virtual_machine.name}  {primary.private_ip_address}{'  stopped' if stopped else ''}")
    return rows


def _inside(subnet: ResourceId | None, network: ResourceId) -> bool:
    return subnet is not None and subnet.parent == network


def _ranges(network: VirtualNetwork) -> str:
    return ", ".join(str(prefix) for prefix in network.address_space)


def _parts(text: str, width: float) -> list[str]:
    """What fits into one row: about 7.4 pixels a character at 12.5 px, bold."""
    return textwrap.wrap(text, int((width - 20) / 7.4)) or [text]
