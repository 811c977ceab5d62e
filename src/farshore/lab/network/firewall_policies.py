"""Microsoft.Network/firewallPolicies and their groups of rules: shape only, of a provider with ways of its own.

operations   lie below nfvOperations; a policy is gone when its DELETE is answered 200
types        are spelled FirewallPolicies, RuleCollectionGroups (recorded)
groups       were `ruleGroups` until api-version 2020-05-01, with rules in them; they show the policy's location, and
             the answer to a DELETE shows them. A policy lists both as ruleCollectionGroups
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.network.shape_only import Shape, ShapeOnly
from farshore.lab.patterns import APPLIANCES, Pattern
from farshore.lab.registry import resource_type
from farshore.lab.types import Put

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

POLICIES = "Microsoft.Network/firewallPolicies"
SPELLED = "Microsoft.Network/FirewallPolicies"
OLD_GROUPS_UNTIL = "2020-05-01"


class OfAppliances(ShapeOnly):
    pattern: ClassVar[Pattern] = APPLIANCES
    spelled: ClassVar[str]

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        return {**super().show(cloud, id_, body, query), "type": self.spelled}


@resource_type(POLICIES)
class FirewallPolicies(OfAppliances):
    shape = Shape(
        shown={
            "sku": {"tier": "Standard"},
            "threatIntelMode": "Alert",
            "childPolicies": [],
            "firewalls": [],
        },
        guid=False,
    )
    spelled = SPELLED
    read_only = (
        "provisioningState",
        "resourceGuid",
        "childPolicies",
        "firewalls",
        "ruleCollectionGroups",
        "ruleGroups",
    )

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        old = query.get("api-version", OLD_GROUPS_UNTIL) < OLD_GROUPS_UNTIL
        kind = "ruleGroups" if old else "ruleCollectionGroups"
        # Recorded: the namespace's type in lower case here, and here alone.
        base = id_.text.replace("/firewallPolicies/", "/firewallpolicies/")
        groups = [*cloud.children(id_, "ruleCollectionGroups"), *cloud.children(id_, "ruleGroups")]
        listed = {kind: [{"id": f"{base}/{kind}/{group['name']}"} for group in groups]}
        return super().show(cloud, id_, {**body, "properties": {**body["properties"], **listed}}, query)

    def delete(self, call: Call) -> Response:
        cloud, body = call.cloud, call.cloud.body(call.id)
        if body is None:
            return Response(status=204)
        self.check_conditions(call, body)
        call.must_be_free()
        self.take_away(cloud, cloud.id_of(body))
        return Response(status=200)


class Groups(OfAppliances):
    tracked = False
    apart = True


@resource_type(f"{POLICIES}/ruleCollectionGroups")
class RuleCollectionGroups(Groups):
    shape = Shape(shown={"ruleCollections": []})
    spelled = f"{SPELLED}/RuleCollectionGroups"


@resource_type(f"{POLICIES}/ruleGroups")
class RuleGroups(Groups):
    shape = Shape(shown={"rules": []})
    spelled = f"{SPELLED}/RuleGroups"

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        rules = body["properties"]["rules"]
        body["properties"]["rules"] = [{"priority": 0, **rule} if isinstance(rule, dict) else rule for rule in rules]
        return {**body, "location": put.location}

    def delete(self, call: Call) -> Response:
        answer = super().delete(call)
        return replace(answer, body=call.cloud.show(call.id, call.query)) if answer.status == 202 else answer
