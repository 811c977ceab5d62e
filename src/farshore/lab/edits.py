"""A resource that somebody else changes behind the user's back.

    {"kind": "edit", "id": ..., "change": {"properties": {...}}}     objects merge, null takes away (as a PATCH does)
    {"kind": "edit", "id": ..., "change": null, "delete": true}      it is deleted

The change is made at once, as a colleague's would be who is done before anybody looks: the type's own rules hold, its
etag moves, and no journal row tells of it. It can't be undone but by another edit; `clear` leaves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.ids import resource_id
from farshore.lab.answers import bad_request
from farshore.lab.fault_kinds import Wanted, fault_kind
from farshore.lab.inert import INERT
from farshore.lab.merging import merged
from farshore.lab.types import make, unmake

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


def check(cloud: Cloud, wanted: Wanted) -> None:
    change = wanted.get("change")
    if wanted.get("delete") is True and change is None:
        return
    if not isinstance(change, dict) or not change or wanted.get("delete"):
        raise bad_request("InvalidFault", 'An edit has a "change", which is an object, or "delete": true.')
    kept = [name for name in ("id", "name", "type") if name in change]
    if kept:
        raise bad_request("InvalidFault", f"An edit can't change the {kept[0]} of a resource.")


@fault_kind("edit", needs=("id",), check=check)
def edit(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    """Raises `Refused` where the type's own rules refuse it."""
    id_ = resource_id(str(wanted["id"]))
    body = cloud.show(id_)
    if body is None:
        return
    if wanted.get("delete"):
        unmake(cloud, id_)
        return
    after = merged({key: value for key, value in body.items() if key != "etag"}, wanted["change"])
    if cloud.type_of(id_) is INERT:
        cloud.write(id_, after)
    else:
        make(cloud, after)
