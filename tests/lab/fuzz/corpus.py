"""Ids that are there and bodies that made sense, by what they are sent to: what mangled requests are made from."""

from __future__ import annotations

import functools
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab import fault_kinds, registry
from farshore.lab.storage import disk_urls, keys
from lab.fuzz.asked import body_for
from lab.fuzz.estate import fresh
from lab.fuzz.rig import Rig, Sent
from lab.fuzz.table import Operation, operations
from lab.recovery.estate import AWAY, BLOBS
from lab.resources.deployed import GROUP_ID

REST_EXAMPLES = Path(os.environ.get("FARSHORE_REAL_DATA", "/nowhere")) / "rest-examples"
MOST = 10
"""Bodies of one operation."""
QUERIES = {
    "startsitefailovertest": "peeringLocation=Hong%20Kong",
    "stopsitefailovertest": "peeringLocation=Hong%20Kong",
    "startcircuitlinkfailovertest": "linkType=Primary",
    "stopcircuitlinkfailovertest": "linkType=Primary",
    "getfailoversingletestdetails": "peeringLocation=Hong%20Kong&failoverTestId=x",
    "getcircuitlinkfailoversingletestdetails": "failoverTestId=x",
    "checkipaddressavailability": "ipAddress=10.10.10.9",
    "checkdnsnameavailability": "domainNameLabel=x",
}
"""What some operations need in the query."""
READ_ONLY = ("id", "name", "type", "etag")


@functools.cache
def ids() -> dict[str, tuple[str, ...]]:
    """Ids by type in lower case: of what is kept, and of what only lists and views show."""
    rig = Rig(fresh("read"))
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for body in rig.cloud.bodies.under("/"):
        found[_type_of(str(body["id"]))][str(body["id"])] = None
    views = [(op.type, op.tail) for op in operations() if op.method == "GET" and op.tail and op.at == "resource"]
    lists = [(kind.type.rsplit("/", 1)[0], kind.type.rsplit("/", 1)[1]) for kind in registry.TYPES.values()]
    for type_, tail in dict.fromkeys((*views, *lists)):
        for id_ in list(found.get(type_.lower(), ()))[:2]:
            answer = rig.send(Sent(method="GET", path=f"{id_}/{tail}"))
            rows = answer.json.get("value", ()) if answer.status == 200 and isinstance(answer.json, dict) else ()
            for row in rows:
                if isinstance(row, dict) and isinstance(row.get("id"), str) and _type_of(row["id"]):
                    found[_type_of(row["id"])][row["id"]] = None
    rig.close()
    return {type_: tuple(held) for type_, held in sorted(found.items())}


def _type_of(text: str) -> str:
    try:
        return resource_id(text).type.lower()
    except InputError:
        return ""


WATCHERS, VAULTS = "microsoft.network/networkWatchers", "Microsoft.RecoveryServices"
FLOW = {
    "direction": "Inbound",
    "protocol": "TCP",
    "localPort": "443",
    "remotePort": "1000",
    "localIPAddress": "10.1.0.4",
    "remoteIPAddress": "10.1.0.5",
}


@functools.cache
def bodies() -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """Bodies by method, type and tail: as they were sent when the estate was built, as a GET shows what is there, and
    as Azure's own examples have them."""
    found: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    cloud = fresh("read")
    for row in cloud.store.shelf("requests").values():
        path = row["url"].split("?")[0]
        key = _key(row["method"], path)
        if key is not None and row["body"] is not None and row["body"] not in found[key]:
            found[key].append(row["body"])
    for body in list(cloud.bodies.under("/")):
        shown = cloud.show(resource_id(str(body["id"])))
        type_ = _type_of(str(body["id"]))
        if shown is not None:
            found[("PATCH", type_, "")].append({"tags": {"a": "b", "c": None}})
            for method in ("PUT", "PATCH"):
                found[(method, type_, "")].append({key: value for key, value in shown.items() if key not in READ_ONLY})
    cloud.store.close()
    web = ids()["microsoft.compute/virtualmachines"][0]
    for type_, tail, body in (
        ("microsoft.compute/disks", "begingetaccess", {"access": "Read", "durationInSeconds": 600}),
        ("microsoft.compute/snapshots", "begingetaccess", {"access": "Read", "durationInSeconds": 600}),
        (WATCHERS, "connectivitycheck", {"source": {"resourceId": web}, "destination": {"resourceId": web}}),
        (
            WATCHERS,
            "connectivitycheck",
            {"source": {"resourceId": web}, "destination": {"address": "8.8.8.8", "port": 1}},
        ),
        (WATCHERS, "topology", {"targetResourceGroupName": "rg-lab"}),
        (WATCHERS, "ipflowverify", FLOW | {"targetResourceId": web}),
        ("microsoft.storage", "checknameavailability", {"name": "stfree", "type": "Microsoft.Storage/storageAccounts"}),
        (f"{VAULTS}/locations", "checknameavailability", {"name": "free", "type": f"{VAULTS}/vaults"}),
    ):
        found[("POST", type_.lower(), tail)].append(body)
    for key, body in _examples():
        found[key].append(body)
    return {key: tuple(held[:MOST]) for key, held in sorted(found.items())}


@functools.cache
def of(operation: Operation) -> tuple[Any, ...]:
    """Bodies that make sense for an operation."""
    if operation.at == "path":
        return doors().get(operation.tail, ({},))
    known = bodies().get((operation.method, operation.type.lower(), operation.tail.lower()), ())
    if operation.method not in ("PUT", "PATCH", "POST"):
        return known or ({},)
    held = ids().get(operation.type.lower())
    cloud = fresh("asked")
    url = held[-1] if held else f"{GROUP_ID}/providers/{operation.type}/one"
    found = body_for(cloud, operation.method, f"{url}/{operation.tail}".rstrip("/") + "?api-version=2024-05-01", value)
    cloud.store.close()
    return (*known, found)


@functools.cache
def openings() -> dict[str, tuple[str, str, dict[str, str]]]:
    """Where the bytes of a disk and of a blob are read: path, query and headers that open it, by the door's path."""
    cloud = fresh("read")
    name, row = next(iter(cloud.table(disk_urls.TABLE).items()))
    account = resource_id(BLOBS[AWAY])
    key = {"authorization": f"AccountKey {keys.key(cloud, account, 'key1')}"}
    blob = next(name for name in cloud.table("volume_names") if name.startswith(f"https://{account.name}."))
    cloud.store.close()
    return {
        "/_disk": (f"/_disk/{name}/abcd", f"sig={quote(row['sig'], safe='')}", {}),
        "/_blob": (f"/_blob/{account.name}/{blob.split('/', 3)[3]}", "", key),
    }


@functools.cache
def values() -> dict[str, tuple[Any, ...]]:
    """What stands behind each name somewhere in the bodies."""
    found: dict[str, list[Any]] = defaultdict(list)

    def walk(body: Any) -> None:
        for key, item in body.items() if isinstance(body, dict) else ():
            if item is not None and item not in found[key]:
                found[key].append(item)
        for item in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
            walk(item)

    for held in bodies().values():
        for body in held:
            walk(body)
    return {key: tuple(held) for key, held in sorted(found.items())}


def value(name: str) -> Any:
    """One that could stand behind a name."""
    if name == "properties":
        return {}
    held = values().get(name)
    if held:
        return held[0]
    lower = name.lower()
    if lower.endswith("resourceid") or lower.endswith("id"):
        return ids()["microsoft.compute/virtualmachines"][0]
    if "address" in lower or lower.endswith("ip"):
        return "10.1.0.4"
    if "port" in lower or "seconds" in lower or "minutes" in lower:
        return 443
    return [{}] if lower.endswith("s") else {} if lower.endswith(("details", "input", "settings")) else "x"


def _key(method: str, path: str) -> tuple[str, str, str] | None:
    """What a request was sent to, as `bodies` has it."""
    text = path
    type_ = _type_of(text)
    if method == "POST" or not type_:
        text, _, tail = path.rpartition("/")
        return (method, _type_of(text), tail.lower()) if _type_of(text) else None
    return method, type_, ""


def _examples() -> Iterator[tuple[tuple[str, str, str], Body]]:
    """Of the published examples, where they are at hand: the parameter that is an object is the body. Its ids are
    taken for those of the estate's own resources of the same type."""
    for index in sorted(REST_EXAMPLES.glob("*/_operations.json")):
        known = {row["operationId"]: row for row in json.loads(index.read_text())["operations"]}
        for path in sorted(index.parent.glob("[!_]*.json")):
            example = json.loads(path.read_text())
            sent = [value for value in example.get("parameters", {}).values() if isinstance(value, dict)]
            row = known.get(path.stem)
            if row is None:
                shown = [each.get("body") or {} for each in example["responses"].values() if isinstance(each, dict)]
                made = [str(body["id"]) for body in shown if "id" in body]
                key = ("PUT", _type_of(made[0]), "") if made and "Create" in path.stem else None
            else:
                key = _key(row["method"], re.sub(r"\{[^}]*\}", "x", row["path"]))
            if sent and key is not None:
                yield key, _at_home(sent[0])


def _at_home(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _at_home(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_at_home(item) for item in value]
    if isinstance(value, str) and value.lower().startswith("/subscriptions/"):
        held = ids().get(_type_of(value))
        return held[0] if held else value
    return value


GRAPH = "/providers/microsoft.resourcegraph/resources"
SITE, ROUTER = "datacenter", "ce1"


def _faults() -> tuple[Body, ...]:
    """Each kind of fault, with all that any kind needs."""
    held = {kind: next(iter(ids()[kind])) for kind in ids()}
    more: Body = {
        "region": "eastasia",
        "location": "Hong Kong",
        "state": "lost",
        "link": "primary",
        "instance": 0,
        "site": SITE,
        "router": ROUTER,
        "seconds": 5,
        "code": "Wrong",
        "bytes_per_second": 1000,
        "size": "Standard_D2s_v3",
        "method": "PUT",
        "path": "routeTables",
        "count": 1,
        "at": "2026-03-03T00:00:00Z",
        "change": {"tags": {"a": "b"}},
    }
    machines, tables = "microsoft.compute/virtualmachines", "microsoft.network/routetables"
    return tuple(
        {"kind": name, "id": held[next(iter(kind.of), tables if name == "edit" else machines)], **more}
        for name, kind in fault_kinds.KINDS.items()
    )


@functools.cache
def doors() -> dict[str, tuple[Any, ...]]:
    """Bodies for what no resource has, by path."""
    gateway = ids()["microsoft.network/virtualnetworkgateways"][0]
    return {
        "/_lab/clock": ({"advance_seconds": 60}, {"to_next": True}, {"to": "2026-03-03T00:00:00Z"}, {"speed": "hand"}),
        "/_lab/faults": _faults(),
        "/_lab/durations": ({"name": "network.put", "seconds": 1, "spread": 0.1}, {"reset": True}),
        "/_lab/packets": (
            {"from": "10.1.0.4", "to": "10.1.0.5", "port": 443, "protocol": "Tcp"},
            {"packets": [{"from": "10.1.0.4", "to": "192.168.0.1"}]},
        ),
        "/_lab/sites": ({"site": SITE, "routers": [{"name": ROUTER, "prefer": "primary", "local_preference": 100}]},),
        "/_lab/announcements": (
            {"to": gateway, "peer": "10.0.0.4", "prefixes": [{"prefix": "10.0.0.0/8", "as_path": [65010]}]},
        ),
        GRAPH: ({"query": "resources | take 1", "subscriptions": [], "options": {"$top": 1, "resultFormat": "table"}},),
    }
