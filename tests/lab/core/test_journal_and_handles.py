"""`/_lab/requests`, faults on the way of an answer, the clock, quotas: the lab seen from outside."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from farshore.lab import Settings, identity
from lab.authorization.callers import READER, as_
from lab.core.bench import GROUP, NOW, SUBSCRIPTION, Lab, net, network_body, refusal, vnet

GROUP_URL = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"


def test_every_write_is_in_the_journal_with_its_clients_id_and_answer() -> None:
    lab = Lab()
    lab.put(vnet("hub"), network_body("10.0.0.0/24"), x_ms_client_request_id="one")
    lab.put(vnet("bad"), network_body("10.0.0.1/24"), x_ms_client_request_id="two")
    lab.get(vnet("hub"), x_ms_client_request_id="three")
    lab.wait(60)
    lab.patch(vnet("hub"), {"tags": {"a": "b"}}, x_ms_client_request_id="four")
    lab.post(vnet("hub", "nothing"), {}, x_ms_client_request_id="five")
    lab.delete(vnet("hub"), x_ms_client_request_id="six")
    rows = lab.journal()[1:]
    assert [(row["clientRequestId"], row["method"], row["status"]) for row in rows] == [
        ("one", "PUT", 201),
        ("two", "PUT", 400),
        ("four", "PATCH", 200),
        ("five", "POST", 501),
        ("six", "DELETE", 202),
    ]
    assert rows[0]["time"] == "2026-03-01T08:00:00.000000Z" and rows[0]["body"] == network_body("10.0.0.0/24")
    assert rows[1]["error"]["code"] == "InvalidAddressPrefixFormat"
    assert "/operations/" in rows[0]["operation"] and rows[2]["operation"] is None
    assert [row["number"] for row in lab.journal()] == list(range(6))
    assert [row["number"] for row in lab.get("/_lab/requests?since=4").body["value"]] == [4, 5]
    assert all(row["answered"] for row in rows)


def test_the_handles_leave_no_trace_in_the_journal_even_when_they_refuse() -> None:
    lab = Lab()
    before = lab.journal()
    bad: list[tuple[str, str, object]] = [
        ("POST", "/_lab/packets", {}),
        ("POST", "/_lab/faults", {"kind": "flood"}),
        ("POST", "/_lab/sites", {"site": "x"}),
        ("POST", "/_lab/clock", {"advance_seconds": -5}),
        ("POST", "/_lab/clock", []),
        ("PUT", "/_lab/clock", {}),
        ("GET", "/_lab/nothing", None),
        ("GET", "/_nothing", None),
    ]
    for method, url, body in bad:
        assert lab.send(method, url, body).status in (400, 404, 501), url
    assert lab.journal() == before and lab.now == NOW


def test_secrets_are_not_kept() -> None:
    lab = Lab()
    body: Body = {
        "location": "eastasia",
        "properties": {
            "connectionType": "ExpressRoute",
            "authorizationKey": "11111111-1111-4111-8111-111111111111",
            "osProfile": {"adminPassword": "Secret-1", "customData": "c2VjcmV0"},
            "parts": [{"sharedKey": "abc", "plain": "seen"}],
        },
    }
    lab.put(net("cn", kind="connections"), body)
    kept = lab.journal()[-1]["body"]["properties"]
    assert kept["authorizationKey"] == kept["osProfile"]["adminPassword"] == "REDACTED"
    assert kept["osProfile"]["customData"] == kept["parts"][0]["sharedKey"] == "REDACTED"
    assert kept["parts"][0]["plain"] == "seen"
    assert body["properties"]["authorizationKey"].startswith("1111")


def test_a_lost_reply_takes_effect_and_says_nothing() -> None:
    lab = Lab()
    lab.fault(kind="reply-lost", method="PUT", path="virtualNetworks/hub", count=2)
    assert lab.put(vnet("other"), network_body("10.9.0.0/24")).status == 201
    assert lab.ask("PUT", vnet("hub"), network_body("10.0.0.0/24")) is None
    row = lab.journal()[-1]
    assert (row["status"], row["answered"]) == (201, False)
    assert lab.properties(vnet("hub"))["provisioningState"] == "Updating"
    lab.wait(60)
    assert lab.ask("PUT", vnet("hub"), network_body("10.0.0.0/24")) is None
    lab.wait(60)
    assert lab.put(vnet("hub"), network_body("10.0.0.0/24")).status == 200
    assert [row["answered"] for row in lab.journal()[-3:]] == [False, False, True]


def test_a_late_answer_says_how_late() -> None:
    from farshore.arm.http import Request

    lab = Lab()
    lab.fault(kind="late-answer", method="GET", path="virtualNetworks", seconds=40)
    found = lab.cloud.deliver(Request(method="GET", url=vnet("hub") + "?api-version=2024-05-01"), lab.now)
    assert found.delay.total_seconds() == 40 and found.response is not None and found.response.status == 404
    again = lab.cloud.deliver(Request(method="GET", url=vnet("hub") + "?api-version=2024-05-01"), lab.now)
    assert again.delay.total_seconds() == 0


def test_a_subscription_has_so_many_requests_and_gets_more_with_time() -> None:
    """L1 to L3."""
    lab = Lab(settings=Settings())
    first = lab.get(GROUP_URL)
    assert first.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    for _ in range(249):
        assert lab.get(GROUP_URL).status == 200
    refused = lab.get(GROUP_URL)
    assert refusal(refused, 429) == "SubscriptionRequestsThrottled" and int(refused.headers["retry-after"]) >= 1
    # Reads, writes and deletions are counted apart, subscriptions and principals too.
    assert lab.put(GROUP_URL, {"location": "eastasia"}).status == 200
    assert lab.get(GROUP_URL, **as_(READER)).status == 200
    assert lab.get("/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups").status == 200
    lab.wait(float(refused.headers["retry-after"]))
    assert lab.get(GROUP_URL).status == 200


def test_quotas_are_a_principals_and_a_subscriptions_however_they_are_spelled() -> None:
    """L1, L2: another token or another spelling of the path (Site Recovery's own polling URLs have one) is no new
    bucket; what is above all subscriptions has its own."""
    lab, count = Lab(settings=Settings()), "x-ms-ratelimit-remaining-subscription-reads"
    assert lab.get(GROUP_URL, **as_(READER)).headers[count] == "249"
    later = {"authorization": "Bearer " + identity.token("tenant", 900, audience="https://x", who=READER)}
    assert lab.get(GROUP_URL, **later).headers[count] == "248"
    shouted = lab.get(GROUP_URL.replace("/subscriptions/", "/Subscriptions/"), **later)
    assert shouted.status == 200 and shouted.headers[count] == "247"
    above = lab.get("/subscriptions", **later).headers
    assert count not in above and above["x-ms-ratelimit-remaining-tenant-reads"] == "249"


def test_microsoft_network_counts_for_itself_what_it_is_asked_in_five_minutes() -> None:
    """L3: writes and deletions together; other providers and other subscriptions are not its business."""
    lab = Lab(settings=Settings())
    table = net("rt", kind="routeTables")
    for number in range(1_000):
        lab.wait(0.2)
        answer = lab.put(table, {"location": "eastasia"}) if number % 2 else lab.delete(table)
        assert answer.status != 429
    refused = lab.put(table, {"location": "eastasia"})
    assert refusal(refused, 429) == "TooManyRequests"
    assert lab.get(table).status != 429 and lab.put(GROUP_URL, {"location": "eastasia"}).status == 200
    lab.wait(int(refused.headers["retry-after"]) - 1)
    assert refusal(lab.put(table, {"location": "eastasia"}), 429) == "TooManyRequests"
    lab.wait(1)
    assert lab.put(table, {"location": "eastasia"}).status != 429


def test_throttling_by_fault_holds_for_everybody_until_it_ends() -> None:
    lab = Lab()
    lab.fault(kind="throttle", seconds=30)
    for method in ("GET", "PUT", "DELETE"):
        refused = lab.send(method, GROUP_URL, {"location": "eastasia"})
        assert refusal(refused, 429) == "SubscriptionRequestsThrottled" and refused.headers["retry-after"] == "30"
    assert lab.get("/_lab/clock").status == 200
    lab.wait(31)
    assert lab.get(GROUP_URL).status == 200


def test_what_arm_itself_answers() -> None:
    lab = Lab()
    lab.made(vnet("hub"), network_body("10.0.0.0/24"))
    lab.made(net("rt", kind="routeTables"), {"location": "southeastasia"})
    subscription = lab.body(f"/subscriptions/{SUBSCRIPTION}")
    assert subscription["subscriptionId"] == SUBSCRIPTION and subscription["state"] == "Enabled"
    assert SUBSCRIPTION in {row["subscriptionId"] for row in lab.body("/subscriptions")["value"]}
    unknown = lab.get("/subscriptions/00000000-0000-0000-0000-00000000dead")
    assert refusal(unknown, 404) == "SubscriptionNotFound"
    assert lab.get("/tenants").body["value"][0]["tenantId"]
    names = {row["namespace"] for row in lab.body(f"/subscriptions/{SUBSCRIPTION}/providers")["value"]}
    assert names >= {"Microsoft.Network", "Microsoft.Compute", "Microsoft.Storage", "Microsoft.RecoveryServices"}
    provider = lab.body(f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.network")
    assert provider["namespace"] == "Microsoft.Network" and provider["registrationState"] == "Registered"
    assert "virtualNetworks" in {row["resourceType"] for row in provider["resourceTypes"]}
    assert lab.post(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/register").status == 200
    assert refusal(lab.get(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Magic"), 404)
    assert lab.send("HEAD", GROUP_URL).status == 204 and lab.send("HEAD", vnet("hub")).status == 204
    missing = lab.send("HEAD", vnet("none"))
    assert missing.status == 404 and missing.body is None
    rows = lab.body(f"/subscriptions/{SUBSCRIPTION}/resources")["value"]
    assert {row["name"] for row in rows} == {"hub", "rt"} and all("properties" not in row for row in rows)
    filtered = f"/subscriptions/{SUBSCRIPTION}/resources?$filter=resourceType eq 'Microsoft.Network/routeTables'"
    assert [row["name"] for row in lab.body(filtered)["value"]] == ["rt"]
    both = filtered + " and location eq 'East Asia'"
    assert lab.body(both)["value"] == []
    assert refusal(lab.get(f"/subscriptions/{SUBSCRIPTION}/resources?$filter=colour eq 'x'"), 501)
    assert [row["name"] for row in lab.body(GROUP_URL + "/resources?$top=1")["value"]] == ["hub"]
    for url in ("/", "/nothing", f"/subscriptions/{SUBSCRIPTION}/weather", "/providers/x/y"):
        assert lab.get(url).status == 501, url
    assert lab.post(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/doIt", {}).status == 501
    feature = "providers/Microsoft.Features/providers/Microsoft.Network/features/AllowBaremetalServers"
    assert lab.post(f"/subscriptions/{SUBSCRIPTION}/{feature}/register").status == 501
    assert lab.get(f"/subscriptions/{SUBSCRIPTION}/{feature}").status == 501
    assert lab.send("TRACE", vnet("hub")).status == 405


@pytest.mark.parametrize(
    "url",
    [
        "/subscriptions//resourceGroups/x",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/",
        f"{GROUP_URL}/providers/Microsoft.Network",
        f"{GROUP_URL}/providers/Microsoft.Network/virtualNetworks//subnets",
        f"{GROUP_URL}/providers",
        f"{GROUP_URL}/providers/Microsoft.Network/virtualNetworks/a/subnets/b/c",
        "//",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"])
def test_a_path_that_leads_nowhere_is_refused_and_breaks_nothing(method: str, url: str) -> None:
    lab = Lab()
    answer = lab.send(method, url, {"location": "eastasia"})
    assert 200 <= answer.status < 600 and answer.status != 500
