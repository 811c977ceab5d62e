"""A deployment inside a template: what its own template's expressions see.

With `expressionEvaluationOptions.scope` `inner` it is a template of its own, with the parameters that it is handed.
Otherwise (`outer`, the default) its expressions see the outer template's parameters, variables, functions and loops,
and what `resourceGroup()` and its sisters say is said of the outer deployment; its resources still go where it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from farshore.arm.templates.errors import TemplateError
from farshore.arm.templates.resources import Declared
from farshore.arm.templates.scope import Place, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """What makes the scope of a deployment: `Scope(inner.template, place, inner.given, world, inner=inner)`."""

    template: Mapping[str, Any]
    given: Mapping[str, Any]
    seen: Place | None = None
    """What functions say of the place; None where it is the deployment's own."""
    loops: Mapping[str, int] = field(default_factory=dict)

    def scope(self, place: Place, world: Any = None) -> Scope:
        return Scope(self.template, place, self.given, world, seen=self.seen, loops=self.loops)


def plain(parameters: Any) -> dict[str, Any]:
    """The values of `{"name": {"value": ...}}`; raises `TemplateError`."""
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise TemplateError("The parameters must be an object.", code="InvalidDeploymentParameterValue")
    found = {}
    for name, item in parameters.items():
        if isinstance(item, dict) and "reference" in item:
            raise TemplateError(
                f"The value of the parameter '{name}' is a reference to a key vault, which the lab has not.",
                code="KeyVaultParameterReferenceNotFound",
            )
        if not isinstance(item, dict) or "value" not in item:
            raise TemplateError(
                f"The parameter '{name}' must be an object with a 'value'.", code="InvalidDeploymentParameterValue"
            )
        found[name] = item["value"]
    return found


def inner_of(scope: Scope, item: Declared, properties: Mapping[str, Any]) -> Inner:
    """Of a nested deployment's evaluated properties."""
    template = properties.get("template")
    if not isinstance(template, dict):
        raise TemplateError(f"The nested deployment '{item.name}' has no template; the lab follows no links.")
    options = properties.get("expressionEvaluationOptions")
    how = options.get("scope") if isinstance(options, dict) else None
    if isinstance(how, str) and how.lower() == "inner":
        return Inner(template=template, given=plain(properties.get("parameters")))
    kept = {
        key: scope.template[key]
        for key in ("parameters", "variables", "functions", "definitions")
        if key in scope.template
    }
    return Inner(
        template={**{key: value for key, value in template.items() if key not in _OWN}, **kept},
        given=scope.parameter_values(),
        seen=scope.seen,
        loops={**scope.outer_loops, **item.loops},
    )


_OWN = ("parameters", "variables", "functions", "definitions")
