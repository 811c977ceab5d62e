"""The operations of Azure's API that its own Python clients know, for `docs/lab-fidelity.md`.

    .venv-real/bin/python tools/operations.py      writes tools/operations.txt

They are read from the source of each client (`conformance/accepted.py`), since only there they all stand; one of
several API versions is read in its newest. `make real` looks whether the file still is what they know.
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from conformance.accepted import of_source  # noqa: E402

CLIENTS = (
    "authorization",
    "automation",
    "compute",
    "network",
    "recoveryservices",
    "recoveryservicessiterecovery",
    "resource.deployments",
    "resource.locks",
    "resource.resources",
    "resourcegraph",
    "storage",
)
FILE = Path(__file__).parent / "operations.txt"
_NAME = re.compile(r"\{[^}]*\}")


def known() -> list[str]:
    """`PUT /subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/routeTables/{}`, each once, in order."""
    operations = (one for client in CLIENTS for path in _files(client) for one in of_source(path.read_text()))
    found = {f"{one.method} {_NAME.sub('{}', one.path.split('?', 1)[0]).rstrip('/') or '/'}" for one in operations}
    return sorted(found, key=lambda line: (line.split(" ", 1)[1].lower(), line))


def _files(client: str) -> list[Path]:
    spec = find_spec(f"azure.mgmt.{client}")
    assert spec is not None and spec.submodule_search_locations, f"azure-mgmt-{client} is not installed"
    folder = Path(next(iter(spec.submodule_search_locations)))
    versions = sorted(path for path in folder.glob("v2*") if "preview" not in path.name)
    return sorted(((versions[-1] if versions else folder) / "operations").glob("*.py"))


if __name__ == "__main__":
    FILE.write_text("\n".join(known()) + "\n")
