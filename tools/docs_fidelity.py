"""The page of what the lab has, docs/lab-fidelity.md: its types with what their files say, and every operation that
Azure's own clients know, asked of the lab.

An operation is *implemented* where the lab does not answer 501 or 405 to it, *shape only* where its type is; the
question is put to an empty lab, so that the page cannot say what the lab would not. What checks it is read from the
suites: the files of tests that name the type, and the unmodified clients whose suites call its operations.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from docs_text import MADE, linked, wrapped

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = Path(__file__).parent / "operations.txt"
"""Written by tools/operations.py."""
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
IMPLEMENTED, SHAPE, NOT = "implemented", "shape only", "not implemented"
ELSEWHERE = (
    ("/providers/Microsoft.Management/managementGroups/", " of a management group"),
    ("/providers/", " of the tenant"),
)
"""What an operation's path begins with that is of no subscription, and how that is told."""
MOST_NAMED = 4
CLIENTS = {"Python": "tests/real", "JavaScript": "tests/real_js"}
"""Suites of unmodified clients, by what they are written in; az is asked in words of its own."""


def fidelity_page() -> str:
    from farshore.lab import catalog, registry
    from farshore.lab.durations import DURATIONS

    catalog.load()
    out = [MADE, "# What the lab has", ""]
    out += [
        wrapped(
            "Resource types, actions and views of the embedded Azure: what is implemented, with what the file of each"
            " says of it, and what is shape only. Everything else answers 501 `NotImplementedByLab`. How operations"
            " answer follows recorded traffic, by the pattern that is named; `src/farshore/lab/patterns.py` describes"
            " each, and `make replay` sends recorded exchanges to the lab and compares. Error codes that no page names"
            " are the lab's own, and the files say so."
        ),
        "",
        "## Implemented",
        "",
    ]
    types = sorted(registry.TYPES.items(), key=lambda pair: pair[1].type.lower())
    for key, kind in types:
        if kind.shape_only:
            continue
        document = sys.modules[type(kind).__module__].__doc__ or ""
        out += [f"### {kind.type}", "", wrapped(linked(document.split("\n\n")[0], "reference/facts.md")), ""]
        facts = [f"pattern: {kind.pattern.name}"]
        for word, table in (("actions", registry.ACTIONS), ("views", registry.VIEWS)):
            names = sorted((registry.SPELLED[name] for type_, name in table if type_ == key), key=str.lower)
            if names:
                facts.append(f"{word}: {', '.join(f'`{name}`' for name in names)}")
        out += [*(wrapped(fact, "- ", "  ") for fact in facts), ""]
    out += ["## Shape only", ""]
    out += [
        wrapped(
            "Kept and shown whole, with the provider's own operations, and nothing more: what they would do in Azure is"
            " not done here, and a packet's way knows of them as far as an estate's bodies tell it. The pattern of each"
            " stands behind it."
        ),
        "",
        *(f"- `{kind.type}` ({kind.pattern.name})" for _, kind in types if kind.shape_only),
        "",
        "## Lists that show what Azure offers",
        "",
        *(f"- `{registry.SPELLED[name]}`" for name in sorted(registry.PROVIDER_LISTS)),
        "",
    ]
    out += ["## Asked of a region", ""]
    for (type_, name), handler in sorted(registry.VIEWS.items()):
        if type_ not in registry.TYPES:
            document = sys.modules[handler.__module__].__doc__ or ""
            text = linked(" ".join(document.split("\n\n")[0].split()), "reference/facts.md")
            out.append(wrapped(f"`{registry.SPELLED[type_]}/.../{registry.SPELLED[name]}`: {text}", "- ", "  "))
    out += ["", "## Of no subscription", ""]
    out += [
        f"- `{method} /{registry.SPELLED[path]}`"
        for method, path in sorted(registry.TENANT, key=lambda pair: pair[::-1])
    ]
    out += ["", "## Handles", "", "Told in [The lab from outside](guide/lab.md).", ""]
    out += [f"- `{method} /{path}`" for method, path in sorted(registry.HANDLES, key=lambda pair: pair[::-1])]
    out += ["", *_by_operation()]
    out += ["## How long things take", ""]
    out += [
        wrapped(
            "Typical seconds, and the spread of the curve that a draw is taken from by the lab's seed. Predictions of a"
            " plan never read this table; they cite sources of their own."
        ),
        "",
        "| what | typical seconds | spread |",
        "| --- | --- | --- |",
        *(f"| {name} | {typical:g} | {spread:g} |" for name, (typical, spread) in DURATIONS.items()),
    ]
    return "\n".join(out).rstrip() + "\n"


# Operation by operation.


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation: of which type, how it is called here (`PUT`, `list`, `POST start`), and what the lab has of it."""

    type: str
    name: str
    found: str


def _by_operation() -> list[str]:
    rows = list(_asked())
    counted = {word: sum(row.found == word for row in rows) for word in (IMPLEMENTED, SHAPE, NOT)}
    out = ["## Operation by operation", ""]
    out += [
        wrapped(
            f"The {len(rows):,} operations that Azure's Python clients know (`tools/real.txt` names them), each asked"
            f" of an empty lab: {counted[IMPLEMENTED]:,} implemented, {counted[SHAPE]:,} shape only, {counted[NOT]:,}"
            " not implemented. In brackets what checks a type: files of tests that name it, and suites of unmodified"
            " clients that ask for it. Besides, the fuzzer asks for everything that the lab has, and `make replay` for"
            " whatever the recordings hold."
        ),
        "",
    ]
    for namespace in sorted({_namespace(row) for row in rows}):
        out += [f"### Operations of {namespace}", ""]
        for word in (IMPLEMENTED, SHAPE, NOT):
            some = [row for row in rows if _namespace(row) == namespace and row.found == word]
            if some:
                out += [f"{word.capitalize()}:", "", *_by_type(some), ""]
    return out


def _by_type(rows: Iterable[Asked]) -> Iterator[str]:
    names: dict[str, dict[str, None]] = {}
    for row in rows:
        names.setdefault(row.type, {})[row.name] = None
    for type_, said in sorted(names.items(), key=lambda pair: pair[0].lower()):
        checks = "" if NOT in {row.found for row in rows} else _checks(type_)
        yield wrapped(f"`{type_}`: {', '.join(said)}{checks}", "- ", "  ")


def _namespace(row: Asked) -> str:
    return row.type.split("/")[0]


def _asked() -> Iterator[Asked]:
    from farshore.arm.http import Request
    from farshore.lab import Settings, open_lab, registry

    lab = open_lab(None, now=datetime(2026, 1, 1, tzinfo=UTC), settings=Settings(throttling=False))
    lab.seed([{"id": GROUP, "name": "rg", "type": "Microsoft.Resources/resourceGroups", "location": "eastasia"}])
    operations = [line.split(" ", 1) for line in OPERATIONS.read_text().splitlines()]
    types = {type_.lower() for _, path in operations for type_, rest in [_type_and_rest(path)] if not rest}
    for method, path in operations:
        type_, rest = _type_and_rest(path)
        below = f"{type_}/{rest}"
        if rest and method == "GET" and below.lower() in types:
            type_, name = below, "list"
        else:
            name = f"{method} {rest}".strip()
        name += next((said for begins, said in ELSEWHERE if path.startswith(begins)), "")
        request = Request(method=method, url=f"{_filled(path)}?api-version=2024-05-01", body={}, headers={})
        answer = lab.handle(request, lab.now)
        code = (answer.body.get("error") or {}).get("code") if isinstance(answer.body, dict) else None
        kind = registry.TYPES.get(type_.lower())
        found = SHAPE if kind is not None and kind.shape_only else IMPLEMENTED
        yield Asked(type_, name, NOT if answer.status == 405 or code == "NotImplementedByLab" else found)


def _type_and_rest(path: str) -> tuple[str, str]:
    """`Microsoft.Network/virtualNetworks` and, where more stands behind its name, that."""
    _, found, tail = path.rpartition("/providers/")
    parts = tail.split("/") if found else ["Microsoft.Resources", *path.strip("/").split("/")]
    if parts[0] == "{}" or len(parts) == 1:
        return "Microsoft.Resources/providers", "/".join(parts[1:])
    if parts[1:3] == ["subscriptions", "{}"] and len(parts) > 3:
        parts = [parts[0], *parts[3:]]
    kinds, names = parts[1::2], parts[2::2]
    while kinds and "{}" in kinds:
        kinds, names = kinds[:-1], names[: len(kinds) - 2]
    whole = kinds[: len(names)]
    return "/".join([parts[0], *whole]), "/".join(kinds[len(names) :])


def _filled(path: str) -> str:
    """With names for an empty lab; what begins with a name of its own is told of the group."""
    parts, before = [], ""
    for part in path.strip("/").split("/"):
        known = {"": GROUP.strip("/"), "subscriptions": SUBSCRIPTION, "resourcegroups": "rg", "locations": "eastasia"}
        parts.append(part if part != "{}" else known.get(before.lower(), "x"))
        before = part
    return "/" + "/".join(parts)


@cache
def _texts(folder: str) -> tuple[tuple[str, str], ...]:
    files = sorted([*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.js")])
    return tuple((path.stem.removeprefix("test_"), path.read_text()) for path in files if path.stem != "__init__")


def _checks(type_: str) -> str:
    """` (tests: gateways, tables; Python, JavaScript)`, or nothing."""
    last = type_.rsplit("/", 1)[-1]
    group = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", last).lower()
    tests = [name for name, text in _texts("tests/lab") if re.search(rf"\b{last}\b", text)]
    asked = [
        language
        for language, folder in CLIENTS.items()
        if any(re.search(rf"\.({last}|{group})\.", text) for _, text in _texts(folder))
    ]
    said = [f"tests: {', '.join(tests[:MOST_NAMED])}{', ...' if len(tests) > MOST_NAMED else ''}"] if tests else []
    return f" ({'; '.join([*said, *([', '.join(asked)] if asked else [])])})" if said or asked else ""
