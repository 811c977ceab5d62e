"""JSON Schemas of the shapes that scripts and other programs may rely on, one file each.

A schema's `version` is the version of its shape's meaning: a change of meaning is a new version. `farshore schema NAME`
prints one. A schema says what a shape is made of; that an address range has no host bits or that a region exists is
checked where the file is read, with the line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def names() -> tuple[str, ...]:
    """The shapes that have a schema."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.json")))


def read(name: str) -> dict[str, Any]:
    """One schema; raises `KeyError` for a name that is none."""
    if name not in names():
        raise KeyError(name)
    schema: dict[str, Any] = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    return schema
