"""Microsoft.Network/loadBalancers: fronts of appliances.

Everything inside has an id, and most of it can be asked for by itself: frontends, pools, rules, probes. A frontend in
a subnet has an address of it. Recorded: a balancer's PUT is Succeeded when it is answered, and what refers to a part
is shown at that part (`inboundNatRules` of a frontend, `backendIPConfigurations` of a pool).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import registry
from farshore.lab.answers import bad_request
from farshore.lab.bodies import Link
from farshore.lab.call import Call
from farshore.lab.cloud import must_have
from farshore.lab.network.addresses import check_static, next_free
from farshore.lab.network.references import FRONTENDS, NICS, balanced, only_ids, place_links, ref, sku_of
from farshore.lab.paging import page
from farshore.lab.registry import resource_type, view
from farshore.lab.types import Put, ResourceType, child_of

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

BALANCERS = "Microsoft.Network/loadBalancers"
PORT_RULE: Body = {
    "enableFloatingIP": False,
    "idleTimeoutInMinutes": 4,
    "protocol": "Tcp",
    "enableDestinationServiceEndpoint": False,
    "enableTcpReset": False,
    "allowBackendPortConflict": False,
}
PUBLIC_WITHOUT_VERSION = "2021-03-01"
"""The api-version from which a public frontend shows no `privateIPAddressVersion`: between 2021-02-01, which shows it,
and 2021-03-01 (recorded)."""
WORDS = {
    word.lower(): word for word in ("Tcp", "Udp", "All", "Http", "Https", "Default", "SourceIP", "SourceIPProtocol")
}
"""Of `protocol` and `loadDistribution`, in the spelling in which they are shown, however they were sent (recorded)."""
TIERS_SINCE = "2020-07-01"
ADDRESSES = "loadBalancerBackendAddresses"
RULES = ("inboundNatRules", "loadBalancingRules", "outboundRules")
PARTS = (
    "frontendIPConfigurations",
    "backendAddressPools",
    "loadBalancingRules",
    "probes",
    "inboundNatRules",
    "inboundNatPools",
    "outboundRules",
)


@resource_type(BALANCERS)
class LoadBalancers(ResourceType):
    forwards = True
    nested = PARTS

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        return {**body, "sku": sku_of(put.body, {"name": "Basic", "tier": "Regional"})}

    def validate(self, put: Put) -> None:
        for part in PARTS:
            kind = registry.TYPES[f"{BALANCERS}/{part}".lower()]
            for child in put.properties.get(part) or []:
                kind.validate(child_of(put, part, child))

    def is_quick(self, put: Put) -> bool:
        return True

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        """Only a Standard balancer has outbound rules, and it alone showed no tier once (recorded)."""
        sku = body.get("sku") or {}
        if sku.get("name") == "Standard" and "" < query.get("api-version", "") < TIERS_SINCE:
            body = {**body, "sku": {key: value for key, value in sku.items() if key != "tier"}}
        if (body.get("sku") or {}).get("name") == "Basic" and not body["properties"].get("outboundRules"):
            properties = {key: item for key, item in body["properties"].items() if key != "outboundRules"}
            return {**body, "properties": properties}
        return body


class Part(ResourceType):
    """What lies inside a balancer: an id, a state, and who refers to it."""

    tracked = False
    forwards = True
    back: ClassVar[tuple[str, ...]] = RULES
    """Kinds of rules that may refer to it."""
    refers_by: ClassVar[str] = ""
    """The property in which a rule refers to it."""
    read_only = ("provisioningState", "backendIPConfigurations", "backendIPConfiguration", *RULES)

    def is_quick(self, put: Put) -> bool:
        return True

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        parent = id_.parent
        assert parent is not None
        found: Body = {}
        for kind in self.back:
            rules = [
                {"id": rule["id"]}
                for rule in cloud.children(parent, kind)
                if id_.key in _named(rule["properties"], self.refers_by)
            ]
            if rules:
                found[kind] = rules
        return {**body, "properties": {**body["properties"], **found}}


def _named(properties: Body, name: str) -> set[str]:
    """Keys of what a rule refers to: by `name`, or by its plural."""
    items = [properties.get(name), *(properties.get(name + "s") or [])]
    return {str(item.get("id")).lower() for item in items if isinstance(item, dict)}


def _is_standard(put: Put) -> bool:
    body = None if put.id.parent is None else put.cloud.body(put.id.parent)
    return ((body or {}).get("sku") or {}).get("name") == "Standard"


@resource_type(FRONTENDS)
class Frontends(Part):
    refers_by = "frontendIPConfiguration"

    def links(self, body: Body) -> Iterator[Link]:
        return place_links(body, str(body["id"]))

    def validate(self, put: Put) -> None:
        subnet, public = ref(put.body, "subnet"), ref(put.body, "publicIPAddress")
        for target in (subnet, public):
            if target is not None:
                must_have(put.cloud, target, put.id.text)
        if subnet is not None and put.properties.get("privateIPAllocationMethod") == "Static":
            check_static(put.cloud, resource_id(subnet), put.properties.get("privateIPAddress"), put.id.text)

    def on_put(self, put: Put) -> Body:
        body = only_ids(self.standard(put))
        properties = {"privateIPAllocationMethod": "Dynamic", "privateIPAddressVersion": "IPv4", **body["properties"]}
        subnet = ref(put.body, "subnet")
        if subnet is not None and properties["privateIPAllocationMethod"] != "Static":
            held = put.before_properties.get("privateIPAddress")
            properties["privateIPAddress"] = held or str(next_free(put.cloud, resource_id(subnet)))
        return {**body, "properties": properties}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        if ref(body, "subnet") is not None or query.get("api-version", "") < PUBLIC_WITHOUT_VERSION:
            return body
        properties = {key: item for key, item in body["properties"].items() if key != "privateIPAddressVersion"}
        return {**body, "properties": properties}


@resource_type(f"{BALANCERS}/backendAddressPools")
class BackendPools(Part):
    back = ("loadBalancingRules", "outboundRules")
    refers_by = "backendAddressPool"

    def is_quick(self, put: Put) -> bool:
        """A pool of a Standard balancer that is put by itself takes its time (recorded)."""
        return not _is_standard(put)

    def on_put(self, put: Put) -> Body:
        return only_ids(self.standard(put))

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = super().show(cloud, id_, body, query)
        parent = id_.parent
        used = balanced(cloud, id_)
        properties = dict(body["properties"])
        if used:
            properties["backendIPConfigurations"] = [{"id": one} for one in used]
        if parent is not None and ((cloud.body(parent) or {}).get("sku") or {}).get("name") == "Standard":
            listed = properties.get(ADDRESSES) or [_of_nic(one) for one in used]
            properties[ADDRESSES] = [_address(body, cloud.etag(id_), item) for item in listed]
        return {**body, "properties": properties}


def _of_nic(label: str) -> Body:
    """A NIC's IP configuration as a pool of a Standard balancer lists it: called by its group, NIC and own name."""
    above, _, rest = label.partition("/networkInterfaces/")
    group = above.partition("/resourceGroups/")[2].partition("/")[0]
    name = f"{group}_{rest.replace('/ipConfigurations/', '')}"
    return {"name": name, "properties": {"networkInterfaceIPConfiguration": {"id": label}}}


def _address(pool: Body, etag: str, item: Body) -> Body:
    """An address of a pool, which is a part of the pool as the pool is one of the balancer (recorded)."""
    state = {"provisioningState": pool["properties"]["provisioningState"]}
    return {
        "name": item.get("name"),
        "id": f"{pool['id']}/{ADDRESSES}/{item.get('name')}",
        "etag": etag,
        "properties": {**(item.get("properties") or {}), **state},
        "type": f"{pool['type']}/{ADDRESSES}",
    }


class Rule(Part):
    """What leads from a frontend to somewhere."""

    back = ()
    defaults: ClassVar[Body] = PORT_RULE

    def validate(self, put: Put) -> None:
        if not ref(put.body, "frontendIPConfiguration"):
            raise bad_request("InvalidRequestFormat", f"Rule {put.id.text} names no frontendIPConfiguration.")

    def on_put(self, put: Put) -> Body:
        body = only_ids(self.standard(put))
        return {**body, "properties": _spelled({**self.defaults, **body["properties"]})}


@resource_type(f"{BALANCERS}/loadBalancingRules")
class LoadBalancingRules(Rule):
    defaults: ClassVar[Body] = {**PORT_RULE, "loadDistribution": "Default"}

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        properties = body["properties"]
        if _is_standard(put):
            properties.setdefault("disableOutboundSnat", False)
        if properties.get("backendAddressPool"):
            properties.setdefault("backendAddressPools", [properties["backendAddressPool"]])
        return body


@resource_type(f"{BALANCERS}/inboundNatRules")
class InboundNatRules(Rule):
    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        used = balanced(cloud, id_)
        if not used:
            return body
        return {**body, "properties": {**body["properties"], "backendIPConfiguration": {"id": used[0]}}}


@resource_type(f"{BALANCERS}/inboundNatPools")
class InboundNatPools(Rule):
    pass


@resource_type(f"{BALANCERS}/outboundRules")
class OutboundRules(Rule):
    defaults: ClassVar[Body] = {
        "allocatedOutboundPorts": 1024,
        "protocol": "All",
        "enableTcpReset": False,
        "idleTimeoutInMinutes": 4,
    }

    def validate(self, put: Put) -> None:
        """It names its frontends in the plural."""


@resource_type(f"{BALANCERS}/probes")
class Probes(Part):
    back = ("loadBalancingRules",)
    refers_by = "probe"

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        defaults = {"protocol": "Tcp", "intervalInSeconds": 15, "numberOfProbes": 2, "probeThreshold": 1}
        return {**body, "properties": _spelled({**defaults, **body["properties"]})}


def _spelled(properties: Body) -> Body:
    return {
        key: WORDS.get(str(value).lower(), value) if key in ("protocol", "loadDistribution") else value
        for key, value in properties.items()
    }


@view(BALANCERS, "networkInterfaces")
def interfaces(call: Call) -> Response:
    """The NICs in a balancer's pools and behind its NAT rules."""
    call.must_exist()
    targets = [
        part for kind in ("backendAddressPools", "inboundNatRules") for part in call.cloud.children(call.id, kind)
    ]
    labels = [label for part in targets for label in balanced(call.cloud, resource_id(str(part["id"])))]
    behind = dict.fromkeys(label.lower().split("/ipconfigurations/")[0] for label in labels)
    kind = registry.TYPES[NICS.lower()]
    return page(call, kind.rows(call, [body for key in behind if (body := call.cloud.body(key)) is not None]))
