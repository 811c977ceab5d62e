"""How long things take in the lab: one readable table, spread by a seed.

Each row is a typical time in seconds and a spread. The time of one thing is `typical * factor`, the factor drawn
from a log-normal curve around 1 by a hash of the seed, the resource and the attempt: never from a running stream, so
that asking for one thing does not change the time of another. A spread of 0.15 puts two thirds of all draws within
15 % of the typical time; draws are cut at three spreads.

A lab may have rows of its own: `lab: durations:` in farshore.yaml gives them to a new one, and `farshore lab durations`
or `POST /_lab/durations` (`lab/timetable.py`) changes them at any time. What is under way keeps its time.

The planner's expected durations cite sources and never read this table (ARCHITECTURE.md, "Who may witness whom").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from statistics import NormalDist

from farshore.errors import InputError
from farshore.lab.chance import chance

DURATIONS: Mapping[str, tuple[float, float]] = {
    # What the network takes. Recorded: a network or route table answers Succeeded at the first or second poll.
    "network.put": (4.0, 0.3),
    "network.delete": (10.0, 0.2),
    "network.query": (6.0, 0.3),
    "virtualNetworkPeerings.put": (12.0, 0.2),
    "expressRouteCircuits.put": (25.0, 0.2),
    "expressRouteCircuits.peerings.put": (60.0, 0.2),
    "expressRouteCircuits.provider": (4 * 3600.0, 0.3),
    # E24: up to 45 minutes.
    "virtualNetworkGateways.put": (38 * 60.0, 0.07),
    "virtualNetworkGateways.update": (6 * 60.0, 0.15),
    "virtualNetworkGateways.delete": (9 * 60.0, 0.15),
    # Recorded once each: a reset took 14 minutes, new tags two.
    "virtualNetworkGateways.reset": (14 * 60.0, 0.15),
    "virtualNetworkGateways.tags": (2 * 60.0, 0.15),
    # A hub's router is ready after its hub; recorded of none from beginning to end.
    "virtualHubs.router": (20 * 60.0, 0.15),
    # E37: minutes; no official figure.
    "connections.put": (100.0, 0.15),
    "connections.delete": (75.0, 0.15),
    # A resilience test of ExpressRoute begins or ends; no official figure.
    "expressRoute.failoverTest": (90.0, 0.2),
    # A gateway whose region is lost falls silent in BGP: gateways and MSEEs agree within a minute (E12).
    "bgp.withdraw": (40.0, 0.25),
    # A site's router takes a new policy, from a program; a person is called, logs in, changes it and looks: nobody has
    # published how long that takes.
    "site.change": (5.0, 0.3),
    "site.person": (580.0, 0.15),
    # A region that returns: its control plane, its gateways, its machines, each on its own.
    "region.arm": (45.0, 0.35),
    "region.gateway": (60.0, 0.35),
    "region.machine": (80.0, 0.3),
    "group.delete": (60.0, 0.2),
    # Deployments beyond what their resources take. Recorded: two small resources after each other in 20 s.
    "deployments.begin": (1.5, 0.3),
    "deployments.notice": (2.0, 0.3),
    "deployments.delete": (3.0, 0.3),
    "deployments.whatIf": (4.0, 0.3),
    # Automation. No published figures: an action of seconds, and a sandbox that is made for a job.
    "automation.quick": (2.0, 0.3),
    "automation.begin": (20.0, 0.3),
    # Compute. No published figures: what an operator sees.
    "disks.put": (3.0, 0.3),
    "disks.delete": (3.0, 0.3),
    "disks.access": (4.0, 0.3),
    "storageAccounts.put": (17.0, 0.3),
    "virtualMachines.put": (75.0, 0.2),
    "virtualMachines.update": (12.0, 0.3),
    "virtualMachines.delete": (45.0, 0.25),
    "virtualMachines.start": (35.0, 0.25),
    "virtualMachines.restart": (30.0, 0.25),
    "virtualMachines.deallocate": (60.0, 0.3),
    "virtualMachines.powerOff": (20.0, 0.3),
    "virtualMachines.runCommand": (25.0, 0.3),
    "virtualMachines.reapply": (5.0, 0.3),
    "virtualMachines.redeploy": (60.0, 0.3),
    # Recorded: 30 to 90 seconds.
    "virtualMachines.extension": (60.0, 0.3),
    # Site Recovery, around the recorded life cycle (S24; the recordings of 2023).
    "vaults.put": (61.0, 0.1),
    "vaults.delete": (30.0, 0.2),
    "recovery.quick": (2.0, 0.5),
    "recovery.fabric": (70.0, 0.1),
    "recovery.mapping": (66.0, 0.1),
    "recovery.networkMapping": (3.5, 0.2),
    "recovery.enable": (425.0, 0.1),
    "recovery.seed": (900.0, 0.08),
    "recovery.firstPoint": (290.0, 0.1),
    "recovery.update": (20.0, 0.3),
    "recovery.failover": (140.0, 0.07),
    "recovery.shutdown": (45.0, 0.25),
    "recovery.applyPoint": (110.0, 0.1),
    "recovery.commit": (8.0, 0.3),
    "recovery.testFailover": (195.0, 0.08),
    "recovery.testCleanup": (95.0, 0.15),
    "recovery.switch": (505.0, 0.08),
    "recovery.compare": (2450.0, 0.08),
    "recovery.remove": (80.0, 0.15),
    "recovery.lag": (35.0, 0.35),
    "recovery.pointReady": (50.0, 0.3),
}
"""Name to typical seconds and spread."""

NEVER = timedelta(days=3650)
"""An operation whose end is not known when it begins: somebody ends it (`lab/resources/deploying.py`, a plan that may
wait for a person)."""
LONGEST = 30 * 86400.0
WIDEST = 2.0
"""What a user may ask for; a spread of 2 makes a day of three minutes."""
_CUT = 3.0
"""Spreads at which a draw is cut."""
_NORMAL = NormalDist()


def duration(seed: int, name: str, *parts: object, row: tuple[float, float]) -> timedelta:
    """How long this takes, this time, by its row: `duration(1, "connections.put", id, attempt, row=(100.0, 0.15))`."""
    typical, spread = row
    if spread == 0.0:
        return timedelta(seconds=typical)
    z = _NORMAL.inv_cdf(min(max(chance(seed, name, *parts), 1e-9), 1 - 1e-9))
    z = min(max(z, -_CUT), _CUT)
    return timedelta(milliseconds=round(1000 * typical * math.exp(spread * z)))


def row_of(name: str, seconds: float, spread: float | None) -> tuple[float, float]:
    """A row of a table, as a user gives it: without a spread it keeps the table's own. Raises `InputError`."""
    if name not in DURATIONS:
        near = get_close_matches(name, DURATIONS, n=1)
        remedy = f"did you mean {near[0]}?" if near else "farshore lab durations shows the names"
        raise InputError("The lab takes no time for this", value=name, expected="a name of its table", remedy=remedy)
    if not 0 <= seconds <= LONGEST:
        raise InputError(f"{name} can't take this long", value=seconds, expected=f"0 to {LONGEST:.0f} seconds")
    if spread is not None and not 0 <= spread <= WIDEST:
        raise InputError(f"{name} can't be spread like this", value=spread, expected=f"0 to {WIDEST:.0f}")
    return float(seconds), DURATIONS[name][1] if spread is None else float(spread)


def rows_of(given: Mapping[str, tuple[float, float | None]]) -> dict[str, tuple[float, float]]:
    """`lab: durations:` of farshore.yaml, as a table. Raises `InputError`."""
    return {name: row_of(name, seconds, spread) for name, (seconds, spread) in given.items()}
