"""Reading bodies: forms, children nested or alone, one id twice, markers, secrets, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farshore.arm.ids import make_id, resource_id
from farshore.assess.rules.groups import AUTOMATION
from farshore.errors import InputError
from farshore.estate import Change, Estate
from farshore.estate.door import REDACTED
from farshore.estate.reading import NESTED, canonical_resources, resources_of
from farshore.routing.index import AZURE_FIREWALLS, PRIVATE_ENDPOINTS

S = "00000000-0000-0000-0000-000000000001"


def an_id(kind: str, *names: str) -> str:
    return make_id(S, "rg", kind, *names).text


VNET = an_id("Microsoft.Network/virtualNetworks", "hub")
SUBNET = an_id("Microsoft.Network/virtualNetworks/subnets", "hub", "app")
CIRCUIT = an_id("Microsoft.Network/expressRouteCircuits", "er")


def vnet(**properties: Any) -> dict[str, Any]:
    return {
        "id": VNET,
        "name": "hub",
        "type": "Microsoft.Network/virtualNetworks",
        "location": "eastasia",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, **properties},
    }


def subnet(prefix: str = "10.0.1.0/24", **properties: Any) -> dict[str, Any]:
    return {"id": SUBNET, "name": "app", "properties": {"addressPrefix": prefix, **properties}}


def refused(resources: list[Any]) -> InputError:
    with pytest.raises(InputError) as caught:
        Estate.from_resources(resources)
    return caught.value


@pytest.mark.parametrize("wrap", [lambda r: r, lambda r: {"value": r}, lambda r: {"resources": r, "x": 1}])
def test_three_forms_of_a_list(wrap: Any) -> None:
    assert resources_of(wrap([vnet()])) == [vnet()]


@pytest.mark.parametrize("value", [None, 3, "text", {}, {"value": {}}, {"id": VNET}])
def test_anything_else_is_no_list_of_resources(value: Any) -> None:
    with pytest.raises(InputError, match="no list of resources"):
        resources_of(value)


# Children. ---------------------------------------------------------------------------------------------------------


def test_a_child_reads_the_same_nested_alone_or_both() -> None:
    nested = Estate.from_resources([vnet(subnets=[subnet()])])
    alone = Estate.from_resources([subnet(), vnet()])
    both = Estate.from_resources([subnet(), vnet(subnets=[subnet()])])
    assert canonical_resources(nested.resources) == canonical_resources(alone.resources)
    assert canonical_resources(nested.resources) == canonical_resources(both.resources)
    assert nested.fingerprint == alone.fingerprint == both.fingerprint
    for estate in (nested, alone, both):
        assert list(estate.resources) == [VNET.lower()]
        assert [s.name for s in estate.virtual_networks[0].subnets] == ["app"]
        assert estate.get(SUBNET.upper().replace("/SUBSCRIPTIONS", "/subscriptions")) is not None


def test_a_nested_child_gets_its_id_and_a_template_name_its_last_part() -> None:
    estate = Estate.from_resources([vnet(subnets=[{"name": "app", "properties": {"addressPrefix": "10.0.1.0/24"}}])])
    found = estate.get(SUBNET)
    assert found is not None and found["id"] == SUBNET
    alone = Estate.from_resources([vnet(), subnet() | {"name": "hub/app"}])
    assert (alone.get(SUBNET) or {})["name"] == "app"


def test_etags_and_states_are_no_difference_and_back_references_may_be_missing() -> None:
    told = subnet(provisioningState="Succeeded", ipConfigurations=[{"id": VNET + "/x/y"}]) | {"etag": "W/1"}
    nested = subnet(provisioningState="Updating") | {"etag": "W/2"}
    estate = Estate.from_resources([vnet(subnets=[nested]), told])
    assert (estate.get(SUBNET) or {})["properties"]["ipConfigurations"] == [{"id": VNET + "/x/y"}]


@pytest.mark.parametrize(
    "other",
    [subnet("10.0.2.0/24"), subnet(routeTable={"id": an_id("Microsoft.Network/routeTables", "rt")})],
    ids=["another range", "a table that one of them lacks"],
)
def test_two_tellings_that_differ_are_refused_with_ids_and_place(other: dict[str, Any]) -> None:
    error = refused([vnet(subnets=[subnet()]), other])
    assert SUBNET in error.message and "properties." in error.message


def test_two_bodies_with_one_id_in_different_case() -> None:
    same: dict[str, Any] = vnet() | {"id": VNET.upper().replace("/SUBSCRIPTIONS", "/subscriptions")}
    assert len(Estate.from_resources([vnet(), same]).resources) == 1
    same["location"] = "southeastasia"
    error = refused([vnet(), same])
    assert VNET in error.message and same["id"] in error.message and "location" in error.message


def test_two_subnets_of_one_name_in_one_list_are_refused() -> None:
    assert "10.0.2.0/24" in refused([vnet(subnets=[subnet(), subnet("10.0.2.0/24")])]).message


def test_one_prefix_and_a_list_of_one_tell_the_same() -> None:
    plural = {"id": SUBNET, "name": "app", "properties": {"addressPrefixes": ["10.0.1.0/24"]}}
    Estate.from_resources([vnet(subnets=[subnet()]), plural])


def test_a_child_without_its_parent_stays_and_is_listed() -> None:
    estate = Estate.from_resources([subnet()])
    assert estate.unread == (SUBNET,) and estate.get(SUBNET) is not None


def test_a_child_of_a_child_goes_into_it() -> None:
    peering: dict[str, Any] = {
        "id": CIRCUIT + "/peerings/AzurePrivatePeering",
        "properties": {"peeringType": "AzurePrivatePeering"},
    }
    inner: dict[str, Any] = {"id": peering["id"] + "/connections/c1", "properties": {"addressPrefix": "10.9.0.0/29"}}
    circuit = {"id": CIRCUIT, "location": "eastasia", "properties": {"peerings": []}}
    for order in ([inner, peering, circuit], [circuit, peering, inner]):
        estate = Estate.from_resources(copy.deepcopy(order))
        assert list(estate.resources) == [CIRCUIT.lower()]
        assert (estate.get(inner["id"]) or {})["name"] == "c1"


def test_a_nested_child_under_a_foreign_id_is_refused() -> None:
    assert "does not lie under" in refused([vnet(subnets=[subnet() | {"id": SUBNET.replace("hub", "other")}])]).message


# What is refused. --------------------------------------------------------------------------------------------------


def test_a_body_without_an_id_names_itself() -> None:
    body = vnet()
    del body["id"]
    error = refused([vnet(), body])
    assert "Resource 2" in error.message and "hub" in error.message and "Microsoft.Network" in error.message
    assert error.expected is not None


@pytest.mark.parametrize("body", [None, "text", [], {"id": 3}, {"id": ""}, {"id": "x"}, {"id": "/subscriptions//x"}])
def test_what_is_no_body_is_refused(body: Any) -> None:
    assert "Resource 1" in refused([body]).message


@pytest.mark.parametrize(
    ("resource", "path", "value"),
    [
        (
            vnet() | {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.1/16"]}}},
            "addressPrefixes[0]",
            "10.0.0.1/16",
        ),
        (vnet(subnets=[subnet("10.0.1.7/24")]), "subnets[0].properties.addressPrefix", "10.0.1.7/24"),
        (vnet(subnets=[subnet("all")]), "subnets[0].properties.addressPrefix", "all"),
        (vnet(subnets=[subnet("10.0.1.0")]), "subnets[0].properties.addressPrefix", "10.0.1.0"),
    ],
)
def test_an_address_range_with_host_bits_names_resource_path_and_value(
    resource: dict[str, Any], path: str, value: str
) -> None:
    error = refused([resource])
    assert "virtualNetworks/hub" in error.message and path in error.message and error.value == value


def test_a_service_tag_may_stand_where_a_route_has_a_prefix() -> None:
    table = {"id": an_id("Microsoft.Network/routeTables", "rt"), "location": "eastasia"}
    route: dict[str, Any] = {
        "name": "r",
        "properties": {"addressPrefix": "Storage.EastAsia", "nextHopType": "Internet"},
    }
    estate = Estate.from_resources([table | {"properties": {"routes": [route]}}])
    assert estate.route_tables[0].routes[0].address_prefix == "Storage.EastAsia"
    route["properties"]["addressPrefix"] = "10.0.0.1/8"
    assert refused([table | {"properties": {"routes": [route]}}]).remedy == "write 10.0.0.0/8"


def test_an_unknown_region_suggests_the_nearest() -> None:
    error = refused([vnet() | {"location": "eastaisa"}])
    assert error.value == "eastaisa" and error.remedy == "did you mean eastasia?"
    for fine in ("East Asia", "eastasia", "global", "<param:location>"):
        Estate.from_resources([vnet() | {"location": fine}])


# Markers, secrets, what is not understood. -------------------------------------------------------------------------


def test_markers_keep_their_value_and_are_listed() -> None:
    estate = Estate.from_resources([vnet(subnets=[subnet("<param:prefix>")], flowTimeoutInMinutes="<param:x>")])
    assert estate.unknown == (
        f"{VNET} properties.subnets[0].properties.addressPrefix",
        f"{VNET} properties.flowTimeoutInMinutes",
    )
    network = estate.virtual_networks[0]
    assert network.subnets[0].address_prefixes == () and network.unknown


SECRETS: list[tuple[dict[str, Any], str]] = [
    ({"sharedKey": "s3cret"}, "s3cret"),
    ({"authorizationKey": "s3cret"}, "s3cret"),
    ({"osProfile": {"adminPassword": "s3cret", "customData": "czNjcmV0"}}, "s3cret"),
    ({"protectedSettings": {"script": "s3cret"}}, "s3cret"),
    ({"connectionString": "Endpoint=sb://x;SharedAccessKey=s3cret"}, "s3cret"),
    ({"anything": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=s3cret==;EndpointSuffix=x"}, "s3cret"),
    ({"url": "https://a.blob.core.windows.net/c/b?sv=1&sig=s3cret%3D&se=2"}, "s3cret"),
    ({"url": "https://user:s3cret@host/x"}, "s3cret"),
    ({"keys": [{"keyName": "key1", "value": "s3cret"}]}, "s3cret"),
    ({"key1": "s3cret"}, "s3cret"),
    ({"primaryKey": "s3cret"}, "s3cret"),
    ({"radiusServers": [{"radiusServerSecret": "s3cret"}]}, "s3cret"),
    ({"note": "-----BEGIN OPENSSH PRIVATE KEY-----\ns3cret\n-----END OPENSSH PRIVATE KEY-----"}, "s3cret"),
    ({"adminPassword": "<s3cret>"}, "s3cret"),
    ({"sasToken": "sv=1&sig=s3cret"}, "s3cret"),
    ({"password": 31337}, "31337"),
    ({"appSettings": [{"name": "PW", "value": "s3cret"}]}, "s3cret"),
]


@pytest.mark.parametrize(("properties", "secret"), SECRETS)
@pytest.mark.parametrize("kind", ["Microsoft.Network/connections", "Microsoft.Unheard/ofThings"])
def test_secrets_become_redacted_at_the_door(kind: str, properties: dict[str, Any], secret: str) -> None:
    given_: dict[str, Any] = {"id": an_id(kind, "x"), "properties": properties, "tags": {"owner": "net"}}
    before = copy.deepcopy(given_)
    estate = Estate.from_resources([given_])
    kept = estate.get(given_["id"])
    assert secret not in repr(kept) and REDACTED in repr(kept)
    assert given_ == before, "what was given is not changed"
    assert Estate.from_resources([kept or {}]).get(given_["id"]) == kept, "a second passing changes nothing"


def test_what_is_no_secret_is_kept() -> None:
    properties = {
        "serviceKey": "1f5e3d1c-0000-0000-0000-000000000000",
        "allowSharedKeyAccess": True,
        "keyCreationTime": {"key1": "2026-01-01"},
        "encryptionSettings": {"diskEncryptionKey": {"secretUrl": "https://v/secrets/x", "sourceVault": {"id": VNET}}},
        "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {"publicKeys": [{"keyData": "ssh-rsa A"}]},
        },
        "sharedKey": None,
        "adminPassword": "<param:adminPassword>",
    }
    body = {"id": CIRCUIT, "location": "eastasia", "properties": properties}
    assert Estate.from_resources([body]).get(CIRCUIT) is body, "nothing to redact shares the body"


def test_what_is_not_understood_is_kept_and_listed() -> None:
    odd: dict[str, Any] = {
        "id": an_id("Microsoft.Odd/things", "x"),
        "location": "europe",
        "properties": {"addressPrefix": "10.0.0.1/8"},
    }
    estate = Estate.from_resources([odd, vnet()])
    assert estate.unread == (odd["id"],) and estate.get(odd["id"]) is odd


# Changes. ----------------------------------------------------------------------------------------------------------


def test_a_change_shares_what_it_does_not_touch() -> None:
    other: dict[str, Any] = vnet() | {"id": VNET.replace("hub", "spoke"), "name": "spoke"}
    estate = Estate.from_resources([vnet(subnets=[subnet()]), other])
    changed = estate.with_changes([Change(put=subnet("10.0.9.0/24"))])
    assert changed.get(other["id"]) is estate.get(other["id"])
    assert [str(p) for p in changed.virtual_networks[0].subnets[0].address_prefixes] == ["10.0.9.0/24"]
    assert [str(p) for p in estate.virtual_networks[0].subnets[0].address_prefixes] == ["10.0.1.0/24"]
    gone = changed.with_changes([Change(delete=resource_id(SUBNET))])
    assert gone.virtual_networks[0].subnets == () and gone.get(SUBNET) is None
    assert gone.with_changes([Change(delete=resource_id(SUBNET))]).resources == gone.resources
    assert gone.with_changes([Change(delete=resource_id(VNET))]).get(VNET) is None


def test_deleting_a_parent_takes_children_that_stand_alone() -> None:
    hub: dict[str, Any] = {"id": an_id("Microsoft.Network/virtualHubs", "rs"), "location": "eastasia", "properties": {}}
    peer = {"id": hub["id"] + "/bgpConnections/p", "properties": {}}
    estate = Estate.from_resources([hub, peer]).with_changes([Change(delete=resource_id(str(hub["id"])))])
    assert not estate.resources


def test_the_fingerprint_is_of_content() -> None:
    estate = Estate.from_resources([vnet(subnets=[subnet()], resourceGuid="1") | {"etag": "W/1"}])
    again = Estate.from_resources([vnet(subnets=[subnet()], provisioningState="Updating")])
    assert estate.fingerprint == again.fingerprint
    assert estate.fingerprint != estate.with_changes([Change(put=subnet("10.0.2.0/24"))]).fingerprint


# Properties. -------------------------------------------------------------------------------------------------------

names = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1, max_size=6)


@given(names, st.randoms(use_true_random=False), st.data())
def test_how_children_are_told_changes_nothing(children: list[str], order: Any, data: st.DataObject) -> None:
    """Each child is nested, alone or both, in any order and any case: one estate."""
    bodies: dict[str, dict[str, Any]] = {
        name: {"id": f"{VNET}/subnets/{name}", "name": name, "properties": {"addressPrefix": f"10.0.{i}.0/24"}}
        for i, name in enumerate(children)
    }
    how = {name: data.draw(st.sampled_from(["nested", "alone", "both"])) for name in children}
    nested = [bodies[name] for name in children if how[name] != "alone"]
    alone = [bodies[name] for name in children if how[name] != "nested"]
    cased = [b | {"id": b["id"].replace("rg", "RG")} if data.draw(st.booleans()) else b for b in alone]
    resources: list[dict[str, Any]] = [vnet(subnets=nested), *cased]
    order.shuffle(resources)
    whole = Estate.from_resources([vnet(subnets=[bodies[name] for name in children])])
    assert Estate.from_resources(resources).fingerprint == whole.fingerprint


@given(st.sampled_from(sorted(NESTED)), st.sampled_from("xyz"))
def test_put_then_get_then_delete(kind: str, name: str) -> None:
    """A child of each nested type is found after a put and gone after a delete, its parents being there."""
    segments = kind.split("/")
    estate = Estate.from_resources([])
    for depth in range(2, len(segments) + 1):
        path = "/".join(f"{segment}/{name}" for segment in segments[1:depth])
        own = f"/subscriptions/{S}/resourceGroups/rg/providers/{segments[0]}/{path}"
        estate = estate.with_changes([Change(put={"id": own, "properties": {}})])
        assert estate.get(own) is not None
    assert len(estate.resources) == 1
    assert estate.with_changes([Change(delete=resource_id(own))]).get(own) is None


@pytest.mark.parametrize("kind", [AZURE_FIREWALLS, PRIVATE_ENDPOINTS, AUTOMATION])
def test_what_routing_or_a_rule_looks_at_is_not_called_unread(kind: str) -> None:
    """FS821 says of what is unread that no rule and no route takes it into account."""
    body = {"id": an_id(kind, "x"), "name": "x", "type": kind, "location": "eastasia", "properties": {}}
    assert Estate.from_resources([body]).unread == ()


def test_a_resource_is_looked_up_as_what_it_is() -> None:
    """A load balancer in front of appliances is not taken for one of their network interfaces."""
    lb = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/nva-lb"
    estate = Estate.from_resources([{"id": lb, "location": "eastasia", "properties": {}}])
    assert estate.get(resource_id(lb)) is not None
    assert estate.network_interface(resource_id(lb)) is None
    assert estate.virtual_network(resource_id(lb)) is None
