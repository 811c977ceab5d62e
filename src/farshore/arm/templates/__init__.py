"""ARM templates: their expressions, and the resources that they declare.

    parse("[concat('a', parameters('b'))]")       an expression as a value               `expressions.py`
    FUNCTIONS["concat"]("a", "b")                 what needs nothing but its arguments   `text.py`, `values.py`, ...
    Scope(template, place, given).value(...)      what parameters, variables, loops and ids say   `scope.py`
    declared(scope)                               the resources, loops unrolled, in order   `resources.py`
    inner_of(scope, item, properties)             what a nested deployment's expressions see   `nested.py`

One evaluator for everybody: a plan reads an appliance's template with it, the lab deploys with it. Nothing here asks
anybody anything; what only a deployment knows (`reference`, `list...`) is asked of the `World` that is handed in.
"""

from __future__ import annotations

from farshore.arm.templates.errors import Deferred, TemplateError
from farshore.arm.templates.nested import Inner, inner_of, plain
from farshore.arm.templates.resources import Declared, declared
from farshore.arm.templates.scope import Place, Scope, World

__all__ = [
    "Declared",
    "Deferred",
    "Inner",
    "Place",
    "Scope",
    "TemplateError",
    "World",
    "declared",
    "inner_of",
    "plain",
]
