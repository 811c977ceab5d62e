"""Recorded deployments sent to the lab: the same paths of properties in the first answer and in the last one.

What a recording deploys into something that it does not make (a network of before) fails here, and only its first
answer is compared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from lab.core.bench import Lab

DATA = Path(os.environ.get("FARSHORE_REAL_DATA") or Path(__file__).parents[4] / "shared" / "data") / "recordings"


def recorded() -> list[tuple[str, Body, Body | None]]:
    """Name, the PUT, and the GET of the end."""
    found = []
    for path in sorted(DATA.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for at, row in enumerate(rows):
            if row["method"] == "PUT" and "microsoft.resources/deployments/" in row["url"].lower():
                same = [other for other in rows[at + 1 :] if other["url"].lower() == row["url"].lower()]
                end = next((other for other in same if other["method"] == "GET"), None)
                found.append((f"{path.stem}-{row['seq']}", row, end))
    return found


def paths(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{at}.{key}"
            yield from paths(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")


RECORDED = recorded()


@pytest.mark.skipif(not RECORDED, reason="no recordings: FARSHORE_REAL_DATA names their folder")
def test_recorded_deployments_are_answered_as_they_were() -> None:
    ended = 0
    for name, row, end in RECORDED:
        lab = Lab(groups={})
        region = row["response_body"]["properties"]["providers"][0]["resourceTypes"][0]["locations"][0]
        lab.must(lab.put(str(resource_id(row["response_body"]["id"]).group_id), {"location": region}))
        answer = lab.put(row["url"], row["request_body"])
        if answer.status == 501:
            continue
        assert (answer.status, "azure-asyncoperation" in answer.headers) == (row["status"], True), name
        assert set(paths(answer.body)) == set(paths(row["response_body"])), name
        for key in ("providers", "mode", "provisioningState", "parameters"):
            assert answer.body["properties"][key] == row["response_body"]["properties"][key], (name, key)
        if end is None or lab.follow(answer).body["status"] != "Succeeded":
            continue
        ended += 1
        theirs = end["response_body"]
        assert set(paths(lab.body(row["url"]))) == set(paths(theirs)), name
        made = [item["id"].lower() for item in lab.properties(row["url"])["outputResources"]]
        assert made == [item["id"].lower() for item in theirs["properties"]["outputResources"]], name
    assert ended >= 2
