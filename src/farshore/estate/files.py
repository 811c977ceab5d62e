"""Estates and projects on disk: read with the line of what is wrong, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from farshore.arm.json import Body, Json, loads, pretty
from farshore.errors import InputError
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
    """The estate of a file: a list of bodies, `{"value": [..]}` or `{"resources": [..]}` (contract, "estate.json").

    Raises `InputError` with file and line."""
    text = read_text(path)
    try:
        resources = resources_of(_parsed(text))
        estate = read_resources(resources, None)
    except BodyError as error:
        raise error.at(file=str(path), line=line_of_body(text, error.index, error.inside, error.value)) from None
    except InputError as error:
        raise error.at(file=str(path), line=error.line or 1) from None
    return estate if project is None else estate.with_project(project)


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
        raise InputError(f"There is no file {path.name}", file=str(path), expected="a file that exists") from None
    except IsADirectoryError:
        raise InputError(f"{path.name} is a folder", file=str(path), expected="a file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text: {error.reason}", file=str(path), expected="UTF-8") from None
    except OSError as error:
        raise InputError(f"{path.name} can't be read: {error.strerror}", file=str(path)) from None


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
    try:
        return loads(text.removeprefix("\ufeff"))
    except msgspec.DecodeError as fast:
        message, line, column = str(fast), None, None
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            message, line, column = error.msg, error.lineno, error.colno
        except RecursionError:
            message = "nested too deeply"
    except RecursionError:
        message, line, column = "nested too deeply", None, None
    where = "" if column is None else f" (column {column})"
    raise InputError(f"This is not JSON: {message}{where}", line=line, expected="a JSON document")
