"""A recording: real exchanges with ARM, one JSON object a line: the fields of `Row`.

A run of equal polls is one line with `repeats` and `last_date`. A recording seldom begins with an empty subscription:
`found_there` reads from it which resources must have been there before, and how they looked when first seen.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.jsonc import RelaxedJsonError, loads_relaxed
from farshore.errors import InputError

WRITES = ("PUT", "PATCH", "POST", "DELETE")
STAYING = ("PUT", "PATCH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One exchange. `url` is path and query; `date` is when it was answered."""

    file: str
    seq: int
    method: str
    url: str
    request_body: Any
    status: int
    headers: dict[str, str]
    body: Any
    date: datetime
    last_date: datetime
    repeats: int

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.url).path).rstrip("/")

    @property
    def query(self) -> dict[str, str]:
        return {key.lower(): value for key, value in parse_qsl(urlsplit(self.url).query, keep_blank_values=True)}

    @property
    def segments(self) -> list[str]:
        return self.path.strip("/").split("/")

    @property
    def id(self) -> ResourceId | None:
        """The resource that the path names as a whole, if it does."""
        return id_of(self.path)

    @property
    def is_poll(self) -> bool:
        """Whether it asks after an operation."""
        parts = self.segments
        return self.method == "GET" and len(parts) > 2 and "operation" in parts[-2].lower()

    @property
    def is_list(self) -> bool:
        return self.method == "GET" and isinstance(self.body, dict) and isinstance(self.body.get("value"), list)

    @property
    def where(self) -> str:
        return f"{self.file}:{self.seq}"


def read(path: Path) -> list[Row]:
    """All rows of a recording, in order."""
    return [_row(path.stem, json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _row(file: str, line: dict[str, Any]) -> Row:
    date = parsedate_to_datetime(line["date"])
    last = line.get("last_date")
    return Row(
        file=file,
        seq=line["seq"],
        method=line["method"],
        url=line["url"],
        request_body=_body(line.get("request_body")),
        status=line["status"],
        headers={name.lower(): text for name, text in (line.get("response_headers") or {}).items()},
        body=line.get("response_body"),
        date=date,
        last_date=parsedate_to_datetime(last) if last else date,
        repeats=int(line.get("repeats") or 1),
    )


def _body(value: Any) -> Any:
    """Some recorders kept the bytes of a body as Python writes them, b'{...}', once or more often; a template is sent
    with its comments, and a script's text is no JSON."""
    while isinstance(value, str) and value[:2] in ("b'", 'b"'):
        text = ast.literal_eval(value).decode()
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            if text[:2] not in ("b'", 'b"'):
                return text
            value = text
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        with suppress(RelaxedJsonError):
            return loads_relaxed(value)
    return value


def id_of(text: str) -> ResourceId | None:
    """The id in a text, or None where it is none. A group's is one too."""
    if not text.lower().startswith("/subscriptions/"):
        return None
    parts = text.strip("/").split("/")
    lower = [part.lower() for part in parts]
    if "providers" in lower:
        tail = parts[len(lower) - lower[::-1].index("providers") :]
        if len(tail) < 3 or len(tail) % 2 == 0:
            return None
    elif len(parts) != 4 or lower[2] != "resourcegroups":
        return None
    try:
        return resource_id(text)
    except InputError:
        return None


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Keys and their texts in a body, however deep; a text in a list has no key."""
    for key, item in value.items() if isinstance(value, dict) else (("", each) for each in value or ()):
        if isinstance(item, str):
            yield key, item
        elif isinstance(item, dict | list):
            yield from texts(item)


def found_there(rows: list[Row], made_with_200: frozenset[str]) -> dict[str, dict[str, Any]]:
    """Key of an id to the first body that shows it, for all that is read before this recording makes it.

    So is what a PUT finds: it answers 200 where a new resource of the type is answered otherwise (`made_with_200`
    names the types, in lower case, of which that can't be said).
    """
    made: set[str] = set()
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.method in STAYING and row.id is not None and row.status < 300:
            if row.status == 200 and row.id.type.lower() not in made_with_200 and isinstance(row.body, dict):
                _note(found, made, row.body)
            made.add(row.id.key)
            made.update(_children(row.id, row.request_body))
        elif row.method == "GET" and row.status == 200 and not row.is_poll:
            for body in _shown(row):
                _note(found, made, body)
    return found


def _note(found: dict[str, dict[str, Any]], made: set[str], body: dict[str, Any]) -> None:
    id_ = id_of(str(body.get("id") or ""))
    if id_ is not None and id_.key not in made:
        found.setdefault(id_.key, body)


def _shown(row: Row) -> Iterator[dict[str, Any]]:
    """The resources that an answer shows whole."""
    if row.is_list:
        yield from (item for item in row.body["value"] if isinstance(item, dict) and "properties" in item)
    elif isinstance(row.body, dict) and row.id is not None:
        yield row.body


def _children(parent: ResourceId, body: Any) -> Iterator[str]:
    """Keys of what a PUT makes inside its resource."""
    properties = body.get("properties") if isinstance(body, dict) else None
    for kind, items in (properties if isinstance(properties, dict) else {}).items():
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and isinstance(item.get("name"), str):
                yield f"{parent.key}/{kind}/{item['name']}".lower()
