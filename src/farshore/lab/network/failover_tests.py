"""ExpressRoute's own resilience tests (E30): a peering location or a circuit's link is taken away, truly.

    gateway   POST startSiteFailoverTest?peeringLocation=       its connections to circuits there are disconnected
              POST stopSiteFailoverTest  {peeringLocation, wasSimulationSuccessful, details}       and come back
    circuit   POST startCircuitLinkFailoverTest?linkType=&circuitTestCategory=BgpDisconnect
              POST stopCircuitLinkFailoverTest

All are operations: 202 with location, whose result is the test's id. While a test runs the lab's packets, tables and
BGP peers are those of a network without that location or link (`faults.down` has it). One test at a time on a gateway
or circuit. `ASPathPrepend` makes a link less liked instead of silent; the lab's links have no such dial, and it says
so. What a test found is told by `failover_test_details.py`.

    Starting ─► Running ─► Stopping ─► Completed

A row of the table `failover_tests` by the test's id: `of` whom, `down` what it takes away, `before` and `after` what
was learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.lab import dataplane, operations
from farshore.lab.answers import Refused, bad_request, not_implemented
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
    place = asked(call, "peeringLocation")
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
    link, category = asked(call, "linkType"), asked(call, "circuitTestCategory")
    if link not in LINKS or category not in CATEGORIES:
        raise bad_request("InvalidParameter", f"linkType is of {LINKS}, circuitTestCategory of {CATEGORIES}.")
    if category != "BgpDisconnect":
        raise not_implemented(f"a link failover test by {category}")
    return _start(call, LINK, {"link": link, "category": category, "down": [f"{call.id.key}#{link.lower()}"]})


def _start(call: Call, kind: str, more: Body) -> Response:
    cloud = call.cloud
    running = next((row for row in rows_of(cloud, call.id) if row["status"] in GOING), None)
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
    row = row_of(cloud, operation)
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
    row = next((row for row in rows_of(call.cloud, call.id) if row["status"] == "Running" and fits(row)), None)
    if row is None:
        raise bad_request("FailoverTestNotRunning", f"No such failover test is running on {call.id.text}.")
    _change(call.cloud, row, status="Stopping", said=said)
    return call.accept("stopFailoverTest", duration="expressRoute.failoverTest", data={"test": row["id"]})


@completion(GATEWAYS, "stopFailoverTest")
@completion(CIRCUITS, "stopFailoverTest")
def stopped(cloud: Cloud, operation: Operation) -> Body | None:
    operations.must_be_there(cloud, operation)
    row = row_of(cloud, operation)
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


def last_completed(cloud: Cloud, gateway: ResourceId) -> datetime | None:
    """When the last test of a gateway was over, if there was any."""
    ended = [moment(row["ended"]) for row in rows_of(cloud, gateway) if row["status"] == "Completed"]
    return max(ended, default=None)


def must_be_express_route(call: Call) -> None:
    """Raise `Refused` for a VPN gateway, and for one whose first PUT is under way."""
    body = call.must_exist()
    if body["properties"].get("gatewayType") != "ExpressRoute" or is_young(call.cloud, call.id):
        raise bad_request("InvalidGatewayType", f"{call.id.text} is no ExpressRoute gateway that is provisioned.")


def rows_of(cloud: Cloud, of: ResourceId) -> list[Any]:
    """The tests that a gateway or circuit has had, and has."""
    return [row for row in cloud.table(TABLE).values() if row["of"].lower() == of.key]


def row_of(cloud: Cloud, operation: Operation) -> Any:
    """The test that an operation is about."""
    data: Any = operation.data
    return cloud.table(TABLE)[data["test"]]


def _change(cloud: Cloud, row: Body, **more: Any) -> None:
    cloud.table(TABLE)[row["id"]] = {**cloud.table(TABLE)[row["id"]], **more}


def asked(call: Call, name: str) -> str:
    """A query parameter that must be there."""
    found = call.query.get(name.lower())
    if not found:
        raise bad_request("MissingParameter", f"The query parameter {name} is missing.")
    return found


def _said(call: Call) -> Body:
    body = call.object()
    inside = body.get("stopParameters")
    return inside if isinstance(inside, dict) else body
