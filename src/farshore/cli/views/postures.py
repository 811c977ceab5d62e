"""Postures as people read them: a row each, then what is behind the rows, and which of them are in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from farshore.cli.views.human import style
from farshore.cli.views.table import table
from farshore.cli.words import many
from farshore.times import span

HEADS = ("", "link", "ahead", "recovery", "a month", "safe", "singles", "decided by")
SHORT = {"all ahead": "all", "nothing ahead": "nothing", "as farshore.yaml says": "own list"}


def postures_text(answer: Mapping[str, Any]) -> str:
    """The rows have numbers, by which what is behind them is told."""
    rows, currency = answer["rows"], answer["currency"]
    good = {str(number): row for number, row in enumerate((row for row in rows if not row["why_not"]), 1)}
    lines = [style(f"{answer['scenario']}: postures of the target's link", "strong")]
    lines += table(HEADS, [_row(number, row) for number, row in good.items()])
    lines += _section("makes no sense here", ("", ""), [(_name(row), row["why_not"]) for row in rows if row["why_not"]])
    lines += _section("recovery by wave", ("", "", ""), _grouped(good, _waves))
    lines += _section("exposure, worst single failure", ("", ""), _grouped(good, _exposed))
    lines += _section("exposure, while the guard cuts off what returned (D63)", ("", ""), _grouped(good, _guard))
    lines += _section("not proven", ("", ""), _grouped(good, _unproven))
    # The row that has most standing has the order of all.
    fullest = sorted(good.values(), key=lambda row: -len(row["standing"]))
    kinds = dict.fromkeys((item["kind"], tuple(item["key"])) for row in fullest for item in row["standing"])
    heads = ("", *good, "each a month" if currency is None else f"{currency} each")
    lines += ["", style("stands ahead, how many in each row", "strong")]
    lines += table(heads, [_stands(kind, key, good.values(), currency) for kind, key in kinds])
    told = [_objective(item, good) for item in answer["objectives"]]
    lines += _section("in time, by objective", ("", "", ""), told)
    unknown = dict.fromkeys(name for row in good.values() if row["cost"] for name in row["cost"]["unknown"])
    if unknown:
        lines += ["", *table(("",), [(f"without a price, and in no sum: {', '.join(unknown)}",)])[1:]]
    if currency is None:
        how = "farshore plan --prices-template FILE writes a file to fill in; --postures --prices FILE reads it"
        lines += ["", *table(("",), [(f"no prices: {how}",)])[1:]]
    return "\n".join(lines)


def _section(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return ["", style(title, "strong"), *table(heads, rows)[1:]] if rows else []


def _grouped(rows: Mapping[str, Any], tell: Callable[[Any], tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What rows have to say, each thing once, with the numbers of the rows."""
    said: dict[tuple[str, ...], list[str]] = {}
    for number, row in rows.items():
        if text := tell(row):
            said.setdefault(text, []).append(number)
    return [(", ".join(numbers), *text) for text, numbers in said.items()]


def _row(number: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    recovery, exposure = row["recovery"], row["exposure"]
    return (
        number,
        row["posture"],
        SHORT[row["provisioning"]],
        "none moves" if recovery is None else span(recovery["seconds"]),
        _month(row["cost"]),
        "yes" if row["safe"]["proven"] else "NO",
        str(exposure["single_failures"]),
        ""
        if recovery is None
        else f"{span(recovery['decides']['seconds'])}: {recovery['decides']['step'].partition('/')[2]}",
    )


def _month(cost: Mapping[str, Any] | None) -> str:
    if cost is None:
        return "?"
    return f"{cost['month']:,.2f}" + (" + ?" if cost["unknown"] else "")


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['posture']}, {SHORT[row['provisioning']]}"


def _waves(row: Mapping[str, Any]) -> tuple[str, ...]:
    if row["recovery"] is None:
        return ()
    waves = ", ".join(f"group {wave['boot_group']} {span(wave['seconds'])}" for wave in row["recovery"]["waves"])
    return waves, f"slowest {row['recovery']['machine'].rsplit('/', 1)[-1]}"


def _exposed(row: Mapping[str, Any]) -> tuple[str, ...]:
    worst = row["exposure"]["worst"]
    if worst is None:
        return ("no single failure costs a machine",)
    return (f"{worst['failed']}: {many(worst['machines'], 'machine')}, noticed {worst['noticed']} ({worst['phase']})",)


def _guard(row: Mapping[str, Any]) -> tuple[str, ...]:
    guard = row["exposure"]["guard"]
    if guard is None:
        return ()
    expected = "" if guard["seconds"] is None else f"{span(guard['seconds'])} expected: "
    return (expected + guard["summary"],)


def _unproven(row: Mapping[str, Any]) -> tuple[str, ...]:
    return () if row["safe"]["proven"] else (row["safe"]["counterexample"] or "the proof is not whole",)


def _stands(kind: str, key: tuple[str | None, ...], rows: Iterable[Any], currency: str | None) -> tuple[str, ...]:
    from farshore.cli.postures import named

    found = [
        next((item for item in row["standing"] if (item["kind"], tuple(item["key"])) == (kind, key)), None)
        for row in rows
    ]
    one = next(item for item in found if item is not None)
    if one["free"]:
        price = "free"
    elif one["cost"] is not None:
        price = f"{one['cost'] / one['quantity']:,.2f}"
    else:
        price = "?"
    hours = f", {one['hours'] // one['quantity']} h" if one["hours"] else ""
    return (named(kind, key) + hours, *("-" if item is None else f"{item['quantity']}" for item in found), price)


def _objective(item: Mapping[str, Any], rows: Mapping[str, Any]) -> tuple[str, ...]:
    met = [number for number, row in rows.items() if row["scenario"] in item["met_by"]]
    said = "every row" if len(met) == len(rows) else ", ".join(met) or "no row"
    return item["name"], f"within {span(item['recovery_time_seconds'])}", said
