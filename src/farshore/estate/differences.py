"""Where two readings of an estate differ, leaf by leaf, over canonical bodies.

What Azure changes by itself is not in a canonical body (`estate/canonical.py`): no etags, GUIDs, times, provisioning
states. Of what is left, an absent property and an empty one tell the same, prefixes in their singular and plural form
too, and so does a secret, which no reading holds; what Azure shows on a resource because of another one counts only
where both readings show it. Members of a list are matched by their id or name, so that a subnet put in front of
others is one difference and not many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from farshore.arm.json import Body
from farshore.estate.canonical import NOBODY_S, canonical_body, one_prefix
from farshore.estate.door import REDACTED
from farshore.estate.estate import Estate
from farshore.estate.folding import SHOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`path` is empty where a whole resource is on one side only: then one of the two is its body, the other None."""

    id: str
    path: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "path": self.path, "before": self.before, "after": self.after}


def differences(before: Estate, after: Estate) -> tuple[Difference, ...]:
    """All of them, in the order of ids and paths; empty where both tell the same."""
    found: list[Difference] = []
    for key in sorted({*before.resources, *after.resources}):
        old, new = before.resources.get(key), after.resources.get(key)
        if old is new:
            continue
        id_ = _id(new if new is not None else old, key)
        left, right = (None if body is None else canonical_body(body) for body in (old, new))
        if left is None or right is None:
            found.append(Difference(id=id_, path="", before=left, after=right))
        else:
            rows = _values(left, right, "")
            found += [Difference(id=id_, path=path, before=was, after=is_) for path, was, is_ in rows]
    return tuple(found)


def _id(body: Body | None, key: str) -> str:
    return key if body is None else str(body.get("id", key))


def _values(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        old, new = one_prefix(old), one_prefix(new)
        for name in sorted({*old, *new}):
            if name in ("name", "type") and (path == "" or path.endswith("]")):
                # Two spellings of one name are one.
                continue
            if name in NOBODY_S or (name in SHOWN and (_is_empty(old.get(name)) or _is_empty(new.get(name)))):
                continue
            yield from _values(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    elif not _same(old, new):
        yield path, old, new


def _lists(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    olds, news = _by_name(old), _by_name(new)
    if olds is None or news is None:
        if len(old) != len(new) or any(list(_values(a, b, "x")) for a, b in zip(old, new, strict=True)):
            yield path, old, new
        return
    for name in sorted({*olds, *news}):
        left, right = olds.get(name), news.get(name)
        place = f"{path}[{name}]"
        if left is None or right is None:
            yield place, left, right
        else:
            yield from _values(left, right, place)


def _by_name(items: list[Any]) -> Mapping[str, Any] | None:
    """Members by name, or by the last part of their id; None where they can't be told apart so."""
    named: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict):
            return None
        name = item.get("name") or item.get("id")
        if not isinstance(name, str):
            return None
        short = name.rsplit("/", 1)[-1].lower()
        key = short if short not in named else name.lower()
        if key in named:
            return None
        named[key] = item
    return named


def _is_empty(value: Any) -> bool:
    return value is None or value in ([], {}, "", REDACTED)


def _same(old: Any, new: Any) -> bool:
    if _is_empty(old) and _is_empty(new):
        return True
    return type(old) is type(new) and bool(old == new)
