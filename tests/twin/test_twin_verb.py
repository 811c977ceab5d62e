"""`farshore twin` as a program and as a person meet it."""

from __future__ import annotations

import shutil
from pathlib import Path

import jsonschema
import pytest

from cli.test_app import answer, farshore
from farshore import schemas
from farshore.twin import running
from twin.needs import needs_a_twin

EXAMPLE = str(Path(__file__).parents[2] / "src/farshore/examples/two-circuits-two-locations")


@needs_a_twin
def test_the_answer_keeps_to_its_schema_and_nothing_differs() -> None:
    told = answer("twin", "--project", EXAMPLE, "--fail", "circuit-link er-hongkong primary", "--gap")
    jsonschema.validate(told, schemas.read("twin"))
    assert told["states"] == 1 and told["flows"] == sum(told["words"].values()) == 56
    assert told["pings"] == told["traceroutes"] == 56 and told["pings_apart"] == told["traceroutes_apart"] == 0
    assert told["tables"] > 0 and told["differences"] == told["apart"] == told["left_out"] == []
    assert [gap["not_back"] for gap in told["gaps"]] == [0]
    assert len(told["cannot"]) > 4


@needs_a_twin
def test_a_moment_of_a_plan_and_a_person_s_answer() -> None:
    done = farshore("twin", "--project", EXAMPLE, "--after", "failover/fence/datacenter", "--flows", "10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 state built" in done.stdout and "10 flows asked, 10 compared, 10 agree" in done.stdout
    assert "ICMP: 10 pings compared, 10 agree" in done.stdout
    assert "ways: 10 traceroutes compared, 10 agree" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_what_does_not_go_together_is_told() -> None:
    for argv, said in (
        (("--gap",), "--fail ELEMENT"),
        (("--states", "3", "--fail", "circuit er-hongkong"), "--states, or --after"),
        (("--fail", "circuit er-honkong"), "'circuit er-hongkong'"),
        (("--after", "failover/fence"), "'failover/fence/datacenter'"),
        (("--swap", "cn-source-hub", "nothing"), "one of cn-source-hub"),
    ):
        done = farshore("twin", "--project", EXAMPLE, *argv)
        assert done.returncode == 1 and said in done.stderr, (argv, done.stderr)
        assert "Traceback" not in done.stderr


def test_a_machine_without_the_tools_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    running.why_not.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda tool, path: None if tool in ("bird", "nft") else tool)
    assert running.why_not() == "not installed: bird (package bird2), nft (package nftables)"
    with pytest.raises(running.TwinError, match="not installed: bird"):
        running.Twin()
    monkeypatch.undo()
    running.why_not.cache_clear()
