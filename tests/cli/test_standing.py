"""`farshore generate`, then `farshore prove --as-it-is` on what it wrote: as a program and as a person meet them."""

from __future__ import annotations

import json
from array import array
from pathlib import Path

import jsonschema
import pytest

from farshore import schemas

from .test_app import answer, farshore


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "estate"
    told = answer("generate", "--spokes", "12", "--machines", "60", "--prefixes", "24", "--out", str(folder))
    assert told["machines"] == 60
    return folder


def test_every_cell_has_one_word_and_the_answer_keeps_to_its_schema(generated: Path, tmp_path: Path) -> None:
    out = tmp_path / "columns"
    told = answer("prove", "--as-it-is", "--pairs", "--out", str(out), "--project", str(generated))
    jsonschema.validate(told, schemas.read("standing"))
    assert sum(told["words"].values()) == told["cells"] == told["machines"] * told["ends"]
    assert told["words"]["delivered"] > told["cells"] / 2
    assert told["failures"] > len(told["exposure"]) > 0
    assert told["pairs"]["number"] >= told["failures"] * (told["failures"] - 1) // 2 - told["failures"] * 50


def test_the_columns_say_machine_by_machine_what_the_ranking_sums(generated: Path, tmp_path: Path) -> None:
    out = tmp_path / "columns"
    told = answer("prove", "--as-it-is", "--out", str(out), "--project", str(generated))
    names = json.loads((out / "names.json").read_text())
    assert sorted(path.name for path in out.iterdir()) == sorted(told["columns"]["files"])
    read = {name: array("I", (out / f"{name}.u32").read_bytes()) for name in ("failure", "machine", "lost")}
    assert {len(column) for column in read.values()} == {told["columns"]["rows"]}
    assert len(names["failures"]) == told["failures"], "every failure that the text counts has a name"
    today = array("I", (out / "today.u32").read_bytes())
    assert len(today) == len(names["machines"]) == told["machines"] and sum(today) == told["words"]["delivered"]
    assert all(lost <= today[machine] for machine, lost in zip(read["machine"], read["lost"], strict=True))
    sums: dict[str, int] = {}
    for failure, lost in zip(read["failure"], read["lost"], strict=True):
        sums[names["failures"][failure]] = sums.get(names["failures"][failure], 0) + lost
    assert any(item["kind"] == "peering" for item in told["exposure"])
    assert sums == {f"{item['kind']} {item['name']}": item["lost"] for item in told["exposure"]}


def test_where_nothing_is_delivered_no_failure_is_praised_for_costing_nothing(project: Path) -> None:
    path = project / "estate.json"
    estate = json.loads(path.read_text())
    resources = estate["resources"] if isinstance(estate, dict) else estate
    kept = [item for item in resources if not item["type"].lower().endswith("/connections")]
    path.write_text(json.dumps({**estate, "resources": kept} if isinstance(estate, dict) else kept))
    text = farshore("prove", "--as-it-is", "--project", str(project)).stdout
    assert "cost nothing" not in text and "nothing is delivered today, so there is nothing to lose" in text


def test_a_bad_estate_leaves_no_folder_behind(project: Path, tmp_path: Path) -> None:
    (project / "estate.json").write_text("[{]")
    out = tmp_path / "columns"
    assert farshore("prove", "--as-it-is", "--out", str(out), "--project", str(project)).returncode == 1
    assert not out.exists()


def test_a_folder_that_holds_something_is_left_alone(generated: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    for verb in (("generate", "--out"), ("prove", "--as-it-is", "--project", str(generated), "--out")):
        done = farshore(*verb, str(tmp_path))
        assert done.returncode == 1 and "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_service_needs_a_protocol_and_a_port(generated: Path) -> None:
    done = farshore("prove", "--as-it-is", "--port", "https", "--project", str(generated))
    assert done.returncode == 1 and "https" in done.stderr and "tcp/443" in done.stderr


def test_the_published_example_as_it_is_delivers_everything(project: Path) -> None:
    told = answer("prove", "--as-it-is", "--project", str(project))
    assert told["words"]["delivered"] == told["cells"] > 0
    shown = farshore("prove", "--as-it-is", "--project", str(project)).stdout
    assert "part of sites' prefixes" in shown or "parts of sites' prefixes" in shown
