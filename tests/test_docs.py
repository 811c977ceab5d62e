"""The documentation says what the code does: generated pages are up to date, links lead somewhere, files are read."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from farshore.assess.findings import RULES
from farshore.assess.rules import load
from farshore.cli.app import VERBS
from farshore.estate.project import PROVISIONABLE, SURVIVABLE, Link, Topology
from farshore.estate.project_reading import KEYS, parse_project
from farshore.lab import catalog, registry
from farshore.plan.meters import FREE, KINDS
from farshore.plan.prices import parse_prices
from farshore.plan.scenario.scenario import questions
from farshore.plan.scenario.words import Outage

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
GUIDE = sorted((DOCS / "guide").glob("*.md"))

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_ANCHOR = re.compile(r'<a id="([\w-]+)"></a>')
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _generator() -> ModuleType:
    if str(ROOT / "tools") not in sys.path:
        sys.path.append(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "tools" / "make_docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_docs"] = module
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, "tools/make_docs.py", "--check"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, f"run `make docs`: {told.stdout}{told.stderr}"


def test_the_guide_names_every_word_of_scenarios_and_every_outages_answer() -> None:
    page = (DOCS / "guide" / "scenarios.md").read_text(encoding="utf-8")
    missing = [word for word in [*map(str, Outage), *questions(), *map(str, Link)] if word not in page]
    assert not missing, f"docs/guide/scenarios.md does not tell of {missing}"
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert rows == set(map(str, Outage))
    prices = parse_prices(next(_blocks(DOCS / "guide" / "scenarios.md", "yaml")), file="prices.yaml")
    assert {kind for kind, _ in prices.each} == set(KINDS) - FREE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in _LINK.findall(text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name} links to {target}, which is not there"
        if anchor:
            assert anchor in _anchors(there), f"{page.name} links to {target}, which has no such place"


def _anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    headings = (re.sub(r"<[^>]*>|[`*]", "", heading) for heading in _HEADING.findall(text))
    slugs = {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    return slugs | set(_ANCHOR.findall(text))


def test_every_finding_is_told_with_what_to_do() -> None:
    load()
    page = (DOCS / "reference" / "findings.md").read_text(encoding="utf-8")
    sections = {
        found[1]: part for part in page.split("### ") if (found := re.match(r'<a id="fs\d+"></a>(FS\d+)', part))
    }
    assert set(RULES) <= set(sections)
    for code, section in sections.items():
        assert "Remedy" in section or "*info*" in section, f"{code} does not say what to do"


def test_verbs_that_can_answer_badly_say_when() -> None:
    """A verb's files are the one in `VERBS` and, for a group, those that begin with its name."""
    said = _generator().EXIT_2
    for name, (module, _) in VERBS.items():
        folder = ROOT / "src" / "farshore" / "cli" / "verbs"
        files = [path for path in folder.glob("*.py") if path.stem == module or path.stem.startswith(f"{module}_")]
        if any(path.stem == module for path in files):
            bad = any("BAD_ANSWER" in path.read_text(encoding="utf-8") for path in files)
            assert bad == (name in said), f"{name}: EXIT_2 of tools/make_docs.py has to say when it exits 2, or nothing"


def _blocks(page: Path, language: str) -> Iterator[str]:
    for found in _FENCE.finditer(page.read_text(encoding="utf-8")):
        if found[1] == language:
            yield found[2]


def test_the_project_file_of_the_guide_is_read() -> None:
    """The whole file, and each section's example in its place."""
    page = DOCS / "guide" / "project-file.md"
    whole, *parts = _blocks(page, "yaml")
    project = parse_project(whole)
    assert project.given == set(KEYS), "the whole file shows every key"
    for part in parts:
        keys = set(re.findall(r"^(\w+):", part, re.MULTILINE))
        rest = [block for block in _sections(whole) if block.split(":", 1)[0] not in keys]
        parse_project("\n".join([*rest, part]))


def _sections(text: str) -> list[str]:
    """A file's top-level sections, comments dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [block for block in re.split(r"\n(?=\w)", "\n".join(lines)) if block.strip()]


def test_the_guide_names_every_key_and_word_of_the_project_file() -> None:
    page = (DOCS / "guide" / "project-file.md").read_text(encoding="utf-8")
    source = "".join((ROOT / "src/farshore/estate" / f).read_text() for f in ("project_reading.py", "project_sites.py"))
    keys = {*KEYS, *re.findall(r'\.(?:get|need)\("(\w+)"', source)}
    keys |= set(re.findall(r'"([a-z_]+)"', source[source.index("_OBJECTIVE_KEYS = (") : source.index("_PORT =")]))
    words = {*map(str, Topology), *map(str, Link), *PROVISIONABLE, *SURVIVABLE}
    missing = [word for word in sorted(keys | words) if f"`{word}`" not in page]
    assert not missing, f"docs/guide/project-file.md does not tell of {missing}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_show_exist(page: Path) -> None:
    for found in re.finditer(r"(?:^ *|[`/(]|\$ )farshore ([a-z]+)\b", _shown(page), re.MULTILINE):
        assert found[1] in VERBS or found[1] in LATER, (
            f"{page.name} shows farshore {found[1]}, and there is no such verb"
        )


LATER = {"export", "drift", "worker", "console"}
"""Verbs that later versions will have."""


def _shown(page: Path) -> str:
    """What a page shows as code: fences, indented blocks, and words in backquotes."""
    text = page.read_text(encoding="utf-8")
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    return "\n".join(
        [*(block[2] for block in _FENCE.finditer(text)), *indented, *re.findall(r"`farshore [^`]*`", text)]
    )


def test_handles_that_the_guide_shows_exist() -> None:
    catalog.load()
    shown = set(re.findall(r"/(_lab/[a-z-]+|_blob|_disk)\b", (DOCS / "guide" / "lab.md").read_text(encoding="utf-8")))
    assert shown >= {path for _, path in registry.HANDLES} - {"_disk"}, "docs/guide/lab.md leaves out a handle"
    assert shown <= {path for _, path in registry.HANDLES}


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.name)
def test_guides_are_readable(page: Path) -> None:
    fenced = _FENCE.sub("", page.read_text(encoding="utf-8"))
    long = [line for line in fenced.splitlines() if len(line) > 120 and not line.startswith("|")]
    assert not long, f"lines of {page.name} are too long: {long}"
