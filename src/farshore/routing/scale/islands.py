"""An estate in islands: parts that no single answer ever spans.

What a machine's flows come to hangs on the gateways that announce it or give it routes, on the appliances that its
tables and the GatewaySubnets' send to, and on what those hang on in turn. Gateways and appliances that anything hangs
on together are one island; in an estate of hubs and spokes each hub is one. A failure touches the islands whose
gateways or appliances it touches, two failures meet only in an island that both touch, and an island in a condition
that was seen before has the same answer: that is why every failure, and every pair, costs so little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farshore.routing.scale.ingress import Ingress, ingress_of, passing_of
from farshore.routing.scale.model import Model
from farshore.routing.scale.prefixes import Indexes


@dataclass(frozen=True, slots=True, kw_only=True)
class Island:
    """A part of an estate, by the numbers of a model."""

    gateways: tuple[int, ...]
    targets: tuple[int, ...]
    classes: tuple[int, ...]
    sources: tuple[int, ...]
    units: npt.NDArray[np.int64]
    ingress: Ingress
    """What its gateways announce; gateways are numbered as in `gateways`."""
    meant: Indexes
    """By unit in `units`: the longest prefix in `ingress` that covers it; -1 for none."""


def islands_of(model: Model) -> list[Island]:
    """The islands of a model; each unit is in one."""
    parts = _Parts(len(model.gateways), len(model.targets))
    for cls in model.classes:
        parts.join(of_class(model, cls.source, cls.rows))
    for target, subnets in enumerate(model.leads):
        held = [parts.target(target)]
        for subnet in subnets:
            number = model.class_of.get(subnet)
            if number is not None:
                held += of_class(model, model.classes[number].source, model.classes[number].rows)
        parts.join(held)
    for gateway, way in enumerate(model.arrivals):
        parts.join([gateway, *(parts.target(number) for number in way.targets)])
    for together in _announcing(model):
        parts.join(together)
    return _built(model, parts)


def of_class(model: Model, source: int, rows: Iterable[int]) -> list[int]:
    """What a class hangs on: gateways by their number, targets by theirs after all gateways'."""
    held = [len(model.gateways) + row for row in rows if row >= 0]
    if source >= 0:
        held += [model.gateway_numbers[key] for key in model.sources[source].gateways if key in model.gateway_numbers]
    return held


def _announcing(model: Model) -> list[list[int]]:
    """Gateways that announce one prefix, or one inside another's."""
    told = model.announced_prefixes
    found = []
    for prefix, gateways in enumerate(model.announcing):
        parent = int(told.parent[prefix])
        if len(gateways) > 1 or parent >= 0:
            found.append([*gateways, *(model.announcing[parent] if parent >= 0 else ())])
    return found


class _Parts:
    """Numbers that are joined step by step: gateways first, then targets."""

    def __init__(self, gateways: int, targets: int) -> None:
        self._gateways = gateways
        self._leader = list(range(gateways + targets))

    def target(self, number: int) -> int:
        return self._gateways + number

    def lead(self, number: int) -> int:
        while self._leader[number] != number:
            self._leader[number] = self._leader[self._leader[number]]
            number = self._leader[number]
        return number

    def join(self, numbers: Sequence[int]) -> None:
        for other in numbers[1:]:
            self._leader[self.lead(other)] = self.lead(numbers[0])


def _built(model: Model, parts: _Parts) -> list[Island]:
    units = model.units
    sets: dict[tuple[int, ...], int] = {(): 0}
    set_of = np.array([sets.setdefault(held, len(sets)) for held in model.announcing] or [0], dtype=np.int64)
    announced_by = np.where(units.meant >= 0, set_of[np.maximum(units.meant, 0)], 0)
    by_class = [of_class(model, cls.source, cls.rows) for cls in model.classes]
    # A unit ties its class to the gateways that announce it: few distinct pairs.
    speakers = list(sets)
    pairs, inverse = np.unique(np.stack([units.cls, announced_by], axis=1), axis=0, return_inverse=True)
    anchors: list[int] = []
    for cls, announced in pairs.tolist():
        held = [*(by_class[cls] if cls >= 0 else ()), *speakers[announced]]
        parts.join(held)
        anchors.append(held[0] if held else -1)
    leader_of = np.array([parts.lead(anchor) if anchor >= 0 else -1 for anchor in anchors], dtype=np.int64)
    of_unit = leader_of[inverse.reshape(-1)] if len(anchors) else np.zeros(0, dtype=np.int64)
    members: dict[int, list[int]] = {}
    for number in range(len(model.gateways) + len(model.targets)):
        members.setdefault(parts.lead(number), []).append(number)
    order = np.argsort(of_unit, kind="stable")
    passing = passing_of(model.sessions)
    found = []
    for leader in sorted({*members, *leader_of.tolist()}):
        held = members.get(leader, [])
        gateways = tuple(number for number in held if number < len(model.gateways))
        own = order[slice(*np.searchsorted(of_unit[order], [leader, leader + 1]).tolist())]
        ingress = ingress_of(model.sessions, [model.announced[number] for number in gateways], passing)
        classes = sorted(set(units.cls[own].tolist()) - {-1})
        found.append(
            Island(
                gateways=gateways,
                targets=tuple(number - len(model.gateways) for number in held if number >= len(model.gateways)),
                classes=tuple(classes),
                sources=tuple(sorted({model.classes[number].source for number in classes})),
                units=own,
                ingress=ingress,
                meant=ingress.prefixes.match(units.place[own]),
            )
        )
    return found
