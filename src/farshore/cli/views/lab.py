"""The lab as people and programs see it from outside: where it is served, its time, its faults, its journal."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from farshore.cli.views.human import style
from farshore.cli.views.lines import hanging
from farshore.cli.views.table import facts
from farshore.cli.words import many
from farshore.times import clock_time

SERVED = ("url", "ca", "token", "tenant", "pid", "started_at")


def served_document(found: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What lab.json says, with the authority's whole path."""
    document = {name: found.get(name) for name in SERVED}
    return {**document, "ca": f"{found['folder']}/{found['ca']}", **more}


def served_text(found: Mapping[str, Any], *, already: bool = False, foreground: bool = False) -> str:
    word = "is up already" if already else "is up"
    by = f"process {found['pid']}" + (f" since {clock_time(str(found['started_at']))} UTC" if already else "")
    stop = "Ctrl-C stops it" if foreground else "farshore lab down stops it"
    return "\n".join(
        [
            f"The lab {word}: {style(str(found['url']), 'strong')} ({by})",
            f'  to use it  eval "$(farshore lab env)"; {stop}',
            *(["  runbooks   run here as programs, with your own rights"] if found.get("runbooks") else []),
        ]
    )


def clock_text(shown: Mapping[str, Any]) -> str:
    return "\n".join(facts(_clock_rows(shown)))


def _clock_rows(shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    due = shown.get("next_due")
    return [
        ("lab time", f"{clock_time(str(shown['now']))} UTC"),
        ("next event", "none is due" if due is None else f"{clock_time(str(due))} UTC"),
        ("pace", PACES.get(str(shown.get("speed")), f"{shown.get('speed')} times as fast as ours")),
    ]


PACES = {
    "jump": "jump: on to the next event when a client polls",
    "hand": "hand: it stands still until it is turned",
    "None": "not served: it stands still until it is turned",
    "1": "as fast as ours",
    "1.0": "as fast as ours",
}


def status_text(document: Mapping[str, Any]) -> str:
    """Served, silent, or not served."""
    if not document["served"]:
        state = document["state"]
        kept = f"its state is in {state}" if state else "it has no state yet and will begin from estate.json"
        return "\n".join([f"The lab is not being served; {kept}.", "  farshore lab up serves it"])
    rows = [
        ("served at", f"{document['url']} by process {document['pid']} since {clock_time(document['started_at'])} UTC"),
        ("authority", str(document["ca"])),
    ]
    if not document["answers"]:
        rows.append(("silent", style("it does not answer", "error")))
        return "\n".join(facts(rows))
    rows += _clock_rows(document["clock"])
    rows.append(("holds", f"{many(document['resources'], 'resource')} in {_subscriptions(document['subscriptions'])}"))
    broken = fault_lines(document["faults"])
    rows += [("faults" if index == 0 else "", line) for index, line in enumerate(broken or ["none"])]
    return "\n".join([*facts(rows), '  to use it: eval "$(farshore lab env)"'])


def _subscriptions(ids: Sequence[str]) -> str:
    return f"subscription {ids[0]}" if len(ids) == 1 else many(len(ids), "subscription")


def faults_text(shown: Mapping[str, Any]) -> str:
    """What is broken and what is planned, at which time of the lab."""
    lines = fault_lines(shown)
    head = f"lab time {clock_time(str(shown['now']))} UTC"
    return "\n".join([head, *(f"  {line}" for line in lines or ["nothing is broken and nothing is planned"])])


def fault_lines(shown: Mapping[str, Any]) -> list[str]:
    """One line for each fault."""
    lines = []
    for row in shown["regions"]:
        back = "; it is returning" if row.get("returning") else ""
        lines.append(f"region {row['region']} lost at {clock_time(row['lost_at'])}{back}")
    lines += [f"{short(row['name'])} down since {clock_time(row['since'])}" for row in shown["down"]]
    for name in shown["deaf"]:
        site, _, router = name.partition("/")
        who = "every router" if router == "*" else f"router {router}"
        lines.append(f"site {site}: {who} says done and does nothing")
    for row in shown["silent"]:
        lines.append(f"region {row['region']}: no answer from its control plane since {clock_time(row['since'])}")
    for row in shown["shortages"]:
        lines.append(f"region {row['region']}: no room for {row['size']} since {clock_time(row['since'])}")
    for row in shown["restrictions"]:
        lines.append(f"region {row['region']}: {row['size']} is not sold since {clock_time(row['since'])}")
    for row in shown["quotas"]:
        lines.append(
            f"region {row['region']}: no more than {row['limit']} {row['name']} since {clock_time(row['since'])}"
        )
    for row in shown["ailing"]:
        how = f"writes {row['bytes_per_second']:.0f} bytes a second" if row["kind"] == "churn" else "does not replicate"
        lines.append(f"{short(row['machine'])} {how} since {clock_time(row['since'])}")
    for row in shown["hung"]:
        lines.append(f"{row['verb']} of {short(row['resource'])} hangs since {clock_time(row['since'])}")
    for row in shown["mishaps"]:
        lines.append(_mishap(row))
    for row in shown["refused"]:
        lines.append(f"a fault of {clock_time(row['at'])} could not be made: {row['error']['code']}")
    for row in shown["planned"]:
        what = " ".join(short(str(value)) for key, value in row.items() if key != "at")
        lines.append(f"planned for {clock_time(row['at'])}: {what}")
    return lines


def _mishap(row: Mapping[str, Any]) -> str:
    kind = row["kind"]
    if kind == "throttle":
        return f"every call is answered 429 until {clock_time(row['until'])}"
    where = ("on " + row["path"]) if row["path"] else "on anything"
    if kind in ("fail-operation", "hang-operation"):
        times = "the next operation" if row["count"] == 1 else f"the next {many(row['count'], 'operation')}"
        fate = f"will fail with {row['code']}" if kind == "fail-operation" else "will hang"
        return f"{times} {where}{' (' + row['verb'] + ')' if row['verb'] else ''} {fate}"
    what = f"{row['method'] or 'any method'} {where}"
    times = "the next answer" if row["count"] == 1 else f"the next {many(row['count'], 'answer')}"
    fates = {
        "reply-lost": "will be lost",
        "no-answer": "will never come, nor have the call had an effect",
        "twice": "will be that to a call which arrived twice",
    }
    if kind == "refuse":
        return f"{times} to {what} will be {row['status']} {row['code']}"
    return f"{times} to {what} {fates.get(kind) or 'will be ' + format(row['seconds'], '.0f') + ' s late'}"


def durations_text(shown: Mapping[str, Any]) -> str:
    """A table: name, typical seconds, spread; what is not the lab's usual is marked."""
    width = max(len(row["name"]) for row in shown["value"])
    lines = [f"{'':<{width}}     typical  spread"]
    for row in shown["value"]:
        mark = "  changed" if row["changed"] else ""
        lines.append(f"{row['name']:<{width}}  {row['seconds']:>8.1f} s  {row['spread']:>6.2f}{mark}")
    return "\n".join(lines)


def log_lines(rows: Sequence[Mapping[str, Any]], *, bodies: bool = False) -> list[str]:
    """A table of writes; what went wrong under its row, and what was sent where that is asked for."""
    from farshore.arm.json import pretty

    lines = []
    for row in rows:
        status = row["status"] if row["answered"] else "lost" if row["status"] else "none"
        head = f"{row['number']:>5}  {clock_time(str(row['time']))}  {status!s:>4}  {row['method']:<6}  "
        first, *rest = hanging(short(urlsplit(str(row["url"])).path), len(head))
        lines += [head + first, *(" " * len(head) + part for part in rest)]
        said = _said(row)
        if said:
            lines += [" " * 7 + style(part, "warning") for part in hanging(said, 7)]
        if bodies and row.get("body") is not None:
            lines += [" " * 7 + line for line in pretty(row["body"]).rstrip().splitlines()]
    return lines


def _said(row: Mapping[str, Any]) -> str:
    error = row.get("error")
    parts = [f"{error.get('code')}: {error.get('message')}"] if isinstance(error, dict) else []
    if not row["answered"]:
        parts.append(f"took effect ({row['status']}), and its answer was lost" if row["status"] else "nobody answered")
    return "; ".join(parts)


def short(text: str) -> str:
    """An id or path without subscription and provider, its type in Azure's spelling: what a person tells things
    apart by."""
    from farshore.cli.views.findings import short as short_id

    if not text.startswith("/subscriptions/"):
        return text
    path, mark, rest = text.partition("#")
    found = short_id(path)
    if found == path:
        # An action, or a path that is no resource: what follows the provider's name.
        found = path.rpartition("/providers/")[2].partition("/")[2] or path
    kind, slash, name = found.partition("/")
    return _spelled().get(kind.lower(), kind) + slash + name + mark + rest


@functools.cache
def _spelled() -> Mapping[str, str]:
    from farshore.azure.inventory import BY_GROUP, BY_SUBSCRIPTION

    names = [type_.rsplit("/", 1)[-1] for type_ in (*BY_SUBSCRIPTION, *BY_GROUP)]
    return {name.lower(): name for name in names}
