"""`$filter` of ARM's own lists: comparisons joined by `and`, and those by `or`.

    resourceType eq 'Microsoft.Network/virtualNetworks' and location eq 'eastasia'
    tagName eq 'env' and tagValue eq 'prod'         substringof('hub', name)         startswith(name, 'hub')

What isn't understood is refused: a list must not look filtered and be whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.lab.answers import not_implemented

Condition = Callable[[ResourceId, Body], bool]
_NAMES = "resourceType|location|resourceGroup|name|tagName|tagValue|identity/principalId"
_COMPARED = re.compile(rf"({_NAMES})\s+(eq|ne)\s+'((?:[^']|'')*)'", re.IGNORECASE)
_SUBSTRING = re.compile(r"substringof\(\s*'((?:[^']|'')*)'\s*,\s*(name|resourceType)\s*\)", re.IGNORECASE)
_STARTS = re.compile(r"startswith\(\s*(name|tagName)\s*,\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
_WORD = r"(?:'(?:[^']|'')*'|[^'])*?"


def condition(text: str) -> Condition:
    """What a row must meet; raises `Refused` 501 for what isn't understood."""
    if not text.strip():
        return lambda id_, body: True
    ways = [[_one(part) for part in _split(way, "and")] for way in _split(text, "or")]
    for way in ways:
        _pair_tags(way)
    return lambda id_, body: any(all(meets(id_, body) for _, _, meets in way) for way in ways)


Part = tuple[str, str, Condition]


def _one(text: str) -> Part:
    part = text.strip()
    while part.startswith("(") and part.endswith(")"):
        part = part[1:-1].strip()
    if match := _COMPARED.fullmatch(part):
        name, value, same = match[1].lower(), match[3].replace("''", "'"), match[2].lower() == "eq"
        return name if same else "", value, lambda id_, body: _is(id_, body, name, value) == same
    if match := _SUBSTRING.fullmatch(part):
        value, of = match[1].lower(), match[2].lower()
        return "", value, lambda id_, body: value in (id_.name if of == "name" else id_.type).lower()
    if match := _STARTS.fullmatch(part):
        value, of = match[2].lower(), match[1].lower()
        return "", value, lambda id_, body: _starts(id_, body, of, value)
    raise not_implemented(f"the filter {part}")


def _pair_tags(way: list[Part]) -> None:
    """A tag's name and value that are asked for together are those of one tag."""
    names = [at for at, (name, _, _) in enumerate(way) if name == "tagname"]
    values = [at for at, (name, _, _) in enumerate(way) if name == "tagvalue"]
    if len(names) != 1 or len(values) != 1:
        return
    tag, value = way[names[0]][1].lower(), way[values[0]][1].lower()

    def has(id_: ResourceId, body: Body) -> bool:
        return any(name.lower() == tag and str(held).lower() == value for name, held in _tags(body).items())

    way[names[0]] = ("", "", has)
    del way[values[0]]


def _is(id_: ResourceId, body: Body, name: str, value: str) -> bool:
    if name == "location":
        return normal_location(str(body.get("location") or "")) == normal_location(value)
    if name in ("tagname", "tagvalue"):
        texts = _tags(body).keys() if name == "tagname" else map(str, _tags(body).values())
        return value.lower() in (text.lower() for text in texts)
    if name == "identity/principalid":
        return str((body.get("identity") or {}).get("principalId", "")).lower() == value.lower()
    has = {"resourcetype": id_.type, "resourcegroup": id_.resource_group or "", "name": id_.name}[name]
    return has.lower() == value.lower()


def _starts(id_: ResourceId, body: Body, of: str, value: str) -> bool:
    texts = [id_.name] if of == "name" else list(_tags(body))
    return any(text.lower().startswith(value) for text in texts)


def _tags(body: Body) -> dict[str, object]:
    found = body.get("tags")
    return found if isinstance(found, dict) else {}


def _split(text: str, word: str) -> list[str]:
    """The parts between a word that stands by itself outside quotes."""
    parts, rest = [], text
    while match := re.match(rf"({_WORD})\s+{word}\s+(?!eq\b|ne\b)", rest, re.IGNORECASE | re.DOTALL):
        parts.append(match[1])
        rest = rest[match.end() :]
    return [*parts, rest]
