"""Is the estate again what it was? Two readings compared, every difference with its reason.

Bodies are compared in canonical form: without etags, GUIDs that ARM makes up, times, provisioning and polling states.
What differs is residue, and each row says why: a step of the plan built it, Site Recovery names a disk anew,
replication stays on. A difference that nothing explains fails the comparison.
"""

from __future__ import annotations

from typing import Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.cli.words import many
from farshore.errors import InputError
from farshore.estate.differences import differences
from farshore.estate.estate import Estate
from farshore.plan.builders.protect import LET_GO
from farshore.plan.interruption import staying
from farshore.plan.model import DeleteResource, Plan, PutResource, StepKind

OF_A_NEW_DISK = ("properties.creationData", "properties.diskIOPSReadWrite", "properties.diskMBpsReadWrite")
"""What Azure says of a disk by how and when it was made: the speed of a kind has changed over the years."""
UNEXPLAINED = "nothing in the plan explains this"


def residue(before: Estate, after: Estate, plan: Plan) -> list[dict[str, Any]]:
    """Rows `{id, path, before, after, why}`; empty when the estate is again what it was."""
    reasons = _Reasons(before, after, plan)
    rows = []
    for row in differences(before, after):
        key = row.id.lower()
        why = reasons.of_path(key, row.path) if row.path else reasons.of_resource(key, added=row.before is None)
        rows.append(
            {"id": row.id, "path": row.path, "before": _shown(row.before), "after": _shown(row.after), "why": why}
        )
    return rows + _sites(before, after)


def unexplained(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["why"] == UNEXPLAINED]


class _Reasons:
    """Why a resource may differ, from the plan alone."""

    def __init__(self, before: Estate, after: Estate, plan: Plan) -> None:
        self._built: dict[str, str] = {}
        # What a step writes is a better reason than what one only looks at.
        for step in sorted(plan.steps, key=lambda step: step.kind is StepKind.CHECK):
            self._built.setdefault(step.subject.lower(), step.title)
            for effect in step.effects:
                if isinstance(effect, PutResource):
                    self._built.setdefault(str(effect.body["id"]).lower(), step.title)
                if isinstance(effect, DeleteResource):
                    self._built.setdefault(effect.id.key, step.title)
        items = [resource_id(step.subject) for step in plan.steps if step.id.startswith(LET_GO)]
        self._let_go, self._left = {item.key for item in items}, {item.top for item in items}
        self._machines = {machine.id.key for machine in plan.machines}
        self._nics = {machine.nic.key for machine in plan.machines}
        away = staying(plan)
        over = [machine for machine in plan.machines if machine.id.key in away]
        self._away = {m.id.key for m in over} | {
            nic.id.key for nic in before.network_interfaces if nic.virtual_machine in {m.id for m in over}
        }
        self._away |= {
            key for key, body in before.resources.items() if str(body.get("managedBy") or "").lower() in self._away
        }
        self._stays = f"its machine stays in {plan.target_region}, protected towards {plan.source_region} (S46)"
        self._targets = {id_.key for machine in plan.machines for id_ in (machine.target_id, machine.target_nic)}
        self._holders = {key: str(body.get("managedBy") or "").lower() for key, body in after.resources.items()}
        self._disks = {
            key for key, body in before.resources.items() if str(body.get("managedBy") or "").lower() in self._machines
        }

    def of_resource(self, key: str, *, added: bool) -> str:
        id_ = resource_id(key)
        kind = id_.type.lower()
        if key in self._away and not added:
            return self._stays
        if key in self._let_go and not added:
            return f"the plan's own: {self._built[key]}"
        if kind.startswith("microsoft.recoveryservices/"):
            return "replication stays on, so that the next disaster finds it so (S47)"
        holder = self._holders.get(key, "")
        if holder in self._built and holder not in self._targets | self._machines:
            return f"part of the plan's own: {self._built[holder]}"
        if key in self._away:
            return self._stays
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
        if key in self._away or any(f"[{gone}" in path.lower() for gone in self._away):
            return self._stays
        if key in self._machines and ("storageProfile" in path or "Disk" in path):
            return "Site Recovery names the disk of a failover anew (S46, S47)"
        if key in self._disks and path.startswith(OF_A_NEW_DISK):
            return "a failover makes a disk anew, of its replica (S46, S47)"
        if key in self._machines and path.startswith("properties.osProfile"):
            return "a machine that is made of a disk that has been set up already has no osProfile (S46)"
        if key in self._machines | self._nics and path.startswith("tags"):
            return "Site Recovery tags what it makes"
        if key in self._machines and path.split(".")[0] in ("tags", "extensions", "resources", "identity"):
            return "not carried by Site Recovery (S35)"
        if key in self._built and not self._is_source(key):
            return f"the plan's own: {self._built[key]}"
        if resource_id(key).top in self._left:
            return "its vault stands where it must not, and protects nothing of the plan's any more (S10)"
        if path.startswith("properties.peerings[") and path.endswith("connections"):
            return "the circuit lists the plan's connection"
        if _is_back_reference(path):
            return "a reference from what the plan built"
        return UNEXPLAINED

    def _is_source(self, key: str) -> bool:
        return key in self._machines or key in self._nics


def _is_back_reference(path: str) -> bool:
    """Lists that ARM keeps of who refers to a resource: subnets of a table, configurations of a subnet, machines of a
    set, a placement or a reservation group."""
    last = path.rsplit(".", 1)[-1].split("[")[0]
    return last in (
        "subnets",
        "networkInterfaces",
        "ipConfigurations",
        "connections",
        "managedBy",
        "managedByExtended",
        "virtualNetworkPeerings",
        "virtualMachines",
        "virtualMachinesAssociated",
        "availabilitySets",
    )


def _shown(value: Any) -> Any:
    """What a row shows: scalars whole, an id by its short form, anything larger by its size."""
    if isinstance(value, str) and value.startswith("/subscriptions/"):
        try:
            return ResourceId(value).short
        except InputError:
            return value
    if isinstance(value, list):
        return many(len(value), "item")
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
