"""Which cloud, under which address, with whose token."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.http import Request, Response
from farshore.azure import clouds
from farshore.azure.clouds import StaticToken, open_cloud
from farshore.azure.transport import HandlerTransport
from farshore.clock import WallClock
from farshore.errors import InputError


class Listening(StaticToken):
    """A credential that keeps the scopes it was asked for."""

    def __init__(self) -> None:
        super().__init__("azure-token")
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        self.scopes += scopes
        return await super().get_token(*scopes, **kwargs)


class World:
    """Where every request of `open_cloud`'s clients goes; importing the real azure-identity takes half a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.identity = Listening()
        self.asked: list[Request] = []
        monkeypatch.setattr(clouds, "_identity", lambda: self.identity)
        monkeypatch.setattr(clouds, "_transport", lambda ca: HandlerTransport(self.answer, WallClock()))

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(status=200, body={})

    def token(self, cloud: str, project: Path, headers: Mapping[str, str] | None = None) -> str:
        """What one request of this cloud's client carries as its token."""

        async def whole() -> None:
            async with open_cloud(cloud, project=project, headers=headers) as client:
                await client.send(Request(method="GET", url="/x"))

        asyncio.run(whole())
        return self.asked[-1].headers["authorization"].removeprefix("Bearer ")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def opened(cloud: str, project: Path) -> None:
    async def whole() -> None:
        await open_cloud(cloud, project=project).close()

    asyncio.run(whole())


def lab_json(folder: Path, **more: Any) -> Path:
    (folder / ".farshore").mkdir()
    text = json.dumps({"url": "https://127.0.0.1:8443/", "token": "lab-token", **more})
    (folder / ".farshore" / "lab.json").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("cloud", "base"),
    [
        ("azure", "https://management.azure.com"),
        ("https://management.usgovcloudapi.net/", "https://management.usgovcloudapi.net"),
    ],
)
def test_hosts_and_scopes(cloud: str, base: str, world: World, tmp_path: Path) -> None:
    assert world.token(cloud, tmp_path) == "azure-token"
    assert world.asked[0].url == f"{base}/x"
    assert world.identity.scopes == [f"{base}/.default"]


def test_the_lab_is_where_its_file_says(tmp_path: Path, world: World) -> None:
    lab_json(tmp_path)
    for cloud in ("lab", "https://127.0.0.1:8443"):
        assert world.token(cloud, tmp_path, {"x-lab": "1"}) == "lab-token"
    assert [request.url for request in world.asked] == ["https://127.0.0.1:8443/x"] * 2
    assert all(request.headers["x-lab"] == "1" for request in world.asked)
    assert not world.identity.scopes, "the lab has a token of its own"


def test_another_url_does_not_get_what_is_the_labs(tmp_path: Path, world: World) -> None:
    lab_json(tmp_path)
    for cloud in ("https://127.0.0.1:9000", "azure"):
        assert world.token(cloud, tmp_path, {"x-lab": "1"}) == "azure-token"
    assert not any("x-lab" in request.headers for request in world.asked)


@pytest.mark.parametrize("cloud", ["http://management.azure.com", "azur", "", "https://", "management.azure.com"])
def test_what_is_no_cloud(cloud: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        opened(cloud, tmp_path)
    assert raised.value.value == cloud and raised.value.expected


def test_no_lab_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        opened("lab", tmp_path)
    assert raised.value.remedy and "farshore lab up" in raised.value.remedy


@pytest.mark.parametrize("text", ["", "{", "[]", '{"token": "x"}', '{"url": 7}'])
def test_a_labs_file_that_can_t_be_used(text: str, tmp_path: Path) -> None:
    (tmp_path / ".farshore").mkdir()
    (tmp_path / ".farshore" / "lab.json").write_text(text)
    with pytest.raises(InputError) as raised:
        opened("lab", tmp_path)
    assert str(raised.value.file).endswith("lab.json")


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="certificate") as raised:
        opened("lab", lab_json(tmp_path, ca="ca.pem"))
    assert raised.value.file == str(tmp_path / ".farshore" / "ca.pem")


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    lab_json(tmp_path, ca="ca.pem")
    (tmp_path / ".farshore" / "ca.pem").write_text("not a certificate")
    with pytest.raises(InputError, match="certificate"):
        opened("lab", tmp_path)


def test_only_azure_imports_azure_identity() -> None:
    code = "import sys; import farshore.azure.clouds; sys.exit('azure.identity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
