"""The operations of Azure's API that its own Python clients know, for `docs/lab-fidelity.md`.

    .venv-real/bin/python tools/operations.py      writes tools/operations.txt

A generated client holds each operation's URL as a template beside its method. They are read from its source, since
only there they all stand; a client of several API versions is read in its newest. The suite of the real clients
(`make real`) looks whether the file still is what they know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

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
_REQUEST = re.compile(
    r'(?:_url = |"template_url",\s*)(?P<parts>(?:"[^"]*"\s*)+)|HttpRequest\(\s*method="(?P<method>[A-Z]+)"'
)
_NAME = re.compile(r"\{[^}]*\}")


def known() -> list[str]:
    """`PUT /subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/routeTables/{}`, each once, in order."""
    found = {line for client in CLIENTS for path in _files(client) for line in _operations(path.read_text())}
    return sorted(found, key=lambda line: (line.split(" ", 1)[1].lower(), line))


def _files(client: str) -> list[Path]:
    spec = find_spec(f"azure.mgmt.{client}")
    assert spec is not None and spec.submodule_search_locations, f"azure-mgmt-{client} is not installed"
    folder = Path(next(iter(spec.submodule_search_locations)))
    versions = sorted(path for path in folder.glob("v2*") if "preview" not in path.name)
    return sorted(((versions[-1] if versions else folder) / "operations").glob("*.py"))


def _operations(source: str) -> Iterator[str]:
    url = ""
    for found in _REQUEST.finditer(source):
        if found["parts"] is not None:
            url = "".join(re.findall(r'"([^"]*)"', found["parts"]))
        elif url.startswith("/"):
            yield f"{found['method']} {_NAME.sub('{}', url).split('?', 1)[0].rstrip('/') or '/'}"


if __name__ == "__main__":
    FILE.write_text("\n".join(known()) + "\n")
