"""The parameters of a template: what was given against what is declared.

`checked` gives each declared parameter that was given a value of its type and within its bounds; a default is
evaluated when it is first asked for. Names count without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.templates.errors import TemplateError
from farshore.arm.templates.table import kind_of, same, shown

SECURE = ("securestring", "secureobject")
TYPES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "string": ("String, Uri", (str,)),
    "securestring": ("String, Uri", (str,)),
    "int": ("Integer", (int,)),
    "bool": ("Boolean", (bool,)),
    "array": ("Array", (list,)),
    "object": ("Object", (dict,)),
    "secureobject": ("Object", (dict,)),
}
SHOWN = {
    "string": "String",
    "securestring": "SecureString",
    "int": "Int",
    "bool": "Bool",
    "array": "Array",
    "object": "Object",
    "secureobject": "SecureObject",
}
"""A type as a deployment shows it (recorded)."""
_USAGE = "Please see https://aka.ms/arm-create-parameter-file for usage details."


def checked(template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name in lower case; `given` is plain values by name."""
    declared = declarations(template)
    unknown = [name for name in given if name.lower() not in declared]
    if unknown:
        raise TemplateError(
            f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; they are not "
            "present in the original template and can therefore not be provided at deployment time. The only "
            f"supported parameters for this template are '{', '.join(template.get('parameters') or {})}'. {_USAGE}"
        )
    found = {}
    for name, value in given.items():
        declaration = declared[name.lower()]
        if value is None and ("defaultValue" in declaration or declaration.get("nullable")):
            continue
        must_fit(name, declaration, value)
        found[name.lower()] = value
    return found


def declarations(template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """By name in lower case, with the type that a `$ref` leads to."""
    found: dict[str, Mapping[str, Any]] = {}
    parameters = template.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise TemplateError("The template's 'parameters' must be an object.")
    for name, declaration in parameters.items():
        if not isinstance(declaration, dict):
            raise TemplateError(f"The template parameter '{name}' is not valid.")
        found[name.lower()] = _resolved(template, name, declaration)
    return found


def _resolved(template: Mapping[str, Any], name: str, declaration: Mapping[str, Any]) -> Mapping[str, Any]:
    seen = set()
    found = dict(declaration)
    while isinstance(reference := found.pop("$ref", None), str):
        at = reference.removeprefix("#/definitions/")
        definition = (template.get("definitions") or {}).get(at)
        if at in seen or not isinstance(definition, dict):
            raise TemplateError(f"The type '{reference}' of the template parameter '{name}' is not defined.")
        seen.add(at)
        found = {**definition, **found}
    kind = found.get("type")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise TemplateError(
            f"The template parameter '{name}' has the type '{kind}'. The allowed types are "
            f"'{', '.join(SHOWN.values())}'."
        )
    return found


def must_fit(name: str, declaration: Mapping[str, Any], value: Any) -> None:
    """Raise `TemplateError` for a value of another type or outside the bounds."""
    wanted, kinds = TYPES[declaration["type"].lower()]
    if value is None and declaration.get("nullable"):
        return
    fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    if not fits:
        raise TemplateError(
            f"The provided value for the template parameter '{name}' is not valid. Template parameter JToken type is "
            f"not valid. Expected '{wanted}'. Actual '{kind_of(value)}'. {_USAGE}"
        )
    allowed = declaration.get("allowedValues")
    if isinstance(allowed, list):
        parts = value if isinstance(value, list) and not any(isinstance(item, list) for item in allowed) else [value]
        for part in parts:
            if not any(same(part, item) for item in allowed):
                options = ",".join(str(item) for item in allowed)
                raise TemplateError(
                    f"The provided value '{shown(part)}' for the template parameter '{name}' is not valid. The value "
                    f"'{shown(part)}' is not part of the allowed value(s): '{options}'."
                )
    _bounded(name, declaration, value)


def _bounded(name: str, declaration: Mapping[str, Any], value: Any) -> None:
    start = f"The provided value for the template parameter '{name}' is not valid."
    least, most = declaration.get("minValue"), declaration.get("maxValue")
    if isinstance(value, int) and not isinstance(value, bool):
        if isinstance(least, int) and value < least:
            raise TemplateError(f"{start} The value '{value}' must be greater than or equal to '{least}'.")
        if isinstance(most, int) and value > most:
            raise TemplateError(f"{start} The value '{value}' must be less than or equal to '{most}'.")
    if isinstance(value, str | list):
        shortest, longest = declaration.get("minLength"), declaration.get("maxLength")
        if isinstance(shortest, int) and len(value) < shortest:
            raise TemplateError(f"{start} Length of the value should be greater than or equal to '{shortest}'.")
        if isinstance(longest, int) and len(value) > longest:
            raise TemplateError(f"{start} Length of the value should be less than or equal to '{longest}'.")
