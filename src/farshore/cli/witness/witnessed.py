"""Build states, ask, compare, and put the answer together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from farshore.cli.witness.compare import Compared, compare
from farshore.cli.witness.echoes import compare_echoes
from farshore.cli.witness.flows import ends_of, flows_of
from farshore.cli.witness.gaps import Gap
from farshore.cli.witness.learned import tables
from farshore.cli.words import many

if TYPE_CHECKING:
    from farshore.cli.witness.states import State
    from farshore.twin.running import Twin

MOST_FLOWS = 2000
"""Of one state."""
MOST_SHOWN = 20
_TITLES = {"ping": "ICMP", "traceroute": "ways", "BGP": "BGP"}


@dataclass
class Witnessed:
    """What came of all states so far."""

    port: int
    seed: int
    most_flows: int = MOST_FLOWS
    states: int = 0
    hosts: int = 0
    """Of the largest state."""
    flows: int = 0
    left: int = 0
    """Flows that were not asked, beyond `most_flows` of a state."""
    seconds: float = 0.0
    words: Counter[str] = field(default_factory=Counter)
    apart: Counter[str] = field(default_factory=Counter)
    """Flows that can't be compared, by the reason."""
    pings: int = 0
    """Pings compared: one goes with each flow."""
    pings_apart: int = 0
    traceroutes: int = 0
    """Traceroutes compared: one follows each ping."""
    traceroutes_apart: int = 0
    tables: int = 0
    """BGP tables compared."""
    tables_apart: int = 0
    """Those of states in which something has no host, or is not known: nothing is said of them."""
    differences: list[dict[str, str]] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    """Differences, by what was compared."""
    left_out: dict[str, str] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def see(self, twin: Twin, state: State) -> None:
        """Build one state and compare everything in it."""
        from farshore.routing import Routing
        from farshore.twin.observe import observe
        from farshore.twin.running import TwinUnsettledError

        began = monotonic()
        blueprint, estate = state.blueprint, state.estate
        routing = Routing(estate)
        pairs, all_of_them = flows_of(
            ends_of(estate, frozenset(blueprint.hosts)), self.port, self.most_flows, self.seed
        )
        try:
            twin.do("build", plan=blueprint.plan)
        except TwinUnsettledError:
            if routing.world.settles:
                raise
            self.apart["BGP settles neither in the twin nor in the engine"] += len(pairs)
            self.pings_apart += len(pairs)
            self.traceroutes_apart += len(pairs)
            self.states += 1
            return
        observed = observe(twin, blueprint, [ask for _, ask in pairs])
        machines = routing.world.index.machine_of
        missing = frozenset(blueprint.missing)
        for (flow, _), seen in zip(pairs, observed, strict=True):
            self._flow(state, compare(routing, machines, flow, seen.asked, missing))
            self._echoes(state, *compare_echoes(routing, machines, flow, seen, missing))
        for table in tables(twin, blueprint, estate, routing):
            # BIRD can't have learned what nobody was there to say, nor what nobody knows; and what never settles may
            # have come to rest by chance.
            if missing or estate.outside.unknown or not routing.world.settles:
                self.tables_apart += 1
                continue
            self.tables += 1
            if table.differs:
                self._differ(state, "BGP", "BGP", table.differs)
        self.states += 1
        self.hosts = max(self.hosts, len(blueprint.hosts))
        self.flows += len(pairs)
        self.left += all_of_them - len(pairs)
        self.left_out |= blueprint.missing
        self.seconds += monotonic() - began

    def see_all(self, twin: Twin, states: Iterable[State], tell: Callable[[str], None]) -> None:
        for state in states:
            tell(f"state {self.states + 1}: {state.name}")
            self.see(twin, state)

    def _flow(self, state: State, found: Compared) -> None:
        if found.apart:
            self.apart[found.apart] += 1
            return
        self.words[found.kind] += 1
        if found.differs:
            self._differ(state, "flow", str(found.flow), found.differs)

    def _echoes(self, state: State, ping: Compared, traceroute: Compared) -> None:
        self.pings += not ping.apart
        self.pings_apart += bool(ping.apart)
        self.traceroutes += not traceroute.apart
        self.traceroutes_apart += bool(traceroute.apart)
        for kind, found in (("ping", ping), ("traceroute", traceroute)):
            if found.differs:
                self._differ(state, kind, f"{kind} {found.flow}", found.differs)

    def _differ(self, state: State, kind: str, what: str, how: str) -> None:
        self.wrong[kind] += 1
        self.differences.append({"state": state.name, "what": what, "how": how})

    @property
    def good(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        from farshore.twin.limits import ALWAYS

        return {
            "format": 1,
            "service": f"tcp/{self.port}",
            "states": self.states,
            "hosts": self.hosts,
            "flows": self.flows,
            "not_asked": self.left,
            "words": dict(sorted(self.words.items())),
            "apart": [{"because": why, "flows": count} for why, count in sorted(self.apart.items())],
            "pings": self.pings,
            "pings_apart": self.pings_apart,
            "traceroutes": self.traceroutes,
            "traceroutes_apart": self.traceroutes_apart,
            "tables": self.tables,
            "tables_apart": self.tables_apart,
            "differences": self.differences,
            "gaps": [gap.as_json() for gap in self.gaps],
            "left_out": [{"id": id_, "because": why} for id_, why in sorted(self.left_out.items())],
            "cannot": list(ALWAYS),
            "seconds": round(self.seconds, 1),
        }

    def described(self) -> str:
        """The answer for a person."""
        compared = sum(self.words.values())
        same = compared - self.wrong["flow"]
        lines = [
            f"{many(self.states, 'state')} built, at most {many(self.hosts, 'host')}, in {self.seconds:,.1f} s",
            f"tcp/{self.port}: {many(self.flows, 'flow')} asked, {compared:,} compared, {same:,} agree",
        ]
        lines += [f"  {word:<12} {count:>9,}" for word, count in sorted(self.words.items())]
        lines += [f"  {'apart':<12} {count:>9,}  {why}" for why, count in sorted(self.apart.items())]
        if self.left:
            lines.append(f"  {'not asked':<12} {self.left:>9,}  beyond --flows {self.most_flows} of a state")
        for kind, what, count, apart in (
            ("ping", "ping", self.pings, self.pings_apart),
            ("traceroute", "traceroute", self.traceroutes, self.traceroutes_apart),
            ("BGP", "table", self.tables, self.tables_apart),
        ):
            more = f", {many(apart, what)} apart" if apart else ""
            lines.append(f"{_TITLES[kind]}: {many(count, what)} compared, {count - self.wrong[kind]:,} agree{more}")
        for item in self.differences[:MOST_SHOWN]:
            lines += [f"\ndiffers, {item['state']}", f"  {item['what']}", f"  {item['how']}"]
        if len(self.differences) > MOST_SHOWN:
            lines.append(f"\nand {len(self.differences) - MOST_SHOWN:,} more (--format json has all)")
        lines += self._gaps()
        lines += [f"\nnot built: {id_.rpartition('/')[2]}, {why}" for id_, why in sorted(self.left_out.items())]
        return "\n".join(lines)

    def _gaps(self) -> list[str]:
        if not self.gaps:
            return []
        lines = ["\ngaps in traffic, one request each 20 ms (limits: docs/guide/twin.md)"]
        for gap in self.gaps:
            told = gap.as_json()
            shown = "none answered after it"
            if gap.gaps_ms:
                shown = f"median {told['median_ms']:,.0f} ms, longest {told['longest_ms']:,.0f} ms"
            lines.append(f"  {gap.change}")
            lines.append(f"    {many(gap.flows, 'flow')}: {shown}, {gap.not_back} not back")
        return lines
