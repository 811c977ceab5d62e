"""BIRD configurations, as text.

Every session is a direct one over a wire and has one family. Timers are short: nothing here is far away. Tables are
BIRD's own `master4` and `master6` but in a network, where each subnet's kernel table needs one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from farshore.arm.decode import Network
from farshore.twin.draft import Host

MOST_WAYS = 16
"""Next hops of one route in the kernel: four circuits of two links, twice."""


@dataclass(frozen=True)
class Session:
    """One neighbour, from one side. `accept` and `say` are bodies of filters; an empty `say` says nothing."""

    here: Host
    there: Host
    family: int
    own_asn: int
    their_asn: int
    accept: str = "accept;"
    say: str = ""
    more: str = ""
    """Further options of the protocol."""

    @property
    def waits(self) -> bool:
        """One side calls, the other waits: two calls at once would meet and start over."""
        return self.here.number < self.there.number

    @property
    def name(self) -> str:
        return f"{'waits' if self.waits else 'calls'}{self.there.number}_{self.family}"


def preamble(host: Host) -> list[str]:
    return [
        f"router id {host.at[4]};",
        "log stderr { warning, error, fatal, bug };",
        "protocol device { scan time 600; }",
        "ipv4 table master4; ipv6 table master6;",
    ]


def protocol(session: Session, table: str | None = None) -> list[str]:
    """One BGP protocol."""
    family = f"ipv{session.family}"
    say = f"filter {{ {session.say} reject; }}" if session.say else "none"
    # A first call comes after most of a second, whatever the configuration says: by then everybody is there.
    how = "passive yes;" if session.waits else ""
    return [
        f"protocol bgp {session.name} {{",
        f"  local {session.here.at[session.family]} as {session.own_asn};",
        f"  neighbor {session.there.at[session.family]} as {session.their_asn};",
        f"  direct; hold time 9; keepalive time 3; connect delay time 0; connect retry time 1; error wait time 1, 1;"
        f" {how} {session.more}",
        f"  {family} {{ {f'table {table};' if table else ''} next hop self; import filter {{ {session.accept} }};"
        f" export {say}; }};",
        "}",
    ]


def into_kernel(family: int, which: str) -> list[str]:
    """The best routes into the kernel's main table, equal ones together (ECMP)."""
    return [
        f"protocol kernel kernel{family} {{ merge paths yes limit {MOST_WAYS};",
        f"  ipv{family} {{ import none; export where {which}; }}; }}",
    ]


def says(family: int, name: str, prefixes: Iterable[Network]) -> list[str]:
    """Prefixes that a speaker has by itself."""
    mine = [prefix for prefix in prefixes if prefix.version == family]
    if not mine:
        return []
    routes = " ".join(f"route {prefix} blackhole;" for prefix in mine)
    return [f"protocol static {name}{family} {{ ipv{family}; {routes} }}"]


def among(prefixes: Iterable[Network], family: int, how: str = "") -> str:
    """A prefix set; `how` is `+` for everything inside too. Empty where there is none of the family."""
    mine = ", ".join(f"{prefix}{how}" for prefix in dict.fromkeys(prefixes) if prefix.version == family)
    return f"[ {mine} ]" if mine else ""


def network_tables(
    sessions: Sequence[Session], kernel_tables: Sequence[int], shielded: Sequence[Network], *, metric: int
) -> list[str]:
    """A network's BIRD: what the gateways say, into the kernel table of every subnet that wants it.

    Routes equal to or inside the network's own and its peers' space are not taken (R14.3, R15)."""
    lines = []
    for family in sorted({session.family for session in sessions}):
        lines.append(f"ipv{family} table learned{family};")
        for session in sessions:
            if session.family == family:
                lines += protocol(session, table=f"learned{family}")
        space = among(shielded, family, "+")
        keep = f"if net ~ {space} then reject; accept;" if space else "accept;"
        for number in kernel_tables:
            own = f"t{number}_{family}"
            lines += [
                f"ipv{family} table {own};",
                f"protocol pipe pipe_{own} {{ table learned{family}; peer table {own};",
                f"  import none; export filter {{ {keep} }}; }}",
                f"protocol kernel kernel_{own} {{ kernel table {number}; metric {metric};",
                f"  merge paths yes limit {MOST_WAYS}; ipv{family} {{ table {own}; import none; export all; }}; }}",
            ]
    return lines
