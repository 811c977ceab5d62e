"""Big honest estates, by seed: for benchmarks, and for trying Farshore on more than anybody would write by hand.

    shape = Shape(spokes=500, machines=10_000, prefixes=4_000, seed=1)
    generate(shape)   -> ARM bodies, one by one, in an order in which each stands after what it names
    project(shape)    -> the farshore.yaml that goes with them, as a value

One seed is one estate, to the byte. Everything in it could stand in Azure: a hub's peerings, a table's routes and a
circuit's connections stay within Azure's limits, addresses do not overlap, and names are
unique. Hubs differ as real ones do: in some every spoke goes through an appliance, alone or behind a load balancer or
as an Azure Firewall, in others spokes talk to the gateway directly, most have some of both.
"""

from __future__ import annotations

from farshore.generate.estate import generate
from farshore.generate.shape import Shape
from farshore.generate.sites import project

__all__ = ["Shape", "generate", "project"]
