"""Everything the lab has: imports each provider's files once, so that they register themselves."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from farshore.lab import registry
from farshore.lab.answers import not_implemented

if TYPE_CHECKING:
    from farshore.lab.types import ResourceType

PROVIDERS = ("resources", "network", "compute", "storage", "recovery")
MODULES = ("operations", "machines", "faults", "sites", "packets", "handles")

_loaded = False


def load() -> None:
    global _loaded
    if _loaded:
        return
    _loaded = True
    for module in MODULES:
        importlib.import_module(f"farshore.lab.{module}")
    for provider in PROVIDERS:
        package = importlib.import_module(f"farshore.lab.{provider}")
        for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
            importlib.import_module(f"farshore.lab.{provider}.{found.name}")


def type_named(name: str) -> ResourceType:
    found = registry.TYPES.get(name.lower())
    if found is None:
        raise not_implemented(f"the resource type {name}")
    return found
