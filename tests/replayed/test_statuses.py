"""What the lab answers is what clients take: no status of a success that Azure's description does not have.

Runs where `FARSHORE_REAL_DATA` names the folder with recordings and examples; `tests/real` asks the same of the SDKs.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance import accepted, examples
from conformance.__main__ import DATA, files
from conformance.replay import replay

RECORDINGS = files([DATA / "recordings"])
FOLDERS = list(examples.folders(DATA / "rest-examples")) if (DATA / "rest-examples").is_dir() else []


SOURCE = """
def build_tables_create_request(name: str, **kwargs: Any) -> HttpRequest:
    # Construct URL
    _url = "/subscriptions/{subscriptionId}/tables/{name}"
    return HttpRequest(method="PUT", url=_url, params=_params)


def build_tables_get_request(name: str, **kwargs: Any) -> HttpRequest:
    _url = "/subscriptions/{subscriptionId}/tables/{name}"
    return HttpRequest(method="GET", url=_url, params=_params)


class TablesOperations:
    def _create_initial(self) -> None:
        _request = build_tables_create_request(name)
        if response.status_code not in [200, 201]:
            raise HttpResponseError(response=response)

    def get(self) -> None:
        _request = build_tables_get_request(name)
        if response.status_code not in [200]:
            raise HttpResponseError(response=response)
"""


@pytest.mark.skipif(not RECORDINGS or not FOLDERS, reason=f"no recordings and examples in {DATA}: FARSHORE_REAL_DATA")
def test_every_success_is_of_a_status_that_the_description_has() -> None:
    table = accepted.Table(row for folder in FOLDERS for row in accepted.of_description(folder))
    heard: list[tuple[str, str, int]] = []
    for path in RECORDINGS:
        replay(path, lambda *said: heard.append(said))
    known = [said for said in heard if table.of(said[0], said[1]) is not None]
    assert len(known) > 400
    assert accepted.refused(table, known) == {}


def test_a_clients_source_tells_which_statuses_it_takes(tmp_path: Path) -> None:
    folder = tmp_path / "operations"
    folder.mkdir()
    (folder / "_operations.py").write_text(SOURCE)
    table = accepted.Table(accepted.of_package(tmp_path))
    put, get = ("PUT", "/Subscriptions/s/tables/t?api-version=1"), ("GET", "/subscriptions/s/tables/t")
    assert (table.of(*put), table.of(*get)) == (frozenset({200, 201}), frozenset({200}))
    assert table.of("GET", "/subscriptions/s/tables") is None
    heard = [(*put, 202), (*put, 201), (*get, 204), (*get, 404)]
    assert accepted.refused(table, heard) == {
        "PUT /Subscriptions/s/tables/t": {202},
        "GET /subscriptions/s/tables/t": {204},
    }
