"""What the expressions of one template can see: parameters, variables, where it is deployed, and the ids of things.

    scope = Scope(template, place, {"hubName": "hub"})
    scope.value("[resourceId('Microsoft.Network/virtualNetworks', parameters('hubName'))]")

`reference` and the `list...` functions ask the world; without one they are `Deferred`. A name, a symbolic name or a
relative id in `reference` means what `declared` found under it (`known`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.templates.dates import written
from farshore.arm.templates.errors import Deferred, TemplateError
from farshore.arm.templates.evaluator import Evaluator, is_copy_list
from farshore.arm.templates.hashing import template_guid
from farshore.arm.templates.parameters import checked, declarations, must_fit
from farshore.arm.templates.table import must_be_number, must_be_text
from farshore.errors import InputError


class World(Protocol):
    """What a deployment that runs can ask."""

    def reference(self, id_: str, api_version: str | None, full: bool) -> Any:
        """The properties of a resource, or all of it."""

    def listing(self, function: str, id_: str, api_version: str, body: Any) -> Any:
        """What `listKeys` and its sisters answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a template is deployed, and what it may know of that."""

    subscription: str
    group: ResourceId | None
    """None for a deployment of the subscription itself."""
    resource_group: Mapping[str, Any] = field(default_factory=dict)
    """What `resourceGroup()` gives."""
    about_subscription: Mapping[str, Any] = field(default_factory=dict)
    about_tenant: Mapping[str, Any] = field(default_factory=dict)
    deployment: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    deployer: Mapping[str, Any] = field(default_factory=dict)
    now: datetime | None = None
    """For `utcNow` in a default; None where nobody knows the time."""
    seed: str = ""
    """For `newGuid` in a default."""

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.subscription}" if self.group is None else self.group.text


class Scope(Evaluator):
    """See above; `given` is plain values by name."""

    def __init__(
        self,
        template: Mapping[str, Any],
        place: Place,
        given: Mapping[str, Any],
        world: World | None = None,
        *,
        seen: Place | None = None,
        loops: Mapping[str, int] | None = None,
    ) -> None:
        must_be_template(template)
        seen = seen or place
        super().__init__(
            {
                "parameters": self._parameter,
                "variables": self._variable,
                "copyindex": self.copy_index,
                "resourcegroup": self._resource_group,
                "subscription": lambda: dict(seen.about_subscription),
                "tenant": lambda: dict(seen.about_tenant),
                "deployment": lambda: dict(seen.deployment),
                "environment": lambda: dict(seen.environment),
                "deployer": lambda: dict(seen.deployer),
                "fail": self._fails,
                "resourceid": self._resource_id,
                "subscriptionresourceid": self._subscription_resource_id,
                "tenantresourceid": self._tenant_resource_id,
                "extensionresourceid": self._extension_resource_id,
                "managementgroup": self._no_management_group,
                "pickzones": self._pick_zones,
                "utcnow": self._utc_now,
                "newguid": self._new_guid,
                "reference": self._reference,
                "list*": self._list,
            },
            _members(template),
        )
        self.template, self.place, self.world = template, place, world
        self.seen = seen
        """The place that functions speak of: of an outer deployment, where its expressions are evaluated."""
        self.outer_loops = dict(loops or {})
        self._loops = {name.lower(): index for name, index in self.outer_loops.items()}
        self._current = next(iter(reversed(self._loops.values())), None)
        self.known: dict[str, str] = {}
        """Names, symbolic names and relative ids of declared resources, in lower case, to their ids."""
        self.versions: dict[str, str] = {}
        """Ids of declared resources, in lower case, to the api-versions they are declared with."""
        self.declared = declarations(template)
        self.given = checked(template, given)
        self._defaults: dict[str, Any] = {}
        self._variables = _variables(template)
        self._evaluated: dict[str, Any] = {}
        self._under_way: list[str] = []
        self._in_default = 0
        self._guids = 0

    def check_parameters(self) -> None:
        """Every declared parameter has a value that fits; raises `TemplateError`."""
        for name in self.template.get("parameters") or {}:
            self._parameter(name)

    def parameter_values(self) -> dict[str, Any]:
        return {name: self._parameter(name) for name in self.template.get("parameters") or {}}

    def resolve(self, text: str) -> str | None:
        """The id that a name, a symbolic name, a relative or a whole id means; None for a name that is nobody's."""
        if text.startswith("/"):
            return text
        found = self.known.get(text.lower())
        if found is None and text.count("/") >= 2:
            return self._relative(text)
        return found

    # Parameters and variables. -------------------------------------------------------------------------------------

    def _parameter(self, name: Any) -> Any:
        key = must_be_text("parameters", name).lower()
        declaration = self.declared.get(key)
        if declaration is None:
            raise TemplateError(
                f"The template parameter '{name}' is not found. Please see https://aka.ms/arm-syntax-parameters for "
                "usage details."
            )
        if key in self.given:
            return self.given[key]
        if key in self._defaults:
            return self._defaults[key]
        if "defaultValue" not in declaration:
            if declaration.get("nullable"):
                return None
            raise TemplateError(
                f"The value for the template parameter '{name}' is not provided. Please see "
                "https://aka.ms/arm-create-parameter-file for usage details."
            )
        self._in_default += 1
        try:
            found = self._once(f"parameter '{name}'", lambda: self.value(declaration["defaultValue"]))
        finally:
            self._in_default -= 1
        must_fit(str(name), declaration, found)
        self._defaults[key] = found
        return found

    def _variable(self, name: Any) -> Any:
        key = must_be_text("variables", name).lower()
        if key in self._evaluated:
            return self._evaluated[key]
        if key not in self._variables:
            raise TemplateError(
                f"The template variable '{name}' is not found. Please see https://aka.ms/arm-syntax-variables for "
                "usage details."
            )
        work = self._variables[key]
        found = self._evaluated[key] = self._once(f"variable '{name}'", lambda: work(self))
        return found

    def _once(self, what: str, work: Callable[[], Any]) -> Any:
        if what in self._under_way:
            raise TemplateError(f"The template {what} refers to itself.")
        self._under_way.append(what)
        try:
            return work()
        finally:
            self._under_way.pop()

    # Where it is deployed. -----------------------------------------------------------------------------------------

    def _resource_group(self) -> dict[str, Any]:
        if self.seen.group is None:
            raise TemplateError(
                "The template function 'RESOURCEGROUP' is not expected at this location: the deployment is one of "
                "the subscription."
            )
        return dict(self.seen.resource_group)

    def _fails(self, message: Any) -> Any:
        raise TemplateError(must_be_text("fail", message))

    def _no_management_group(self) -> Any:
        raise TemplateError("The template function 'MANAGEMENTGROUP' is not expected at this location.")

    def _utc_now(self, form: Any = None) -> str:
        if not self._in_default:
            raise TemplateError(
                "The template function 'utcNow' is not expected at this location. It can only be used in the default "
                "value of a parameter."
            )
        if self.seen.now is None:
            raise Deferred
        return written(self.seen.now, "yyyyMMddTHHmmssZ" if form is None else form)

    def _new_guid(self) -> str:
        if not self._in_default:
            raise TemplateError(
                "The template function 'newGuid' is not expected at this location. It can only be used in the default "
                "value of a parameter."
            )
        self._guids += 1
        return template_guid(self.seen.seed, str(self._guids))

    def _pick_zones(self, provider: Any, kind: Any, location: Any, count: Any = 1, *offset: Any) -> list[str]:
        for part in (provider, kind, location):
            must_be_text("pickZones", part)
        begin = must_be_number("pickZones", offset[0]) if offset else 0
        return ["1", "2", "3"][begin : begin + must_be_number("pickZones", count)]

    # Ids. ----------------------------------------------------------------------------------------------------------

    def _resource_id(self, *parts: Any) -> str:
        """`resourceId([subscription,] [group,] type, name, ...)`: the type is the first part with a slash."""
        lead, kind, names = _typed("resourceId", parts)
        place = self.seen
        if place.group is None and len(lead) < 2:
            # Of a subscription's deployment: resources of the subscription, or of a group that is named.
            group = lead.pop() if lead and not _is_guid(lead[-1]) else None
            root = f"/subscriptions/{lead.pop() if lead else place.subscription}"
            return _joined(root if group is None else f"{root}/resourceGroups/{group}", kind, names)
        named = lead.pop() if lead else str(place.group.resource_group if place.group else "")
        subscription = lead.pop() if lead else place.subscription
        return _joined(f"/subscriptions/{subscription}/resourceGroups/{named}", kind, names)

    def _subscription_resource_id(self, *parts: Any) -> str:
        lead, kind, names = _typed("subscriptionResourceId", parts)
        return _joined(f"/subscriptions/{lead[-1] if lead else self.seen.subscription}", kind, names)

    def _tenant_resource_id(self, *parts: Any) -> str:
        _, kind, names = _typed("tenantResourceId", parts)
        return _joined("", kind, names)

    def _extension_resource_id(self, scope: Any, *parts: Any) -> str:
        _, kind, names = _typed("extensionResourceId", parts)
        return _joined(must_be_text("extensionResourceId", scope).rstrip("/"), kind, names)

    def _relative(self, text: str) -> str | None:
        """`Microsoft.Network/virtualNetworks/hub`: namespace, then types and names by turns."""
        namespace, *rest = text.split("/")
        if len(rest) % 2 or "." not in namespace:
            return None
        return f"{self.place.scope}/providers/{namespace}/{'/'.join(rest)}"

    # What the world knows. -----------------------------------------------------------------------------------------

    def _reference(self, target: Any, api_version: Any = None, full: Any = None) -> Any:
        name = must_be_text("reference", target)
        if self._in_default:
            raise TemplateError("The template function 'reference' is not expected at this location.")
        id_ = self.resolve(name)
        if self.world is None:
            raise Deferred
        if id_ is None:
            raise TemplateError(f"The resource '{name}' is not defined in the template.")
        # Recorded: what the template deploys itself is shown as the api-version shows it that it is deployed with.
        version = api_version or self.versions.get(id_.lower())
        return self.world.reference(must_be_id(id_), version, str(full or "").lower() == "full")

    def _list(self, function: str, target: Any = None, api_version: Any = None, body: Any = None) -> Any:
        name = must_be_text(function, target)
        if self._in_default:
            raise TemplateError(f"The template function '{function}' is not expected at this location.")
        id_ = self.resolve(name)
        if self.world is None:
            raise Deferred
        if id_ is None:
            raise TemplateError(f"The resource '{name}' is not defined in the template.")
        return self.world.listing(function, must_be_id(id_), must_be_text(function, api_version), body)


def must_be_template(template: Mapping[str, Any]) -> None:
    """Raise `TemplateError` for what has not the form of a template."""
    for key, kinds, wanted in _PARTS:
        value = template.get(key)
        if value is not None and not isinstance(value, kinds):
            raise TemplateError(f"The template's '{key}' must be {wanted}.")
    if "resources" not in template:
        raise TemplateError("The template has no 'resources'.")
    for name, output in (template.get("outputs") or {}).items():
        if not isinstance(output, dict) or not isinstance(output.get("type"), str):
            raise TemplateError(f"The template output '{name}' must be an object with a type.")


_PARTS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("parameters", (dict,), "an object"),
    ("variables", (dict,), "an object"),
    ("functions", (list,), "an array"),
    ("definitions", (dict,), "an object"),
    ("resources", (list, dict), "an array, or an object by symbolic names"),
    ("outputs", (dict,), "an object"),
)


def _typed(function: str, parts: tuple[Any, ...]) -> tuple[list[str], str, list[str]]:
    """What stands before the type, the type, and the names."""
    texts = [must_be_text(function, part) for part in parts]
    first = next((at for at, part in enumerate(texts) if "/" in part), None)
    if first is None or first > 2:
        raise TemplateError(
            f"Unable to evaluate template language function '{function}': function requires one or more "
            "arguments, of which one is the fully qualified resource type, such as Microsoft.Network/virtualNetworks."
        )
    kind, names = texts[first].strip("/"), texts[first + 1 :]
    names = [part for name in names for part in name.split("/")] if len(names) == 1 else names
    if len(kind.split("/")) - 1 != len(names):
        raise TemplateError(
            f"Unable to evaluate template language function '{function}': the type '{kind}' requires "
            f"'{len(kind.split('/')) - 1}' resource name argument(s), not {len(names)}."
        )
    return texts[:first], kind, names


def _joined(scope: str, kind: str, names: list[str]) -> str:
    namespace, *kinds = kind.split("/")
    tail = "/".join(f"{part}/{name}" for part, name in zip(kinds, names, strict=True))
    if kind.lower() == "microsoft.resources/resourcegroups" and scope.count("/") == 2:
        return f"{scope}/resourceGroups/{names[0]}"
    return f"{scope}/providers/{namespace}/{tail}"


def _is_guid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def must_be_id(text: str) -> str:
    try:
        return resource_id(text).text
    except InputError:
        raise TemplateError(f"'{text}' is not a valid resource identifier.") from None


def _members(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template's own functions by `namespace.name` in lower case."""
    found: dict[str, Any] = {}
    for space in template.get("functions") or []:
        members = space.get("members") if isinstance(space, dict) else None
        if not isinstance(members, dict) or not all(isinstance(member, dict) for member in members.values()):
            raise TemplateError("The functions of the template are not valid: a namespace has members.")
        for name, member in members.items():
            found[f"{space.get('namespace', '')}.{name}".lower()] = member
    return found


def _variables(template: Mapping[str, Any]) -> dict[str, Callable[[Scope], Any]]:
    """How each variable is evaluated, by name in lower case; `copy` makes arrays."""
    found: dict[str, Callable[[Scope], Any]] = {}
    for name, value in (template.get("variables") or {}).items():
        if name == "copy" and is_copy_list(value):
            for loop in value:
                found[loop["name"].lower()] = partial(_unrolled, loop)
        else:
            found[name.lower()] = partial(_valued, value)
    return found


def _unrolled(loop: Mapping[str, Any], scope: Scope) -> Any:
    return scope.unrolled(loop)


def _valued(value: Any, scope: Scope) -> Any:
    return scope.value(value)
