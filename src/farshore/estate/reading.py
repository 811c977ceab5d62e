"""Reading resources: markers, secrets, children nested or alone, one id twice; and changing them again.

    a JSON value ─► resources_of ─► read_resources ─► Estate
                                     admit      every body passes the door (`estate/door.py`)
                                     merge      one id told twice is one resource, or an error (`estate/folding.py`)
                                     fold       a child that stands alone goes into its parent
                                     list       what we have no model for, and what markers leave unknown

After that an estate only changes by `apply_changes`: a dict is copied and one parent replaced, everything else is
shared, because a proof makes thousands of estates that differ in little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import EXPECTED, ResourceId, resource_id
from farshore.arm.json import Body, dumps
from farshore.errors import InputError
from farshore.estate.canonical import canonical_body, canonical_resources
from farshore.estate.door import REDACTED, Door, MisfitError, marker_places
from farshore.estate.folding import (
    NESTED,
    DisagreementError,
    merged,
    with_children,
    with_named_children,
)

if TYPE_CHECKING:
    from farshore.estate.estate import Change, Estate
    from farshore.estate.project import Project

__all__ = [
    "NESTED",
    "REDACTED",
    "UNDERSTOOD",
    "BodyError",
    "apply_changes",
    "canonical_body",
    "canonical_resources",
    "find",
    "read_resources",
    "resources_of",
]

UNDERSTOOD = frozenset(
    {
        "microsoft.resources/resourcegroups",
        "microsoft.network/virtualnetworks",
        "microsoft.network/routetables",
        "microsoft.network/networksecuritygroups",
        "microsoft.network/networkinterfaces",
        "microsoft.network/publicipaddresses",
        "microsoft.network/virtualnetworkgateways",
        "microsoft.network/localnetworkgateways",
        "microsoft.network/connections",
        "microsoft.network/expressroutecircuits",
        "microsoft.network/virtualhubs",
        "microsoft.network/virtualhubs/bgpconnections",
        "microsoft.network/virtualhubs/ipconfigurations",
        "microsoft.network/virtualhubs/hubvirtualnetworkconnections",
        "microsoft.network/virtualhubs/hubroutetables",
        "microsoft.network/virtualhubs/routingintent",
        "microsoft.network/virtualwans",
        "microsoft.network/expressroutegateways",
        "microsoft.network/expressroutegateways/expressrouteconnections",
        "microsoft.network/vpngateways",
        "microsoft.network/vpngateways/natrules",
        "microsoft.network/vpngateways/vpnconnections",
        "microsoft.network/vpnsites",
        "microsoft.network/loadbalancers",
        "microsoft.network/azurefirewalls",
        "microsoft.network/privateendpoints",
        "microsoft.automation/automationaccounts",
        "microsoft.compute/virtualmachines",
        "microsoft.compute/disks",
        "microsoft.compute/snapshots",
        "microsoft.compute/availabilitysets",
        "microsoft.storage/storageaccounts",
        "microsoft.recoveryservices/vaults",
        *NESTED,
    }
)
"""The types that we have a model or a use for; all others are kept and listed as unread."""


class BodyError(InputError):
    """Something is wrong with one body; `index` and `inside` let a reader of files find its line."""

    index: int = 0
    inside: tuple[str, ...] = ()


def resources_of(json: Any) -> list[Body]:
    """The list of bodies in a JSON value: a list, `{"value": [..]}` or `{"resources": [..]}`."""
    found = json
    if isinstance(json, dict):
        found = next((json[key] for key in ("value", "resources") if key in json), None)
    if not isinstance(found, list):
        raise InputError(
            "This is no list of resources",
            value=_kind(json),
            expected='a JSON list of ARM bodies, {"value": [...]} or {"resources": [...]}',
            remedy="put the bodies into a list, as `farshore estate read` or an export of the resources does",
        )
    return found


def _kind(json: Any) -> str:
    """What a JSON value is, in JSON's words."""
    if isinstance(json, dict):
        keys = ", ".join(str(key) for key in list(json)[:5])
        return f"an object with {keys}" if keys else "an empty object"
    if json is None or isinstance(json, bool):
        return dumps(json).decode()
    return "a text" if isinstance(json, str) else "a list" if isinstance(json, list) else "a number"


def read_resources(resources: list[Body], project: Project | None) -> Estate:
    """See `Estate.from_resources`."""
    from farshore.estate.estate import Estate

    door = Door()
    tops: dict[str, Body] = {}
    alone: list[tuple[ResourceId, Body, int]] = []
    unknown: list[str] = []
    for index, body in enumerate(resources):
        id_ = _id_of(body, index)
        seen = door.markers
        admitted = _admitted(door, body, id_, index)
        if door.markers != seen:
            unknown.extend(f"{id_.text} {place}" for place in marker_places(admitted))
        if id_.type.lower() in NESTED:
            alone.append((id_, admitted, index))
        else:
            known = tops.get(id_.key)
            tops[id_.key] = admitted if known is None else _merged(known, admitted, index)
    unread = [str(body["id"]) for key, body in tops.items() if resource_id(key).type.lower() not in UNDERSTOOD]
    unread += _fold(tops, alone)
    estate = Estate(resources=tops, unread=tuple(unread), unknown=tuple(unknown))
    return estate if project is None else estate.with_project(project)


def find(resources: Mapping[str, Body], id_: ResourceId) -> Body | None:
    """A body by id, nested children included."""
    body = resources.get(id_.key)
    if body is not None:
        return body
    parent_id = id_.parent
    if parent_id is None:
        return None
    list_name = NESTED.get(id_.type.lower())
    parent = None if list_name is None else find(resources, parent_id)
    if parent is None or list_name is None:
        return None
    return next((child for child in _children(parent, list_name) if _is_called(child, id_)), None)


def apply_changes(resources: Mapping[str, Body], changes: Iterable[Change]) -> Mapping[str, Body]:
    """A new mapping that shares every untouched body."""
    after = dict(resources)
    for change in changes:
        if change.delete is not None:
            _delete(after, change.delete)
        elif change.put is not None:
            id_ = _id_of(change.put, 0)
            _put(after, id_, _named(change.put, id_, 0))
    return after


def _put(after: dict[str, Body], id_: ResourceId, body: Body) -> None:
    """A top-level body is replaced; a child is replaced in its parent, which is put in turn (L12)."""
    parent_id, list_name = id_.parent, NESTED.get(id_.type.lower())
    parent = None if parent_id is None or list_name is None else find(after, parent_id)
    if parent_id is None or list_name is None or parent is None or id_.key in after:
        after[id_.key] = body
        return
    if body.get("name") != id_.name:
        body = {**body, "name": id_.name}
    children = _children(parent, list_name)
    place = next((at for at, child in enumerate(children) if _is_called(child, id_)), len(children))
    _put(after, parent_id, _with_list(parent, list_name, [*children[:place], body, *children[place + 1 :]]))


def _delete(after: dict[str, Body], id_: ResourceId) -> None:
    """What is not there is deleted already; a resource takes its children with it."""
    if after.pop(id_.key, None) is not None:
        inside = id_.key + "/"
        for key in [key for key in after if key.startswith(inside)]:
            del after[key]
        return
    parent_id, list_name = id_.parent, NESTED.get(id_.type.lower())
    parent = None if parent_id is None or list_name is None else find(after, parent_id)
    if parent_id is None or list_name is None or parent is None:
        return
    children = _children(parent, list_name)
    left = [child for child in children if not _is_called(child, id_)]
    if len(left) < len(children):
        _put(after, parent_id, _with_list(parent, list_name, left))


def _children(parent: Body, list_name: str) -> list[Body]:
    properties = parent.get("properties")
    children = properties.get(list_name) if isinstance(properties, dict) else None
    return [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []


def _is_called(child: Body, id_: ResourceId) -> bool:
    name = child.get("name") or str(child.get("id", "")).rsplit("/", 1)[-1]
    return isinstance(name, str) and name.lower() == id_.name.lower()


def _with_list(parent: Body, list_name: str, children: list[Body]) -> Body:
    properties = parent.get("properties")
    return {**parent, "properties": {**(properties if isinstance(properties, dict) else {}), list_name: children}}


def _id_of(body: Any, index: int) -> ResourceId:
    if not isinstance(body, dict):
        what, value = f"Resource {index + 1} of the list is no ARM body", "null" if body is None else body
        remedy = "give the whole body, as ARM returns it, or remove it"
        raise _error(index, what, value=value, expected="a JSON object", remedy=remedy)
    text = body.get("id")
    named = [f"{key} {body[key]}" for key in ("name", "type") if isinstance(body.get(key), str)]
    called = f"Resource {index + 1} of the list" + (f" ({', '.join(named)})" if named else "")
    if not isinstance(text, str) or not text:
        remedy = "give the body its full id, as ARM returns it"
        said = "nothing" if text is None else text if text != "" else "an empty text"
        raise _error(index, f"{called} has no id", value=said, expected=EXPECTED, remedy=remedy)
    try:
        return resource_id(text)
    except InputError as error:
        what = f"{called} has an id that is no resource id"
        remedy = "give the body its full id, as ARM returns it"
        raise _error(index, what, ("id",), value=text, expected=error.expected, remedy=remedy) from None


def _admitted(door: Door, body: Body, id_: ResourceId, index: int) -> Body:
    understood = id_.type.lower() in UNDERSTOOD
    if understood and not isinstance(body.get("properties", {}), dict):
        what = f"{id_.short}: properties are {_kind(body['properties'])}"
        remedy = "give the whole body, as ARM returns it"
        raise _error(index, what, ("properties",), value=_kind(body["properties"]), expected="an object", remedy=remedy)
    try:
        admitted = door.admit(body, id_, understood)
    except MisfitError as misfit:
        raise _error(
            index,
            f"{id_.short}: {misfit.place}: {misfit.what}",
            tuple(misfit.path),
            value=misfit.value,
            expected=misfit.expected,
            remedy=misfit.remedy,
        ) from None
    return _named(admitted, id_, index)


def _named(body: Body, id_: ResourceId, index: int) -> Body:
    try:
        return with_named_children(body, id_)
    except KeyError as error:
        place = str(error.args[0])
        what, remedy = "this child's id does not lie under its parent", "move it to its parent, or correct its id"
        if not place.endswith(".id"):
            what, remedy = "this child has neither an id nor a name", "give it its name"
        expected = id_.text + "/{type}/{name}"
        raise _error(index, f"{id_.short}: {place}: {what}", value=place, expected=expected, remedy=remedy) from None
    except DisagreementError as error:
        raise _disagreement(error, index) from None


def _merged(first: Body, second: Body, index: int) -> Body:
    try:
        return merged(first, second)
    except DisagreementError as error:
        raise _disagreement(error, index) from None


def _fold(tops: dict[str, Body], alone: list[tuple[ResourceId, Body, int]]) -> list[str]:
    """Put each child that stands alone into its parent, the nearest to the top first; return who has none.

    Children of one parent go in together: a network's thousand subnets must not copy it a thousand times.
    """
    orphans: list[str] = []
    waiting: dict[tuple[int, str, str], list[tuple[ResourceId, Body, int]]] = {}
    for id_, body, index in alone:
        owner = id_.parent
        assert owner is not None, "a nested type has a parent"
        waiting.setdefault((len(id_.pairs), owner.key, NESTED[id_.type.lower()]), []).append((id_, body, index))
    for (_, parent_key, list_name), children in sorted(waiting.items(), key=lambda item: item[0][0]):
        parent_id = resource_id(parent_key)
        parent = find(tops, parent_id)
        if parent is None:
            for id_, body, index in children:
                known = tops.get(id_.key)
                tops[id_.key] = body if known is None else _merged(known, body, index)
                if known is None:
                    orphans.append(id_.text)
            continue
        bodies = [body if body.get("name") == id_.name else {**body, "name": id_.name} for id_, body, _ in children]
        try:
            _put(tops, parent_id, with_children(parent, list_name, bodies))
        except DisagreementError as error:
            index = next((i for id_, _, i in children if id_.text == error.second), children[0][2])
            raise _disagreement(error, index) from None
    return orphans


def _disagreement(error: DisagreementError, index: int) -> BodyError:
    ids = error.first if error.first == error.second else f"{error.first} and {error.second}"
    return _error(
        index,
        f"Two different bodies for one resource: {ids} differ at {error.path}: {_told(error.left)} and"
        f" {_told(error.right)}",
        value=error.second,
        expected="one body for each resource; ids are compared without regard to case",
        remedy="remove the one that is not true",
    )


def _told(value: object) -> str:
    """A value as JSON, as much of it as a message bears."""
    text = "nothing" if value is None else dumps(value).decode()
    return text if len(text) <= 80 else text[:77] + "..."


def _error(
    index: int,
    message: str,
    inside: tuple[str, ...] = (),
    *,
    value: object = None,
    expected: str | None = None,
    remedy: str | None = None,
) -> BodyError:
    error = BodyError(message, value=value, expected=expected, remedy=remedy)
    error.index = index
    error.inside = inside
    return error
