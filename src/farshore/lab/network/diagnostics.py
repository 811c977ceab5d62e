"""POST networkWatchers/networkConfigurationDiagnostic: what each security group says of flows that are described.

    {targetResourceId, profiles: [{direction, protocol, source, destination, destinationPort}]} -> a result for each

An operation: 202 with location. A result repeats its profile, and tells of each group that was asked which rule decided
(`UserRule_<name>`, `DefaultRule_<name>`) and how far each rule down to that one fits (recorded). The port from which a
flow comes is not described, so any will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab import dataplane
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.network import watcher_targets as targets
from farshore.lab.network.references import ref
from farshore.lab.network.watcher_targets import WATCHERS
from farshore.lab.registry import action, completion
from farshore.routing.security import Asked, Packet, asked

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

VERB = "networkConfigurationDiagnostic"
PROFILE = ("direction", "protocol", "source", "destination", "destinationPort")


@action(WATCHERS, VERB)
def diagnose(call: Call) -> Response:
    targets.must_say(call, "targetResourceId")
    profiles = call.object().get("profiles")
    if not isinstance(profiles, list) or not profiles:
        raise bad_request("InvalidRequestFormat", "A diagnostic needs profiles of traffic.")
    for profile in profiles:
        if not isinstance(profile, dict) or any(not isinstance(profile.get(name), str | int) for name in PROFILE):
            raise bad_request("InvalidRequestFormat", f"A profile needs {', '.join(PROFILE)}.")
        if profile["direction"] not in ("Inbound", "Outbound"):
            raise bad_request("InvalidParameter", "direction is Inbound or Outbound.")
        _packet(profile)
    targets.nic_of(call)
    return call.accept(VERB, duration="network.query", data=call.object())


@completion(WATCHERS, VERB)
def told(cloud: Cloud, operation: Operation) -> Body:
    question: Any = operation.data
    nic = targets.asked_about(cloud, question)
    return {
        "results": [
            {"profile": row, "networkSecurityGroupResult": _result(cloud, nic, row)} for row in question["profiles"]
        ]
    }


def _result(cloud: Cloud, nic: ResourceId, profile: Body) -> Body:
    holder, world = targets.holder(cloud, nic), dataplane.plane(cloud).routing.world
    groups = list(asked(world, holder, profile["direction"], _packet(profile)))
    own = ref(cloud.body(nic), "networkSecurityGroup")
    evaluated: list[Body] = [
        {
            "networkSecurityGroupId": id_.text,
            "appliedTo": nic.text if own is not None and id_.key == own.lower() else holder.subnet.text,
            "matchedRule": {"ruleName": _name(rows[-1]), "action": rows[-1].rule.access},
            "rulesEvaluationResult": [_row(row) for row in rows],
        }
        for id_, rows in groups
    ]
    access = evaluated[-1]["matchedRule"]["action"] if evaluated else "Allow"
    return {"securityRuleAccessResult": access, "evaluatedNetworkSecurityGroups": evaluated}


def _row(row: Asked) -> Body:
    return {
        "name": _name(row),
        "protocolMatched": row.protocol,
        "sourceMatched": row.source,
        "sourcePortMatched": row.source_port,
        "destinationMatched": row.destination,
        "destinationPortMatched": row.destination_port,
    }


def _name(row: Asked) -> str:
    return f"{'UserRule' if row.own else 'DefaultRule'}_{row.rule.name}"


def _packet(profile: Body) -> Packet:
    return Packet(
        source=targets.address(str(profile["source"]).partition("/")[0]),
        destination=targets.address(str(profile["destination"]).partition("/")[0]),
        protocol=str(profile["protocol"]).lower(),
        source_port=None,
        destination_port=targets.port(str(profile["destinationPort"]), "destinationPort"),
    )
