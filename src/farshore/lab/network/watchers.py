"""Microsoft.Network/networkWatchers: questions to the data plane, in the answers of Azure's own models (R11).

    POST nextHop             {targetResourceId, sourceIPAddress, destinationIPAddress} -> nextHopType, routeTableId
    POST ipFlowVerify        a TCP or UDP flow at one NIC -> access, ruleName, ruleId
    POST securityGroupView   {targetResourceId} -> the rules of each NIC that has a group
    and beside this file     connectivityCheck (connectivity.py), topology (topology.py), troubleshoot
                             (troubleshooting.py), networkConfigurationDiagnostic (diagnostics.py), configureFlowLog
                             (flow_logs.py)

Those that look at packets are operations: 202 with location. They are answered from `farshore.routing` on the lab's
own resources at the moment when the answer is made (ARCHITECTURE.md, "Who may witness whom"), so they see what is
broken. A watcher answers for its own region. Unlike in Azure, none is made by itself with a region's first network: no
fact tells when, in which group and under which name.

Recorded: `nextHopType` inside a network is `VirtualNetwork`, though the models say VnetLocal; a flow at a NIC that
neither has a group nor stands in a subnet with one is no question (NsgsNotAppliedOnNic); a port may be `*`; `ruleId` is
there and empty. Rows of types that the models do not list (`VNetPeering`, `VirtualNetworkServiceEndpoint`...) are told
in the row's own words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import dataplane
from farshore.lab.answers import bad_request, quoted
from farshore.lab.call import Call
from farshore.lab.compute import attached
from farshore.lab.network import effective
from farshore.lab.network import watcher_targets as targets
from farshore.lab.network.references import ref, subnet_of
from farshore.lab.network.shape_only import Shape, ShapeOnly
from farshore.lab.network.watcher_targets import WATCHERS
from farshore.lab.registry import action, completion, resource_type
from farshore.routing.security import Packet, decider, refusal
from farshore.routing.selection import select
from farshore.routing.values import RouteSource

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

SYSTEM_ROUTE = "System Route"
"""`routeTableId` of a route that no user made (the model's description)."""
HOPS = {"VnetLocal": "VirtualNetwork"}
"""Words of a NIC's table that a watcher has others for."""


@resource_type(WATCHERS)
class NetworkWatchers(ShapeOnly):
    """One for each region of a subscription; it has nothing of its own."""

    shape = Shape(shown={"runningOperationIds": []}, guid=False, quick=True)
    shape_only = False
    forwards = False


# What clients ask. ---------------------------------------------------------------------------------------------------


@action(WATCHERS, "nextHop")
def next_hop(call: Call) -> Response:
    targets.must_say(call, "targetResourceId", "sourceIPAddress", "destinationIPAddress")
    targets.address(call.object()["sourceIPAddress"])
    targets.address(call.object()["destinationIPAddress"])
    targets.nic_of(call)
    return call.accept("nextHop", duration="network.query", data=call.object())


@action(WATCHERS, "ipFlowVerify")
def ip_flow_verify(call: Call) -> Response:
    names = ("direction", "protocol", "localPort", "remotePort", "localIPAddress", "remoteIPAddress")
    targets.must_say(call, "targetResourceId", *names)
    asked = call.object()
    if asked["direction"] not in ("Inbound", "Outbound"):
        raise bad_request("InvalidParameter", f"direction is Inbound or Outbound, not {quoted(asked['direction'])}.")
    if str(asked["protocol"]).lower() not in ("tcp", "udp"):
        raise bad_request("InvalidParameter", f"protocol is TCP or UDP, not {quoted(asked['protocol'])}.")
    for name in ("localPort", "remotePort"):
        targets.port(str(asked[name]), name)
    for name in ("localIPAddress", "remoteIPAddress"):
        targets.address(asked[name])
    nic = targets.nic_of(call)
    if not effective.has_group(call.cloud, nic):
        raise bad_request(
            "NsgsNotAppliedOnNic", f"No network security group is there to allow or deny the traffic of {nic.text}."
        )
    return call.accept("ipFlowVerify", duration="network.query", data=asked)


@action(WATCHERS, "securityGroupView")
def security_group_view(call: Call) -> Response:
    targets.must_say(call, "targetResourceId")
    targets.nic_of(call)
    return call.accept("securityGroupView", duration="network.query", data=call.object())


# What they are told. -------------------------------------------------------------------------------------------------


@completion(WATCHERS, "nextHop")
def told_next_hop(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    nic = targets.asked_about(cloud, asked)
    rows = dataplane.plane(cloud).routing.effective_routes(nic)
    chosen = select(rows, targets.address(asked["destinationIPAddress"])).chosen
    if chosen is None:
        return {"nextHopType": "None", "routeTableId": SYSTEM_ROUTE}
    kind = str(chosen.next_hop_type)
    body: Body = {"nextHopType": HOPS.get(kind, kind), "routeTableId": SYSTEM_ROUTE}
    if chosen.next_hop_ip_addresses:
        body["nextHopIpAddress"] = str(chosen.next_hop_ip_addresses[0])
    if chosen.source == RouteSource.USER:
        subnet = subnet_of(cloud.body(nic))
        body["routeTableId"] = ref(cloud.body(str(subnet)), "routeTable") or SYSTEM_ROUTE
    return body


@completion(WATCHERS, "ipFlowVerify")
def told_access(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    holder, world = targets.holder(cloud, targets.asked_about(cloud, asked)), dataplane.plane(cloud).routing.world
    local, remote = targets.address(asked["localIPAddress"]), targets.address(asked["remoteIPAddress"])
    ports = (targets.port(str(asked["localPort"]), "localPort"), targets.port(str(asked["remotePort"]), "remotePort"))
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
        return {"access": "Deny", "ruleName": _rule_name(cloud, no.group, no.rule), "ruleId": ""}
    yes = decider(world, holder, asked["direction"], packet)
    name = "" if yes is None else _rule_name(cloud, yes[0], yes[1].name)
    return {"access": "Allow", "ruleName": name, "ruleId": ""}


@completion(WATCHERS, "securityGroupView")
def told_groups(cloud: Cloud, operation: Operation) -> Body:
    asked: Any = operation.data
    target = targets.id_of(asked["targetResourceId"])
    nics = attached.nics(cloud.body(target) or {}) if target.is_a(attached.VIRTUAL_MACHINES) else [target]
    return {"networkInterfaces": [_viewed(cloud, nic) for nic in nics if effective.has_group(cloud, nic)]}


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


def _rule_name(cloud: Cloud, group: ResourceId, rule: str) -> str:
    own = any(str(child["name"]).lower() == rule.lower() for child in cloud.children(group, "securityRules"))
    return f"{'securityRules' if own else 'defaultSecurityRules'}/{rule}"
