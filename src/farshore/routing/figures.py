"""Values as plain text: the figure that command line, transcripts, assertion messages and report all print (style 9).

A table is columns, one row a line. A trace is one line a hop, the place on the left and what decided there on the
right, and how it ended on the last line:

    192.168.4.20 -> 10.1.0.4 tcp/443
      site       datacenter      10.1.0.0/24 by er-hongkong
      router     ce1
      circuit    er-hongkong     10.1.0.0/24 from hub-gw
      gateway    hub-gw          10.1.0.0/24 VirtualAppliance 10.10.10.10 (User)
      appliance  nva             10.1.0.0/24 VNetPeering (Default)
      machine    vm1
    Delivered to vm1 in Source-vNet1
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch

from farshore.routing.failures import Element
from farshore.routing.values import BgpRoute, Choice, Disposition, EffectiveRoute, Flow, Hop, PassedOver, Trace
from farshore.routing.verdicts import Verdict


@singledispatch
def describe(value: object) -> str:
    """The plain-text figure of a routing value; of a tuple of rows, a table; of a (forward, back) pair, both."""
    return str(value)


@describe.register
def _(value: EffectiveRoute) -> str:
    hops = "".join(f" {hop}" for hop in value.next_hop_ip_addresses)
    if value.source == "BGP":
        return f"{value.address_prefix} by {value.name}"
    invalid = "" if value.state == "Active" else f", {value.state}"
    return f"{value.address_prefix} {value.next_hop_type}{hops} ({value.source}{invalid})"


@describe.register
def _(value: BgpRoute) -> str:
    path = " ".join(map(str, value.as_path)) or "own"
    return f"{value.network} {value.next_hop or '-'} {path}"


@describe.register
def _(value: PassedOver) -> str:
    return f"{describe(value.route)}: {value.reason}"


@describe.register
def _(value: Choice) -> str:
    lines = ["no route" if value.chosen is None else describe(value.chosen)]
    lines += [f"  not {describe(item)}" for item in value.passed_over]
    return "\n".join(lines)


@describe.register
def _(value: Hop) -> str:
    return " ".join(part for part in (value.kind, value.name, _decided(value)) if part)


@describe.register
def _(value: Flow) -> str:
    return str(value)


@describe.register
def _(value: Trace) -> str:
    lines = [
        str(value.flow),
        *_columns([(f"  {hop.kind}", hop.name, _decided(hop)) for hop in value.hops]),
        _end(value),
    ]
    lines += [f"  missing: {item}" for item in value.missing if value.disposition != Disposition.AMBIGUOUS]
    return "\n".join(lines)


@describe.register
def _(value: Verdict) -> str:
    return f"{value.kind}: {value.because}"


@describe.register
def _(value: Element) -> str:
    return str(value)


@describe.register(tuple)
@describe.register(list)
def _(value: Sequence[object]) -> str:
    if not value:
        return "nothing"
    if all(isinstance(item, EffectiveRoute) for item in value):
        return effective_table(item for item in value if isinstance(item, EffectiveRoute))
    if all(isinstance(item, BgpRoute) for item in value):
        return bgp_table(item for item in value if isinstance(item, BgpRoute))
    return "\n\n".join(describe(item) for item in value)


def effective_table(routes: Iterable[EffectiveRoute]) -> str:
    """Rows in Azure's columns, in the order of source as Azure prints it, then of prefix."""
    head = ("Source", "State", "Prefix", "Next hop type", "Next hop")
    order = {"Default": 0, "VirtualNetworkGateway": 1, "User": 2}
    rows = sorted(
        routes,
        key=lambda row: (row.address_prefix.version, order.get(row.source, 3), row.state, int(row.address_prefix[0])),
    )
    body = [(row.source, row.state, str(row.address_prefix), row.next_hop_type, _hops(row)) for row in rows]
    return "\n".join(_columns([head, *body]))


def bgp_table(routes: Iterable[BgpRoute]) -> str:
    """Rows in the columns of a gateway's or circuit's table, and who said it."""
    head = ("Network", "Next hop", "Weight", "From", "AS path")
    body = [
        (str(row.network), str(row.next_hop or ""), str(row.weight), _from(row), " ".join(map(str, row.as_path)))
        for row in routes
    ]
    return "\n".join(_columns([head, *body]))


def _from(row: BgpRoute) -> str:
    return (row.by or "").rpartition("/")[2].removeprefix("peer:")


def _hops(row: EffectiveRoute) -> str:
    return ", ".join(map(str, row.next_hop_ip_addresses))


def _decided(hop: Hop) -> str:
    """What decided at a hop: its choice, or what stopped the flow there."""
    chosen = None if hop.choice is None else hop.choice.chosen
    if hop.because and chosen is None:
        return hop.because
    if chosen is None:
        return ""
    return f"{describe(chosen)}{': ' + hop.because if hop.because else ''}"


_VERBATIM = frozenset({Disposition.DELIVERED})


def _end(trace: Trace) -> str:
    return (
        f"{trace.disposition}: {trace.because}"
        if trace.disposition not in _VERBATIM
        else f"{trace.disposition} {trace.because}"
    )


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows padded to their columns, nothing after the last word."""
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
