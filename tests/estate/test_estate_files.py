"""Files: the line of what is wrong, and writing whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from farshore import examples
from farshore.errors import InputError
from farshore.estate import Estate
from farshore.estate.files import load, read_estate_file, read_json_file, write_estate


@pytest.fixture
def bodies() -> list[Any]:
    text = (examples.path(examples.PUBLISHED) / "estate.json").read_text()
    found: list[Any] = json.loads(text)
    return found


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_estate_file(path)
    assert caught.value.file == str(path)
    return caught.value


def line_with(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    "wrap", [lambda r: r, lambda r: {"_source": {"value": 1}, "value": r}, lambda r: {"resources": r}]
)
def test_a_range_with_host_bits_is_named_with_its_line(tmp_path: Path, bodies: list[Any], wrap: Any) -> None:
    bodies[3]["properties"]["subnets"][1]["properties"]["addressPrefix"] = "10.10.10.129/25"
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(wrap(bodies), indent=2))
    assert refused(path).line == line_with(path, "10.10.10.129/25")


def test_a_body_without_an_id_is_named_with_its_line(tmp_path: Path, bodies: list[Any]) -> None:
    del bodies[2]["id"]
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(bodies, indent=1))
    error = refused(path)
    assert error.line == line_with(path, '"name": "rg-farshore-dr"') - 1 and "rg-farshore-dr" in error.message


def test_the_second_of_two_different_bodies_is_named(tmp_path: Path, bodies: list[Any]) -> None:
    copy = json.loads(json.dumps(bodies[3]))
    copy["id"] = copy["id"].replace("Source-Hub", "SOURCE-HUB")
    copy["properties"]["addressSpace"]["addressPrefixes"] = ["10.99.0.0/16"]
    path = tmp_path / "estate.json"
    path.write_text(json.dumps([*bodies, copy], indent=2))
    error = refused(path)
    assert error.line is not None and error.line > line_with(path, "10.2.0.6")
    assert "SOURCE-HUB-vNet" in error.message and bodies[3]["id"] in error.message


@pytest.mark.parametrize(
    ("text", "line"), [("[\n{]\n", 2), ("", 1), ("[1,\n\n", 3), ("[" * 100_000, None), ("null", 1), ("\ufeff[]x", 1)]
)
def test_malformed_json_has_line_and_column(tmp_path: Path, text: str, line: int | None) -> None:
    path = tmp_path / "estate.json"
    path.write_text(text)
    error = refused(path)
    assert line is None or error.line == line


def test_what_can_not_be_read_is_an_input_error(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path / "estate.json").message
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    assert "UTF-8" in refused(tmp_path / "bytes.json").message
    assert "folder" in refused(tmp_path).message
    with pytest.raises(InputError):
        read_json_file(tmp_path / "bytes.json")


def test_write_and_read_again(tmp_path: Path) -> None:
    _, estate = examples.read(examples.PUBLISHED)
    path = tmp_path / "new" / "estate.json"
    write_estate(path, estate)
    assert read_estate_file(path, estate.project).fingerprint == estate.fingerprint
    write_estate(path, [])
    assert read_json_file(path) == []
    assert [item.name for item in path.parent.iterdir()] == ["estate.json"]


def test_load_resolves_each_against_the_other(tmp_path: Path) -> None:
    for name in ("farshore.yaml", "estate.json", "nva.json"):
        (tmp_path / name).write_text((examples.path(examples.PUBLISHED) / name).read_text())
    project, estate = load(tmp_path)
    assert estate.project is project and estate.sites == project.sites
    assert estate.express_route_circuit(project.sites[0].routers[0].circuit) is not None
    assert isinstance(estate, Estate)
