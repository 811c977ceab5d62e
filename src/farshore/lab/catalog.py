"""Everything the lab has: imports each provider's files once, so that they register themselves."""

from __future__ import annotations

import importlib
import pkgutil

PROVIDERS = ("resources", "authorization", "graph", "network", "compute", "storage", "automation", "recovery")
MODULES = (
    "operations",
    "machines",
    "regions",
    "faults",
    "mishaps",
    "shortages",
    "edits",
    "timetable",
    "announcements",
    "sites",
    "packets",
    "traffic",
    "handles",
)

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
