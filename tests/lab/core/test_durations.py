"""How long things take: a table that is read and changed, by a lab's settings and while it lasts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from farshore.lab import Settings
from farshore.lab.durations import DURATIONS
from lab.core.bench import Lab, network_body, refusal, vnet

HUB = vnet("hub")
BODY = network_body("10.0.0.0/24")


def takes(lab: Lab) -> timedelta:
    """How long making a network takes, to the second."""
    answer = lab.put(HUB, BODY)
    begun = lab.now
    while lab.get(answer.headers["azure-asyncoperation"]).body["status"] == "InProgress":
        lab.wait(1)
    return lab.now - begun


def rows(lab: Lab) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in lab.get("/_lab/durations").body["value"]}


def change(lab: Lab, **wanted: Any) -> None:
    lab.must(lab.post("/_lab/durations", wanted))


def test_the_table_is_shown_whole() -> None:
    found = rows(Lab())
    assert list(found) == list(DURATIONS) and not any(row["changed"] for row in found.values())
    assert (found["connections.put"]["seconds"], found["connections.put"]["spread"]) == DURATIONS["connections.put"]


def test_a_change_holds_from_the_next_operation_on_and_survives_the_lab(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab.db")
    change(lab, name="network.put", seconds=300, spread=0)
    assert takes(lab) == timedelta(minutes=5) and rows(lab)["network.put"]["changed"]
    lab.cloud.store.close()
    again = Lab(tmp_path / "lab.db", groups={})
    again.now = again.cloud.now
    assert rows(again)["network.put"]["seconds"] == 300
    change(again, reset=True)
    assert not rows(again)["network.put"]["changed"]
    again.cloud.store.close()


def test_a_spread_that_is_not_given_stays_the_tables() -> None:
    lab = Lab()
    change(lab, name="network.put", seconds=1000)
    assert rows(lab)["network.put"]["spread"] == DURATIONS["network.put"][1]
    change(lab, name="network.delete", seconds=1)
    change(lab, name="network.put", reset=True)
    assert not rows(lab)["network.put"]["changed"] and rows(lab)["network.delete"]["changed"]


def test_a_lab_may_be_made_with_rows_of_its_own() -> None:
    lab = Lab(settings=Settings(throttling=False, durations={"network.put": (120.0, 0.0)}))
    assert takes(lab) == timedelta(minutes=2)
    change(lab, name="network.put", seconds=10, spread=0)
    change(lab, reset=True)
    assert rows(lab)["network.put"]["seconds"] == 120


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"name": "network.putt", "seconds": 1},
        {"name": "network.putt", "reset": True},
        {"name": "network.put"},
        {"name": "network.put", "seconds": "1"},
        {"name": "network.put", "seconds": -1},
        {"name": "network.put", "seconds": 1, "spread": 9},
        {"name": "network.put", "seconds": True},
    ],
)
def test_what_is_no_duration_is_refused_and_changes_nothing(wanted: dict[str, Any]) -> None:
    lab = Lab()
    answer = lab.post("/_lab/durations", wanted)
    assert refusal(answer) == "InvalidDuration" and not any(row["changed"] for row in rows(lab).values())
    if wanted.get("name") == "network.putt":
        assert "did you mean network.put?" in answer.body["error"]["message"]
