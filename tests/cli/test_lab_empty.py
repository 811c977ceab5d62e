"""`farshore lab up --empty`: a lab with nothing in it, in any folder, for clients that come and build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .served import answer, ask, begin, end, farshore, refusal

ONE, TWO = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
VERSION = "api-version=2022-12-01"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that is no project."""
    yield tmp_path
    end(tmp_path)


def subscriptions(folder: Path) -> list[str]:
    return [row["subscriptionId"] for row in ask(folder, "GET", f"/subscriptions?{VERSION}")[1]["value"]]


def test_any_folder_will_do_and_nothing_is_in_it(folder: Path) -> None:
    answer("lab", "up", "--empty", cwd=folder)
    (only,) = subscriptions(folder)
    assert answer("lab", "env", cwd=folder)["AZURE_SUBSCRIPTION_ID"] == only
    for kind in ("resourcegroups", "resources"):
        assert ask(folder, "GET", f"/subscriptions/{only}/{kind}?{VERSION}") == (200, {"value": []})
    assert [item.name for item in folder.iterdir()] == [".farshore"]


def test_the_subscriptions_that_are_named_are_there_and_stay(folder: Path) -> None:
    answer("lab", "up", "--empty", "--subscription", ONE, "--subscription", TWO, "--subscription", ONE, cwd=folder)
    assert subscriptions(folder) == [ONE, TWO]
    group = f"/subscriptions/{TWO}/resourcegroups/rg?{VERSION}"
    assert ask(folder, "PUT", group, {"location": "eastasia"})[0] == 201
    answer("lab", "down", cwd=folder)
    answer("lab", "up", cwd=folder)
    assert subscriptions(folder) == [ONE, TWO] and ask(folder, "GET", group)[0] == 200
    assert answer("lab", "status", cwd=folder)["subscriptions"] == [ONE, TWO]


def test_a_lab_that_is_there_goes_on_unless_it_is_to_be_forgotten(folder: Path) -> None:
    answer("lab", "up", "--empty", "--subscription", ONE, cwd=folder)
    status, _, told = farshore("lab", "up", "--empty", "--subscription", TWO, cwd=folder)
    assert status == 0 and "--empty --fresh" in told, "it is served"
    answer("lab", "down", cwd=folder)
    status, _, told = farshore("lab", "up", "--empty", "--subscription", TWO, cwd=folder)
    assert status == 0 and "--fresh" in told and subscriptions(folder) == [ONE], "it is a file"
    answer("lab", "down", cwd=folder)
    answer("lab", "up", "--empty", "--fresh", "--subscription", TWO, cwd=folder)
    assert subscriptions(folder) == [TWO]


def test_in_a_project_its_sites_stand_outside_and_its_estate_never_comes_in(tmp_path: Path) -> None:
    project = begin(tmp_path / "project")
    try:
        answer("lab", "up", "--empty", "--subscription", ONE, cwd=project)
        assert [row["name"] for row in ask(project, "GET", "/_lab/sites")[1]["value"]] == ["datacenter"]
        answer("lab", "down", cwd=project)
        answer("lab", "up", cwd=project)
        assert answer("lab", "status", cwd=project)["resources"] == 0
        assert subscriptions(project) == [ONE]
    finally:
        end(project)


def test_it_is_found_from_below_as_a_project_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from farshore.cli.app import run

    answer("lab", "up", "--empty", cwd=folder)
    below = folder / "deep" / "er"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert run(["lab", "down"]) == 0
    assert not (folder / ".farshore" / "lab.json").exists()


def test_a_folder_that_is_not_there_is_made(folder: Path) -> None:
    new = folder / "new"
    answer("lab", "up", "--empty", cwd=new)
    try:
        assert len(subscriptions(new)) == 1
    finally:
        end(new)


def test_what_can_t_be_asked_is_said(folder: Path) -> None:
    said = refusal("lab", "up", "--subscription", ONE, cwd=folder)
    assert "--empty" in said["remedy"]
    said = refusal("lab", "up", "--empty", "--subscription", "production", cwd=folder)
    assert said["value"] == "production" and "GUID" in said["message"]
    (folder / "file").write_text("")
    assert refusal("lab", "up", "--empty", cwd=folder / "file")["value"] == str(folder / "file")
    assert not (folder / ".farshore").exists()
