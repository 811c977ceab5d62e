"""The shape of the tree, read from the imports: a breach is explained in a sentence.

Imports point down this list only; names on one line are strangers to each other (ARCHITECTURE.md).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "farshore"
FOLDERS = (SOURCE, ROOT / "tools", ROOT / "tests", ROOT / "bench", ROOT / "conformance", ROOT / "matrix")

LAYERS = (
    ("cli", "console"),
    ("report", "lab", "twin"),
    ("run",),
    ("prove",),
    ("plan",),
    ("assess",),
    ("routing", "azure", "generate"),
    ("estate", "holder"),
    ("arm",),
    ("clock", "errors", "schemas", "times"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# The examples are data with a reader: they know the estate and nothing above it.
RANK["examples"] = RANK["routing"]
# `python -m farshore` stands above the command.
RANK["__main__"] = -1
ONLY_FOR = {"lab": {"cli", "console"}, "twin": {"cli", "console"}}
TWIN_MAY = {"arm", "estate", "errors", "twin"}
PURE = ("arm", "estate", "routing", "assess", "plan", "prove", "run/machine.py", "azure/lro.py", "lab/cloud.py")
IMPURE = {"socket", "asyncio", "random", "time", "subprocess", "threading", "secrets", "aiohttp", "requests", "sqlite3"}
MAY_READ_FILES = {"estate/files.py", "estate/project.py", "plan/templates.py"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE).as_posix()
        part = relative.split("/")[0].removesuffix(".py")
        if part not in ("__init__", "py"):
            yield part, path


def imports(path: Path) -> Iterator[str]:
    """Names of modules that a file imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "farshore":
                yield from (f"farshore.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_every_part_has_its_place() -> None:
    unplaced = {part for part, _ in modules()} - set(RANK)
    assert not unplaced, f"{sorted(unplaced)} stand in src/farshore and have no layer in ARCHITECTURE.md"


def test_imports_point_down() -> None:
    breaches = []
    for part, path in modules():
        for name in imports(path):
            if not name.startswith("farshore.") or name.startswith("farshore.__"):
                continue
            other = name.split(".")[1]
            if other == part or other not in RANK:
                continue
            if other in ONLY_FOR and part not in ONLY_FOR[other]:
                breaches.append(f"{path.name} of {part} imports {other}, which only {sorted(ONLY_FOR[other])} may know")
            elif RANK[other] <= RANK[part]:
                where = "stands beside" if RANK[other] == RANK[part] else "stands above"
                breaches.append(f"{path.relative_to(SOURCE)} imports {other}, which {where} {part}")
            elif part == "twin" and other not in TWIN_MAY:
                breaches.append(f"{path.name} of the twin imports {other}: a witness knows only {sorted(TWIN_MAY)}")
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize("part", PURE)
def test_the_core_computes_and_nothing_else(part: str) -> None:
    place = SOURCE / part
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        if path.relative_to(SOURCE).as_posix() in MAY_READ_FILES:
            continue
        used = {name.split(".")[0] for name in imports(path)} & IMPURE
        assert not used, f"{path.relative_to(SOURCE)} computes and never waits, but imports {sorted(used)}"
        text = path.read_text()
        for call in ("datetime.now(", "uuid4(", "os.urandom("):
            assert call not in text, f"{path.relative_to(SOURCE)} calls {call}): time and chance are arguments"


def test_no_file_has_grown_two_ideas() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): count
        for folder in FOLDERS
        for path in folder.rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 500
    }
    assert not long, f"more than 500 lines: {long}; the folder gets to say so"


def test_a_file_opens_with_its_theory() -> None:
    silent = [
        path.relative_to(SOURCE).as_posix()
        for _, path in modules()
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent, f"these files begin without a word: {silent}"


def test_what_is_cited_is_there_to_be_read() -> None:
    """Docstrings name pages of docs/ and README.md, and those exist; a contract that nobody here can open is no source.
    (ARM's wire contract is Azure's own, and the seam of docs/decisions/0001.)"""
    unread = re.compile(r"(?<!wire )\bcontract\b(?!s)", re.IGNORECASE)
    page = re.compile(r"\bdocs/[\w./-]+\.md\b")
    found = []
    for folder in FOLDERS:
        for path in folder.rglob("*.py"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                missing = [name for name in page.findall(line) if not (ROOT / name).is_file()]
                if path != Path(__file__) and (unread.search(line) or missing):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found, "\n".join(found)


def test_no_registry_host_and_no_unfinished_place() -> None:
    # Written so that it doesn't find itself: the tests are looked at like all the rest.
    said = re.compile(r"index[-]url|registry *= *.[h]ttp|\b(TOD[O]|FIXM[E]|XX[X])\b")
    found = []
    files = [path for folder in FOLDERS for path in folder.rglob("*")]
    for path in [*files, ROOT / "pyproject.toml", ROOT / "requirements.lock"]:
        if path.is_file() and path.suffix in (".py", ".toml", ".lock", ".sh", ".json", ".yaml", ".j2", ".css"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if said.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found, "\n".join(found)
