"""ExpressRoute Direct, answered as recorded: a port, its links, its letter, and where ports can be had."""

from __future__ import annotations

from base64 import b64decode

from farshore.arm.json import Body
from lab.core.bench import NETWORK, SUBSCRIPTION, Lab, net, refusal

PORT = net("trunk", kind="expressRoutePorts")
WHERE = {"routerName", "interfaceName", "patchPanelId", "rackId"}
OFFERED = f"/subscriptions/{SUBSCRIPTION}/providers/{NETWORK}/expressRoutePortsLocations"


def port(**changes: object) -> Body:
    properties = {"peeringLocation": "Equinix-Hong-Kong", "bandwidthInGbps": 10, "encapsulation": "Dot1Q"}
    return {"location": "eastasia", "properties": {**properties, **changes}}


def test_where_a_links_end_is_comes_out_when_the_port_is_ready() -> None:
    lab = Lab()
    answer = lab.put(PORT, port())
    shown = answer.body["properties"]
    assert answer.status == 201 and not {"mtu", "etherType", "allocationDate", "circuits"} & set(shown)
    for name, link in zip(("link1", "link2"), shown["links"], strict=True):
        assert (link["name"], link["id"]) == (name, f"{PORT}/links/{name}")
        assert link["properties"]["adminState"] == "Disabled" and not WHERE & set(link["properties"])
        assert link["properties"]["provisioningState"] == "Updating"
    lab.follow(answer)
    shown = lab.properties(PORT)
    assert (shown["mtu"], shown["etherType"]) == ("1500", "0x8100") and shown["allocationDate"]
    assert all(set(link["properties"]) > WHERE for link in shown["links"])
    assert [link["properties"]["provisioningState"] for link in shown["links"]] == ["Succeeded"] * 2


def test_a_put_sets_of_a_link_what_is_the_customers() -> None:
    lab = Lab()
    lab.made(PORT, port())
    before = lab.properties(PORT)["links"]
    told = {"adminState": "Enabled", "rackId": "mine", "macSecConfig": {"cipher": "gcm-aes-256"}}
    lab.made(PORT, port(links=[{"name": "link2", "properties": told}]))
    one, two = lab.properties(PORT)["links"]
    assert one["properties"] == before[0]["properties"]
    assert two["properties"]["adminState"] == "Enabled"
    assert two["properties"]["rackId"] == before[1]["properties"]["rackId"]
    assert lab.body(f"{PORT}/links")["value"] == [one, two] and lab.body(f"{PORT}/links/LINK2") == two
    assert lab.get(f"{PORT}/links/link3").status == 404
    assert lab.put(f"{PORT}/links/link2", two).status >= 400


def test_a_port_shows_the_circuits_on_it_when_there_are_any() -> None:
    lab = Lab()
    lab.made(PORT, port())
    circuit = net("over", kind="expressRouteCircuits")
    sku = {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"}
    properties = {"expressRoutePort": {"id": PORT}, "bandwidthInGbps": 2}
    lab.made(circuit, {"location": "eastasia", "sku": sku, "properties": properties})
    shown = lab.properties(PORT)
    assert shown["circuits"] == [{"id": circuit}] and shown["provisionedBandwidthInGbps"] == 2


def test_a_letter_is_written_for_somebody() -> None:
    lab = Lab()
    lab.made(PORT, port())
    answer = lab.post(f"{PORT}/generateLoa", {"customerName": "Farm"})
    assert answer.status == 200 and b"Farm" in b64decode(answer.body["encodedContent"])
    assert refusal(lab.post(f"{PORT}/generateLoa", {})) == "InvalidRequestFormat"


def test_only_a_place_that_is_asked_for_tells_what_is_free() -> None:
    lab = Lab()
    rows = lab.body(OFFERED)["value"]
    assert rows and all(row["properties"]["availableBandwidths"] == [] for row in rows)
    one = lab.body(f"{OFFERED}/{rows[0]['name']}")
    assert one["id"] == rows[0]["id"] and one["properties"]["availableBandwidths"][0]["valueInGbps"] == 10


def test_new_tags_of_a_circuit_take_as_long_as_any_change() -> None:
    """Recorded, of a PUT; other resources have them when it is answered."""
    lab = Lab()
    provider = {"serviceProviderName": "Equinix", "peeringLocation": "Hong Kong", "bandwidthInMbps": 200}
    sku = {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"}
    body = {"location": "eastasia", "sku": sku, "properties": {"serviceProviderProperties": provider}}
    partner = net("guard", kind="securityPartnerProviders")
    table = net("plain", kind="routeTables")
    for url, sent, state in (
        (net("over", kind="expressRouteCircuits"), body, "Updating"),
        (partner, {"location": "eastasia", "properties": {"securityProviderName": "Checkpoint"}}, "Updating"),
        (table, {"location": "eastasia", "properties": {}}, "Succeeded"),
    ):
        lab.made(url, sent)
        answer = lab.put(url, {**sent, "tags": {"for": "branches"}})
        assert answer.status == 200 and answer.body["properties"]["provisioningState"] == state
        lab.follow(answer)
        assert lab.properties(url)["provisioningState"] == "Succeeded"
