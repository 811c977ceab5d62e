"""A deployment's request as it may be shown: values of secure parameters are left out of the journal."""

from __future__ import annotations

from farshore.arm.json import Body
from farshore.estate.door import REDACTED


def without_secure_values(body: Body) -> Body:
    """The same body, or one in which each value of a `securestring` or `secureObject` is said to be hidden."""
    properties = body.get("properties")
    template = properties.get("template") if isinstance(properties, dict) else None
    declared = template.get("parameters") if isinstance(template, dict) else None
    given = properties.get("parameters") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(declared, dict) or not isinstance(given, dict):
        return body
    secure = {
        name.lower()
        for name, item in declared.items()
        if isinstance(item, dict) and str(item.get("type")).lower().startswith("secure")
    }
    if not secure:
        return body
    shown = {name: {"value": REDACTED} if name.lower() in secure else value for name, value in given.items()}
    return {**body, "properties": {**properties, "parameters": shown}}
