"""Is the estate again what it was? Two readings compared, every difference with its reason.

Bodies are compared in canonical form: without etags, GUIDs that ARM makes up, times, provisioning and polling states
(contract). What differs is residue, and each row says why: a step of the plan built it, Site Recovery names a disk
anew, replication stays on. A difference that nothing explains fails the comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.plan.model import DeleteResource, Plan, PutResource

VOLATILE = frozenset(
    {
        "changedtime",
        "connectionstatus",
        "createdtime",
        "creationtime",
        "egressbytestransferred",
        "etag",
        "gatewaymanageretag",
        "ingressbytestransferred",
        "instanceview",
        "lastmodifiedby",
        "lastmodifiedtime",
        "lastownershipupdatetime",
        "macaddress",
        "networksecuritygroupsstate",
        "peeringsynclevel",
        "provisioningstate",
        "resourceguid",
        "systemdata",
        "timecreated",
        "timemodified",
        "uniqueid",
        "vmid",
    }
)
"""Lower-case names of what changes by itself."""

UNEXPLAINED = "nothing in the plan explains this"


def residue(before: Estate, after: Estate, plan: Plan) -> list[dict[str, Any]]:
    """Rows `{id, path, before, after, why}`; empty when the estate is again what it was."""
    reasons = _Reasons(before, plan)
    rows: list[dict[str, Any]] = []
    for key in sorted({*before.resources, *after.resources}):
        old, new = before.resources.get(key), after.resources.get(key)
        if old is None or new is None:
            body: Body = new if new is not None else old or {}
            there, gone = "present", None
            rows.append(
                {
                    "id": str(body.get("id", key)),
                    "path": "",
                    "before": gone if old is None else there,
                    "after": gone if new is None else there,
                    "why": reasons.of_resource(key, added=old is None),
                }
            )
            continue
        for path, was, is_ in _differences(old, new, ""):
            rows.append(
                {"id": str(new["id"]), "path": path, "before": was, "after": is_, "why": reasons.of_path(key, path)}
            )
    rows += _sites(before, after)
    return rows


def unexplained(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["why"] == UNEXPLAINED]


class _Reasons:
    """Why a resource may differ, from the plan alone."""

    def __init__(self, before: Estate, plan: Plan) -> None:
        self._built: dict[str, str] = {}
        for step in plan.steps:
            self._built.setdefault(step.subject.lower(), step.title)
            for effect in step.effects:
                if isinstance(effect, PutResource):
                    self._built.setdefault(str(effect.body["id"]).lower(), step.title)
                if isinstance(effect, DeleteResource):
                    self._built.setdefault(effect.id.key, step.title)
        self._machines = {machine.id.key for machine in plan.machines}
        self._nics = {machine.nic.key for machine in plan.machines}
        self._targets = {id_.key for machine in plan.machines for id_ in (machine.target_id, machine.target_nic)}
        self._disks = {
            key for key, body in before.resources.items() if str(body.get("managedBy") or "").lower() in self._machines
        }

    def of_resource(self, key: str, *, added: bool) -> str:
        id_ = resource_id(key)
        kind = id_.type.lower()
        if kind.startswith("microsoft.recoveryservices/"):
            return "replication stays on, so that the next disaster finds it so (S47)"
        if kind in ("microsoft.compute/disks", "microsoft.compute/snapshots"):
            return "Site Recovery keeps a disk on each side and names the one of a failover anew (S46, S47)"
        if added and key in self._targets:
            return "Site Recovery removes what it made in the target only where disks are managed (S47)"
        if key in self._built:
            return f"the plan's own: {self._built[key]}"
        parent = id_.parent
        while parent is not None:
            if parent.key in self._built:
                return f"part of the plan's own: {self._built[parent.key]}"
            parent = parent.parent
        if kind == "microsoft.resources/resourcegroups" and added:
            return "the group of what the plan built"
        return UNEXPLAINED

    def of_path(self, key: str, path: str) -> str:
        if key in self._machines and ("storageProfile" in path or "Disk" in path):
            return "Site Recovery names the disk of a failover anew (S46, S47)"
        if key in self._disks and path.startswith("properties.creationData"):
            return "a failover makes a disk anew, of its replica (S46, S47)"
        if key in self._machines and path.startswith("properties.osProfile"):
            return "a machine that is made of a disk that has been set up already has no osProfile (S46)"
        if key in self._machines | self._nics and path.startswith("tags"):
            return "Site Recovery tags what it makes"
        if key in self._machines and path.split(".")[0] in ("tags", "extensions", "resources", "identity"):
            return "not carried by Site Recovery (S35)"
        if key in self._built and not self._is_source(key):
            return f"the plan's own: {self._built[key]}"
        if path.startswith("properties.peerings[") and path.endswith("connections"):
            return "the circuit lists the plan's connection"
        if _is_back_reference(path):
            return "a reference from what the plan built"
        return UNEXPLAINED

    def _is_source(self, key: str) -> bool:
        return key in self._machines or key in self._nics


def _is_back_reference(path: str) -> bool:
    """Lists that ARM keeps of who refers to a resource: subnets of a table, configurations of a subnet."""
    last = path.rsplit(".", 1)[-1].split("[")[0]
    return last in (
        "subnets",
        "networkInterfaces",
        "ipConfigurations",
        "connections",
        "managedBy",
        "virtualNetworkPeerings",
    )


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Leaf differences `(path, was, is)`; named list items are matched by name, ids without regard to case."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if key.lower() not in VOLATILE:
                yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_differences(old, new, path)
    elif not _same(old, new):
        yield path, _shown(old), _shown(new)


def _list_differences(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    olds, news = _by_name(old), _by_name(new)
    if olds is None or news is None:
        if [_folded(item) for item in old] != [_folded(item) for item in new]:
            yield path, _shown(old), _shown(new)
        return
    for name in sorted({*olds, *news}):
        yield from _differences(olds.get(name), news.get(name), f"{path}[{name}]")


def _by_name(items: list[Any]) -> Mapping[str, Any] | None:
    """Items by name, by last part of their id, or None where they have neither."""
    named: dict[str, Any] = {}
    for item in items:
        name = item.get("name") or item.get("id") if isinstance(item, dict) else None
        if not isinstance(name, str) or name.lower() in named:
            return None
        named[name.lower()] = item
    return named


def _same(old: Any, new: Any) -> bool:
    empty: tuple[Any, ...] = (None, [], {}, "")
    return _folded(old) == _folded(new) or (old in empty and new in empty)


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, list):
        return [_folded(item) for item in value]
    if isinstance(value, dict):
        return {key: _folded(item) for key, item in value.items() if key.lower() not in VOLATILE}
    return value


def _shown(value: Any) -> Any:
    """What a row shows: scalars whole, an id by its short form, anything larger by its size."""
    if isinstance(value, str) and value.startswith("/subscriptions/"):
        try:
            return ResourceId(value).short
        except InputError:
            return value
    if isinstance(value, list):
        return f"{len(value)} items"
    if isinstance(value, dict):
        return "present"
    return value


def _sites(before: Estate, after: Estate) -> list[dict[str, Any]]:
    """What the sites' routers hold that they did not hold before."""
    rows = []
    for old in before.sites:
        new = after.site(old.name)
        for router in old.routers:
            now = None if new is None else new.router(router.name)
            if now is None:
                continue
            for field in ("local_preference", "prepend", "filters"):
                was, is_ = getattr(router, field), getattr(now, field)
                if was != is_:
                    rows.append(
                        {
                            "id": f"sites/{old.name}/routers/{router.name}",
                            "path": field,
                            "before": _router_shown(was),
                            "after": _router_shown(is_),
                            "why": "the plan's site step: it decides between two offers of one prefix (D51, D90)",
                        }
                    )
    return rows


def _router_shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return ", ".join(f"{item.direction} {item.action} {item.prefix}" for item in value) or None
    return value
