"""An outage that nothing has to be done about: what is there twice is left once. It is looked at, not believed."""

from __future__ import annotations

from collections.abc import Iterable

from farshore.plan.builders import looks
from farshore.plan.builders.outage import DISASTER
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import Phase
from farshore.plan.scenario.outages import Taken
from farshore.routing.failures import LINKS


def over(design: Design, taken: Taken, draft: Draft) -> None:
    draft.begin(Phase.FAILOVER, [DISASTER])
    _look(design, draft, "left", taken.elements)


def restored(design: Design, draft: Draft, events: Iterable[str]) -> None:
    draft.begin(Phase.RETURN, events)
    _look(design, draft, "restored", ())


def _look(design: Design, draft: Draft, name: str, gone: Iterable[str]) -> None:
    """Every link that works shows the source's networks; every machine has its routes."""
    lost = frozenset(gone)
    reads = []
    for circuit in design.source_circuits:
        body = design.estate.express_route_circuit(circuit)
        place = "" if body is None or not body.peering_location else f"location:{body.peering_location.lower()}"
        if circuit.key in lost or place in lost:
            continue
        links = [link for link in LINKS if f"{circuit.key}#{link}" not in lost]
        reads.append(
            looks.read_circuit(
                draft,
                f"{name}/{circuit.name}",
                circuit,
                [str(prefix) for prefix in design.announced],
                [],
                (),
                links=links,
                says=f"the source is announced on {' and '.join(links)}",
            )
        )
    for machine in design.machines:
        looks.routes(draft, machine, machine.planned.nic, "has the routes that were proven", reads)
