"""ARM templates: reading an appliance's into bodies, and writing the target network as one.

An appliance that is deployed from a template (S32) is part of the plan like everything else: its resources become
puts, so that they are proven, looked at before they are written, and resumed. `expand` evaluates what such templates
use: parameters with defaults, variables, and the functions of `FUNCTIONS`. What it can't evaluate is an input error
that names the expression, never a guess.

Parameters that a plan gives by their names, where the template has them: `location`; `name`, `subnetId`,
`privateIPAddress` and `networkSecurityGroupId` of the appliance's NIC; `machineName`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, loads
from farshore.arm.versions import api_version
from farshore.errors import InputError
from farshore.plan.model import Phase, Plan

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def read_template(project_file: str, template: str) -> Body:
    """The template named in farshore.yaml, relative to its folder."""
    path = Path(project_file).parent / template
    try:
        value = loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            "The appliance's template can't be read",
            file=str(path),
            value=template,
            expected="an ARM template in JSON, beside farshore.yaml",
            remedy=f"put it there ({error.strerror}), or make the appliance `existing` or `manual`",
        ) from None
    except msgspec.DecodeError as error:
        raise InputError(f"The appliance's template is not JSON: {error}", file=str(path)) from None
    if not isinstance(value, dict) or not isinstance(value.get("resources"), list):
        raise InputError("The appliance's template has no resources", file=str(path), expected="an ARM template")
    return value


def expand(template: Body, group: ResourceId, location: str, parameters: Mapping[str, Any], *, file: str) -> list[Body]:
    """The resources of a template as bodies with ids, each after those it depends on."""
    scope = _Scope(template, group, location, parameters, file)
    bodies: dict[str, Body] = {}
    depends: dict[str, list[str]] = {}
    for resource in template["resources"]:
        body = scope.resource(resource)
        key = resource_id(body["id"]).key
        bodies[key] = body
        depends[key] = [scope.reference(str(item)) for item in scope.value(resource.get("dependsOn") or [])]
    placed: dict[str, Body] = {}

    def place(key: str, under: tuple[str, ...]) -> None:
        if key in placed or key not in bodies:
            return
        if key in under:
            raise InputError("The template's resources depend on each other: " + " -> ".join((*under, key)), file=file)
        for before in depends[key]:
            place(before, (*under, key))
        placed[key] = bodies[key]

    for key in bodies:
        place(key, ())
    return list(placed.values())


def as_template(plan: Plan) -> Body:
    """What the plan provisions ahead, as one ARM template for a deployment into the target's resource group."""
    resources = []
    steps = [s for s in plan.of_phase(Phase.PROVISION) if s.action.verb == "put"]
    written = {step.id: resource_id(step.subject) for step in steps}
    groups = {id_ for id_ in written.values() if not id_.pairs}
    before = {step.id: step.after for step in plan.steps}
    for step in steps:
        id_ = written[step.id]
        if id_ in groups:
            continue
        body = step.action.arguments["body"]
        assert isinstance(body, dict)
        kept = {key: value for key, value in body.items() if key not in ("id", "name", "type")}
        depends = _nearest(step.id, before, written, groups)
        resources.append(
            {
                "type": id_.type,
                "apiVersion": api_version(id_.type),
                "name": "/".join(name for _, name in id_.pairs),
                **kept,
                **({"dependsOn": depends} if depends else {}),
            }
        )
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": {}, "resources": resources}


def _nearest(
    step: str, before: Mapping[str, Sequence[str]], written: Mapping[str, ResourceId], groups: set[ResourceId]
) -> list[str]:
    """The resources that the nearest puts below a step write, through checks and people's steps."""
    found: dict[str, None] = {}
    waiting, seen = list(before[step]), set[str]()
    while waiting:
        id_ = waiting.pop(0)
        if id_ in seen:
            continue
        seen.add(id_)
        if id_ in written and written[id_] not in groups:
            found[written[id_].text] = None
        else:
            waiting += before.get(id_, ())
    return list(found)


# Expressions. ------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<word>[A-Za-z_][\w]*)|(?P<mark>[()\[\],.]))")


class _Scope:
    def __init__(
        self, template: Body, group: ResourceId, location: str, parameters: Mapping[str, Any], file: str
    ) -> None:
        self.template, self.group, self.location, self.file = template, group, location, file
        self.given = {name.lower(): value for name, value in parameters.items()}
        self.functions: dict[str, Callable[..., Any]] = {
            "parameters": self._parameter,
            "variables": self._variable,
            "resourcegroup": lambda: {"id": group.text, "name": group.name, "location": location},
            "subscription": lambda: {
                "id": f"/subscriptions/{group.subscription}",
                "subscriptionId": group.subscription,
            },
            "resourceid": self._resource_id,
            "concat": lambda *parts: "".join(str(part) for part in parts),
            "format": lambda form, *values: re.sub(r"\{(\d+)\}", lambda m: str(values[int(m.group(1))]), form),
            "tolower": lambda text: str(text).lower(),
            "toupper": lambda text: str(text).upper(),
            "replace": lambda text, old, new: str(text).replace(old, new),
            "string": str,
            "int": int,
            "true": lambda: True,
            "false": lambda: False,
            "createarray": lambda *items: list(items),
        }

    def resource(self, resource: Body) -> Body:
        kept = {key: value for key, value in resource.items() if key not in ("apiVersion", "dependsOn", "comments")}
        body: Body = self.value(kept)
        names = str(body["name"]).split("/")
        id_ = self._resource_id(str(body["type"]), *names)
        if "location" not in body and len(names) == 1:
            body["location"] = self.location
        return {"id": id_, **body, "name": names[-1]}

    def reference(self, text: str) -> str:
        """What `dependsOn` names: an id, or a name alone."""
        if text.startswith("/"):
            return resource_id(text).key
        for resource in self.template["resources"]:
            if str(self.value(resource["name"])) == text:
                return resource_id(str(self.resource(resource)["id"])).key
        return text.lower()

    def value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, str) and value.startswith("[[") and value.endswith("]"):
            return value[1:]
        if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
            return self._evaluate(value)
        return value

    def _evaluate(self, text: str) -> Any:
        tokens = self._tokens(text)
        found, rest = self._expression(tokens, 0, text)
        if rest != len(tokens):
            raise self._unknown(text)
        return found

    def _tokens(self, text: str) -> list[str]:
        inner, place, tokens = text[1:-1].strip(), 0, []
        while place < len(inner):
            match = _TOKEN.match(inner, place)
            if match is None:
                raise self._unknown(text)
            tokens.append(match.group(0).strip())
            place = match.end()
        return tokens

    def _expression(self, tokens: list[str], at: int, text: str) -> tuple[Any, int]:
        if at >= len(tokens):
            raise self._unknown(text)
        token = tokens[at]
        at += 1
        found: Any
        if token.startswith("'"):
            found = token[1:-1].replace("''", "'")
        elif token.lstrip("-").isdecimal():
            found = int(token)
        else:
            arguments = []
            if at >= len(tokens) or tokens[at] != "(" or token.lower() not in self.functions:
                raise self._unknown(text)
            at += 1
            while at < len(tokens) and tokens[at] != ")":
                argument, at = self._expression(tokens, at, text)
                arguments.append(argument)
                if at < len(tokens) and tokens[at] == ",":
                    at += 1
            if at == len(tokens):
                raise self._unknown(text)
            at += 1
            try:
                found = self.functions[token.lower()](*arguments)
            except (TypeError, ValueError, IndexError):
                raise self._unknown(text) from None
        while at < len(tokens) and tokens[at] in (".", "["):
            if tokens[at] == ".":
                key: Any = tokens[at + 1]
                at += 2
            else:
                key, at = self._expression(tokens, at + 1, text)
                at += 1
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):
                raise self._unknown(text) from None
        return found, at

    def _parameter(self, name: str) -> Any:
        if name.lower() in self.given:
            return self.given[name.lower()]
        declared = {key.lower(): value for key, value in (self.template.get("parameters") or {}).items()}
        found = declared.get(name.lower())
        if found is None or "defaultValue" not in found:
            raise InputError(
                f"The template's parameter {name} has no value",
                file=self.file,
                value=name,
                expected="a defaultValue, or one of " + ", ".join(sorted(self.given)),
            )
        return self.value(found["defaultValue"])

    def _variable(self, name: str) -> Any:
        variables = {key.lower(): value for key, value in (self.template.get("variables") or {}).items()}
        if name.lower() not in variables:
            raise self._unknown(f"[variables('{name}')]")
        return self.value(variables[name.lower()])

    def _resource_id(self, *parts: str) -> str:
        """`resourceId([subscription,] [group,] type, name, ...)`: the type is the first part with a slash."""
        first = next((index for index, part in enumerate(parts) if "/" in part), None)
        if first is None:
            raise ValueError
        lead = list(parts[:first])
        group = lead.pop() if lead else self.group.name
        subscription = lead.pop() if lead else self.group.subscription
        namespace, *kinds = parts[first].split("/")
        names = parts[first + 1 :]
        if len(kinds) != len(names):
            raise ValueError
        tail = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, names, strict=True))
        return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}/{tail}"

    def _unknown(self, text: str) -> InputError:
        return InputError(
            "This expression of the template can't be evaluated",
            file=self.file,
            value=text,
            expected="parameters, variables and the functions " + ", ".join(sorted(self.functions)),
            remedy="write the value out, or deploy the appliance by hand (`target: manual`)",
        )
