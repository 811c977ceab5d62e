"""YAML that knows where it stands.

PyYAML composes nodes with their lines; this walks them without building Python objects first, so that every complaint
names file, line, value and what was expected, and an unknown key is an error that suggests the nearest known one. Only
mappings, lists and plain scalars are read; tags, dates and the like are texts.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from ipaddress import ip_network
from typing import NoReturn, TypeVar

import yaml

from farshore.arm.decode import Network
from farshore.arm.ids import EXPECTED, ResourceId, resource_id
from farshore.arm.regions import known_region
from farshore.errors import InputError

Choice = TypeVar("Choice", bound=StrEnum)

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place:
    """One node of the file: its value, and how to complain about it. `path` is as in findings, `sites/datacenter`."""

    __slots__ = ("file", "lines", "node", "path")

    def __init__(self, node: yaml.Node, file: str, path: str, lines: dict[str, int]) -> None:
        self.node = node
        self.file = file
        self.path = path
        self.lines = lines
        lines.setdefault(path, self.line)

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def value(self) -> object:
        """The scalar as YAML means it; for lists and mappings a word that says so."""
        if isinstance(self.node, yaml.SequenceNode):
            return "a list" if self.node.value else "an empty list"
        if isinstance(self.node, yaml.MappingNode):
            return "a mapping" if self.node.value else "an empty mapping"
        text = str(self.node.value)
        kind = str(self.node.tag).rsplit(":", 1)[-1]
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in ("true", "yes", "on")
        try:
            if kind == "int":
                # `0777` is 511 to one reader and 777 to another: what is no plain decimal is a text.
                digits = text.lstrip("+-")
                return text if digits.startswith("0") and digits != "0" else int(text.replace("_", ""))
            if kind == "float":
                return float(text)
        except ValueError:
            return text
        return text

    @property
    def written(self) -> str:
        """The scalar as it is written in the file."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else str(self.value)

    def fail(self, message: str, *, expected: str, remedy: str | None = None, value: object = None) -> NoReturn:
        """Raise `InputError` with this place. Without a `remedy` it is to write what is expected."""
        shown = self.written if value is None else value
        where = f"{self.path}: " if self.path else ""
        cure = remedy or f"correct line {self.line}: write {expected}"
        raise InputError(where + message, file=self.file, line=self.line, value=shown, expected=expected, remedy=cure)

    def under(self, name: str, node: yaml.Node) -> Place:
        return Place(node, self.file, f"{self.path}/{name}" if self.path else name, self.lines)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    def section(self, *known: str) -> Section:
        """The mapping here; a key that is not among `known`, or comes twice, is an error."""
        node = self.node
        if not isinstance(node, yaml.MappingNode):
            self.fail(
                f"keys with values must stand here, and this is {self._kind}",
                expected="a mapping with " + ", ".join(known),
                remedy=f"write {{{known[0]}: ...}}" if self.path else "`farshore new NAME` writes one to begin with",
            )
        found: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            at_key = Place(key_node, self.file, self.path, {})
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                at_key.fail(
                    f"unknown key {key}" if key else "a key is no text",
                    value=key,
                    expected="one of " + ", ".join(known),
                    remedy=f"did you mean {near[0]}?" if near else "remove it",
                )
            if key in found:
                at_key.fail(f"the key {key} comes twice", value=key, expected="each key once")
            found[key] = self.under(key, value_node)
            # The value of `drill:` starts on the next line; a person looks for the key.
            self.lines[found[key].path] = int(key_node.start_mark.line) + 1
        return Section(self, found)

    def items(self) -> list[Place]:
        """The list here, its members called by index."""
        node = self.node
        if not isinstance(node, yaml.SequenceNode):
            remedy = f"write [{self.written}]" if isinstance(node, yaml.ScalarNode) else "write [...]"
            self.fail(f"a list must stand here, and this is {self._kind}", expected="a list", remedy=remedy)
        return [self.under(str(index), item) for index, item in enumerate(node.value)]

    def text(self) -> str:
        """A text; a number or a switch where a text must stand is written in quotes."""
        value = self.value
        if not isinstance(value, str) or not isinstance(self.node, yaml.ScalarNode):
            remedy = (
                f'write "{self.written}", in quotes' if isinstance(self.node, yaml.ScalarNode) else "write one text"
            )
            self.fail(f"a text must stand here, and this is {self._kind}", expected="a text", remedy=remedy)
        if not value.strip():
            self.fail("this text is empty", expected="a text")
        return value

    @property
    def _kind(self) -> str:
        value = self.value
        if not isinstance(self.node, yaml.ScalarNode):
            return str(value)
        if value is None:
            return "nothing"
        kinds = {bool: "a switch (true or false)", int: "a number", float: "a number"}
        return kinds.get(type(value), "a text")

    def integer(self, low: int, high: int) -> int:
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            if isinstance(value, str) and value.isdecimal() and getattr(self.node, "style", None) in ("'", '"'):
                what = "a number must stand here, and this is a text"
                self.fail(what, expected="a whole number", remedy=f"write {value}, without quotes")
            fits = "is out of range" if type(value) is int else "is no whole number"
            self.fail(f"{_short(self.written)} {fits}", expected=f"a whole number from {low} to {high}")
        return value

    def number(self, low: float) -> float:
        """A number above `low`."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < float("inf"):
            self.fail(f"{_short(self.written)} does not fit here", expected=f"a number above {low:g}")
        return float(value)

    def boolean(self) -> bool:
        value = self.value
        if not isinstance(value, bool):
            self.fail(f"{_short(self.written)} is neither true nor false", expected="true or false")
        return value

    def one_of(self, choices: Iterable[str]) -> str:
        """One of some words."""
        words = list(choices)
        value = self.value
        if not isinstance(value, str) or value not in words:
            near = difflib.get_close_matches(self.written, words, n=1, cutoff=0.5)
            self.fail(
                f"{_short(self.written)} is no word for this place",
                expected=("one of " if len(words) > 1 else "") + ", ".join(words),
                remedy=f"did you mean {near[0]}?" if near else None,
            )
        return value

    def member(self, kind: type[Choice]) -> Choice:
        return kind(self.one_of(item.value for item in kind))

    def network(self) -> Network:
        text = self.text()
        expected = "an address range like 10.1.0.0/24 with no host bits set"
        try:
            if "/" not in text:
                raise ValueError(text)
            return ip_network(text)
        except ValueError:
            pass
        try:
            if "/" not in text:
                raise ValueError(text)
            whole = ip_network(text, strict=False)
        except ValueError:
            self.fail(f"{text} is not an address range", expected=expected)
        self.fail(f"{text} has host bits set", expected=expected, remedy=f"write {whole}")

    def region(self) -> str:
        text = self.text()
        try:
            return known_region(text)
        except InputError as error:
            self.fail(error.message, expected=error.expected or "an Azure region", remedy=error.remedy)

    def id(self) -> ResourceId:
        text = self.text()
        try:
            return resource_id(text)
        except InputError:
            self.fail(
                f"{_short(text)} is no resource id",
                expected=EXPECTED,
                remedy="copy the id from estate.json, or from the resource's properties in the portal",
            )


class Section:
    """A mapping whose keys are all known."""

    __slots__ = ("_found", "place")

    def __init__(self, place: Place, found: Mapping[str, Place]) -> None:
        self.place = place
        self._found = found

    def get(self, key: str) -> Place | None:
        """What stands at the key; None where the key is absent or its value empty (`machines:`)."""
        found = self._found.get(key)
        return None if found is None or found.value is None else found

    def need(self, key: str, expected: str) -> Place:
        found = self.get(key)
        if found is None:
            at = self._found.get(key, self.place)
            at.fail(f"{key} is missing", value="nothing", expected=expected, remedy=f"add {key}: {expected}")
        return found

    def has(self, key: str) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)


PROJECT_REMEDY = "`farshore new NAME` writes one to begin with"


def compose(text: str, file: str, *, expected: str = "a project", remedy: str = PROJECT_REMEDY) -> Place:
    """The file's one document. Raises `InputError` with line and column where it is no YAML; of an empty one with
    what was `expected` and the `remedy`."""
    try:
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise InputError(
            f"This is not YAML: {what}" + (f" (column {mark.column + 1})" if mark else ""),
            file=file,
            line=mark.line + 1 if mark else None,
            value=_line(text, mark.line) if mark else None,
            expected="a YAML document",
            remedy="look there and at the line above: brackets and quotes that close, indentation by spaces",
        ) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
        raise InputError(
            f"This is not YAML: it holds a control character (U+{code:04X})",
            file=file,
            line=before.count("\n") + 1,
            value=_line(text, before.count("\n")),
            expected="a YAML document",
            remedy="delete the character, or save the file as plain UTF-8 text",
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(
            f"This is not YAML that can be read: {what}",
            file=file,
            line=1,
            expected="a YAML document",
            remedy="compare it with one that `farshore new NAME` writes",
        ) from None
    if node is None:
        raise InputError(
            "The file is empty",
            file=file,
            line=1,
            value="nothing",
            expected=expected,
            remedy=remedy,
        )
    return Place(node, file, "", {})


def _line(text: str, number: int) -> str | None:
    """A line of the file, as much of it as a message bears."""
    lines = text.splitlines()
    return _short(lines[number].strip()) if number < len(lines) and lines[number].strip() else None


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"
