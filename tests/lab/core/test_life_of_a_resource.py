"""What every resource of the lab does: create, read, list, replace, tag, delete, by ARM's own rules (L5 to L12)."""

from __future__ import annotations

from typing import Any

import pytest

from lab.core.bench import (
    GROUP,
    NETWORK,
    SUBSCRIPTION,
    Lab,
    net,
    network_body,
    refusal,
    vnet,
)
from lab.core.kinds import KINDS, Kind

ALL = pytest.mark.parametrize("name", KINDS)


def ready(name: str) -> tuple[Lab, Kind]:
    lab, kind = Lab(), KINDS[name]
    kind.before(lab)
    return lab, kind


@ALL
def test_it_is_made_and_says_so_when_it_is_done(name: str) -> None:
    lab, kind = ready(name)
    answer = lab.put(kind.url, kind.body)
    assert answer.status == kind.created
    assert tuple(item for item in ("azure-asyncoperation", "location") if item in answer.headers) == kind.headers
    if kind.state:
        assert answer.body["properties"]["provisioningState"] == kind.state
        assert lab.properties(kind.url)["provisioningState"] in (kind.state, "Creating")
    lab.follow(answer)
    body = lab.body(kind.url)
    assert body["id"] == kind.url and body["name"] == kind.url.rsplit("/", 1)[1]
    assert kind.url.count("/providers/") == 1 and body["type"].split("/")[0] in kind.url
    assert body["properties"].get("provisioningState", "Succeeded") == "Succeeded"
    assert {key: body["properties"].get(key) for key in kind.shown} == dict(kind.shown)


@ALL
def test_it_is_there_in_any_case_of_its_letters_and_in_its_lists(name: str) -> None:
    lab, kind = ready(name)
    body = lab.made(kind.url, kind.body)
    prefix, _, rest = kind.url.partition(f"/resourceGroups/{GROUP}/")
    shouted = f"{prefix}/RESOURCEGROUPS/{GROUP.upper()}/{rest.upper()}"
    assert lab.body(shouted) == body
    assert body["id"] in {row["id"] for row in lab.body(kind.url.rsplit("/", 1)[0])["value"]}
    if kind.tagged and rest.count("/") == 3:  # children have no list of their own in a subscription
        everywhere = f"/subscriptions/{SUBSCRIPTION}/{rest.rsplit('/', 1)[0]}"
        assert body["id"] in {row["id"] for row in lab.body(everywhere)["value"]}
    # The same name in other letters is the same resource: nothing is made twice.
    assert lab.put(shouted, kind.body).status == kind.updated
    assert len(lab.body(kind.url.rsplit("/", 1)[0])["value"]) == 1 + (name in ("subnet", "pool"))


@ALL
def test_the_same_put_again_changes_nothing(name: str) -> None:
    lab, kind = ready(name)
    before = lab.made(kind.url, kind.body)
    again = lab.put(kind.url, kind.body)
    assert again.status == kind.updated
    lab.follow(again)
    after = lab.body(kind.url)
    assert _without_times(after) == _without_times(before)


@ALL
def test_what_was_read_can_be_written_back(name: str) -> None:
    """Read-modify-write, as every tool does it: read-only properties that come along count for nothing."""
    lab, kind = ready(name)
    before = lab.made(kind.url, kind.body)
    assert _without_times(lab.made(kind.url, before)) == _without_times(before)


@ALL
def test_it_goes_and_going_twice_is_going_once(name: str) -> None:
    lab, kind = ready(name)
    lab.made(kind.url, kind.body)
    answer = lab.delete(kind.url)
    assert answer.status == kind.deleted
    assert tuple(item for item in ("azure-asyncoperation", "location") if item in answer.headers) == kind.delete_headers
    if kind.delete_headers:
        assert lab.properties(kind.url)["provisioningState"] == "Deleting"
        assert lab.delete(kind.url).status in (202, 409)
    lab.follow(answer)
    assert refusal(lab.get(kind.url), 404) in ("ResourceNotFound", "NotFound")
    assert lab.delete(kind.url).status == 204
    assert kind.url not in {row["id"] for row in lab.body(kind.url.rsplit("/", 1)[0])["value"]}


@ALL
def test_an_api_version_is_demanded(name: str) -> None:
    lab, kind = ready(name)
    for method in ("GET", "PUT", "DELETE"):
        answer = lab.send(method, kind.url + "?api-version", kind.body)
        assert refusal(answer) == "MissingApiVersionParameter"
    assert lab.get(kind.url).status == 404


@ALL
def test_conditions_are_honoured(name: str) -> None:
    """L10: If-Match on what is there, If-None-Match on what is not."""
    lab, kind = ready(name)
    assert refusal(lab.put(kind.url, kind.body, If_Match="*"), 412) == "PreconditionFailed"
    assert lab.get(kind.url).status == 404
    lab.follow(lab.put(kind.url, kind.body, If_None_Match="*"))
    assert refusal(lab.put(kind.url, kind.body, If_None_Match="*"), 412) == "PreconditionFailed"
    assert refusal(lab.put(kind.url, kind.body, If_Match='W/"00000000-0000-0000-0000-000000000000"'), 412)
    assert refusal(lab.delete(kind.url, If_Match='"old"'), 412) == "PreconditionFailed"
    etag = lab.body(kind.url).get("etag", "*")
    lab.follow(lab.put(kind.url, kind.body, If_Match=str(etag)))
    if etag != "*":
        assert lab.body(kind.url)["etag"] != etag
        assert refusal(lab.put(kind.url, kind.body, If_Match=str(etag)), 412) == "PreconditionFailed"
    lab.follow(lab.delete(kind.url, If_Match="*"))
    assert lab.get(kind.url).status == 404


@ALL
def test_tags_are_changed_by_a_patch(name: str) -> None:
    lab, kind = ready(name)
    before = lab.made(kind.url, kind.body)
    answer = lab.patch(kind.url, {"tags": {"owner": "network"}})
    if not kind.tagged:
        assert answer.status == 405
        return
    assert answer.status == (202 if name in ("disk", "snapshot") else 200) and answer.body["tags"] == {
        "owner": "network"
    }
    lab.follow(answer)
    if name in ("gateway", "vpn gateway", "virtual hub"):  # recorded: it is Updating for two minutes
        assert answer.body["properties"]["provisioningState"] == "Updating"
        lab.wait(minutes=5)
    after = lab.body(kind.url)
    assert after["tags"] == {"owner": "network"}
    assert _without_times(after["properties"]) == _without_times(before["properties"])


@ALL
def test_a_patch_that_says_nothing_of_tags_leaves_them(name: str) -> None:
    lab, kind = ready(name)
    if not kind.tagged:
        return
    lab.made(kind.url, {**kind.body, "tags": {"owner": "network"}})
    lab.follow(lab.patch(kind.url, {}))
    assert lab.body(kind.url)["tags"] == {"owner": "network"}


@ALL
def test_nothing_is_made_in_a_group_that_is_not_there(name: str) -> None:
    lab, kind = ready(name)
    elsewhere = kind.url.replace(f"/resourceGroups/{GROUP}/", "/resourceGroups/nowhere/")
    assert refusal(lab.put(elsewhere, kind.body), 404) == "ResourceGroupNotFound"
    assert refusal(lab.get(elsewhere), 404) in ("ResourceNotFound", "NotFound", "ResourceGroupNotFound")


@ALL
def test_a_place_is_needed_and_kept(name: str) -> None:
    lab, kind = ready(name)
    if not kind.tagged:
        parent = kind.url.rsplit("/", 2)[0]
        assert refusal(lab.put(parent + "x" + kind.url.removeprefix(parent), kind.body), 404) == (
            "ParentResourceNotFound"
        )
        return
    assert refusal(lab.put(kind.url, {**kind.body, "location": None})) == "LocationRequired"
    lab.made(kind.url, kind.body)
    moved = lab.put(kind.url, {**kind.body, "location": "southeastasia"})
    assert refusal(moved, 409) == "InvalidResourceLocation"
    # A region's two spellings are one region.
    lab.made(kind.url, {**kind.body, "location": "East Asia"})


@ALL
def test_a_body_that_is_no_object_is_refused(name: str) -> None:
    lab, kind = ready(name)
    bodies: tuple[Any, ...] = (None, [], "text", 5)
    for body in bodies:
        assert refusal(lab.put(kind.url, body)) == "InvalidRequestContent"
    assert lab.get(kind.url).status == 404


def test_a_type_that_the_lab_does_not_have_is_told_so() -> None:
    lab = Lab()
    for type_ in ("frontDoors", "dnsResolvers", "trafficManagerProfiles"):
        url = net("x", kind=type_)
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            answer = lab.send(method, url, {"location": "eastasia"})
            assert refusal(answer, 501) == "NotImplementedByLab"
            assert type_ in answer.body["error"]["message"]
        assert refusal(lab.get(url.rsplit("/", 1)[0]), 501) == "NotImplementedByLab"
    lab.made(vnet("hub"), network_body("10.0.0.0/24"))
    assert refusal(lab.post(vnet("hub", "checkNothing")), 501) == "NotImplementedByLab"


def test_every_answer_has_arms_headers_and_echoes_the_clients_id() -> None:
    lab = Lab()
    answer = lab.put(vnet("hub"), network_body("10.0.0.0/24"), x_ms_client_request_id="mine-7")
    headers = answer.headers
    assert headers["x-ms-client-request-id"] == "mine-7"
    for name in ("x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id", "cache-control"):
        assert headers[name], name
    assert headers["x-ms-routing-request-id"].startswith("LAB:20260301T080000Z:")
    refused = lab.get(vnet("none"))
    assert refused.status == 404 and refused.headers["x-ms-request-id"] != headers["x-ms-request-id"]


def test_a_long_list_comes_in_pages() -> None:
    """L11: the next link is followed as it stands."""
    from farshore.lab import Settings

    lab = Lab(settings=Settings(throttling=False, page_size=7))
    for number in range(17):
        lab.put(net(f"rt{number}", kind="routeTables"), {"location": "eastasia"})
    url: str | None = net("x", kind="routeTables").rsplit("/", 1)[0]
    seen: list[str] = []
    sizes = []
    while url is not None:
        page = lab.body(url)
        sizes.append(len(page["value"]))
        seen += [row["name"] for row in page["value"]]
        url = page.get("nextLink")
    assert sizes == [7, 7, 3] and seen == [f"rt{number}" for number in range(17)]
    assert f"{NETWORK}/routeTables" in str(lab.body(net("rt3", kind="routeTables"))["type"])


def _without_times(body: Any) -> Any:
    """Without what must differ: the etag, and when keys were made."""
    dropped = ("etag", "keyCreationTime", "creationTime")
    if isinstance(body, dict):
        return {key: _without_times(item) for key, item in body.items() if key not in dropped}
    return [_without_times(item) for item in body] if isinstance(body, list) else body
