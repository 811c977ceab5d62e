"""What ExpressRoute's resilience tests found (E30), as a gateway or a circuit tells it (`failover_tests.py`).

    gateway   POST getFailoverAllTestsDetails?type=&fetchLatest=
              POST getFailoverSingleTestDetails?peeringLocation=&failoverTestId=
    circuit   POST getCircuitLinkFailoverAllTestsDetails, getCircuitLinkFailoverSingleTestDetails

All are operations: 202 with location. A site's route is redundant if it came through what the test took away and came
another way while the test went on; the others are not. A test keeps what was learned before it and in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.network.circuits import CIRCUITS
from farshore.lab.network.failover_tests import LINKS, SITE, asked, connected, must_be_express_route, row_of, rows_of
from farshore.lab.network.references import GATEWAYS
from farshore.lab.registry import action, completion
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation


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
    id_, place = asked(call, "failoverTestId"), asked(call, "peeringLocation")
    _must_have(call, id_, "location", place)
    return call.accept("getFailoverSingleTestDetails", duration="network.query", data={"test": id_})


@action(CIRCUITS, "getCircuitLinkFailoverAllTestsDetails")
def all_links(call: Call) -> Response:
    call.must_exist()
    return call.accept("getCircuitLinkFailoverAllTestsDetails", duration="network.query", data=_filters(call))


@action(CIRCUITS, "getCircuitLinkFailoverSingleTestDetails")
def one_link(call: Call) -> Response:
    call.must_exist()
    _must_have(call, asked(call, "failoverTestId"), "link", asked(call, "linkType"))
    data = {"test": asked(call, "failoverTestId")}
    return call.accept("getCircuitLinkFailoverSingleTestDetails", duration="network.query", data=data)


@completion(GATEWAYS, "getFailoverAllTestsDetails")
def told_sites(cloud: Cloud, operation: Operation) -> Body | None:
    data: Any = operation.data
    rows = [] if data["type"] == "MultiSiteFailover" else _chosen(cloud, operation)
    return cast("Body", [_site(cloud, row) for row in rows])


@completion(GATEWAYS, "getFailoverSingleTestDetails")
def told_site(cloud: Cloud, operation: Operation) -> Body | None:
    row = row_of(cloud, operation)
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
    row = row_of(cloud, operation)
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


# Parts. ---------------------------------------------------------------------------------------------------------------


def _lost_and_kept(row: Body) -> tuple[list[str], list[str]]:
    """Of the prefixes that came through what the test took: those that have no other way, and those that have one."""
    before, after = row.get("before") or {}, row.get("after") or {}
    # A way is a peering location, or a link and the path that it told.
    mine = row["location"] if row["kind"] == SITE else row["link"].lower()
    through = [route for route, ways in before.items() if any(way.partition("|")[0] == mine for way in ways)]
    return [route for route in through if route not in after], [route for route in through if route in after]


def _chosen(cloud: Cloud, operation: Operation) -> list[Any]:
    """The latest first; `fetchLatest` wants only that one."""
    data: Any = operation.data
    operations.must_be_there(cloud, operation)
    rows = sorted(rows_of(cloud, operation.resource_id), key=lambda row: moment(row["started"]), reverse=True)
    return rows[:1] if data["latest"] else rows


def _filters(call: Call, **more: Any) -> Body:
    return {"latest": call.query.get("fetchlatest", "false").lower() == "true", **more}


def _must_have(call: Call, test: str, name: str, wanted: str) -> None:
    row = next((row for row in rows_of(call.cloud, call.id) if row["id"] == test), None)
    if row is None or str(row.get(name, "")).lower() != wanted.lower():
        raise Refused(404, "FailoverTestNotFound", f"{call.id.text} has had no failover test {test} of {wanted}.")
