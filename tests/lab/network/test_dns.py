"""Private zones, their links and their records, as recorded."""

from __future__ import annotations

from lab.core.bench import Lab, net, network_body, vnet

ZONE = net("far.example", kind="privateDnsZones")
GLOBAL = {"location": "global"}


def test_a_private_zone_is_of_no_region_and_takes_its_time() -> None:
    lab = Lab()
    answer = lab.put(ZONE, GLOBAL)
    assert answer.status == 202 and answer.body == {}
    assert (
        "/resourceGroups/rg-lab/providers/Microsoft.Network/privateDnsOperationStatuses/"
        in (answer.headers["azure-asyncoperation"])
    )
    assert "/privateDnsOperationResults/" in answer.headers["location"]
    assert lab.follow(answer).body == {"status": "Succeeded"}
    shown = lab.body(ZONE)
    assert shown["location"] == "global" and "W/" not in shown["etag"]
    assert shown["properties"]["numberOfRecordSets"] == 1  # its SOA
    assert lab.put(ZONE, GLOBAL, if_none_match="*").status == 412
    assert lab.put(ZONE, GLOBAL, if_match=shown["etag"]).status == 202


def test_record_sets_are_there_at_once_and_have_whole_names() -> None:
    lab = Lab()
    lab.follow(lab.put(ZONE, GLOBAL))
    record = f"{ZONE}/A/door"
    answer = lab.put(record, {"properties": {"ttl": 60}})
    assert answer.status == 201 and set(answer.headers).isdisjoint({"azure-asyncoperation", "location"})
    assert answer.body["properties"] == {
        "fqdn": "door.far.example.",
        "ttl": 60,
        "aRecords": [],
        "isAutoRegistered": False,
    }
    assert lab.put(record, {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.4"}]}}).status == 200
    assert lab.patch(record, {"properties": {"metadata": {"a": "b"}}}).body["properties"]["metadata"] == {"a": "b"}
    assert [row["name"] for row in lab.body(f"{ZONE}/ALL")["value"]] == ["door", "@"]
    assert [row["name"] for row in lab.body(f"{ZONE}/A")["value"]] == ["door"]
    assert lab.delete(record).status == 200 and lab.get(record).status == 404


def test_a_link_is_completed_when_it_is_over() -> None:
    lab = Lab()
    lab.made(vnet("spoke"), network_body("10.1.0.0/16"))
    lab.follow(lab.put(ZONE, GLOBAL))
    link = f"{ZONE}/virtualNetworkLinks/spoke"
    body = {**GLOBAL, "properties": {"virtualNetwork": {"id": vnet("spoke")}, "registrationEnabled": True}}
    answer = lab.put(link, body)
    assert answer.status == 202
    lab.follow(answer)
    assert lab.properties(link)["virtualNetworkLinkState"] == "Completed"
    assert lab.properties(ZONE)["numberOfVirtualNetworkLinksWithRegistration"] == 1
    assert lab.delete(f"{ZONE}/virtualNetworkLinks/nobody").status == 204
