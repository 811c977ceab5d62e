"""The resources that a template declares: loops unrolled, children found, ids made, and what each waits for.

    declared(scope) -> [Declared, ...]       each after what it depends on

A resource waits for what its `dependsOn` names (an id, a relative id, a name, a symbolic name, or a loop, which means
all of it) and for what its own expressions ask `reference` or `list...` for, where that is in the template too. What
has a false condition is not deployed, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from farshore.arm.templates.errors import Deferred, TemplateError
from farshore.arm.templates.expressions import calls_in
from farshore.arm.templates.scope import Scope, must_be_id

NESTED = "microsoft.resources/deployments"
GROUPS = "microsoft.resources/resourcegroups"
_NOT_BODY = (
    "type",
    "apiVersion",
    "name",
    "dependsOn",
    "condition",
    "copy",
    "scope",
    "comments",
    "resources",
    "existing",
    "metadata",
    "resourceGroup",
    "subscriptionId",
    "import",
)
_MOST = 800
"""Resources of one template (ARM's own limit)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One resource of a template, each turn of a loop one of its own."""

    id: str
    type: str
    name: str
    """All of it, with slashes for a child."""
    api_version: str
    source: Mapping[str, Any]
    symbol: str | None = None
    loops: Mapping[str, int]
    """The loop it is a turn of, with its index."""
    deployed: bool
    """False where its condition is, or where it exists already and is only read."""
    waits_for: tuple[str, ...] = ()
    """Ids, in lower case."""

    @property
    def key(self) -> str:
        return self.id.lower()

    def within(self, scope: Scope, work: Callable[[], Any]) -> Any:
        """What `work` gives inside this turn of the loop."""
        for name, index in self.loops.items():
            return scope.looped(name, index, current=True)(work)
        return work()

    def body(self, scope: Scope) -> dict[str, Any]:
        """What is put: evaluated, without what only the deployment reads. A nested template stays as it is."""
        return dict(self.within(scope, lambda: self._body(scope)))

    def _body(self, scope: Scope) -> dict[str, Any]:
        body = {key: value for key, value in self.source.items() if key not in _NOT_BODY}
        if self.type.lower() != NESTED:
            return dict(scope.value(body))
        properties = body.get("properties")
        if not isinstance(properties, dict):
            raise TemplateError(f"The nested deployment '{self.name}' has no properties.")
        kept = {key: value for key, value in properties.items() if key == "template"}
        rest = {key: value for key, value in properties.items() if key != "template"}
        found = dict(scope.value({**body, "properties": rest}))
        return {**found, "properties": {**found["properties"], **kept}}


def declared(scope: Scope, *, strict: bool = True) -> list[Declared]:
    """All of them, in an order in which they can be made; raises `TemplateError`.

    `strict`: a `dependsOn` must name something of the template.
    """
    try:
        return _declared(scope, strict)
    except Deferred as deferred:
        raise TemplateError(
            "The template function 'reference' (or a function of the 'list' kind) is not expected at this location: "
            "names, conditions, counts and scopes must be known beforehand.",
            expression=deferred.expression,
        ) from None


def _declared(scope: Scope, strict: bool) -> list[Declared]:
    found: list[Declared] = []
    groups: dict[str, list[str]] = {}
    """Names of loops and symbolic names to the keys of what they stand for."""
    for symbol, source, parent in _sources(scope.template):
        made = _turns(scope, symbol, source, parent, groups)
        found += made
    if len(found) > _MOST:
        raise TemplateError(f"The number of resources '{len(found)}' in the template exceeds the limit of '{_MOST}'.")
    by_key: dict[str, Declared] = {}
    for item in found:
        if item.key in by_key and item.deployed and by_key[item.key].deployed:
            raise TemplateError(
                f"The resource '{item.id.split('/providers/', 1)[-1]}' at line '1' and column '1' is defined multiple "
                "times in a template. Please see https://aka.ms/arm-syntax-resources for usage details."
            )
        if item.key not in by_key or item.deployed:
            by_key[item.key] = item
        _make_known(scope, item)
    waiting = {item.key: _waits(scope, item, by_key, groups, strict) for item in by_key.values()}
    _serialise(scope, by_key, groups, waiting)
    return _ordered(by_key, waiting)


def _sources(template: Mapping[str, Any]) -> Iterator[tuple[str | None, Mapping[str, Any], Mapping[str, Any] | None]]:
    """Symbolic name, resource, and the resource that it stands inside."""
    resources = template.get("resources") or []
    named = resources.items() if isinstance(resources, dict) else ((None, item) for item in resources)
    for symbol, source in named:
        yield from _with_children(symbol, source, None)


def _with_children(
    symbol: str | None, source: Any, parent: Mapping[str, Any] | None
) -> Iterator[tuple[str | None, Mapping[str, Any], Mapping[str, Any] | None]]:
    if not isinstance(source, dict) or not isinstance(source.get("type"), str):
        raise TemplateError("A resource of the template has no type.")
    if not isinstance(source.get("name"), str) or not source["name"]:
        raise TemplateError(f"A resource of type '{source['type']}' of the template has no name.")
    if not isinstance(source.get("apiVersion", ""), str):
        raise TemplateError(f"The apiVersion of '{source['name']}' is no text.")
    yield symbol, source, parent
    inner = source.get("resources") or []
    if not isinstance(inner, list):
        raise TemplateError(f"The resources inside '{source['name']}' must be an array.")
    for child in inner:
        if parent is not None:
            raise TemplateError(f"The resources inside '{source['name']}' are nested too deeply.")
        yield from _with_children(None, child, source)


def _turns(
    scope: Scope,
    symbol: str | None,
    source: Mapping[str, Any],
    parent: Mapping[str, Any] | None,
    groups: dict[str, list[str]],
) -> list[Declared]:
    loop = source.get("copy")
    if loop is None:
        made = [_one(scope, symbol, source, parent, {})]
        if symbol is not None:
            groups.setdefault(symbol.lower(), []).append(made[0].key)
        return made
    if not isinstance(loop, dict) or not isinstance(loop.get("name"), str):
        raise TemplateError(f"The copy of '{source['name']}' must be an object with a name and a count.")
    if parent is not None:
        raise TemplateError(f"The resource '{source['name']}' stands inside another and can't have a copy.")
    name, found = str(loop["name"]), []
    for index in range(scope.count_of(loop, name)):
        work = partial(_one, scope, symbol, source, parent, {name: index})
        item: Declared = scope.looped(name, index, current=True)(work)
        found.append(item)
        for label in filter(None, (name, symbol)):
            keys = groups.setdefault(label.lower(), [])
            if item.key not in keys:
                keys.append(item.key)
    for label in filter(None, (name, symbol)):
        groups.setdefault(label.lower(), [])
    return found


def _one(
    scope: Scope,
    symbol: str | None,
    source: Mapping[str, Any],
    parent: Mapping[str, Any] | None,
    loops: Mapping[str, int],
) -> Declared:
    type_, name = _text(scope, source, "type"), _text(scope, source, "name")
    if parent is not None:
        type_ = type_ if "/" in type_ else f"{_text(scope, parent, 'type')}/{type_}"
        above = _text(scope, parent, "name")
        name = name if name.count("/") == type_.count("/") - 1 else f"{above}/{name}"
    if type_.count("/") != name.count("/") + 1 or type_.count("/") == 0:
        raise TemplateError(
            f"The template resource '{name}' for type '{type_}' at line '1' and column '1' has incorrect segment "
            "lengths. A nested resource type must have identical number of segments as its resource name. A root "
            "resource type must have segment length one greater than its resource name. Please see "
            "https://aka.ms/arm-syntax-resources for usage details."
        )
    root = _scope_of(scope, source, type_)
    if type_.lower() == GROUPS:
        id_ = f"/subscriptions/{root.split('/')[2]}/resourceGroups/{name}"
    else:
        namespace, *kinds = type_.split("/")
        tail = "/".join(f"{kind}/{part}" for kind, part in zip(kinds, name.split("/"), strict=True))
        id_ = f"{root}/providers/{namespace}/{tail}"
    condition = scope.value(source.get("condition", True))
    if isinstance(condition, str) and condition.lower() in ("true", "false"):
        condition = condition.lower() == "true"
    if not isinstance(condition, bool):
        raise TemplateError(f"The condition of the resource '{name}' must be a boolean, not '{condition}'.")
    return Declared(
        id=must_be_id(id_),
        type=type_,
        name=name,
        api_version=str(scope.value(source.get("apiVersion", ""))),
        source=source,
        symbol=symbol,
        loops=dict(loops),
        deployed=condition and source.get("existing") is not True,
    )


def _text(scope: Scope, source: Mapping[str, Any], key: str) -> str:
    found = scope.value(source[key])
    if not isinstance(found, str) or not found.strip("/"):
        raise TemplateError(f"The {key} of a resource of type '{source['type']}' must be a text, not '{found}'.")
    return found.strip("/")


def _scope_of(scope: Scope, source: Mapping[str, Any], type_: str) -> str:
    """What the resource hangs on: the deployment's own scope, another one of a nested deployment, or a resource."""
    place = scope.place
    target = scope.value(source.get("scope")) if source.get("scope") is not None else None
    if target is not None:
        resolved = scope.resolve(target) if isinstance(target, str) else None
        if resolved is None or resolved == "/":
            raise TemplateError(f"The scope '{target}' of the resource '{source['name']}' is not valid.")
        return resolved.rstrip("/")
    if type_.lower() != NESTED:
        return place.scope
    subscription = scope.value(source.get("subscriptionId") or place.subscription)
    group = scope.value(source.get("resourceGroup")) if source.get("resourceGroup") else None
    if group is None and source.get("subscriptionId") is None and place.group is not None:
        return place.scope
    root = f"/subscriptions/{subscription}"
    return root if group is None else f"{root}/resourceGroups/{group}"


def _make_known(scope: Scope, item: Declared) -> None:
    names = [item.name, item.name.rsplit("/", 1)[-1]]
    tail = item.id.split("/providers/", 1)[-1] if "/providers/" in item.id else item.id
    for name in (*names, tail, f"{item.type}/{item.name}"):
        scope.known.setdefault(name.lower(), item.id)
    if item.api_version:
        scope.versions[item.id.lower()] = item.api_version
    if item.symbol is not None:
        turn = next(iter(item.loops.values()), None)
        scope.known[item.symbol.lower() if turn is None else f"{item.symbol.lower()}[{turn}]"] = item.id


# What waits for what. ------------------------------------------------------------------------------------------------


def _waits(
    scope: Scope, item: Declared, by_key: Mapping[str, Declared], groups: Mapping[str, list[str]], strict: bool
) -> dict[str, None]:
    found: dict[str, None] = {}
    named = item.within(scope, lambda: scope.value(item.source.get("dependsOn") or []))
    if not isinstance(named, list) or not all(isinstance(text, str) for text in named):
        raise TemplateError(f"The dependsOn of the resource '{item.name}' must be an array of texts.")
    for text in named:
        keys = groups.get(text.lower())
        if keys is None:
            resolved = scope.resolve(text)
            keys = [] if resolved is None else [resolved.lower()]
            if strict and (resolved is None or resolved.lower() not in by_key):
                raise TemplateError(
                    f"The resource '{text}' is not defined in the template. Please see "
                    "https://aka.ms/arm-syntax for usage details."
                )
        found |= dict.fromkeys(keys)
    found |= dict.fromkeys(_asked(scope, item))
    found.pop(item.key, None)
    return {key: None for key in found if key in by_key and by_key[key].deployed}


def _asked(scope: Scope, item: Declared) -> list[str]:
    """The keys of what its own expressions ask for while it is deployed."""
    source = {key: value for key, value in item.source.items() if key not in ("resources", "dependsOn")}
    if item.type.lower() == NESTED and isinstance(source.get("properties"), dict):
        source["properties"] = {key: value for key, value in source["properties"].items() if key != "template"}
    found = []
    for call in calls_in(source):
        if not call.arguments or not (call.key == "reference" or call.key.startswith("list")):
            continue

        def first(call: Any = call) -> Any:
            return scope.run(call.arguments[0])

        try:
            target = item.within(scope, first)
        except (TemplateError, Deferred):
            continue  # a turn of an inner loop: the resource says what it waits for by itself
        resolved = scope.resolve(target) if isinstance(target, str) else None
        if resolved is not None:
            found.append(resolved.lower())
    return found


def _serialise(
    scope: Scope,
    by_key: Mapping[str, Declared],
    groups: Mapping[str, list[str]],
    waiting: dict[str, dict[str, None]],
) -> None:
    """Loops of `mode: serial`: a batch waits for the one before it."""
    for name, keys in groups.items():
        loop = by_key[keys[0]].source.get("copy") if keys and keys[0] in by_key else None
        if not isinstance(loop, dict) or str(loop.get("name", "")).lower() != name:
            continue
        if str(loop.get("mode", "parallel")).lower() != "serial":
            continue
        size = scope.value(loop.get("batchSize", 1))
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise TemplateError(f"The batchSize of the copy '{name}' must be a positive integer, not '{size}'.")
        for at in range(size, len(keys)):
            begin = (at // size - 1) * size
            waiting[keys[at]] |= {key: None for key in keys[begin : begin + size] if by_key[key].deployed}


def _ordered(by_key: Mapping[str, Declared], waiting: Mapping[str, Mapping[str, None]]) -> list[Declared]:
    """Each after what it waits for, otherwise as declared."""
    placed: dict[str, Declared] = {}
    for first in by_key:
        stack = [(first, iter(waiting[first]))]
        under = [first]
        while stack:
            key, rest = stack[-1]
            before = next((other for other in rest if other not in placed), None)
            if key in placed or before is None:
                placed.setdefault(key, replace(by_key[key], waits_for=tuple(waiting[key])))
                stack.pop()
                under.pop()
                continue
            if before in under:
                circle = " -> ".join(by_key[part].name for part in (*under[under.index(before) :], before))
                raise TemplateError(
                    f"Circular dependency detected on resource: '{by_key[before].id}': {circle}. Please see "
                    "https://aka.ms/arm-syntax-resources for usage details."
                )
            stack.append((before, iter(waiting[before])))
            under.append(before)
    return list(placed.values())
