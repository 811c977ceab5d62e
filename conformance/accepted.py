"""Which statuses clients take for an operation: any other is an error to them, however well it was meant.

Read from Azure's own description (`_operations.json` beside the examples) or from the source of an `azure-mgmt`
package, whose operations raise `HttpResponseError` for a status that is not in their list. Refusals are no part of it:
clients take those for what they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_BUILT = re.compile(
    r'def (build_\w+)\(.*?(?:_url = |"template_url",\s*)((?:"[^"]+"\s*)+).*?HttpRequest\(\s*method="(\w+)"', re.DOTALL
)
_USED = re.compile(r"\b_?request = (build_\w+)\(.*?response\.status_code not in \[([\d, ]+)\]", re.DOTALL)
WHOLE = ("scope", "resourceId", "resourceUri", "providerScope", "linkId", "roleId", "roleAssignmentId")
"""Parameters that stand for a path, not for a segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`path` has its parameters in braces."""

    method: str
    path: str
    statuses: frozenset[int]


def of_description(folder: Path) -> list[Operation]:
    """The operations of a folder with examples."""
    rows = json.loads((folder / "_operations.json").read_text(encoding="utf-8"))["operations"]
    return [
        Operation(
            method=row["method"], path=row["path"], statuses=frozenset(map(int, filter(str.isdecimal, row["statuses"])))
        )
        for row in rows
    ]


def of_package(root: Path) -> list[Operation]:
    """The operations of an installed `azure-mgmt` package, by its source."""
    found: list[Operation] = []
    for file in sorted(root.rglob("operations/*.py")):
        if "aio" not in file.parts:
            found += of_source(file.read_text(encoding="utf-8"))
    return found


def of_source(text: str) -> Iterator[Operation]:
    """The operations of one file of such a package."""
    # One builder's text ends where the next begins: a pattern must not run on into another's.
    built: dict[str, tuple[str, str]] = {}
    for part in re.split(r"(?m)^(?=def )", text):
        if (match := _BUILT.match(part)) is not None:
            built[match[1]] = (match[3], "".join(re.findall(r'"([^"]+)"', match[2])))
    for part in re.split(r"(?=\b_?request = build_)", text):
        match = _USED.match(part)
        if match is not None and match[1] in built:
            method, path = built[match[1]]
            yield Operation(method=method, path=path, statuses=frozenset(map(int, match[2].split(","))))


class Table:
    """Operations by method and path."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[re.Pattern[str], frozenset[int]]]] = {}
        self._open: list[tuple[str, re.Pattern[str], frozenset[int]]] = []
        for one in operations:
            pattern = re.compile(_pattern(one.path), re.IGNORECASE)
            if any(f"{{{name}}}" in one.path for name in WHOLE):
                self._open.append((one.method, pattern, one.statuses))
            else:
                shape = (one.method, one.path.strip("/").count("/"))
                self._by_shape.setdefault(shape, []).append((pattern, one.statuses))

    def of(self, method: str, url: str) -> frozenset[int] | None:
        """The statuses that a client takes; None for what is no operation of these."""
        path = unquote(urlsplit(url).path).strip("/")
        found = [row for row in self._by_shape.get((method, path.count("/")), ()) if row[0].fullmatch(path)]
        if not found:
            found = [row[1:] for row in self._open if row[0] == method and row[1].fullmatch(path)]
        return frozenset().union(*(statuses for _, statuses in found)) if found else None


def refused(table: Table, heard: Iterable[tuple[str, str, int]]) -> Mapping[str, set[int]]:
    """Of (method, URL, status): the answers that a client would raise for, though they are no refusals."""
    found: dict[str, set[int]] = {}
    for method, url, status in heard:
        statuses = table.of(method, url)
        if statuses is not None and status < 400 and status not in statuses:
            found.setdefault(f"{method} {urlsplit(url).path}", set()).add(status)
    return found


def _pattern(path: str) -> str:
    parts = re.split(r"({\w+})", path.strip("/"))
    return "".join(
        (".+" if part[1:-1] in WHOLE else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts
    )
