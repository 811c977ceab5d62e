"""The estate as it is, under every failure: what `prove --as-it-is` answers.

Nothing is planned here and nothing is promised: it is who reaches whom today, and what each failure would cost. So
only what is unsafe with nothing failed is a bad answer; the rest is exposure, ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farshore.cli.words import many
from farshore.errors import InputError

if TYPE_CHECKING:
    from farshore.cli.losses import Loss
    from farshore.routing.scale import Reach

UNSAFE = ("ambiguous", "looped", "stale", "wrong-owner", "asymmetric")
MOST_SHOWN = 20


def standing_of(folder: Path, port: str, *, pairs: bool, out: Path | None) -> dict[str, Any]:
    """The answer, as JSON has it. Raises `InputError` for a bad project, estate or port."""
    import gc

    from farshore.cli.losses import MOST_TAKEN_OUT, losses, write_columns
    from farshore.cli.options import check_new_folder
    from farshore.estate.files import ESTATE_FILE, PROJECT_FILE, each_body
    from farshore.estate.project import read_project
    from farshore.routing import elements
    from farshore.routing.scale.columns import columns_of_bodies
    from farshore.routing.scale.groups import Service
    from farshore.routing.scale.pairs import pairs_of
    from farshore.routing.scale.peerings import peerings_of
    from farshore.routing.scale.reach import Reach

    protocol, number = _service(port)
    service = Service(protocol=protocol, port=number)
    if out is not None:
        check_new_folder(out)
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
    found = list(losses(reach, every, standings, peerings))
    answer = _answer(reach, port, found)
    answer["left_out"] = _left_out(reach, len(peerings.others) - MOST_TAKEN_OUT)
    if out is not None:
        answer["columns"] = write_columns(out, reach, found)
    if pairs:
        two = pairs_of(reach, every, standings, peerings.spokes)
        worst = [
            {"lost": lost, "more": more, "first": one, "second": other}
            for lost, more, one, other in two.worst(MOST_SHOWN)
        ]
        answer["pairs"] = {"number": two.number, "worst": worst}
    return answer


def _service(text: str) -> tuple[str, int]:
    protocol, _, port = text.lower().partition("/")
    if protocol not in ("tcp", "udp") or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError("This is no service", value=text, expected="tcp/443 or udp/53", remedy="name one port")
    return protocol, int(port)


def _answer(reach: Reach, port: str, found: Sequence[Loss]) -> dict[str, Any]:
    from farshore.cli.losses import today_of

    words, machines, today = reach.totals(), reach.model.units.count, today_of(reach)
    costs: list[dict[str, Any]] = [
        {
            "kind": loss.kind,
            "name": loss.name,
            "lost": int(machines[loss.units] @ loss.cells),
            "machines": loss.machines_cut_off(reach, today),
        }
        for loss in found
    ]
    exposure = [cost for cost in costs if cost["lost"] > 0]
    return {
        "format": 1,
        "service": port,
        "machines": int(machines.sum()),
        "ends": len(reach.model.ends),
        "cells": sum(words.values()),
        "words": words,
        "failures": len(found),
        "unnoticed": len(found) - len(exposure),
        "exposure": sorted(exposure, key=lambda cost: (-cost["lost"], cost["kind"], cost["name"])),
    }


def _left_out(reach: Reach, unseen: int) -> list[str]:
    found = [f"{many(unseen, 'peering')} between networks that lean on each other"] if unseen > 0 else []
    others = sorted({key for source in reach.model.sources for key in source.others})
    found += (
        f"what {key.rpartition('/')[2]} gives: its routes are unknown here, `farshore trace` follows them"
        for key in others
    )
    unread = [nic.rpartition("/")[2] for nic in reach.model.columns.unread]
    if unread:
        shown = ", ".join(unread[:MOST_SHOWN]) + (f" and {len(unread) - MOST_SHOWN} more" * (len(unread) > MOST_SHOWN))
        found.append(f"NICs whose address or subnet can't be read: {shown}")
    return found


def unsafe(answer: dict[str, Any]) -> bool:
    """Whether something is unsafe with nothing failed."""
    return any(answer["words"][word] for word in UNSAFE)


def described(answer: dict[str, Any]) -> str:
    """The answer for a person."""
    lines = [
        f"{answer['service']} there and back, {many(answer['machines'], 'machine')},"
        f" {many(answer['ends'], 'part')} of sites' prefixes",
        f"  {'cells':<12} {answer['cells']:>16,}",
    ]
    lines += [f"  {word:<12} {count:>16,}" for word, count in answer["words"].items() if count]
    lines.append(f"\n{_failures(answer)}")
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
        lines.append(f"\n{many(answer['columns']['rows'], 'row')} in {answer['columns']['folder']}")
    lines += [f"\nnot looked at: {text}" for text in answer["left_out"]]
    return "\n".join(lines)


def _failures(answer: dict[str, Any]) -> str:
    number, unnoticed = answer["failures"], answer["unnoticed"]
    if not number:
        return "nothing here can fail by itself"
    if not answer["words"]["delivered"]:
        return f"{many(number, 'failure')} looked at: nothing is delivered today, so there is nothing to lose"
    return f"{many(number, 'failure')}, {unnoticed:,} of them {'costs' if unnoticed == 1 else 'cost'} nothing"


def _pairs(pairs: dict[str, Any]) -> list[str]:
    lines = [f"\n{many(pairs['number'], 'pair')} of failures"]
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
