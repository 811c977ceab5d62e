"""DRILL: every machine once in a network of its own, looked at, and cleaned up (D14 to D16, S14, S42).

The drill's network is never the one that a failover uses, is peered with nothing and connected to nothing; so it
proves that machines boot and have their data, and says nothing of the path. It stays for the next drill. Its subnets
mirror the sizes of the machines' own, so that each machine has the place in the drill that it has at home: an address
that is asked for, not one that Site Recovery picks from the end of the range (S36). Machines start in the waves of the
failover, so that the order is tried too; at the end what is left is looked for, and nothing may be.

`path_drill.py` has the drill that proves the path.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, ip_network
from itertools import groupby

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId, make_id
from farshore.arm.json import Body
from farshore.arm.network import VIRTUAL_NETWORKS, Subnet, VirtualNetwork
from farshore.errors import InputError
from farshore.plan import actions, durations
from farshore.plan.builders import checks
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.machines import DrillPlace, drilled_id, drilled_nic_id, settings_there
from farshore.plan.model import Phase, StepKind
from farshore.plan.recovery import slug

DEFAULT_SPACE = (IPv4Network("172.31.0.0/16"),)
"""Where a project names no range: the drill's network touches no other, so any range will do (S42)."""


def build(design: Design, draft: Draft) -> None:
    draft.begin(Phase.DRILL)
    network, body, places = drill_network(design)
    draft.begin(
        Phase.DRILL,
        [
            draft.put(
                f"network/{network.name}",
                body,
                title=f"The drill's own network {network.name} is there",
                forwarding=design.estate.get(network) is None,
            )
        ],
    )
    test(design, draft, network, places)
    show_clean(design, draft)


def test(
    design: Design,
    draft: Draft,
    network: ResourceId,
    places: Mapping[ResourceId, DrillPlace],
    after: Iterable[str] = (),
    *,
    reached: bool = False,
) -> None:
    """Every machine's test in the order of the failover's waves, looked at, asked what the user asks (from outside too
    where a site reaches the drill's network, `reached`), and cleaned up once all have been."""
    settled, looked = list(after), list[str]()
    standing: dict[ResourceId, checks.Stand] = {}
    for _, group in groupby(design.machines, key=lambda machine: machine.planned.boot_group):
        members = list(group)
        wave = [_tested(design, draft, machine, network, places, settled) for machine in members]
        for machine, look in zip(members, wave, strict=True):
            address = places[machine.cards[0].nic.id].address
            standing[machine.id] = checks.Stand(vm=drilled_id(machine), address=address, looked=look)
        wave += checks.build(design, draft, standing, inside=True, outside=reached)
        looked += wave
        settled = wave
    for machine in design.machines:
        draft.add(
            f"cleanup/{machine.label}",
            actions.test_failover_cleanup(machine.planned.item, drilled_id(machine)),
            title=f"Clean up the test of machine {machine.label}: only now it counts (S42)",
            subject=machine.planned.item,
            expected=durations.TEST_CLEANUP,
            after=looked,
        )


def _tested(
    design: Design,
    draft: Draft,
    machine: Machine,
    network: ResourceId,
    places: Mapping[ResourceId, DrillPlace],
    after: Iterable[str],
) -> str:
    planned, card = machine.planned, machine.cards[0]
    settings = draft.add(
        f"configure/{machine.label}",
        actions.configure_item(planned.item, settings_there(design, machine, (network, places))),
        title=f"In the drill machine {machine.label} will have the address {places[card.nic.id].address}",
        subject=planned.item,
        expected=durations.CONFIGURE,
    )
    tested = draft.add(
        f"test/{machine.label}",
        actions.test_failover(planned.item, network, drilled_id(machine)),
        title=f"Test failover of machine {machine.label} into {network.name}",
        subject=planned.item,
        expected=durations.TEST_FAILOVER,
        after=[settings, *after],
    )
    return draft.add(
        f"check/{machine.label}",
        actions.check_machine(drilled_id(machine), drilled_nic_id(card), places[card.nic.id].address),
        title=f"The test machine of {machine.label} runs with its address",
        subject=machine.id,
        expected=durations.CHECK_MACHINE,
        kind=StepKind.CHECK,
        after=[tested],
    )


def show_clean(
    design: Design,
    draft: Draft,
    gone: Sequence[ResourceId] = (),
    circuits: Sequence[Mapping[str, object]] = (),
) -> None:
    """The drill's last look: nothing of a test is left. `gone` is what else the drill made and took away, `circuits`
    what their tables must show."""
    absent = [drilled_id(machine) for machine in design.machines]
    absent += [drilled_nic_id(card) for machine in design.machines for card in machine.cards]
    group = absent[0].group_id
    assert group is not None
    draft.add(
        "clean",
        actions.check_clean(group, [*absent, *gone], circuits),
        title="Nothing of the drill is left: no test machine, NIC or disk"
        + (", no network, peering or route of it, no prefix on the circuits" if gone else ""),
        subject=group,
        expected=durations.LOOK,
        kind=StepKind.CHECK,
        after=draft.ends(),
    )


def drill_network(design: Design) -> tuple[ResourceId, Body, dict[ResourceId, DrillPlace]]:
    """The drill's network, its body, and the place of each NIC in it."""
    existing = design.project.drill.network
    if existing is not None:
        network = design.estate.virtual_network(existing)
        if network is None:
            raise InputError(
                f"The drill's network {existing.name} is not in the estate",
                value=existing.text,
                expected="a network of the target region, or `address_space` to make one",
                file=design.project.file,
            )
        return existing, {"id": existing.text, "name": network.id.name}, _places_in(design, network)
    return made(design, "drill")


def _places_in(design: Design, network: VirtualNetwork) -> dict[ResourceId, DrillPlace]:
    """Places in a network that exists: the subnet of the same name, else the first by name (S34)."""
    usable = [subnet for subnet in network.subnets if subnet.name != "GatewaySubnet" and subnet.address_prefixes]
    if not usable:
        raise InputError(f"The drill's network {network.name} has no subnet", value=network.id.text)
    places = {}
    for machine in design.machines:
        for card in machine.cards:
            home = card.configuration.subnet
            assert home is not None
            subnet = network.subnet(home.name) or min(usable, key=lambda item: item.name.lower())
            own = design.estate.subnet(home)
            address = card.configuration.private_ip_address
            prefix = next((p for p in subnet.address_prefixes if isinstance(p, IPv4Network)), None)
            if prefix is None or not isinstance(address, IPv4Address):
                continue
            places[card.nic.id] = DrillPlace(subnet=subnet.name, address=str(_moved(address, _prefix(own), prefix)))
    return places


def made(design: Design, name: str, *, tables: bool = False) -> tuple[ResourceId, Body, dict[ResourceId, DrillPlace]]:
    """A network with one subnet for each of the machines', of the same size, filled from the project's ranges.
    `tables`: on each subnet the route table that the machines' own will have on the far shore."""
    spaces = list(design.project.drill.address_space or DEFAULT_SPACE)
    id_ = make_id(
        design.machines[0].id.subscription,
        design.project.target.resource_group,
        VIRTUAL_NETWORKS,
        f"{slug(design.project.name)}-{name}",
    )
    homes: dict[ResourceId, IPv4Network] = {}
    for machine in design.machines:
        for card in machine.cards:
            home = card.configuration.subnet
            prefix = _prefix(design.estate.subnet(home))
            if home is not None and prefix is not None:
                homes[home] = prefix
    rooms = _allocate(design, spaces, homes)
    names = [home.name.lower() for home in homes]
    label = {
        home: home.name if names.count(home.name.lower()) == 1 else f"{home.pairs[0][1]}-{home.name}" for home in homes
    }
    places = {}
    for machine in design.machines:
        for card in machine.cards:
            home, address = card.configuration.subnet, card.configuration.private_ip_address
            if home in homes and isinstance(address, IPv4Address):
                moved = _moved(address, homes[home], rooms[home])
                places[card.nic.id] = DrillPlace(subnet=label[home], address=str(moved))
    body: Body = {
        "id": id_.text,
        "name": id_.name,
        "type": VIRTUAL_NETWORKS,
        "location": design.project.target.region,
        "properties": {
            "addressSpace": {"addressPrefixes": [str(space) for space in spaces]},
            "subnets": [
                {
                    "name": label[home],
                    "properties": {"addressPrefix": str(rooms[home])} | (_table(design, home) if tables else {}),
                }
                for home in homes
            ],
        },
    }
    return id_, body, places


def _table(design: Design, home: ResourceId) -> Body:
    subnet = design.estate.subnet(home)
    if subnet is None or subnet.route_table is None:
        return {}
    return {"routeTable": {"id": design.counterparts.of(subnet.route_table).text}}


def _allocate(
    design: Design, spaces: list[Network], homes: dict[ResourceId, IPv4Network]
) -> dict[ResourceId, IPv4Network]:
    """A range of the same size for each subnet, the large ones first so that none is cut in two."""
    free = [(int(space.network_address), int(space.broadcast_address) + 1) for space in spaces]
    rooms: dict[ResourceId, IPv4Network] = {}
    for home, prefix in sorted(homes.items(), key=lambda item: (item[1].prefixlen, item[0].key)):
        size = prefix.num_addresses
        for index, (low, high) in enumerate(free):
            start = -(-low // size) * size
            if start + size <= high:
                room = ip_network((start, prefix.prefixlen))
                assert isinstance(room, IPv4Network)
                rooms[home] = room
                free[index] = (start + size, high)
                break
        else:
            raise InputError(
                f"The drill's network is too small: there is no room for subnet {home.name} ({prefix})",
                value=[str(space) for space in spaces],
                expected="room for the subnets of all replicated machines",
                file=design.project.file,
            )
    return rooms


def _prefix(subnet: Subnet | None) -> IPv4Network | None:
    prefixes = () if subnet is None else subnet.address_prefixes
    return next((prefix for prefix in prefixes if isinstance(prefix, IPv4Network)), None)


def _moved(address: IPv4Address, home: IPv4Network | None, room: IPv4Network) -> IPv4Address:
    """The same place in another subnet; in a smaller one, counted round."""
    if address in room:
        return address
    offset = int(address) - int(home.network_address) if home is not None and address in home else 4
    usable = room.num_addresses - 5
    return room.network_address + (offset if 4 <= offset < room.num_addresses - 1 else 4 + offset % max(usable, 1))
