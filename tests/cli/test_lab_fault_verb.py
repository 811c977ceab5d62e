"""Faults of a served lab, made, shown and cleared from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .served import answer, ask, begin, end, farshore, refusal


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One lab for the tests that only talk to it; its clock stands still until someone turns it."""
    folder = begin(tmp_path_factory.mktemp("lab") / "project")
    answer("lab", "up", "--speed", "hand", cwd=folder)
    yield folder
    end(folder)


def test_faults_are_made_by_name_listed_and_cleared(served: Path) -> None:
    try:
        answer("lab", "fault", "circuit-link", "er-hongkong", "primary", "down", cwd=served)
        answer("lab", "fault", "machine", "web1", "down", "--in", "10m", cwd=served)
        answer("lab", "fault", "site-deaf", "datacenter", "ce1", cwd=served)
        answer("lab", "fault", "throttle", "5s", cwd=served)
        answer("lab", "fault", "reply-lost", "--method", "PUT", "--path", "connections/", "--count", "2", cwd=served)
        shown = answer("lab", "fault", "region", "eastasia", "lost", cwd=served)
        assert [row["name"].rsplit("/", 1)[-1] for row in shown["down"]] == ["er-hongkong#primary"]
        assert shown["planned"][0]["id"].endswith("/web1") and shown["deaf"] == ["datacenter/ce1"]
        assert [row["region"] for row in shown["regions"]] == ["eastasia"]
        _, said, _ = farshore("lab", "fault", cwd=served)
        for words in ("region eastasia lost", "er-hongkong#primary down", "router ce1", "429", "the next 2 answers"):
            assert words in said
    finally:
        shown = answer("lab", "fault", "clear", cwd=served)
    assert not shown["down"] and not shown["planned"] and not shown["deaf"] and not shown["mishaps"]
    assert shown["regions"][0]["returning"]
    answer("lab", "clock", "--advance", "10m", cwd=served)
    shown = answer("lab", "fault", "list", cwd=served)
    assert not shown["regions"] and not shown["down"]


def test_every_kind_of_fault_is_made_by_its_verb_shown_and_cleared(served: Path) -> None:
    """`--after` is `--in`."""
    made = (
        (("control-plane", "southeastasia", "down"), "no answer from its control plane"),
        (("data-plane", "southeastasia", "down"), "region:southeastasia down"),
        (("capacity", "southeastasia", "Standard_D2s_v3", "down"), "no room for Standard_D2s_v3"),
        (("restriction", "southeastasia", "Standard_D2s_v3", "down"), "Standard_D2s_v3 is not sold"),
        (("quota", "southeastasia", "cores", "8"), "no more than 8 cores"),
        (("churn", "web1", "1000000"), "writes 1000000 bytes a second"),
        (("no-answer", "--method", "PUT", "--path", "nowhere"), "never come"),
        (("twice", "--method", "PUT", "--path", "nowhere"), "arrived twice"),
        (("refuse", "Busy", "--status", "503", "--path", "nowhere"), "503 Busy"),
        (("fail-operation", "Broken", "--verb", "put", "--path", "nowhere"), "(put) will fail with Broken"),
        (("hang-operation", "--path", "nowhere"), "will hang"),
        (("edit", "web1", "--change", '{"tags": {"by": "another"}}', "--after", "5m"), "planned for"),
        (("edit", "web1", "--delete", "--at", "2030-01-01"), "planned for 2030-01-01"),
    )
    try:
        for arguments, words in made:
            answer("lab", "fault", *arguments, cwd=served)
            _, said, _ = farshore("lab", "fault", cwd=served)
            assert words in said, said
        answer("lab", "fault", "hang-operation", "--over", cwd=served)
        answer("lab", "fault", "churn", "web1", "--over", cwd=served)
        assert not answer("lab", "fault", "quota", "southeastasia", "cores", "--over", cwd=served)["quotas"]
        assert not answer("lab", "fault", cwd=served)["ailing"]
    finally:
        shown = answer("lab", "fault", "clear", cwd=served)
    assert not any(
        shown[name]
        for name in ("down", "silent", "shortages", "restrictions", "quotas", "ailing", "mishaps", "hung", "planned")
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("edit", "web1"), "--change"),
        (("edit", "web1", "--change", "tags"), "JSON"),
        (("edit", "webb1", "--delete"), "web1"),
        (("churn", "web1"), "--over"),
        (("replication", "web1", "down"), "replicates"),
        (("refuse", "two words"), "two words"),
        (("region", "eastasai", "lost"), "eastasia"),
        (("machine", "webb1", "down"), "web1"),
        (("location", "Honkong", "down"), "Hong Kong"),
        (("router", "datacenter", "ce9", "down"), "ce1"),
        (("site-deaf", "nowhere"), "datacenter"),
        (("circuit", "er-hongkong", "dwon"), "down"),
        (("machine", "web1", "down", "--at", "2000-01-01"), "past"),
    ],
)
def test_a_slip_of_the_pen_breaks_nothing(served: Path, arguments: tuple[str, ...], words: str) -> None:
    before = answer("lab", "fault", cwd=served)
    assert words in json.dumps(refusal("lab", "fault", *arguments, cwd=served))
    after = answer("lab", "fault", cwd=served)
    assert {**before, "now": ""} == {**after, "now": ""}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "region", "region": "eastasai"},
        {"kind": "region", "region": "eastasia", "state": "lots"},
        {"kind": "throttle", "seconds": "many"},
        {"kind": "region", "region": "eastasia", "at": "soon"},
    ],
)
def test_the_handle_itself_refuses_nonsense(served: Path, fault: dict[str, Any]) -> None:
    status, body = ask(served, "POST", "/_lab/faults", fault)
    assert (status, body["error"]["code"]) == (400, "InvalidFault")
