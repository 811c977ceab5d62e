"""How long traffic is missing while something fails, or while one connection takes over from another.

What a failure takes away is what the estate's blueprint has and that of the estate with the failure has not: hosts,
and wires between hosts that stay. Those are cut while each flow is asked for a connection every 20 ms. A gap lasts from
the first that nobody answered to the next that somebody did.

It measures BGP and the kernel. Wires have no length here, a lost wire is seen at once, Azure's timers are not these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.cli.witness.flows import End
    from farshore.twin.blueprint import Blueprint
    from farshore.twin.running import Twin

EVERY = 0.02
BEFORE, AFTER = 0.5, 2.0
"""Seconds of requests before the change, and after it."""
MOST_FLOWS = 12


@dataclass(frozen=True)
class Gap:
    """What one change cost."""

    change: str
    flows: int
    """That were answered before the change."""
    gaps_ms: tuple[float, ...]
    """Of those that are answered after it, shortest first; 0 where none was missing."""
    not_back: int

    def as_json(self) -> dict[str, Any]:
        return {
            "change": self.change,
            "flows": self.flows,
            "median_ms": round(median(self.gaps_ms), 1) if self.gaps_ms else None,
            "longest_ms": round(self.gaps_ms[-1], 1) if self.gaps_ms else None,
            "not_back": self.not_back,
        }


def failure(twin: Twin, before: Blueprint, after: Blueprint, name: str, ends: Sequence[End], port: int) -> Gap:
    """What it costs that `after` is all that is left of `before`, which is built."""
    hosts, wires = _gone(before, after)
    if not hosts and not wires:
        raise InputError("Nothing in the twin fails with this", value=name, expected="what has a host or a wire in it")
    return _measured(twin, ends, port, f"{name} fails", lambda: twin.do("cut", hosts=hosts, wires=wires))


def takeover(
    twin: Twin, both: Blueprint, without: tuple[Blueprint, Blueprint], ends: Sequence[End], port: int, *, first: str
) -> Gap:
    """What it costs that a new connection takes over from an old one. `both` is built, with both of them; `without` is
    the old one absent, and the new one. `first`: `make` or `break`."""
    old, new = (_gone(both, other) for other in without)
    if not old[1] or not new[1]:
        raise InputError("Both connections must carry something", expected="two connections of gateways that stand")
    twin.do("cut", wires=new[1], hosts=[])
    time.sleep(BEFORE)

    def make() -> None:
        twin.do("cut", wires=new[1], hosts=[], up=True)
        time.sleep(AFTER)

    def break_() -> None:
        twin.do("cut", wires=old[1], hosts=[])

    def change() -> None:
        for step in (make, break_) if first == "make" else (break_, make):
            step()

    words = ("the new connection is made", "the old one broken")
    name = ", then ".join(words if first == "make" else reversed(words))
    return _measured(twin, ends, port, name, change)


def _gone(before: Blueprint, after: Blueprint) -> tuple[list[str], list[list[str]]]:
    """Hosts that are gone, and wires between hosts that stay."""
    left = set(after.hosts)
    hosts = [name for name in before.hosts if name not in left]
    kept = {(one, other) for _, one, other in after.plan["wires"]}
    wires = [
        [one, other]
        for _, one, other in before.plan["wires"]
        if (one, other) not in kept and one in left and other in left
    ]
    return hosts, wires


def _measured(twin: Twin, ends: Sequence[End], port: int, name: str, change: Callable[[], object]) -> Gap:
    flows = _flows(ends, port)
    twin.do("listen", ports=[port])
    twin.do("knock", flows=flows, every=EVERY)
    time.sleep(BEFORE)
    began = time.monotonic()
    change()
    time.sleep(AFTER)
    seen = twin.do("knocked", hosts=sorted(flows))["hosts"]
    knocks = [held for host in seen.values() for held in host["knocks"].values()]
    found = [_gap(held["sent"], frozenset(held["answered"]), began) for held in knocks]
    told = [gap for gap in found if gap is not None]
    gaps = sorted(gap * 1000 for gap in told if gap >= 0)
    return Gap(name, len(told), tuple(gaps), len(told) - len(gaps))


def _flows(ends: Sequence[End], port: int) -> dict[str, list[list[object]]]:
    """From each site to machines, spread over all."""
    sites = {end.host: end for end in ends if end.host.startswith("site:")}
    machines = [end for end in ends if not end.host.startswith("site:") and end.sends]
    found: dict[str, list[list[object]]] = {}
    for host, site in sites.items():
        mine = [end for end in machines if end.address.version == site.address.version]
        chosen = mine[:: max(1, -(-len(mine) * len(sites) // MOST_FLOWS))]
        found[host] = [[f"{end.host} {end.address}", str(site.address), str(end.address), port] for end in chosen]
    return found


def _gap(sent: Sequence[float], answered: frozenset[int], began: float) -> float | None:
    """The longest gap after a change in seconds; None for a flow that was not answered before, -1 where it did not come
    back."""
    before = [number for number, at in enumerate(sent) if at < began]
    if not before or len(answered.intersection(before)) < 0.9 * len(before):
        return None
    after = range(len(before), len(sent))
    longest, first = 0.0, -1
    for number in after:
        if number in answered:
            if first >= 0:
                longest = max(longest, sent[number] - sent[first])
            first = -1
        elif first < 0:
            first = number
    # The very last requests may still be on their way when the count is made.
    return -1.0 if first >= 0 and sent[-1] - sent[first] > 20 * EVERY else longest
