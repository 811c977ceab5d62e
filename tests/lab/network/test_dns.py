"""Private zones, their links and their records, as recorded."""

from __future__ import annotations

from lab.core.bench import Lab, net, network_body, vnet

ZONE = net("far.example", kind="privateDnsZones")
PUBLIC = net("far.example", kind="dnsZones")
SEEN = net("far.example", kind="dnszones")
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
    assert lab.put(ZONE, GLOBAL, if_match=shown["etag"]).status == 202


def test_a_poll_is_accepted_as_long_as_it_goes_on() -> None:
    lab = Lab()
    url = lab.put(ZONE, GLOBAL).headers["azure-asyncoperation"]
    under_way = lab.get(url)
    assert (under_way.status, under_way.body) == (202, {"status": "InProgress"})
    assert {"azure-asyncoperation", "location"} <= set(under_way.headers)


def test_a_condition_that_does_not_hold_fails_the_operation_of_a_zone_or_link() -> None:
    lab = Lab()
    link = linked(lab)
    there = "exists already and hence cannot be created again."
    changed = "has been modified (etag mismatch)."
    about = f"The Virtual Network link spoke for the Private DNS zone {ZONE.rsplit('/', 1)[-1]}"
    for url, name in ((ZONE, "The Zone far.example"), (link, about)):
        before = lab.body(url)
        for condition, said in (({"if_none_match": "*"}, there), ({"if_match": "nothing"}, changed)):
            answer = lab.put(url, {**before, "tags": {"a": "b"}}, **condition)
            assert (answer.status, answer.body) == (202, {})
            error = {"code": "PreconditionFailed", "message": f"{name} {said}"}
            assert lab.follow(answer).body == {"status": "Failed", "error": error}
            assert lab.body(url) == before


def test_a_record_set_is_refused_by_a_bare_error() -> None:
    lab = Lab()
    lab.follow(lab.put(ZONE, GLOBAL))
    door, gate, body = f"{ZONE}/A/door", f"{ZONE}/A/gate", {"properties": {"ttl": 60}}
    made = lab.put(door, body, if_none_match="*").body
    lab.put(gate, body)
    again = lab.put(door, body, if_none_match="*")
    said = "The Record set door exists already and hence cannot be created again."
    assert (again.status, again.body) == (412, {"code": "PreconditionFailed", "message": said})
    changed = lab.put(door, body, if_match=lab.body(gate)["etag"])
    said = "The Record set door has been modified (etag mismatch)."
    assert (changed.status, changed.body) == (412, {"code": "PreconditionFailed", "message": said})
    assert lab.put(door, body, if_match=made["etag"]).status == 200  # another one's change is none of this
    missing = lab.get(f"{ZONE}/A/window")
    assert missing.status == 404 and missing.body["code"] == "NotFound"
    assert missing.body["message"].startswith("The resource record 'window' does not exist in resource group 'rg-lab' ")


def test_what_is_not_there_is_named_by_its_whole_path() -> None:
    lab = Lab()
    nowhere = f"{ZONE}/virtualNetworkLinks/nobody"
    for url in (ZONE, nowhere):
        error = lab.get(url).body["error"]
        path = url[url.index("/providers/") + len("/providers/") :]
        assert error["code"] == "ResourceNotFound" and f"The Resource '{path}' under resource group" in error["message"]
    assert lab.put(f"{ZONE}/A/door", {"properties": {}}).body["error"]["code"] == "ParentResourceNotFound"
    assert lab.delete(ZONE).status == lab.delete(nowhere).status == 204


def test_a_zone_that_is_linked_stays() -> None:
    lab = Lab()
    link = linked(lab)
    answer = lab.delete(ZONE)
    assert answer.status == 409 and answer.body["error"]["code"] == "CannotDeleteResource"
    assert (
        "'Microsoft.Network/privateDnsZones/far.example/virtualNetworkLinks/spoke'" in answer.body["error"]["message"]
    )
    lab.gone(link)
    lab.gone(ZONE)


def test_a_public_zone_is_there_at_once_with_its_servers() -> None:
    lab = Lab()
    answer = lab.put(PUBLIC, GLOBAL)
    assert answer.status == 201 and "azure-asyncoperation" not in answer.headers
    shown = answer.body
    assert (shown["id"], shown["type"], shown["tags"]) == (SEEN, "Microsoft.Network/dnszones", {})
    properties = shown["properties"]
    servers = properties["nameServers"]
    assert [server.split("-")[0] for server in servers] == ["ns1", "ns2", "ns3", "ns4"]
    assert (properties["zoneType"], properties["numberOfRecordSets"]) == ("Public", 2)
    assert "provisioningState" not in properties
    names = lab.properties(f"{PUBLIC}/NS/@")
    assert names["TTL"] == 172800 and [row["nsdname"] for row in names["NSRecords"]] == servers
    assert lab.properties(f"{PUBLIC}/SOA/@")["SOARecord"]["host"] == servers[0]
    assert lab.put(PUBLIC, shown).status == 200
    gone = lab.delete(PUBLIC)
    assert gone.status == 202 and "/dnsOperationStatuses/" in gone.headers["azure-asyncoperation"]
    assert "/dnsOperationResults/" in gone.headers["location"]
    assert lab.follow(gone).body == {"status": "Succeeded"} and lab.get(PUBLIC).status == 404


def test_public_records_are_spelled_otherwise_however_they_were_sent() -> None:
    lab = Lab()
    before = lab.put(PUBLIC, GLOBAL).body["etag"]
    held = [{"ipv4Address": "10.0.0.10"}]
    for properties in ({"TTL": 60, "ARecords": held}, {"ttl": 60, "aRecords": held}):
        shown = lab.put(f"{PUBLIC}/A/door", {"properties": properties}).body
        assert (shown["id"], shown["type"]) == (f"{SEEN}/A/door", "Microsoft.Network/dnszones/A")
        assert shown["properties"] == {
            "fqdn": "door.far.example.",
            "TTL": 60,
            "ARecords": held,
            "targetResource": {},
            "provisioningState": "Succeeded",
        }
    lab.put(f"{PUBLIC}/CAA/door", {"properties": {"TTL": 60, "caaRecords": []}})
    zone = lab.body(PUBLIC)
    assert zone["properties"]["numberOfRecordSets"] == 4 and zone["etag"] == before  # its own, whatever lies in it
    rows = lab.body(f"{PUBLIC}/recordsets")["value"]
    assert [(row["name"], row["type"].rsplit("/", 1)[-1]) for row in rows] == [
        ("@", "NS"),
        ("@", "SOA"),
        ("door", "A"),
        ("door", "CAA"),
    ]
    refused = lab.put(PUBLIC, GLOBAL, if_match="nothing")
    said = "The Zone far.example has been modified (etag mismatch)."
    assert (refused.status, refused.body) == (412, {"code": "PreconditionFailed", "message": said})


def linked(lab: Lab) -> str:
    """A zone that a network asks; the link."""
    lab.made(vnet("spoke"), network_body("10.1.0.0/16"))
    lab.follow(lab.put(ZONE, GLOBAL))
    link = f"{ZONE}/virtualNetworkLinks/spoke"
    lab.follow(lab.put(link, {**GLOBAL, "properties": {"virtualNetwork": {"id": vnet("spoke")}}}))
    return link


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
    assert [row["name"] for row in lab.body(f"{ZONE}/ALL")["value"]] == ["@", "door"]
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


def test_a_record_that_an_estate_brought_is_shown_as_one_that_was_put() -> None:
    """What Azure shows unasked is no difference between before a failover and after."""
    zone = {"id": ZONE, "name": "far.example", "type": "Microsoft.Network/privateDnsZones", **GLOBAL, "properties": {}}
    kind = "Microsoft.Network/privateDnsZones/A"
    told = {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.4"}]}
    record = {"id": f"{ZONE}/A/web", "name": "web", "type": kind, "properties": told}
    lab = Lab(resources=[zone, record], groups={})
    before = lab.properties(f"{ZONE}/A/web")
    assert before["fqdn"] == "web.far.example."
    lab.put(f"{ZONE}/A/web", {"properties": {**told, "aRecords": [{"ipv4Address": "10.2.0.4"}]}})
    lab.put(f"{ZONE}/A/web", {"properties": told})
    assert lab.properties(f"{ZONE}/A/web") == before
