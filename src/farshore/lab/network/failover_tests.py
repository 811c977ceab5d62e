"""ExpressRoute's own resilience tests (E30): a peering location or a circuit's link is taken away, truly.

    gateway   POST startSiteFailoverTest?peeringLocation=       its connections to circuits there are disconnected
              POST stopSiteFailoverTest  {peeringLocation, wasSimulationSuccessful, details}       and come back
              POST getFailoverAllTestsDetails?type=&fetchLatest=
              POST getFailoverSingleTestDetails?peeringLocation=&failoverTestId=
    circuit   POST startCircuitLinkFailoverTest?linkType=&circuitTestCategory=BgpDisconnect
              POST stopCircuitLinkFailoverTest, getCircuitLinkFailoverAllTestsDetails,
                   getCircuitLinkFailoverSingleTestDetails

All are operations: 202 with location, whose result for a start or stop is the test's id. While a test runs the lab's
packets, tables and BGP peers are those of a network without that location or link (`faults.down` has it); its details
name the site's routes that have another way (redundant) and those that have none. One test at a time on a gateway or
circuit. `ASPathPrepend` makes a link less liked instead of silent; the lab's links have no such dial, and it says so.

    Starting ─► Running ─► Stopping ─► Completed
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.lab import dataplane, operations
from farshore.lab.answers import Refused, bad_request, not_implemented, quoted
from farshore.lab.call import Call
from farshore.lab.network.circuits import CIRCUITS
from farshore.lab.network.references import CONNECTIONS, GATEWAYS, ref
from farshore.lab.network.router_tables import is_of_a_site
from farshore.lab.registry import action, completion, listener
from farshore.lab.simulated import TABLE as DOWN
from farshore.lab.types import is_young
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

TABLE = "failover_tests"
LINKS = ("Primary", "Secondary")
CATEGORIES = ("BgpDisconnect", "ASPathPrepend")
SITE, LINK = "SingleSiteFailover", "link"
GOING = ("Starting", "Running", "Stopping")


# Starting and stopping. ----------------------------------------------------------------------------------------------


@action(GATEWAYS, "startSiteFailoverTest")
def start_site(call: Call) -> Response:
    must_be_express_route(call)
    place = _query(call, "peeringLocation")
    near = [item for item in connected(call.cloud, call.id) if item[2].lower() == place.lower()]
    if not near:
        places = ", ".join(sorted({item[2] for item in connected(call.cloud, call.id)})) or "none"
        raise bad_request(
            "InvalidPeeringLocation",
            f"Gateway {call.id.text} has no connection to a circuit in '{place}': it has {places}.",
        )
    return _start(call, SITE, {"location": near[0][2], "down": [item[0].key for item in near]})


@action(CIRCUITS, "startCircuitLinkFailoverTest")
def start_link(call: Call) -> Response:
    call.must_exist()
    link, category = _query(call, "linkType"), _query(call, "circuitTestCategory")
    if link not in LINKS or category not in CATEGORIES:
        raise bad_request("InvalidParameter", f"linkType is of {LINKS}, circuitTestCategory of {CATEGORIES}.")
    if category != "BgpDisconnect":
        raise not_implemented(f"a link failover test by {category}")
    return _start(call, LINK, {"link": link, "category": category, "down": [f"{call.id.key}#{link.lower()}"]})


def _start(call: Call, kind: str, more: Body) -> Response:
    cloud = call.cloud
    running = next((row for row in _rows(cloud, call.id) if row["status"] in GOING), None)
    if running is not None:
        raise Refused(409, "FailoverTestInProgress", f"Test {running['id']} on {call.id.text} is {running['status']}.")
    id_ = cloud.guid("failover test", call.id.key, cloud.count("failover test", call.id.key))
    row = {"id": id_, "of": call.id.text, "kind": kind, "status": "Starting", "started": stamp(cloud.now), **more}
    cloud.table(TABLE)[id_] = row
    return call.accept("startFailoverTest", duration="expressRoute.failoverTest", data={"test": id_})


@completion(GATEWAYS, "startFailoverTest")
@completion(CIRCUITS, "startFailoverTest")
def started(cloud: Cloud, operation: Operation) -> Body | None:
    """From here on nothing comes through; what was learned before and now says which routes have another way."""
    operations.must_be_there(cloud, operation)
    row = _row(cloud, operation)
    before = _learned(cloud, operation.resource_id)
    for name in row["down"]:
        cloud.table(DOWN)[name] = {"since": stamp(cloud.now), "test": row["id"]}
    cloud.epoch += 1
    after = _learned(cloud, operation.resource_id)
    _change(cloud, row, status="Running", before=before, after=after)
    return cast("Body", row["id"])


@action(GATEWAYS, "stopSiteFailoverTest")
def stop_site(call: Call) -> Response:
    must_be_express_route(call)
    said = _said(call)
    place = str(said.get("peeringLocation") or "")
    return _stop(call, said, lambda row: not place or row.get("location", "").lower() == place.lower())


@action(CIRCUITS, "stopCircuitLinkFailoverTest")
def stop_link(call: Call) -> Response:
    call.must_exist()
    said = _said(call)
    link = str(said.get("linkType") or "")
    return _stop(call, said, lambda row: not link or row.get("link", "").lower() == link.lower())


def _stop(call: Call, said: Body, fits: Any) -> Response:
    row = next((row for row in _rows(call.cloud, call.id) if row["status"] == "Running" and fits(row)), None)
    if row is None:
        raise bad_request("FailoverTestNotRunning", f"No such failover test is running on {call.id.text}.")
    _change(call.cloud, row, status="Stopping", said=said)
    return call.accept("stopFailoverTest", duration="expressRoute.failoverTest", data={"test": row["id"]})


@completion(GATEWAYS, "stopFailoverTest")
@completion(CIRCUITS, "stopFailoverTest")
def stopped(cloud: Cloud, operation: Operation) -> Body | None:
    operations.must_be_there(cloud, operation)
    row = _row(cloud, operation)
    _give_back(cloud, row)
    _change(cloud, row, status="Completed", ended=stamp(cloud.now))
    return cast("Body", row["id"])


@listener("operation.failed")
def came_to_nothing(cloud: Cloud, subject: str, data: Json) -> None:
    """A start that failed took nothing away; after a stop that failed the test goes on."""
    operation = operations.find(cloud, subject)
    if operation is not None and operation.verb in ("startFailoverTest", "stopFailoverTest"):
        row = cloud.table(TABLE).get((operation.data or {})["test"])
        if row is not None:
            _change(cloud, row, status="StartFailed" if operation.verb == "startFailoverTest" else "Running")


@listener("resource.gone")
def gone(cloud: Cloud, subject: str, data: Json) -> None:
    """A gateway or circuit that is deleted takes its tests with it."""
    if "/virtualnetworkgateways/" in subject or "/expressroutecircuits/" in subject:
        for row in list(cloud.table(TABLE).values()):
            if row["of"].lower() == subject:
                _give_back(cloud, row)
                del cloud.table(TABLE)[row["id"]]


def _give_back(cloud: Cloud, row: Body) -> None:
    for name in row["down"]:
        cloud.table(DOWN).pop(name, None)
    cloud.epoch += 1


# Details. ------------------------------------------------------------------------------------------------------------


@action(GATEWAYS, "getFailoverAllTestsDetails")
def all_sites(call: Call) -> Response:
    must_be_express_route(call)
    kind = call.query.get("type", "All")
    if kind not in (SITE, "MultiSiteFailover", "All"):
        raise bad_request(
            "InvalidParameter", f"type is SingleSiteFailover, MultiSiteFailover or All, not {quoted(kind)}."
        )
    return call.accept("getFailoverAllTestsDetails", duration="network.query", data=_filters(call, type=kind))


@action(GATEWAYS, "getFailoverSingleTestDetails")
def one_site(call: Call) -> Response:
    must_be_express_route(call)
    id_, place = _query(call, "failoverTestId"), _query(call, "peeringLocation")
    _must_have(call, id_, "location", place)
    return call.accept("getFailoverSingleTestDetails", duration="network.query", data={"test": id_})


@action(CIRCUITS, "getCircuitLinkFailoverAllTestsDetails")
def all_links(call: Call) -> Response:
    call.must_exist()
    return call.accept("getCircuitLinkFailoverAllTestsDetails", duration="network.query", data=_filters(call))


@action(CIRCUITS, "getCircuitLinkFailoverSingleTestDetails")
def one_link(call: Call) -> Response:
    call.must_exist()
    _must_have(call, _query(call, "failoverTestId"), "link", _query(call, "linkType"))
    data = {"test": _query(call, "failoverTestId")}
    return call.accept("getCircuitLinkFailoverSingleTestDetails", duration="network.query", data=data)


@completion(GATEWAYS, "getFailoverAllTestsDetails")
def told_sites(cloud: Cloud, operation: Operation) -> Body | None:
    data: Any = operation.data
    rows = [] if data["type"] == "MultiSiteFailover" else _chosen(cloud, operation)
    return cast("Body", [_site(cloud, row) for row in rows])


@completion(GATEWAYS, "getFailoverSingleTestDetails")
def told_site(cloud: Cloud, operation: Operation) -> Body | None:
    row = _row(cloud, operation)
    lost, kept = _lost_and_kept(row)
    said = row.get("said") or {}
    ways: dict[tuple[str, ...], list[str]] = {}
    for route in kept:
        ways.setdefault(tuple(row["after"][route]), []).append(route)
    shown = {
        "peeringLocation": row["location"],
        "status": row["status"],
        "startTimeUtc": row["started"],
        "endTimeUtc": row.get("ended", ""),
        "redundantRoutes": [{"peeringLocations": list(places), "routes": routes} for places, routes in ways.items()],
        "nonRedundantRoutes": lost,
        "wasSimulationSuccessful": bool(said.get("wasSimulationSuccessful", False)),
        "failoverConnectionDetails": said.get("details") or [],
    }
    return cast("Body", [shown])


@completion(CIRCUITS, "getCircuitLinkFailoverAllTestsDetails")
def told_links(cloud: Cloud, operation: Operation) -> Body | None:
    rows = _chosen(cloud, operation)
    shown = [
        {
            "status": row["status"],
            "startTime": row["started"],
            "endTime": row.get("ended", ""),
            "testGuid": row["id"],
            "testType": SITE,
            "issues": [],
            "wasSimulationSuccessful": bool((row.get("said") or {}).get("wasSimulationSuccessful", False)),
            "circuitTestCategory": row["category"],
            "linkType": row["link"],
            "bgpStatus": _sessions(cloud, row),
        }
        for row in rows
    ]
    return cast("Body", shown)


@completion(CIRCUITS, "getCircuitLinkFailoverSingleTestDetails")
def told_link(cloud: Cloud, operation: Operation) -> Body | None:
    row = _row(cloud, operation)
    lost, kept = _lost_and_kept(row)
    said = row.get("said") or {}

    def routes(names: list[str], sides: Body) -> list[Body]:
        return [{"route": name, **_paths(sides.get(name) or [])} for name in names]

    shown = {
        "startTimeUtc": row["started"],
        "endTimeUtc": row.get("ended", ""),
        "status": row["status"],
        "wasSimulationSuccessful": bool(said.get("wasSimulationSuccessful", False)),
        "linkType": row["link"],
        "circuitTestCategory": row["category"],
        "isSimulationVerified": bool(said.get("isVerified", False)),
        "redundantRoutes": {
            "beforeSimulation": routes(kept, row.get("before") or {}),
            "duringSimulation": routes(kept, row.get("after") or {}),
        },
        "nonRedundantRoutes": {"beforeSimulation": routes(lost, row.get("before") or {}), "duringSimulation": []},
        "bgpStatus": _sessions(cloud, row),
    }
    return cast("Body", [shown])


def _site(cloud: Cloud, row: Body) -> Body:
    near = [item for item in connected(cloud, resource_id(row["of"])) if item[2] == row["location"]]
    off = row["status"] in ("Running", "Stopping")
    return {
        "peeringLocation": row["location"],
        "circuits": [
            {"nrpResourceUri": circuit.text, "name": circuit.name, "connectionName": connection.name}
            for connection, circuit, _ in near
        ],
        "status": row["status"],
        "startTime": row["started"],
        "endTime": row.get("ended", ""),
        "connections": [
            {
                "nrpResourceUri": connection.text,
                "name": connection.name,
                "status": "Disconnected" if off else "Connected",
                "lastUpdatedTime": row.get("ended") or row["started"],
            }
            for connection, _, _ in near
        ],
        "testGuid": row["id"],
        "testType": SITE,
        "issues": [],
    }


def _sessions(cloud: Cloud, row: Body) -> list[Body]:
    off = row["status"] in ("Running", "Stopping")
    return [
        {
            "type": "IPv4",
            "link": link,
            "status": "Disconnected" if off and link == row["link"] else "Connected",
            "checkTimeUtc": stamp(cloud.now),
        }
        for link in LINKS
    ]


def _paths(sides: list[str]) -> Body:
    """`primaryASPath` and `secondaryASPath` of a route, from what its links have told."""
    found = dict(side.split("|", 1) for side in sides)
    return {
        "nextHop": "",
        "primaryASPath": found.get("primary", ""),
        "secondaryASPath": found.get("secondary", ""),
    }


# What there is. ------------------------------------------------------------------------------------------------------


def connected(cloud: Cloud, gateway: ResourceId) -> list[tuple[ResourceId, ResourceId, str]]:
    """An ExpressRoute gateway's connections that work, with their circuits and where those end."""
    found = []
    for body in cloud.of_type(CONNECTIONS):
        peer, id_ = ref(body, "peer"), resource_id(str(body["id"]))
        if (ref(body, "virtualNetworkGateway1") or "").lower() != gateway.key or peer is None or is_young(cloud, id_):
            continue
        circuit = cloud.body(peer)
        if circuit is not None:
            place = (circuit["properties"].get("serviceProviderProperties") or {}).get("peeringLocation")
            found.append((id_, resource_id(str(circuit["id"])), str(place or "")))
    return found


def _learned(cloud: Cloud, id_: ResourceId) -> dict[str, list[str]]:
    """Prefixes that a gateway has from its circuits' sites, with the peering locations they come by; or that a circuit
    has from its site, with what each link has told."""
    routing = dataplane.plane(cloud).routing
    found: dict[str, set[str]] = {}
    if id_.is_a(CIRCUITS):
        for link in ("primary", "secondary"):
            for route in routing.learned_routes(id_, link):
                if is_of_a_site(route):
                    sides = found.setdefault(str(route.network), set())
                    sides.add(f"{link}|{' '.join(map(str, route.as_path))}")
        return {network: sorted(sides) for network, sides in found.items()}
    known = {str(route.network) for route in routing.learned_routes(id_) if route.as_path}
    down = dataplane.plane(cloud).estate.outside.down
    for connection, circuit, place in connected(cloud, id_):
        if connection.key in down:
            continue
        for network in _of_sites(cloud, circuit):
            if network in known:
                found.setdefault(network, set()).add(place)
    return {network: sorted(places) for network, places in found.items()}


def _of_sites(cloud: Cloud, circuit: ResourceId) -> Iterator[str]:
    """What a circuit has been told by the site's routers, not by Azure's gateways."""
    for route in dataplane.plane(cloud).routing.learned_routes(circuit):
        if is_of_a_site(route):
            yield str(route.network)


def _lost_and_kept(row: Body) -> tuple[list[str], list[str]]:
    """Of the prefixes that came through what the test took: those that have no other way, and those that have one."""
    before, after = row.get("before") or {}, row.get("after") or {}
    mine = row["location"] if row["kind"] == SITE else f"{row['link'].lower()}|"
    through = [route for route, ways in before.items() if any(way.startswith(mine) for way in ways)]
    return [route for route in through if route not in after], [route for route in through if route in after]


def last_completed(cloud: Cloud, gateway: ResourceId) -> datetime | None:
    """When the last test of a gateway was over, if there was any."""
    ended = [moment(row["ended"]) for row in _rows(cloud, gateway) if row["status"] == "Completed"]
    return max(ended, default=None)


def must_be_express_route(call: Call) -> None:
    body = call.must_exist()
    if body["properties"].get("gatewayType") != "ExpressRoute" or is_young(call.cloud, call.id):
        raise bad_request("InvalidGatewayType", f"{call.id.text} is no ExpressRoute gateway that is provisioned.")


def _rows(cloud: Cloud, of: ResourceId) -> list[Any]:
    return [row for row in cloud.table(TABLE).values() if row["of"].lower() == of.key]


def _row(cloud: Cloud, operation: Operation) -> Any:
    data: Any = operation.data
    return cloud.table(TABLE)[data["test"]]


def _chosen(cloud: Cloud, operation: Operation) -> list[Any]:
    """The latest first; `fetchLatest` wants only that one."""
    data: Any = operation.data
    operations.must_be_there(cloud, operation)
    rows = sorted(_rows(cloud, operation.resource_id), key=lambda row: _begun(row), reverse=True)
    return rows[:1] if data["latest"] else rows


def _begun(row: Body) -> datetime:
    return moment(str(row["started"]))


def _change(cloud: Cloud, row: Body, **more: Any) -> None:
    cloud.table(TABLE)[row["id"]] = {**cloud.table(TABLE)[row["id"]], **more}


def _filters(call: Call, **more: Any) -> Body:
    return {"latest": call.query.get("fetchlatest", "false").lower() == "true", **more}


def _query(call: Call, name: str) -> str:
    found = call.query.get(name.lower())
    if not found:
        raise bad_request("MissingParameter", f"The query parameter {name} is missing.")
    return found


def _said(call: Call) -> Body:
    body = call.object()
    inside = body.get("stopParameters")
    return inside if isinstance(inside, dict) else body


def _must_have(call: Call, test: str, name: str, wanted: str) -> None:
    row = next((row for row in _rows(call.cloud, call.id) if row["id"] == test), None)
    if row is None or str(row.get(name, "")).lower() != wanted.lower():
        raise Refused(404, "FailoverTestNotFound", f"{call.id.text} has had no failover test {test} of {wanted}.")
