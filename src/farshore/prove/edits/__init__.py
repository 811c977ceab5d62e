"""Small changes to an estate or its project: what a person could do next, as values that can be tried.

An `Edit` is one thing to do: a property set on one resource, a child put or taken away, a resource made or deleted, a
value of farshore.yaml corrected. It says itself in words, and `apply` gives the estate as it would be. Nothing here
knows which fault it might mend: edits are generated from what a resource is and from what stands around it (the
settings that Azure gives its type, what its siblings have, which appliances, tables and circuits there are), and
`prove/repair.py` tries them.

    values.py      Edit, and how bodies are changed
    tables.py      route tables and their routes
    networks.py    networks, subnets, peerings
    machines.py    NICs, machines, security groups, load balancers
    edges.py       gateways, connections, circuits, public addresses
    project.py     farshore.yaml
    near.py        what stands around a resource, nearest first
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.estate.estate import Estate
from farshore.prove.edits import edges, machines, networks, tables
from farshore.prove.edits.project import project_edits
from farshore.prove.edits.values import Edit, deleted, properties_of, reference, states

__all__ = ["Edit", "edits_of", "project_edits"]

DELETABLE = frozenset(
    f"microsoft.network/{kind}"
    for kind in (
        "connections",
        "loadbalancers",
        "networkinterfaces",
        "virtualnetworkgateways",
        "virtualnetworks/subnets",
        "virtualnetworks/virtualnetworkpeerings",
    )
)
"""What can be made again from its body, and holds nobody's data: nothing else is offered to be deleted."""

_BY_TYPE = {**tables.EDITS, **networks.EDITS, **machines.EDITS, **edges.EDITS}


def edits_of(estate: Estate, id_: ResourceId) -> Iterator[Edit]:
    """Every edit of one resource, or of a child; what is likelier to be meant first."""
    body = estate.get(id_)
    if body is None:
        return
    yield from states(id_, body)
    of_type = _BY_TYPE.get(id_.type.lower())
    if of_type is not None:
        yield from of_type(estate, id_, body)
    if id_.type.lower() in DELETABLE and not holds_data(body):
        yield deleted(id_)


def holds_data(body: Body) -> bool:
    """A NIC of a machine: taking it away takes the machine off the network."""
    return bool(reference(properties_of(body), "virtualMachine"))
