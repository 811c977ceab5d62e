"""When a peering fails.

Most peerings join a spoke to the hub whose gateway it uses, and nothing else of the estate hangs on them: without it
the spoke is announced by nobody, and every cell of it is lost. A peering that no gateway's routes, no next hop and no
way in comes by can fail unnoticed. What is neither, a hub that lends its appliance to another, two spokes that lean on
each other, is looked at with the peering taken out of the estate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from farshore.arm.ids import ResourceId, resource_id
from farshore.estate.estate import Change
from farshore.routing.scale.model import Model
from farshore.routing.scale.networks import Pair, pair
from farshore.routing.scale.prefixes import of_networks
from farshore.routing.scale.reach import Reach
from farshore.routing.scale.tally import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke:
    """A network that one peering carries whole."""

    pair: Pair
    network: int
    units: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peerings:
    """The live peerings of an estate, by what their failure does."""

    spokes: tuple[Spoke, ...]
    idle: tuple[Pair, ...]
    others: tuple[Pair, ...]

    def __len__(self) -> int:
        return len(self.spokes) + len(self.idle) + len(self.others)


def peerings_of(reach: Reach) -> Peerings:
    """Every live peering between two networks of the estate."""
    model = reach.model
    spokes: list[Spoke] = []
    idle: list[Pair] = []
    others: list[Pair] = []
    lent = _lent(model)
    used = _used(model)
    stands = {target.network for target in model.targets} | {place.network for place in model.places.values()}
    units = _units_by_home(model)
    contested = _contested(model)
    odd = _shared(model) | contested
    for one, other in _live(model):
        link = pair(one, other)
        spoke = other if (one, other) in lent else one if (other, one) in lent else -1
        if spoke < 0:
            matters = link in used or not contested.isdisjoint(link)
            matters = matters or ((one in stands or other in stands) and _crossed(model, one, other))
            (others if matters else idle).append(link)
        elif spoke in stands or spoke in odd or len(model.networks.source(spoke).gateways) != 1:
            others.append(link)
        else:
            spokes.append(Spoke(pair=link, network=spoke, units=units.get(spoke, NONE)))
    return Peerings(spokes=tuple(spokes), idle=tuple(idle), others=tuple(others))


def without(reach: Reach, link: Pair) -> Counts:
    """The counts of every unit with a peering taken out, whatever it does: as of another estate."""
    model = reach.model
    one, other = (model.networks.all[number] for number in link)
    changes = [
        Change(put=_broken(model, own.id, half.name))
        for own, far in ((one, other), (other, one))
        for half in own.peerings
        if half.remote_virtual_network == far.id
    ]
    skeleton = model.columns.skeleton.with_changes(changes)
    changed = Reach.of(replace(model.columns, skeleton=skeleton), model.service)
    # Machines of one unit are alike in both estates: they are of one network, and so is whatever changed.
    first = np.zeros(len(model.units), dtype=np.int64)
    first[model.units.of_machine[::-1]] = np.arange(len(model.units.of_machine))[::-1]
    counts = np.zeros(
        (len(changed.model.units), reach.cold_counts[0].shape[1] if reach.cold_counts else 0), dtype=np.int64
    )
    for number, island in enumerate(changed.islands):
        counts[island.units] = changed.cold_counts[number]
    return counts[changed.model.units.of_machine[first]]


NONE = np.zeros(0, dtype=np.int64)


def _broken(model: Model, network: ResourceId, name: str) -> dict[str, object]:
    id_ = resource_id(f"{network.text}/virtualNetworkPeerings/{name}")
    body = model.columns.skeleton.get(id_)
    assert body is not None, "a peering that lives has a body"
    return {**body, "id": id_.text, "properties": {**body["properties"], "peeringState": "Disconnected"}}


def _live(model: Model) -> Iterator[Pair]:
    seen: set[Pair] = set()
    for number, peers in enumerate(model.networks.peers):
        for peer in peers:
            link = pair(number, peer.network)
            if peer.network >= 0 and link not in seen:
                seen.add(link)
                yield link


def _lent(model: Model) -> set[Pair]:
    """(hub, spoke) where the spoke uses the hub's gateway (R29)."""
    return {
        (peer.network, number)
        for number, peers in enumerate(model.networks.peers)
        for peer in peers
        if peer.live.uses_remote_gateway and peer.network >= 0
    }


def _used(model: Model) -> set[Pair]:
    """Pairs of networks of which one has a next hop in the other."""
    return {pair(network, model.targets[row].network) for (network, _), row in model.next_hops.items() if row >= 0}


def _crossed(model: Model, one: int, other: int) -> bool:
    """Whether a way in is handed on between two networks that both have appliances or gateways."""
    homes = model.units.home
    for way, kinds in zip(model.arrivals, model.units.kinds, strict=True):
        within = {model.places[subnet].network for subnet in way.decisions if subnet in model.places}
        for near, far in ((one, other), (other, one)):
            if near in within and bool(((kinds >= 0) & (homes == far)).any()):
                return True
    return False


def _shared(model: Model) -> set[int]:
    """Networks whose range somebody else announces, or a wider one: without it their flows come in elsewhere."""
    told = model.announced_prefixes
    return {
        int(model.answering[number])
        for number, gateways in enumerate(model.announcing)
        if len(gateways) > 1 or int(told.parent[number]) >= 0
    }


def _contested(model: Model) -> set[int]:
    """Networks in whose range a site's end lies: their rows keep it from others' BGP (R14)."""
    contested = model.ends.first[model.contested]
    found = set()
    for number, network in enumerate(model.networks.all if len(contested) else ()):
        prefixes, _ = of_networks(network.address_space)
        if (prefixes.match(contested) >= 0).any():
            found.add(number)
    return found


def _units_by_home(model: Model) -> dict[int, npt.NDArray[np.int64]]:
    order = np.argsort(model.units.home, kind="stable")
    homes = model.units.home[order]
    edges = np.flatnonzero(np.diff(homes)) + 1
    return {int(model.units.home[part[0]]): part for part in np.split(order, edges) if len(part)}
