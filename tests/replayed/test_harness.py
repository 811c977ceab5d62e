"""The replayer itself, on a recording that is written here: it must see what differs and map what is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance import compare
from conformance.compare import Score
from conformance.names import Names
from conformance.recordings import read
from conformance.replay import replay

GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/one"
TABLE = f"{GROUP}/providers/Microsoft.Network/routeTables/table"
OPERATION = (
    "/subscriptions/11111111-1111-4111-8111-111111111111/providers/Microsoft.Network/locations/westus/operations/"
    "22222222-2222-4222-8222-222222222222"
)
BODY = {
    "name": "table",
    "id": TABLE,
    "etag": 'W/"33333333-3333-4333-8333-333333333333"',
    "type": "Microsoft.Network/routeTables",
    "location": "westus",
    "properties": {
        "provisioningState": "Succeeded",
        "resourceGuid": "44444444-4444-4444-8444-444444444444",
        "disableBgpRoutePropagation": False,
        "routes": [],
    },
}


def line(seq: int, method: str, url: str, status: int, answer: Any, **more: Any) -> dict[str, Any]:
    row = {
        "seq": seq,
        "method": method,
        "url": f"{url}?api-version=2022-01-01",
        "request_body": None,
        "status": status,
        "response_headers": {},
        "response_body": answer,
        "date": f"Tue, 07 Feb 2023 19:18:{seq:02d} GMT",
    }
    return row | more


def recording(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "written.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def created(**changed: Any) -> list[dict[str, Any]]:
    """A group read, a table made in it, its operation polled to the end, the table read."""
    updating = {**BODY, "properties": {**BODY["properties"], "provisioningState": "Updating"}}  # type: ignore[dict-item]
    polled = {"azure-asyncoperation": f"https://management.azure.com{OPERATION}?api-version=2022-01-01"}
    group = {"id": GROUP, "name": "one", "type": "Microsoft.Resources/resourceGroups", "location": "westus"}
    group["properties"] = {"provisioningState": "Succeeded"}  # type: ignore[assignment]
    sent = {"location": "westus", "properties": {}}
    return [
        line(0, "GET", GROUP, 200, group),
        line(1, "PUT", TABLE, 201, updating, request_body=sent, response_headers=polled),
        line(2, "GET", OPERATION, 200, {"status": "InProgress"}),
        line(3, "GET", OPERATION, 200, {"status": "Succeeded"}),
        line(4, "GET", TABLE, 200, BODY | changed),
    ]


def test_a_recording_that_the_lab_answers_alike_has_no_difference(tmp_path: Path) -> None:
    score = replay(recording(tmp_path, *created()))
    assert list(map(str, score.differences)) == []
    assert score.skipped == 1, "the group's first read is not scored"
    assert score.statuses.matched == score.statuses.total == 4
    assert score.headers.total == 1


def test_a_key_path_a_type_a_word_and_an_id_that_differ_are_told(tmp_path: Path) -> None:
    changed = {**BODY["properties"], "strange": {"deep": 1}, "routes": None, "provisioningState": "Elsewhere"}  # type: ignore[dict-item]
    score = replay(recording(tmp_path, *created(properties=changed, id=TABLE.replace("/subscr", "/Subscr"))))
    told = {(one.path, one.expected, one.got) for one in score.differences}
    assert ("properties.strange", "object", "nothing") in told
    assert ("properties.strange.deep", "number", "nothing") in told
    assert ("properties.routes", "null", "array") in told
    assert ("properties.provisioningState", "Elsewhere", "Succeeded") in told
    assert any(path == "id" and expected.startswith("Subscriptions/") for path, expected, _ in told)


def test_a_status_that_differs_costs_the_body(tmp_path: Path) -> None:
    missing = TABLE.replace("routeTables", "neverTables")
    score = replay(recording(tmp_path, line(0, "GET", missing, 200, {"a": 1})))
    assert (score.statuses.matched, score.statuses.total) == (0, 1)
    assert (score.paths.matched, score.paths.total) == (0, 2)


def test_error_codes_are_compared(tmp_path: Path) -> None:
    absent = line(0, "GET", TABLE, 404, {"error": {"code": "ResourceNotFound", "message": ""}})
    other = line(1, "GET", TABLE, 404, {"error": {"code": "Gone", "message": ""}})
    score = replay(recording(tmp_path, absent, other))
    assert (score.codes.matched, score.codes.total) == (1, 2)


def test_what_is_out_of_scope_must_be_said_to_be(tmp_path: Path) -> None:
    modules = "/subscriptions/s/providers/Microsoft.HardwareSecurityModules/dedicatedHSMs"
    score = replay(recording(tmp_path, line(0, "GET", modules, 200, [])))
    assert (score.outside, score.statuses.total, score.differences) == (1, 0, [])


def test_names_that_the_service_made_up_are_found_again() -> None:
    names = Names()
    names.learn(
        {"id": "/subscriptions/s/jobs/theirs", "key": GUIDS[0]}, {"id": "/subscriptions/s/jobs/ours", "key": GUIDS[1]}
    )
    assert names.url("/subscriptions/s/jobs/theirs?api-version=1") == "/subscriptions/s/jobs/ours?api-version=1"
    assert names.body({"key": GUIDS[0], "other": "theirs are"}) == {"key": GUIDS[1], "other": "theirs are"}


GUIDS = ("55555555-5555-4555-8555-555555555555", "66666666-6666-4666-8666-666666666666")


def test_a_path_that_only_the_lab_has_is_counted_once_at_its_top() -> None:
    score = Score()
    compare.bodies(score, "file:1", {"a": 1}, {"a": 1, "b": {"c": 2}})
    assert (score.more, [one.path for one in score.differences]) == (1, ["b"])


def test_a_result_is_another_address_than_the_status_of_its_operation() -> None:
    names = Names()
    there = f"https://management.azure.com{OPERATION}"
    here = "https://management.lab/operations/55555555-5555-4555-8555-555555555555"
    names.learn_headers(
        {"azure-asyncoperation": f"{there}?api-version=1", "location": f"{there}?monitor=true&api-version=1"},
        {"azure-asyncoperation": f"{here}?api-version=1", "location": f"{here}?monitor=true&api-version=1"},
    )
    assert names.url(f"{OPERATION}?api-version=1") == f"{here}?api-version=1"
    assert names.url(f"{OPERATION}?p=7&monitor=true&api-version=1") == f"{here}?monitor=true&api-version=1"


def test_a_body_may_be_bytes_of_bytes_or_a_scripts_text(tmp_path: Path) -> None:
    bodies = ["b'b\\'{\"level\": 7}\\''", "b'{\"level\": 7}'", "{level: 7 // seven\n}", "b'print(7)\\n'"]
    lines = [line(at, "PUT", TABLE, 200, None, request_body=body) for at, body in enumerate(bodies)]
    found = [row.request_body for row in read(recording(tmp_path, *lines))]
    assert found == [{"level": 7}, {"level": 7}, {"level": 7}, "print(7)\n"]


def test_a_group_that_is_made_or_asked_for_in_vain_is_not_there_before(tmp_path: Path) -> None:
    group = {"id": GROUP, "name": "one", "type": "Microsoft.Resources/resourceGroups", "location": "westus"}
    group["properties"] = {"provisioningState": "Succeeded"}  # type: ignore[assignment]
    lines = [
        line(0, "HEAD", GROUP, 404, None),
        line(1, "PUT", GROUP, 201, group, request_body={"location": "westus"}),
        line(2, "HEAD", GROUP, 204, None),
    ]
    score = replay(recording(tmp_path, *lines))
    assert (score.statuses.matched, score.statuses.total) == (3, 3)
