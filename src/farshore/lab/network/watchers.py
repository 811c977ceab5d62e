"""Microsoft.Network/networkWatchers: questions to the data plane, in the answers of Azure's own models (R11).

    POST nextHop             {targetResourceId, sourceIPAddress, destinationIPAddress} -> nextHopType, routeTableId
    POST ipFlowVerify        a TCP or UDP flow at one NIC -> access, ruleName
    POST connectivityCheck   {source, destination, protocol?} -> hops, connectionStatus
    POST securityGroupView   {targetResourceId} -> each NIC's rules
    POST topology            what stands in a group, network or subnet, and what hangs on what; answered at once

All but the topology are operations: 202 with location. They are answered from `farshore.routing` on the lab's own
resources at the moment when the answer is made (ARCHITECTURE.md, "Who may witness whom"), so they see what is broken.
A watcher answers for its own region. Unlike in Azure, none is made by itself with a region's first network: no fact
tells when, in which group and under which name.

`nextHopType` is the effective row's; rows of types that the models do not list (`VNetPeering`,
`VirtualNetworkServiceEndpoint`...) are told in the row's own words. The lab measures no latency: those fields are not
there.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from farshore.arm.decode import Address
from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.lab import dataplane, machines, registry
from farshore.lab.answers import Refused, bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.network import effective
from farshore.lab.network.references import NICS, configurations, ref, subnet_of
from farshore.lab.network.shape_only import Shape, ShapeOnly
from farshore.lab.registry import action, completion, resource_type
from farshore.routing.index import Holder
from farshore.routing.security import Packet, decider, refusal
from farshore.routing.selection import select
from farshore.routing.values import Disposition, RouteSource, Trace
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

WATCHERS = "Microsoft.Network/networkWatchers"
SYSTEM_ROUTE = "System Route"
"""`routeTableId` of a route that no user made (the model's description)."""
PROBES = 100
"""That a check tells of having sent: all arrive, or none does."""
TYPES = {"machine": "VirtualMachine", "appliance": "VirtualAppliance", "gateway": "VirtualNetworkGateway"}
"""Kinds of hop, as a check shows them between source and destination."""
ISSUES = {Disposition.DENIED: "NetworkSecurityRule", Disposition.NO_ROUTE: "UserDefinedRoute"}
"""Why a flow did not arrive, where the models have a word for it; all else is the platform's."""


@resource_type(WATCHERS)
class NetworkWatchers(ShapeOnly):
    """One for each region of a subscription; it has nothing of its own."""

    shape = Shape(shown={"runningOperationIds": []}, guid=False, quick=True)
    shape_only = False
    forwards = False


# What clients ask. ---------------------------------------------------------------------------------------------------


@action(WATCHERS, "nextHop")
def next_hop(call: Call) -> Response:
    _text(call, "targetResourceId", "sourceIPAddress", "destinationIPAddress")
    _address(call.object()["sourceIPAddress"])
    _address(call.object()["destinationIPAddress"])
    _nic_of(call, must_run=True)
    return call.accept("nextHop", duration="network.query", data=call.object())


@action(WATCHERS, "ipFlowVerify")
def ip_flow_verify(call: Call) -> Response:
    names = ("direction", "protocol", "localPort", "remotePort", "localIPAddress", "remoteIPAddress")
    _text(call, "targetResourceId", *names)
    asked = call.object()
    if asked["direction"] not in ("Inbound", "Outbound"):
        raise bad_request("InvalidParameter", f"direction is Inbound or Outbound, not {quoted(asked['direction'])}.")
    if asked["protocol"] not in ("TCP", "UDP"):
        raise bad_request("InvalidParameter", f"protocol is TCP or UDP, not {quoted(asked['protocol'])}.")
    for name in ("localPort", "remotePort"):
        _port(str(asked[name]), name)
    for name in ("localIPAddress", "remoteIPAddress"):
        _address(asked[name])
    _nic_of(call, must_run=True)
    return call.accept("ipFlowVerify", duration="network.query", data=asked)


@action(WATCHERS, "connectivityCheck")
def connectivity_check(call: Call) -> Response:
    asked = call.object()
    source, destination = asked.get("source"), asked.get("destination")
    if not isinstance(source, dict) or not isinstance(destination, dict):
        raise bad_request("InvalidRequestFormat", "A connectivity check needs a source and a destination.")
    if not destination.get("resourceId") and not destination.get("address"):
        raise bad_request("InvalidRequestFormat", "The destination needs a resourceId or an address.")
    if asked.get("protocol") not in (None, "Tcp", "Icmp", "Http", "Https"):
        raise bad_request("InvalidParameter", f"protocol is Tcp, Http, Https or Icmp, not {quoted(asked['protocol'])}.")
    if destination.get("port") is not None:
        _port(str(destination["port"]), "destination.port")
    _nic(call, _id(source.get("resourceId")).text, must_run=True)
    if destination.get("resourceId"):
        _nic(call, _id(destination["resourceId"]).text, must_run=False)
    else:
        _address(destination["address"])
    return call.accept("connectivityCheck", duration="network.query", data=asked)


@action(WATCHERS, "securityGroupView")
def security_group_view(call: Call) -> Response:
    _text(call, "targetResourceId")
    _nic_of(call, must_run=True)
    return call.accept("securityGroupView", duration="network.query", data=call.object())


@action(WATCHERS, "topology")
def topology(call: Call) -> Response:
    call.must_exist()
    asked, cloud = call.object(), call.cloud
    group = asked.get("targetResourceGroupName")
    place = ref({"properties": asked}, "targetSubnet") or ref({"properties": asked}, "targetVirtualNetwork")
    if place is not None and not cloud.exists(_id(place)):
        raise Refused(404, "ResourceNotFound", f"The lab has no resource {place}.")
    if place is None and (not isinstance(group, str) or not group or "/" in group):
        raise bad_request("InvalidRequestFormat", "A topology is of a resource group, a network or a subnet.")
    scope = f"/subscriptions/{call.id.subscription}/resourcegroups/{str(group).lower()}/" if place is None else ""
    if scope and not cloud.exists(_id(scope.rstrip("/"))):
        raise Refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    body = {
        "id": cloud.guid("topology", call.id.key, scope or place),
        "createdDateTime": stamp(cloud.now),
        "lastModified": stamp(cloud.now),
        "resources": _standing(cloud, scope, None if place is None else _id(place), str(call.must_exist()["location"])),
    }
    return Response(status=200, body=body)


# What they are told. -------------------------------------------------------------------------------------------------


@completion(WATCHERS, "nextHop")
def told_next_hop(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    nic = _found(cloud, asked)
    rows = dataplane.plane(cloud).routing.effective_routes(nic)
    chosen = select(rows, _address(asked["destinationIPAddress"])).chosen
    if chosen is None:
        return {"nextHopType": "None", "routeTableId": SYSTEM_ROUTE}
    body: Body = {"nextHopType": str(chosen.next_hop_type), "routeTableId": SYSTEM_ROUTE}
    if chosen.next_hop_ip_addresses:
        body["nextHopIpAddress"] = str(chosen.next_hop_ip_addresses[0])
    if chosen.source == RouteSource.USER:
        subnet = subnet_of(cloud.body(nic))
        body["routeTableId"] = ref(cloud.body(str(subnet)), "routeTable") or SYSTEM_ROUTE
    return body


@completion(WATCHERS, "ipFlowVerify")
def told_access(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    holder, world = _holder(cloud, _found(cloud, asked)), dataplane.plane(cloud).routing.world
    local, remote = _address(asked["localIPAddress"]), _address(asked["remoteIPAddress"])
    ports = (_port(str(asked["localPort"]), "localPort"), _port(str(asked["remotePort"]), "remotePort"))
    outbound = asked["direction"] == "Outbound"
    packet = Packet(
        source=local if outbound else remote,
        destination=remote if outbound else local,
        protocol=str(asked["protocol"]).lower(),
        source_port=ports[0] if outbound else ports[1],
        destination_port=ports[1] if outbound else ports[0],
    )
    no = refusal(world, holder, asked["direction"], packet)
    if no is not None:
        return {"access": "Deny", "ruleName": _rule_name(cloud, no.group, no.rule)}
    yes = decider(world, holder, asked["direction"], packet)
    return {"access": "Allow", "ruleName": "" if yes is None else _rule_name(cloud, yes[0], yes[1].name)}


@completion(WATCHERS, "connectivityCheck")
def told_connectivity(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    source = _of(cloud, str(asked["source"]["resourceId"]))
    destination = asked["destination"]
    if destination.get("resourceId"):
        target = str(_first_address(cloud, _of(cloud, str(destination["resourceId"]))))
    else:
        target = str(destination["address"])
    protocol = "icmp" if asked.get("protocol") == "Icmp" else "tcp"
    port = None if protocol == "icmp" else int(destination.get("port") or 80)
    forward, back, good = dataplane.ways(cloud, source.text, target, protocol, port)
    status = "Connected" if good else "Disconnected"
    if dataplane.UNKNOWN & {forward.disposition, back.disposition}:
        status = "Unknown"
    failed = PROBES if status == "Disconnected" else 0
    hops = _hops(cloud, source, target, forward, back, good)
    return {"hops": hops, "connectionStatus": status, "probesSent": PROBES, "probesFailed": failed}


@completion(WATCHERS, "securityGroupView")
def told_groups(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    target = _id(asked["targetResourceId"])
    nics = attached.nics(cloud.body(target) or {}) if target.is_a(attached.VIRTUAL_MACHINES) else [target]
    return {"networkInterfaces": [_viewed(cloud, nic) for nic in nics if cloud.exists(nic)]}


def _viewed(cloud: Cloud, nic: ResourceId) -> Body:
    associations: Body = {}
    defaults: list[Body] = []
    for row in effective.groups_of(cloud, nic):
        group = cloud.show(resource_id(row["networkSecurityGroup"]["id"])) or {"properties": {}}
        rules = group["properties"].get("securityRules") or []
        defaults = defaults or group["properties"].get("defaultSecurityRules") or []
        whose = row["association"].get("networkInterface")
        name = "networkInterfaceAssociation" if whose else "subnetAssociation"
        associations[name] = {"id": (whose or row["association"]["subnet"])["id"], "securityRules": rules}
        associations.setdefault("effectiveSecurityRules", []).extend(row["effectiveSecurityRules"])
    rules = associations.pop("effectiveSecurityRules", [])
    found = {**associations, "defaultSecurityRules": defaults, "effectiveSecurityRules": rules}
    return {"id": nic.text, "securityRuleAssociations": found}


def _hops(cloud: Cloud, source: ResourceId, target: str, forward: Trace, back: Trace, good: bool) -> list[Body]:
    """The way there, its ends included; what stopped the flow is an issue of the last hop that it reached."""
    found: list[Body] = [{"type": "Source", "address": str(_first_address(cloud, source)), "resourceId": source.text}]
    for hop in forward.hops:
        if hop.kind not in TYPES or str(hop.id).lower() == source.key:
            continue
        address = ""
        if isinstance(hop.id, ResourceId) and hop.id.is_a(NICS):
            address = str(_first_address(cloud, hop.id))
        found.append({"type": TYPES[hop.kind], "address": address, "resourceId": "" if hop.id is None else str(hop.id)})
    if forward.disposition == Disposition.DELIVERED:
        if forward.delivered_to is not None and len(found) > 1:
            found.pop()
        taken = "" if forward.delivered_to is None else forward.delivered_to.text
        found.append({"type": "Destination", "address": target, "resourceId": taken})
    for at, row in enumerate(found):
        row["id"] = cloud.guid("hop", source.key, target, at)
        row["issues"] = []
    for at, row in enumerate(found):
        row["nextHopIds"] = [found[at + 1]["id"]] if at + 1 < len(found) else []
        row["previousHopIds"] = [found[at - 1]["id"]] if at else []
    if not good:
        arrived = forward.disposition == Disposition.DELIVERED
        ended = back if arrived else forward
        found[-1]["issues"] = [
            {
                "origin": "Inbound" if arrived else "Outbound",
                "severity": "Error",
                "type": ISSUES.get(ended.disposition, "Platform"),
                "context": [{"key": "reason", "value": ended.because}],
            }
        ]
    return found


# Topology. -----------------------------------------------------------------------------------------------------------


def _standing(cloud: Cloud, scope: str, place: ResourceId | None, location: str) -> list[Body]:
    """Resources of the network in a group, or in and around one network or subnet, of the watcher's region."""
    bodies = {}
    for name in cloud.bodies.types():
        if not name.startswith("microsoft.network/") or name == WATCHERS.lower():
            continue
        for body in cloud.of_type(name):
            key = str(body["id"]).lower()
            if (scope and key.startswith(scope)) or (place is not None and _touches(body, place)):
                bodies[key] = body
    rows = []
    for body in bodies.values():
        id_ = resource_id(str(body["id"]))
        if cloud.region_of(id_) not in (None, location):
            continue
        rows.append(
            {
                "name": id_.name,
                "id": id_.text,
                "location": cloud.region_of(id_) or location,
                "associations": list(_associations(cloud, id_, body)),
            }
        )
    return rows


def _touches(body: Body, place: ResourceId) -> bool:
    key = str(body["id"]).lower()
    if key == place.key or key.startswith(place.key + "/") or place.key.startswith(key + "/"):
        return True
    return any((ref(item, "subnet") or "").lower().startswith(place.key) for item in configurations(body))


def _associations(cloud: Cloud, id_: ResourceId, body: Body) -> Iterator[Body]:
    kind = registry.TYPES.get(id_.type.lower())
    for name in () if kind is None else kind.nested:
        for child in cloud.children(id_, name):
            yield {"name": child["name"], "resourceId": child["id"], "associationType": "Contains"}
    held = [ref(body, name) for name in ("networkSecurityGroup", "routeTable", "virtualMachine")]
    for item in configurations(body):
        held += [ref(item, "subnet"), ref(item, "publicIPAddress")]
    for text in dict.fromkeys(filter(None, held)):
        yield {"name": text.rsplit("/", 1)[-1], "resourceId": text, "associationType": "Associated"}


# Whom they are about. ------------------------------------------------------------------------------------------------


def _nic_of(call: Call, *, must_run: bool) -> ResourceId:
    """The NIC that a question is about: the one it names, or the first of the machine."""
    asked = call.object()
    return _nic(call, _id(asked.get("targetNicResourceId") or asked["targetResourceId"]).text, must_run=must_run)


def _nic(call: Call, text: str, *, must_run: bool) -> ResourceId:
    watcher, cloud = call.must_exist(), call.cloud
    nic = _of(cloud, text)
    if must_run and cloud.region_of(nic) != watcher["location"]:
        raise bad_request(
            "TargetResourceNotInWatcherRegion",
            f"{text} is in {cloud.region_of(nic)}: a network watcher of {watcher['location']} can't be asked about it.",
        )
    machine = ref(cloud.body(nic), "virtualMachine")
    if must_run and (machine is None or machines.power(cloud, resource_id(machine)) != machines.RUNNING):
        raise bad_request("VMNotRunning", f"{text} is no running virtual machine, nor a network interface of one.")
    return nic


def _found(cloud: Cloud, asked: Body) -> ResourceId:
    return _of(cloud, _id(asked.get("targetNicResourceId") or asked["targetResourceId"]).text)


def _of(cloud: Cloud, text: str) -> ResourceId:
    """The NIC, or a machine's first. Raises `Refused` for what is neither or is not there."""
    id_ = _id(text)
    body = cloud.body(id_)
    if body is None:
        raise Refused(404, "ResourceNotFound", f"The resource {text} was not found.")
    if id_.is_a(NICS):
        return resource_id(str(body["id"]))
    nics = attached.nics(body) if id_.is_a(attached.VIRTUAL_MACHINES) else []
    if not nics:
        raise bad_request("InvalidParameter", f"{text} is no virtual machine with a network interface.")
    return nics[0]


def _holder(cloud: Cloud, nic: ResourceId) -> Holder:
    held = dataplane.plane(cloud).routing.world.index.holders
    found = next((item for items in held.values() for item in items if item.nic.id == nic), None)
    if found is None:
        raise bad_request("InvalidParameter", f"{nic.text} holds no address.")
    return found


def _first_address(cloud: Cloud, nic: ResourceId) -> str:
    for item in configurations(cloud.body(nic) or {}):
        text = (item.get("properties") or {}).get("privateIPAddress")
        if text:
            return str(text)
    return ""


def _rule_name(cloud: Cloud, group: ResourceId, rule: str) -> str:
    own = any(str(child["name"]).lower() == rule.lower() for child in cloud.children(group, "securityRules"))
    return f"{'securityRules' if own else 'defaultSecurityRules'}/{rule}"


def _text(call: Call, *names: str) -> None:
    call.must_exist()
    missing = [name for name in names if not isinstance(call.object().get(name), str | int)]
    if missing:
        raise bad_request("InvalidRequestFormat", f"The question needs {', '.join(missing)}.")


def _port(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > 5 or int(text) > 65535:
        raise bad_request("InvalidParameter", f"{name} is a port, 0 to 65535, not {quoted(text)}.")
    return int(text)


def _address(value: object) -> Address:
    try:
        return ip_address(str(value))
    except ValueError:
        raise bad_request("InvalidParameter", f"{quoted(value)} is no IP address.") from None


def _id(text: object) -> ResourceId:
    try:
        return resource_id(str(text))
    except InputError:
        raise bad_request("LinkedInvalidPropertyId", f"{quoted(text)} is no resource id.") from None
