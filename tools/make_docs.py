"""Writes the pages of docs/reference that are made from the code: findings, schemas, commands, run states.

    python tools/make_docs.py            write them
    python tools/make_docs.py --check    say which are out of date; exit status 1 if one is

Each page has one function that returns its text. A page can't say what the code doesn't.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs_fidelity import fidelity_page
from docs_findings import findings_page
from docs_text import MADE, cell, linked, wrapped

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"

STAR = "\\*"

SHARED = {
    "--format human|json": "With json stdout holds one JSON document and nothing else, an error included;"
    " progress goes to stderr.",
    "--project DIR": "The project folder; else the current one, or the nearest above with a farshore.yaml.",
    "--cloud lab|azure|URL": (
        "Which cloud answers; else what farshore.yaml says, else the lab. `new`, `assess`, `plan`, `prove` and `twin`"
        " work on the project's files alone, and ask none."
    ),
    "--wait": "Wait while another process works on this project, in place of saying so and exiting 1.",
}
"""Options that every verb takes (`cli.app.common`)."""

EXIT_2 = {
    "assess": "a finding of severity error",
    "plan": "the estate has errors; no plan is made",
    "prove": "a claim does not hold, or the plan's estate has changed",
    "trace": "the flow does not arrive, comes back another way, or what it rests on is not known",
    "twin": "engine and twin differ somewhere",
    "exercise": "an error found, a claim not proven, an objective not kept, a step failed, a difference unexplained",
    "report": "`verify`: a file of the bundle has changed, is missing, or the signature does not hold",
    "estate": "`diff` found a difference",
    "runs": "`resume`: the run halted; `verify`: something is not as it should be",
} | dict.fromkeys(
    ("provision", "protect", "drill", "failover", "commit", "reprotect", "failback"),
    "a finding of severity error, a claim not proven, or a run that halted",
)
"""What a bad answer is, by verb. tests/test_docs.py holds it against the verbs' files."""


# Schemas.


def schemas_page() -> str:
    from farshore import schemas

    out = [MADE, "# Schemas", ""]
    out += [
        wrapped(
            "The shapes that scripts and other programs may rely on. `farshore schema NAME` prints one as JSON Schema;"
            " a change of meaning is a new version. A key with a star is required. `[]` stands for the items of a"
            " list, `*` for any key."
        ),
        "",
    ]
    for name in schemas.names():
        schema = schemas.read(name)
        out += [f"## {name}", "", f"{linked(schema['title'])}. Version {schema['version']}.", ""]
        if text := schema.get("description"):
            out += [wrapped(linked(text)), ""]
        rows = list(_rows(schema, schema, "", set()))
        if rows:
            out += ["| key | type | meaning |", "| --- | --- | --- |"]
            out += [
                f"| `{key}`{STAR if star else ''} | {cell(kind)} | {cell(linked(text))} |"
                for key, star, kind, text in rows
            ]
            out.append("")
    return "\n".join(out).rstrip() + "\n"


def _rows(
    node: Mapping[str, Any], root: Mapping[str, Any], at: str, seen: set[str]
) -> Iterator[tuple[str, bool, str, str]]:
    """(key, required, type, meaning) of everything below a node."""
    reference = node.get("$ref")
    if reference is not None:
        if reference in seen:
            return
        seen = seen | {reference}
    node = _resolved(node, root)
    required = set(node.get("required", ()))
    for key, value in node.get("properties", {}).items():
        path = f"{at}.{key}" if at else key
        yield (
            path,
            key in required,
            _kind(value, root),
            str(_resolved(value, root).get("description", value.get("description", ""))),
        )
        yield from _rows(value, root, path, seen)
    extra = node.get("additionalProperties")
    if isinstance(extra, Mapping):
        path = f"{at}.*" if at else "*"
        yield path, False, _kind(extra, root), str(extra.get("description", ""))
        yield from _rows(extra, root, path, seen)
    if isinstance(node.get("items"), Mapping):
        yield from _rows(node["items"], root, f"{at}[]", seen)
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _rows(choice, root, at, seen)


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    assert reference.startswith("#/"), f"a reference that leads elsewhere: {reference}"
    there: Any = root
    for part in reference[2:].split("/"):
        there = there[part]
    return _resolved(there, root)


def _kind(node: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    node = _resolved(node, root)
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return " | ".join("null" if value is None else f"`{value}`" for value in node["enum"])
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if choices:
        return " | ".join(dict.fromkeys(_kind(choice, root) for choice in choices))
    kind = node.get("type", "any")
    if isinstance(kind, list):
        return " | ".join(kind)
    if kind == "array" and isinstance(node.get("items"), Mapping):
        return f"list of {_kind(node['items'], root)}"
    return str(kind)


# Commands.


def commands_page() -> str:
    import click

    from farshore.cli.app import STATUS, VERBS, cli

    out = [MADE, "# Commands", ""]
    out += [
        wrapped(
            f"{STATUS} Could not: the command line, bad input, no answer, an error of ours. What a bad answer is, each"
            " verb says."
        ),
        "",
        "Every verb takes these after its name; all but `--wait` may also stand before it:",
        "",
        "| option | |",
        "| --- | --- |",
        *(f"| `{cell(option)}` | {text} |" for option, text in SHARED.items()),
        "",
    ]
    context = click.Context(cli, info_name="farshore")
    missing = []
    for name, (module, text) in VERBS.items():
        try:
            command = cli.get_command(context, name)  # type: ignore[attr-defined]
        except (ModuleNotFoundError, KeyError) as error:
            assert _is_ours(error), error
            missing.append((name, text))
            continue
        assert command is not None, f"{module} has no {name}"
        out += _command(command, context, f"farshore {name}", 2, EXIT_2.get(name))
    if missing:
        out += ["## Not there yet", "", *(f"- `farshore {name}`: {text}" for name, text in missing), ""]
    return "\n".join(out).rstrip() + "\n"


def _is_ours(error: Exception) -> bool:
    """Whether it is a verb's own file that is not there, and not something that it needs."""
    return isinstance(error, KeyError) or (
        isinstance(error, ModuleNotFoundError) and str(error.name).startswith("farshore.cli.verbs.")
    )


def _command(command: Any, parent: Any, title: str, level: int, bad: str | None) -> list[str]:
    import click

    context = click.Context(command, info_name=title.split()[-1], parent=parent)
    group = isinstance(command, click.Group)
    usage = " ".join([title, *command.collect_usage_pieces(context)])
    out = [f"{'#' * level} {title}", "", f"    {usage}", ""]
    for block in (command.help or "").split("\n\n"):
        out += [wrapped(block), ""]
    if bad:
        out += [f"Exits 2: {bad}.", ""]
    shared = {"format_", "project", "cloud", "wait", "help"}
    rows = []
    for parameter in command.params:
        if parameter.name not in shared and not getattr(parameter, "hidden", False):
            record = parameter.get_help_record(context)
            if record is not None:
                rows.append(f"| `{cell(record[0])}` | {cell(record[1])} |")
    if rows:
        out += ["| option | |", "| --- | --- |", *rows, ""]
    if group:
        for name in command.list_commands(context):
            try:
                inner = command.get_command(context, name)
            except (ModuleNotFoundError, KeyError) as error:
                assert _is_ours(error), error
                out += [f"`{title} {name}` is not there yet.", ""]
                continue
            out += _command(inner, context, f"{title} {name}", level + 1, None)
    return out


# Run states.


def run_states_page() -> str:
    from farshore.run import events, states

    _, kinds, after = re.split(r"((?:    .*\n)+)", events.__doc__ or "", maxsplit=1)
    out = [MADE, "# The life of a run and of its steps", ""]
    out += [
        wrapped(
            "A run is the fold of its journal: these tables say what each event does. An event that a table does not"
            " hold is refused and changes nothing. [How a run survives](../guide/runs.md) tells why they are as they"
            " are."
        ),
        "",
        "The first figure is a step's, the second the run's.",
        "",
        states.figure().rstrip(),
        "",
        "## A step",
        "",
        *_moves(states.TRANSITIONS),
        "## A run",
        "",
        *_moves(states.RUN_TRANSITIONS),
        "## The events",
        "",
        "```text",
        textwrap.dedent(kinds).rstrip(),
        "```",
        "",
        wrapped(after),
    ]
    return "\n".join(out).rstrip() + "\n"


def _moves(table: Mapping[tuple[Any, Any], Any]) -> list[str]:
    rows = [f"| {before} | {kind} | {after} |" for (before, kind), after in table.items()]
    return ["| state | event | becomes |", "| --- | --- | --- |", *rows, ""]


PAGES = {
    "../lab-fidelity.md": fidelity_page,
    "findings.md": findings_page,
    "schemas.md": schemas_page,
    "commands.md": commands_page,
    "run-states.md": run_states_page,
}


def main() -> int:
    check = "--check" in sys.argv[1:]
    stale = []
    for name, page in PAGES.items():
        path, text = (REFERENCE / name).resolve(), page()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if stale:
        print(f"out of date: {', '.join(stale)}; run `make docs`" if check else f"wrote {', '.join(stale)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
