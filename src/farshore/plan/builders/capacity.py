"""A circuit that the moved traffic will be on gets more bandwidth in the failover (D49), where farshore.yaml says so.

One step, which asks a person before it writes: what is raised can never be lowered again (E6). No machine waits for it,
and whoever skips it has left the circuit as it was. A circuit that stands in a region whose ARM is lost can't be
written, and is left out (`assess` says that the raise does not count).
"""

from __future__ import annotations

from collections.abc import Iterable

from farshore.arm.ids import ResourceId
from farshore.errors import InputError
from farshore.plan import actions, durations
from farshore.plan.design import Design
from farshore.plan.draft import Draft


def raise_bandwidth(design: Design, draft: Draft, circuits: Iterable[ResourceId], *, arm: bool) -> None:
    """A step for each of these circuits that is to grow and is not that large yet. `arm`: the source's ARM answers.
    Raises `InputError` for one on a port of its owner's, which has no provider's bandwidth."""
    meant = set(circuits)
    approvals = design.project.approvals
    for index, item in enumerate(design.project.raise_bandwidth):
        circuit = design.estate.express_route_circuit(item.circuit)
        if circuit is None or item.circuit not in meant:
            continue
        if circuit.service_provider is None:
            path = f"raise_bandwidth/{index}"
            raise InputError(
                f"{path}: {circuit.id.name} is no provider's circuit: its bandwidth is its port's",
                file=design.project.file,
                line=design.project.line_of(path),
                value=circuit.id.name,
                expected="a circuit of a service provider (E1, E3)",
                remedy="remove the row",
            )
        own = circuit.bandwidth_in_mbps
        lost = not arm and circuit.location == design.project.source_region
        if lost or (own is not None and own >= item.mbps):
            continue
        present = "its present bandwidth" if own is None else f"{own} Mbps"
        count = f"{approvals.quorum} of {', '.join(approvals.failover)}"
        asked = f"{count} must approve it" if approvals.failover else "Somebody who may decide it approves it"
        draft.add(
            f"raise/{circuit.id.name}",
            actions.raise_bandwidth(
                circuit.id,
                item.mbps,
                f"Circuit {circuit.id.name} is about to be raised from {present} to {item.mbps} Mbps. It can't be"
                " lowered again (E6, D49): a smaller one would be another circuit. The port at"
                f" {circuit.peering_location or 'its peering location'} must have room, and"
                f" {circuit.service_provider} must raise its own limit too: call them. {asked};"
                " skip the step to leave the circuit as it is.",
                approvals,
            ),
            title=f"Raise circuit {circuit.id.name} from {present} to {item.mbps} Mbps, once it is approved: it can't"
            " be lowered again (E6, D49)",
            subject=circuit.id,
            expected=durations.RAISE_BANDWIDTH,
        )
