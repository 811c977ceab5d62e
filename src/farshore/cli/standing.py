"""The estate as it is, under every failure: what `prove --as-it-is` answers.

Nothing is planned here and nothing is promised: it is who reaches whom today, and what each failure would cost. So
only what is unsafe with nothing failed is a bad answer; the rest is exposure, ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.routing import Element
    from farshore.routing.scale.reach import Reach, Standing

UNSAFE = ("ambiguous", "looped", "stale", "wrong-owner", "asymmetric")
MOST_SHOWN = 20
MOST_TAKEN_OUT = 50
"""So many peerings are looked at by taking each out of the estate, which costs as much as the estate did."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one failure costs."""

    kind: str
    name: str
    lost: int
    machines: int
    """Machines that lose all they had."""


def standing_of(folder: Path, port: str, *, pairs: bool, out: Path | None) -> dict[str, Any]:
    """The answer, as JSON has it. Raises `InputError` for a bad project, estate or port."""
    import gc

    from farshore.estate.files import ESTATE_FILE, PROJECT_FILE, each_body
    from farshore.estate.project import read_project
    from farshore.routing import elements
    from farshore.routing.scale.columns import columns_of_bodies
    from farshore.routing.scale.groups import Service
    from farshore.routing.scale.pairs import pairs_of
    from farshore.routing.scale.peerings import peerings_of, without
    from farshore.routing.scale.reach import Reach

    protocol, number = _service(port)
    service = Service(protocol=protocol, port=number)
    project = read_project(folder / PROJECT_FILE)
    try:
        columns = columns_of_bodies(lambda: each_body(folder / ESTATE_FILE), project)
    except InputError as error:
        raise error.at(file=error.file or str(folder / ESTATE_FILE)) from None
    # What was read lives as long as the process: the collector need not go through it again and again.
    gc.freeze()
    reach = Reach.of(columns, service)
    every = elements(columns.skeleton)
    standings = [reach.under(element) for element in every]
    peerings = peerings_of(reach)
    costs = [_cost(reach, element, standing) for element, standing in zip(every, standings, strict=True)]
    costs += [_of_counts(reach, "peering", _named(reach, spoke.pair), spoke.units) for spoke in peerings.spokes]
    for link in peerings.others[:MOST_TAKEN_OUT]:
        costs.append(_against(reach, "peering", _named(reach, link), without(reach, link)))
    costs += [Cost("peering", _named(reach, link), 0, 0) for link in peerings.idle]
    unseen = len(peerings.others) - MOST_TAKEN_OUT
    answer = _answer(reach, port, costs)
    answer["left_out"] = [f"{unseen} peerings between networks that lean on each other"] if unseen > 0 else []
    answer["left_out"] += _unfollowed(reach)
    unread = [nic.rpartition("/")[2] for nic in reach.model.columns.unread]
    if unread:
        shown = ", ".join(unread[:MOST_SHOWN]) + (f" and {len(unread) - MOST_SHOWN} more" * (len(unread) > MOST_SHOWN))
        answer["left_out"].append(f"NICs whose address or subnet can't be read: {shown}")
    if out is not None:
        answer["columns"] = _written(out, reach, every, standings)
    if pairs:
        found = pairs_of(reach, every, standings, peerings.spokes)
        worst = [
            {"lost": lost, "more": more, "first": one, "second": other}
            for lost, more, one, other in found.worst(MOST_SHOWN)
        ]
        answer["pairs"] = {"number": found.number, "worst": worst}
    return answer


def _service(text: str) -> tuple[str, int]:
    protocol, _, port = text.lower().partition("/")
    if protocol not in ("tcp", "udp") or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError("This is no service", value=text, expected="tcp/443 or udp/53", remedy="name one port")
    return protocol, int(port)


def _answer(reach: Reach, port: str, costs: Sequence[Cost]) -> dict[str, Any]:
    words = reach.totals()
    ranked = sorted(costs, key=lambda cost: (-cost.lost, cost.kind, cost.name))
    return {
        "format": 1,
        "service": port,
        "machines": int(reach.model.units.count.sum()),
        "ends": len(reach.model.ends),
        "cells": sum(words.values()),
        "words": words,
        "failures": len(costs),
        "unnoticed": sum(cost.lost <= 0 for cost in costs),
        "exposure": [
            {"kind": cost.kind, "name": cost.name, "lost": cost.lost, "machines": cost.machines}
            for cost in ranked
            if cost.lost > 0
        ],
    }


def _cost(reach: Reach, element: Element, standing: Standing) -> Cost:
    return _against(reach, element.kind, element.name, reach.counts(standing))


def _against(reach: Reach, kind: str, name: str, counts: Any) -> Cost:
    from farshore.routing.scale.outcomes import GOOD

    before, after = reach.counts_cold()[:, GOOD], counts[:, GOOD]
    machines = reach.model.units.count
    cut_off = machines[(before > 0) & (after == 0)].sum()
    return Cost(kind, name, int(machines @ (before - after)), int(cut_off))


def _of_counts(reach: Reach, kind: str, name: str, units: Any) -> Cost:
    from farshore.routing.scale.outcomes import GOOD

    before = reach.counts_cold()[units, GOOD]
    machines = reach.model.units.count[units]
    return Cost(kind, name, int(machines @ before), int(machines[before > 0].sum()))


def _named(reach: Reach, link: tuple[int, int]) -> str:
    return " and ".join(reach.model.networks.all[number].name for number in link)


def _unfollowed(reach: Reach) -> list[str]:
    others = sorted({key for source in reach.model.sources for key in source.others})
    return [
        f"what {key.rpartition('/')[2]} gives: its routes are unknown here, `farshore trace` follows them"
        for key in others
    ]


def _written(out: Path, reach: Reach, every: Sequence[Element], standings: Sequence[Standing]) -> dict[str, Any]:
    """Three columns, a row for each machine that a failure costs something, and what their numbers mean."""
    import numpy as np

    from farshore.arm.json import pretty
    from farshore.routing.scale.outcomes import GOOD

    if out.exists() and any(out.iterdir()):
        raise InputError("This folder is not empty", value=str(out), expected="a new or an empty folder")
    out.mkdir(parents=True, exist_ok=True)
    rows = 0
    of_machine = reach.model.units.of_machine
    cold = reach.counts_cold()[:, GOOD]
    with (
        (out / "failure.u32").open("wb") as first,
        (out / "machine.u32").open("wb") as second,
        (out / "lost.u32").open("wb") as third,
    ):
        for number, standing in enumerate(standings):
            lost = np.maximum(0, cold - reach.counts(standing)[:, GOOD])[of_machine]
            here = np.flatnonzero(lost)
            np.full(len(here), number, dtype="<u4").tofile(first)
            here.astype("<u4").tofile(second)
            lost[here].astype("<u4").tofile(third)
            rows += len(here)
    names = {"failures": [str(element) for element in every], "machines": reach.model.columns.machines.nics}
    (out / "names.json").write_text(pretty(names))
    return {"folder": str(out), "rows": rows, "files": ["failure.u32", "machine.u32", "lost.u32", "names.json"]}


def unsafe(answer: dict[str, Any]) -> bool:
    """Whether something is unsafe with nothing failed."""
    return any(answer["words"][word] for word in UNSAFE)


def described(answer: dict[str, Any]) -> str:
    """The answer for a person."""
    lines = [
        f"{answer['service']} there and back, {_many(answer['machines'], 'machine')},"
        f" {_many(answer['ends'], 'part')} of sites' prefixes",
        f"  {'cells':<12} {answer['cells']:>16,}",
    ]
    lines += [f"  {word:<12} {count:>16,}" for word, count in answer["words"].items() if count]
    lines.append(f"\n{_many(answer['failures'], 'failure')}, {answer['unnoticed']:,} of them cost nothing")
    shown = answer["exposure"][:MOST_SHOWN]
    width = max((len(f"{item['kind']} {item['name']}") for item in shown), default=0)
    if shown:
        lines.append(f"  {'':<{width}}  {'cells lost':>14}  {'machines cut off':>16}")
    for item in shown:
        what = f"{item['kind']} {item['name']}"
        lines.append(f"  {what:<{width}}  {item['lost']:>14,}  {item['machines']:>16,}")
    more = len(answer["exposure"]) - len(shown)
    if more > 0:
        lines.append(f"  and {more:,} more (--format json has all)")
    if "pairs" in answer:
        lines += _pairs(answer["pairs"])
    if "columns" in answer:
        lines.append(f"\n{answer['columns']['rows']:,} rows in {answer['columns']['folder']}")
    lines += [f"\nnot looked at: {text}" for text in answer["left_out"]]
    return "\n".join(lines)


def _pairs(pairs: dict[str, Any]) -> list[str]:
    lines = [f"\n{_many(pairs['number'], 'pair')} of failures"]
    if not pairs["worst"]:
        return [f"{lines[0]}: none costs more than its two failures alone"]
    lines[0] += "; what neither of two shows alone, and by how much:"
    # As narrow as the numbers let it be: names are long, and a terminal has 80 columns.
    width = max(len("cells lost"), *(len(f"{pair['lost']:,}") for pair in pairs["worst"]))
    lines.append(f"  {'cells lost':>{width}}  {'beyond':>{width}}")
    return lines + [
        f"  {pair['lost']:>{width},}  {pair['more']:>{width},}  {pair['first']}, {pair['second']}"
        for pair in pairs["worst"]
    ]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
