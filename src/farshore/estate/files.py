"""Estates and projects on disk: read with the line of what is wrong, written whole or not at all."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from farshore.arm.json import Body, Json, loads, pretty
from farshore.errors import InputError
from farshore.estate.door import is_secret
from farshore.estate.estate import Estate
from farshore.estate.project import Project, read_project
from farshore.estate.reading import BodyError, read_resources, resources_of

PROJECT_FILE = "farshore.yaml"
ESTATE_FILE = "estate.json"


def load(folder: Path) -> tuple[Project, Estate]:
    """The project of a folder and its estate, each resolved against the other: farshore.yaml and estate.json."""
    project = read_project(folder / PROJECT_FILE)
    estate = read_estate_file(folder / ESTATE_FILE, project)
    assert estate.project is not None
    return estate.project, estate


def read_estate_file(path: Path, project: Project | None = None) -> Estate:
    """The estate of a file: a list of bodies, `{"value": [..]}` or `{"resources": [..]}` (docs/reference/schemas.md).

    Raises `InputError` with file and line."""
    text = read_text(path)
    try:
        resources = resources_of(_parsed(text))
        if not resources:
            raise InputError(
                "The estate holds no resources",
                value="[]",
                expected="at least one ARM body",
                remedy="`farshore estate read` reads them from the cloud",
            )
        estate = read_resources(resources, None)
    except BodyError as error:
        raise error.at(file=str(path), line=line_of_body(text, error.index, error.inside, error.value)) from None
    except InputError as error:
        raise error.at(file=str(path), line=error.line or 1) from None
    return estate if project is None else estate.with_project(project)


def each_body(path: Path) -> Iterator[Any]:
    """The bodies of an estate's file, one by one as they stand there: whoever keeps few of very many never holds them
    all. Raises `InputError` with the file."""
    text = read_text(path).encode()
    try:
        raws = msgspec.json.decode(text, type=list[msgspec.Raw])
    except msgspec.DecodeError:
        try:
            yield from resources_of(_parsed(text.decode()))
        except InputError as error:
            raise error.at(file=str(path), line=error.line or 1) from None
        return
    for raw in raws:
        yield loads(bytes(raw))


def read_json_file(path: Path) -> Json:
    """The value of any JSON file. Raises `InputError` with file and line."""
    try:
        return _parsed(read_text(path))
    except InputError as error:
        raise error.at(file=str(path)) from None


def write_estate(path: Path, estate: Estate | Iterable[Body]) -> None:
    """Write the bodies in id order, one file that a person can read and compare."""
    if isinstance(estate, Estate):
        estate = [estate.resources[key] for key in sorted(estate.resources)]
    write_text(path, pretty(list(estate)))


def write_text(path: Path, text: str) -> None:
    """Put a file in its place in one move: whoever reads it sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_text(path: Path) -> str:
    """A text file's content; one clear error where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"There is no file {path.name}",
            file=str(path),
            expected="a file that exists",
            remedy="correct the name, or name its folder with --project",
        ) from None
    except IsADirectoryError:
        what = f"{path.resolve().name} is a folder"
        remedy = "name a file, or move the folder away"
        raise InputError(what, file=str(path), expected="a file", remedy=remedy) from None
    except UnicodeDecodeError as error:
        bad = bytes(error.object[error.start : error.start + 4])
        looks = " (it looks like UTF-16)" if error.object[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise InputError(
            f"{path.name} is not UTF-8 text{looks}",
            file=str(path),
            line=error.object[: error.start].count(b"\n") + 1,
            value="bytes " + bad.hex(" "),
            expected="UTF-8",
            remedy="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise InputError(
            f"{path.name} can't be read: {error.strerror}",
            file=str(path),
            expected="a file that may be read",
            remedy="look at its permissions",
        ) from None


def line_of_body(text: str, index: int, inside: tuple[str, ...] = (), value: object = None) -> int | None:
    """The line of the n-th body of a file, or of a value inside it; None where it can't be told.

    Only looked for when something is wrong, so that reading stays fast: msgspec keeps no lines.
    """
    decoder = json.JSONDecoder()
    at = _list_start(text, decoder)
    if at is None:
        return None
    try:
        for _ in range(index):
            at = _skip(text, decoder.raw_decode(text, at)[1], ",")
        end = decoder.raw_decode(text, at)[1]
    except (ValueError, IndexError, RecursionError):
        return None
    place = at
    for key in inside:
        if not key.startswith("["):
            found = text.find(json.dumps(key, ensure_ascii=False), place, end)
            place = found if found >= 0 else place
    if inside and isinstance(value, str):
        found = text.find(json.dumps(value, ensure_ascii=False), place, end)
        place = found if found >= 0 else place
    return text.count("\n", 0, place) + 1


def _list_start(text: str, decoder: json.JSONDecoder) -> int | None:
    """Where the first body of the file's list begins."""
    try:
        at = _skip(text, 0, "")
        if text[at] == "[":
            return _skip(text, at, "[")
        at = _skip(text, at, "{")
        while True:
            key, at = decoder.raw_decode(text, at)
            at = _skip(text, at, ":")
            if key in ("value", "resources") and text[at] == "[":
                return _skip(text, at, "[")
            at = _skip(text, decoder.raw_decode(text, at)[1], ",")
    except (ValueError, IndexError, RecursionError):
        return None


def _skip(text: str, at: int, sign: str) -> int:
    """Past white space, one sign and white space; ValueError where the sign is another."""
    while text[at].isspace():
        at += 1
    if sign:
        if text[at] != sign:
            raise ValueError(sign)
        at += 1
        while text[at].isspace():
            at += 1
    return at


def _parsed(text: str) -> Any:
    """The JSON value of a text. Raises `InputError` with the line, its text, and what to do."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise _not_json("the file is empty", 0, "")
    try:
        return loads(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as fast:
        what, at = _complaint(text, fast)
    raise _not_json(what, at, text)


def _complaint(text: str, fast: Exception) -> tuple[str, int | None]:
    """What is wrong in words, and where: the slow parser knows the place of most, the fast one of some."""

    def refuse(number: str) -> float:
        raise _NumberError(number)

    try:
        json.loads(text, parse_constant=refuse, parse_float=lambda t: refuse(t) if float(t) in _INFINITE else 0.0)
    except json.JSONDecodeError as error:
        return error.msg[:1].lower() + error.msg[1:], error.pos
    except RecursionError:
        return "nested too deeply", len(text) - len(text.lstrip())
    except _NumberError as error:
        return f"{error} is no JSON number that can be kept", text.find(str(error))
    except ValueError:
        found = re.search(r"\d{4000,}", text)
        return "a number has thousands of digits", None if found is None else found.start()
    byte = re.search(r"\(byte (\d+)\)", str(fast))
    at = None if byte is None else len(text.encode()[: int(byte[1])].decode(errors="ignore"))
    return str(fast).partition(" (byte")[0], at


class _NumberError(Exception):
    """A constant or a number that JSON does not have, such as NaN."""


_INFINITE = (float("inf"), float("-inf"))


def _not_json(what: str, at: int | None, text: str) -> InputError:
    if at is None:
        line, column, shown = 1, "", None
    else:
        line = text.count("\n", 0, at) + 1
        start = text.rfind("\n", 0, at) + 1
        column = f" (column {at - start + 1})"
        first = max(start, at - 40)
        shown = text[first : at + 40].split("\n")[0].strip() or None
        # A secret is not shown for standing beside a comma too many.
        keys = re.findall(r'"([^"]*)"\s*:', text[start : at + 40])
        if any(is_secret(key) for key in keys[-4:]):
            shown = None
    return InputError(
        f"This is not JSON: {what}{column if text else ''}",
        line=line,
        value=shown or ("nothing" if not text else None),
        expected="a JSON document",
        remedy="correct it there, or write the file again by the command that made it",
    )
