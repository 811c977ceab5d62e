"""The rules, one file a topic. The first digit of a code is its topic:

    FS1xx  project, topology, geography, sites      FS5xx  Site Recovery
    FS2xx  route tables, appliances, peerings       FS6xx  machines, addresses, disks
    FS3xx  gateways, circuits, connections          FS7xx  drill
    FS4xx  the target network                       FS8xx  groups, regions, limits
    FS9xx  objectives, by traces

FS831 to FS834 are no rules: `plan/drift.py` says them of a plan and the estate that it meets.

A rule about a network judges both sides: the source, and what stands of the target already. What is absent in the
target is the plan's to build and no error.
"""

from __future__ import annotations

from importlib import import_module

TOPICS = (
    "addresses",
    "appliances",
    "capacity",
    "circuits",
    "connections",
    "consistency",
    "disks",
    "drill",
    "endpoints",
    "flows",
    "gateway_subnet",
    "gateways",
    "geography",
    "groups",
    "limits",
    "machines",
    "overlap",
    "peerings",
    "project",
    "recovery",
    "security",
    "selection",
    "sites",
    "spokes",
    "target",
)


def load() -> None:
    """Register every rule."""
    for topic in TOPICS:
        import_module(f"farshore.assess.rules.{topic}")
