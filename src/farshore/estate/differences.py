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
    # What one of the two lists can tell apart only by whole ids is told so in both.
    whole = not (_told_apart(old) and _told_apart(new))
    olds, news = _by_name(old, whole=whole), _by_name(new, whole=whole)
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


def _by_name(items: list[Any], *, whole: bool) -> Mapping[str, Any] | None:
    """Members by name, or by their id, whole or its last part; None where they can't be told apart so."""
    named: dict[str, Any] = {}
    for item in items:
        name = _name(item)
        if name is None:
            return None
        key = name if whole else _last(name)
        if key in named:
            return None
        named[key] = item
    return named


def _told_apart(items: list[Any]) -> bool:
    """Whether no two members have one name, or ids with one last part."""
    last = [_last(name) for item in items if (name := _name(item)) is not None]
    return len(set(last)) == len(last)


def _name(item: Any) -> str | None:
    name = (item.get("name") or item.get("id")) if isinstance(item, dict) else None
    return name.lower() if isinstance(name, str) else None


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _is_empty(value: Any) -> bool:
    return value is None or value in ([], {}, "", REDACTED)


def _same(old: Any, new: Any) -> bool:
    if _is_empty(old) and _is_empty(new):
        return True
    return type(old) is type(new) and bool(old == new)
