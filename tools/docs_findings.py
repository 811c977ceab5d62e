"""docs/reference/findings.md: what a rule says is read from its source.

The severities, summaries and remedies are those of the findings that a rule and its helpers make, with ‹a name› where
a finding has a value. So the page can't say what the code doesn't.
"""

from __future__ import annotations

import ast
import importlib
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from docs_text import MADE, cell, linked, wrapped

SEVERITIES = ("error", "warning", "info")


@dataclass
class Said:
    """What one rule can say."""

    severities: list[str] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)


def findings_page() -> str:
    from farshore.assess.findings import RULES
    from farshore.assess.rules import TOPICS, load
    from farshore.plan import drift

    load()
    out = [MADE, "# Findings", ""]
    out += [
        wrapped(
            "What `farshore assess` can say. A code never changes its meaning. *Error*: traffic stops, passes the"
            " appliance by, or data is in danger; `assess` exits 2, and nothing acts. *Warning*: a caution on what"
            " works. *Info*: what is absent and the plan will build, or what is good to know. A value that a finding"
            " fills in stands as ‹name›. Sources are the numbers of [facts](facts.md)."
        ),
        "",
        "| code | severity | title |",
        "| --- | --- | --- |",
    ]
    modules = {topic: importlib.import_module(f"farshore.assess.rules.{topic}") for topic in TOPICS}
    told: dict[str, Said] = {}
    for module in modules.values():
        told |= _said(module)
    assert set(told) == set(RULES), f"rules that the generator can't read: {set(told) ^ set(RULES)}"
    drifts = {drift.CHANGED: "error", drift.GONE: "error", drift.NEW: "info", drift.SITES: "error"}
    titles = {code: rule.title for code, rule in RULES.items()} | drift.TITLES
    severities = {code: ", ".join(said.severities) for code, said in told.items()} | drifts
    out += [f"| [{code}](#{code.lower()}) | {severities[code]} | {cell(titles[code])} |" for code in sorted(titles)]
    out.append("")
    by_topic = {
        topic: sorted(code for code in RULES if RULES[code].check.__module__ == module.__name__)
        for topic, module in modules.items()
    }
    for topic in sorted(by_topic, key=lambda name: by_topic[name][0]):
        out += _theory(modules[topic])
        for code in by_topic[topic]:
            rule = RULES[code]
            out += _finding(code, rule.title, told[code], rule.check.__doc__, rule.source)
    out += ["## A plan and the estate that it meets", ""]
    remedy = ["make the plan again with `farshore plan`, and prove it"]
    for code in sorted(drifts):
        out += _finding(code, drift.TITLES[code], Said([drifts[code]], [], remedy), None, drift.SOURCE)
    return "\n".join(out).rstrip() + "\n"


def _theory(module: ModuleType) -> list[str]:
    """The opening of a topic's file: its first sentence as the heading, the rest as it stands."""
    first, _, rest = (module.__doc__ or "").strip().partition("\n\n")
    heading = re.sub(r"\s*\([^()]*\d[^()]*\)", "", first).rstrip(".")
    out = [f"## {' '.join(heading.split())}", ""]
    for block in filter(None, rest.split("\n\n")):
        if all(line.startswith("    ") for line in block.splitlines()):
            out += ["```text", textwrap.dedent(block.rstrip()), "```", ""]
        else:
            out += [wrapped(linked(block)), ""]
    return out


def _finding(code: str, title: str, said: Said, doc: str | None, source: tuple[str, ...]) -> list[str]:
    out = [f'### <a id="{code.lower()}"></a>{code} {title}', ""]
    sources = ", ".join(linked(name) if not name.startswith("http") else f"[page]({name})" for name in source)
    out += [f"*{', '.join(said.severities)}*, {sources}", ""]
    if doc:
        out += [wrapped(linked(doc)), ""]
    for label, texts in (("Says", said.summaries), ("Remedy", said.remedies)):
        if len(texts) == 1:
            out.append(wrapped(texts[0], f"- {label}: ", "  "))
        elif texts:
            out += [f"- {label}, as the case may be:", *(wrapped(text, "  - ", "    ") for text in texts)]
    return [*out, ""]


def _said(module: ModuleType) -> dict[str, Said]:
    """By code, what the rules of one file can say."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = {}
    for function in functions.values():
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "rule":
                code = ast.literal_eval(decorator.args[0])
                found[code] = _said_by(list(_reached(function, functions)), module)
    return found


def _reached(
    function: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef], seen: set[str] | None = None
) -> Iterator[ast.FunctionDef]:
    """The function, and the helpers of its file that it calls."""
    seen = set() if seen is None else seen
    seen.add(function.name)
    yield function
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in functions and node.id not in seen:
            yield from _reached(functions[node.id], functions, seen)


def _said_by(functions: list[ast.FunctionDef], module: ModuleType) -> Said:
    said = Said()
    helpers = {function.name: function for function in functions}
    names = set()
    for function in functions:
        names |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and node.id in SEVERITIES}
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
            remedy = next((keyword.value for keyword in call.keywords if keyword.arg == "remedy"), None)
            if getattr(call.func, "id", "") not in SEVERITIES and remedy is None:
                continue
            for texts, node in (
                (said.summaries, call.args[1] if len(call.args) > 1 else None),
                (said.remedies, remedy),
            ):
                for value in [] if node is None else _values(node, function, helpers):
                    _add(texts, _template(value, module))
    said.severities = [name for name in SEVERITIES if name in names]
    assert said.severities, f"{functions[0].name} makes no finding that can be read"
    return said


def _values(node: ast.expr, function: ast.FunctionDef, helpers: Mapping[str, ast.FunctionDef]) -> list[ast.expr]:
    """The expression; where it is a variable of the function, all that is assigned to it; where it is a helper's
    answer, all that the helper returns."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in helpers:
        returns = [item.value for item in ast.walk(helpers[node.func.id]) if isinstance(item, ast.Return)]
        return [chosen for value in returns if value is not None for chosen in _choices(value)] or [node]
    if not isinstance(node, ast.Name):
        return [node]
    assigned = [
        statement.value
        for statement in ast.walk(function)
        if isinstance(statement, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == node.id for target in statement.targets)
    ]
    return assigned or [node]


def _choices(node: ast.expr) -> list[ast.expr]:
    """All that `{...}.get(key, default)` can be; any other expression is itself."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Dict(values=values), attr="get"), args=[_, *default]):
            return [*values, *default]
    return [node]


def _add(texts: list[str], text: str) -> None:
    if text and text not in texts and not re.fullmatch(r"‹[^›]*›|…", text):
        texts.append(text)


def _template(node: ast.expr, module: ModuleType) -> str:
    """The text that an expression makes, with ‹names› for what is only known when it runs."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_template(value, module) for value in values)
        case ast.FormattedValue(value=value):
            return _template(value, module)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _template(left, module) + _template(right, module)
        case ast.IfExp(body=body, orelse=orelse):
            either = [text for text in (_template(body, module), _template(orelse, module)) if text]
            return " / ".join(dict.fromkeys(either))
        case ast.Name(id=name) if name.isupper() and isinstance(getattr(module, name, None), str | int):
            return str(getattr(module, name))
        case ast.Name(id=name) if name.isupper() and isinstance(getattr(module, name, None), tuple):
            return ", ".join(map(str, getattr(module, name)))
        case ast.Name(id=name):
            return _hole(name)
        case ast.Attribute():
            return _hole(_subject(node))
        case ast.Subscript(value=value):
            return _template(value, module)
        case ast.Call(func=ast.Name(id="len")):
            return "‹how many›"
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.GeneratorExp(elt=elt) | ast.ListComp(elt=elt)]):
            return _template(elt, module)
        case ast.Call(func=ast.Attribute(attr="join"), args=[only]):
            return _template(only, module)
        case ast.Call(args=[first, *_]):
            return _template(first, module)
        case ast.Call(func=ast.Attribute() | ast.Name() as function):
            return _template(function, module)
        case ast.BoolOp(values=[first, *_]):
            return _template(first, module)
    return "…"


def _subject(node: ast.expr) -> str:
    """`machine.nic.id.name` is the nic."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    parts.append(node.id if isinstance(node, ast.Name) else "")
    while len(parts) > 1 and parts[0] in ("name", "id", "short", "text", "value"):
        parts.pop(0)
    return parts[0]


def _hole(name: str) -> str:
    words = "name" if name == "id_" else name.strip("_").replace("_", " ")
    return f"‹{words}›" if words else "…"
