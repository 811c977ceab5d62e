"""Bad input: one message with place, value, expectation and remedy, exit 1, and nothing written.

Each row is a slip that somebody has made or will: in farshore.yaml, in estate.json, in a plan, or on the command line.
A message is read by an engineer at night, so it is short, it shows on one screen, and it says what to do.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from farshore import examples, schemas
from farshore.cli.app import run

from .slips import ESTATE, PLAN, SLIPS, YAML, Slip

PUBLISHED = "two-circuits-two-locations"


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 1) -> tuple[str, dict[str, Any]]:
    """The message of a command that could not do it, for people and for programs, with nothing else beside it."""
    assert run(arguments) == status
    human = capsys.readouterr()
    assert human.out == "", "an error is told on stderr"
    assert run([*arguments, "--format", "json"]) == status
    machine = capsys.readouterr()
    assert machine.err == ""
    document = json.loads(machine.out)
    jsonschema.validate(document, schemas.read("error"))
    error: dict[str, Any] = document["error"]
    return human.err, error


def contents(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def readable(message: str, error: dict[str, Any]) -> None:
    """Short, on one screen, in whole words, and with something to do."""
    lines = message.rstrip("\n").splitlines()
    assert 2 <= len(lines) <= 4 and lines[0].startswith("error  "), message
    assert all(line.startswith("  ") for line in lines[1:]), message
    assert max(map(len, lines)) < 700, message
    assert error["remedy"] and error["expected"] and error["value"] not in (None, ""), error
    assert not re.search(r"NoneType|object at 0x|Traceback|Error\(|\bNone\b|unicode string", message), message
    assert {sign for sign in message if not sign.isprintable()} == {"\n"}, message


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_one_message_says_where_what_and_what_to_do(
    slip: Slip, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {path.name: path.read_bytes() for path in project.iterdir()}
    slip.edit(files)
    for name, data in files.items():
        (project / name).write_bytes(data)
    before = contents(project)
    message, error = told(capsys, "assess", "--project", str(project))
    readable(message, error)
    assert slip.says in message.replace("\n  expected  ", " expected ")
    assert error["file"] == str(project / slip.file) and error["code"] == "InputError"
    line = (files[slip.file].decode(errors="replace").splitlines() or [""])[error["line"] - 1]
    assert slip.at is not None and slip.at in line, f"line {error['line']} is {line!r}"
    assert f"{slip.file}:{error['line']}: " in message
    assert contents(project) == before


@pytest.mark.parametrize("verb", ["assess", "plan", "prove", "exercise"])
def test_no_verb_writes_before_its_input_is_good(verb: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, old, new in ((YAML, "asn: 65010", "asn: x"), (ESTATE, '"location": "eastasia"', '"location": "mars"')):
        good = (project / name).read_text()
        (project / name).write_text(good.replace(old, new, 1))
        before = contents(project)
        assert run([verb, "--project", str(project)]) == 1
        assert name in capsys.readouterr().err
        assert contents(project) == before
        (project / name).write_text(good)


@pytest.mark.parametrize("name", [YAML, ESTATE])
def test_a_folder_in_a_file_s_place(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / name).unlink()
    (project / name).mkdir()
    message, error = told(capsys, "assess", "--project", str(project))
    assert "is a folder" in message and error["file"] == str(project / name) and error["remedy"]


@pytest.mark.parametrize("name", [YAML, ESTATE])
def test_a_file_that_is_not_there(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / name).unlink()
    message, error = told(capsys, "assess", "--project", str(project))
    readable(message, error)
    assert error["file"] == str(project / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ESTATE).chmod(0)
    message, _ = told(capsys, "assess", "--project", str(project))
    assert "permissions" in message


def test_a_project_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message, error = told(capsys, "assess", "--project", str(tmp_path / "nowhere"))
    assert "no such project folder" in message and error["value"].endswith("nowhere")


def test_a_byte_order_mark_does_no_harm(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (YAML, ESTATE):
        (project / name).write_bytes(b"\xef\xbb\xbf" + (project / name).read_bytes())
    assert run(["assess", "--project", str(project)]) == 0
    capsys.readouterr()


def test_what_a_file_holds_can_t_move_the_terminal_s_cursor(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / YAML).write_text('"\\e[2Jversion\\n": 1\n' + (project / YAML).read_text())
    message, _ = told(capsys, "assess", "--project", str(project))
    assert "\x1b" not in message and len(message.splitlines()) == 4


def test_a_secret_beside_a_comma_too_many_is_not_shown(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (project / ESTATE).read_text()
    (project / ESTATE).write_text(text.replace('"globalReachEnabled"', '"sharedKey": "hunter2",, "x"', 1))
    message, error = told(capsys, "assess", "--project", str(project))
    assert "not JSON" in message and "hunter2" not in message + json.dumps(error)


# Plans. ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A plan of each of two examples, as the command line writes them."""
    from farshore.arm.json import pretty
    from farshore.plan import make_plan, plan_as_json

    made = {}
    for name in (PUBLISHED, "two-circuits-one-location"):
        _, estate = examples.read(name)
        made[name] = pretty(plan_as_json(make_plan(estate)))
    return made


def _ring(plan: dict[str, Any]) -> None:
    first, second = plan["steps"][:2]
    first["after"], second["after"] = [second["id"]], [first["id"]]


PLANS: tuple[tuple[str, Callable[[dict[str, Any]], Any], str], ...] = (
    ("steps in a ring", _ring, "wait for each other"),
    ("two steps of one id", lambda p: p["steps"][1].update(id=p["steps"][0]["id"]), "Two steps"),
    ("a kind that is none", lambda p: p["steps"][0].update(kind="magic"), "one of arm, site, person, check"),
    ("no kind", lambda p: p["steps"][0].pop("kind"), "kind is missing"),
    ("a format to come", lambda p: p.update(format=2), "not known"),
    ("steps that are none", lambda p: p.update(steps=5), "no list"),
    ("a step that is none", lambda p: p["steps"].insert(0, 7), "no object"),
    ("a duration below nothing", lambda p: p["steps"][0].update(expected_duration_seconds=-5), "not negative"),
)


@pytest.mark.parametrize(("name", "edit", "says"), PLANS, ids=[name for name, _, _ in PLANS])
def test_a_plan_that_is_none(
    name: str,
    edit: Callable[[dict[str, Any]], Any],
    says: str,
    plans: dict[str, str],
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = json.loads(plans[PUBLISHED])
    edit(plan)
    (project / PLAN).write_text(json.dumps(plan))
    before = contents(project)
    message, error = told(capsys, "prove", "--project", str(project), "--plan", str(project / PLAN))
    assert says in message and error["file"] == str(project / PLAN)
    assert max(map(len, message.splitlines())) < 700
    assert contents(project) == before


def test_a_plan_of_another_estate(plans: dict[str, str], project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / PLAN).write_text(plans["two-circuits-one-location"])
    before = contents(project)
    for verb in ("prove", "exercise"):
        assert run([verb, "--project", str(project), "--plan", str(project / PLAN)]) == 1
        message = capsys.readouterr().err
        assert "er-hongkong-second" in message and "another estate" in message and "farshore plan" in message
    assert contents(project) == before


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"{", "not JSON"), (b"\xff", "UTF-8"), (b"[]", "no plan"), (None, "folder")],
)
def test_a_plan_file_that_is_no_plan(
    content: bytes | None, says: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        (project / PLAN).mkdir()
    else:
        (project / PLAN).write_bytes(content)
    message, error = told(capsys, "prove", "--project", str(project), "--plan", str(project / PLAN))
    assert says in message and error["file"] == str(project / PLAN) and error["remedy"]


# The command line. -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("asses",), "did you mean assess?"),
        (("assess", "--nonsense"), "--nonsense"),
        (("assess", "--format", "xml"), "'human', 'json'"),
        (("plan", "--scenario", "nope"), "no scenario nope"),
        (("exercise", "--example", "nope"), "no example nope"),
        (("schema", "nope"), "no schema nope"),
        (("trace", "nobody", "web1"), "a site (datacenter), internet, an address, one of app1"),
        (("trace", "datacentre", "web1"), "did you mean datacenter?"),
        (("trace", "10.1.0.0/24", "web1"), "an address, not a range"),
        (("trace", "datacenter:x", "web1"), "This is not an address"),
        (("trace", "internet:x", "web1"), "This is not an address"),
        (("trace", "datacenter", "web1", "--port", "tcp"), "a number from 1 to 65535"),
        (("trace", "datacenter", "web1", "--port", "icmp/3"), "icmp has no port"),
        (("trace", "datacenter", "web1", "--port", "tcp/99999"), "a number from 1 to 65535"),
        (("trace", "datacenter", "web1", "--fail", "circuit nope"), "'circuit er-hongkong'"),
        (("trace", "datacenter", "web1", "--through", "10.9.9.9"), "No network interface has this address"),
        (("routes", "nobody"), "nobody"),
        (("routes", "ergw-source-hub"), "say --learned or --advertised"),
        (("routes", "web1", "--learned"), "leave out --learned"),
        (("routes", "er-hongkong", "--learned", "--advertised"), "one of the two"),
        (("routes", "er-hongkong", "--learned", "--to", "10.1.0.4"), "chooses nothing"),
        (("prove", "--pairs"), "--as-it-is with it"),
        (("prove", "--out", "columns"), "--as-it-is with it"),
        (("prove", "--as-it-is", "--plan", "plan.json"), "--as-it-is without it"),
        (("prove", "--as-it-is", "--scenario", "drill"), "--as-it-is without it"),
        (("exercise", "--cloud", "azure"), "embedded lab"),
        (("prove", "--plan", "plan.json", "--scenario", "published"), "the plan's own story"),
        (("exercise", "--plan", "plan.json", "--scenario", "published"), "the plan's own story"),
        (("twin", "--states", "1", "--plan", "plan.json", "--scenario", "published"), "the plan's own story"),
        (("plan", "--scenario", "list", "--out", "plan.json"), "lists the stories"),
        (("exercise", "--scenario", "list", "--seed", "2"), "lists the stories"),
        (("plan", "--scenario", "list", "--postures"), "lists the stories"),
        (("plan", "--scenario", "grey+region"), "the scenario's outage"),
        (("plan", "--scenario", "armed+nothing-ahead"), "its link is cold"),
        (("plan", "--postures", "--scenario", "zone"), "in any posture"),
        (("plan", "--postures", "--out", "plan.json"), "postures are compared"),
        (("plan", "--prices", "farshore.yaml"), "--postures with it"),
        (("plan", "--postures", "--prices", "farshore.yaml"), "unknown key version"),
        (("plan", "--postures", "--prices", "nope.yaml"), "no file nope.yaml"),
        (("plan", "--prices-template", "farshore.yaml"), "would be overwritten"),
        (("twin", "--gap", "--fail", "circuit er-hongkong", "--after", "provision"), "the estate as it is"),
        (("twin", "--swap", "a", "b", "--states", "1"), "the estate as it is"),
        (("prove", "--as-it-is", "--out", "estate.json"), "This is no folder"),
        (("prove", "--plan", "estate.json"), "This is no plan"),
        (("prove", "--plan", "."), "is a folder"),
        (("plan", "--out", "estate.json"), "would be overwritten"),
        (("plan", "--out", "farshore.yaml"), "would be overwritten"),
        (("plan", "--out", "nowhere/plan.json"), "There is no folder nowhere"),
        (("estate", "read", "--out", "farshore.yaml"), "would be overwritten"),
        (("estate", "read", "--out", "nowhere/estate.json"), "There is no folder nowhere"),
        (("new", "estate.json"), "This is no folder"),
        (("twin", "--scenario", "drill"), "--after STEP or --states N"),
        (("twin", "--swap", "cn-source-hub", "cn-source-hub"), "OLD NEW"),
        (("new", "other", "--example", "two-circuits-two-locations", "--estate", "estate.json"), "one of the two"),
        (("generate", "--machines", "1000000", "--out", "big"), "--spokes 31"),
    ],
)
def test_a_wrong_command_line(
    arguments: tuple[str, ...], says: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(project)
    before = contents(project)
    assert run(arguments) == 1
    said = capsys.readouterr()
    assert says in said.err and said.out == "" and len(said.err.splitlines()) <= 5
    assert "\n  remedy " in said.err, "it says what to do"
    assert contents(project) == before
