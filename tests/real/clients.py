"""Azure's own clients on a lab in this process.

Their whole road is kept: models, pipelines, retries, pollers, requests' sessions. Only the last step is ours: a session
answers from `Cloud.handle` instead of a socket, and a poller's sleep turns the lab's clock. So a gateway's 38 minutes
pass at once, and what a client would do wrong on the wire it does here.
"""

from __future__ import annotations

import io
import time
from functools import cached_property
from typing import Any

import pytest

from farshore.arm.http import Request
from farshore.arm.json import dumps, loads
from farshore.errors import TransportError
from lab.core.bench import SUBSCRIPTION, Lab

requests = pytest.importorskip("requests", reason="Azure's SDKs are not installed: make real installs them")
for _name in (
    "network",
    "compute",
    "storage",
    "resource.resources",
    "recoveryservices",
    "recoveryservicessiterecovery",
):
    pytest.importorskip(f"azure.mgmt.{_name}", reason="Azure's SDKs are not installed: make real installs them")

from azure.core.credentials import AccessToken, AccessTokenInfo  # noqa: E402
from azure.core.pipeline.transport import RequestsTransport  # noqa: E402
from azure.mgmt.compute import ComputeManagementClient  # noqa: E402
from azure.mgmt.network import NetworkManagementClient  # noqa: E402
from azure.mgmt.recoveryservices import RecoveryServicesClient  # noqa: E402
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient  # noqa: E402
from azure.mgmt.resource.resources import ResourceManagementClient  # noqa: E402
from azure.mgmt.storage import StorageManagementClient  # noqa: E402
from urllib3 import HTTPResponse  # noqa: E402

ADAPTER: Any = requests.adapters.BaseAdapter
TRANSPORT: Any = RequestsTransport


class LabAdapter(ADAPTER):  # type: ignore[misc]  # requests is not there where types are checked
    """Answers a session's requests from a lab."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self._lab = lab

    def send(self, request: Any, **options: Any) -> Any:
        content = request.body.encode() if isinstance(request.body, str) else request.body
        asked = Request(
            method=request.method,
            url=request.url,
            body=_body(request, content),
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        try:
            answer = self._lab.handle(asked)
        except TransportError as error:
            raise requests.ConnectionError(str(error)) from error
        body = answer.body if isinstance(answer.body, bytes) else b"" if answer.body is None else dumps(answer.body)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "content-length": str(len(body)),
            **answer.headers,
        }
        raw = HTTPResponse(io.BytesIO(body), headers=headers, status=answer.status, preload_content=False)
        found = requests.adapters.HTTPAdapter().build_response(request, raw)
        return found

    def close(self) -> None:
        pass


def _body(request: Any, content: Any) -> Any:
    """JSON, or a runbook's text as it is."""
    if not content or "json" in request.headers.get("Content-Type", "json"):
        return loads(content) if content else None
    return content if isinstance(content, bytes) else content.read()


class LabTransport(TRANSPORT):  # type: ignore[misc]  # likewise
    """azure-core's own transport; who sleeps turns the lab's clock."""

    def __init__(self, lab: Lab) -> None:
        session = requests.Session()
        session.mount("https://", LabAdapter(lab))
        super().__init__(session=session)
        self._lab = lab
        self.slept: list[float] = []

    def sleep(self, duration: float) -> None:
        self.slept.append(duration)
        self._lab.wait(duration)


class Credential:
    """A token of the right form."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        return AccessToken("a.b.c", int(time.time()) + 3600)

    def get_token_info(self, *scopes: str, **options: Any) -> Any:
        return AccessTokenInfo("a.b.c", int(time.time()) + 3600)


class Azure:
    """The management clients of one subscription, on one lab. `x.begin_..(..)` is followed by `done`."""

    def __init__(self, lab: Lab | None = None, **options: Any) -> None:
        self.lab = lab or Lab()
        self.transport = LabTransport(self.lab)
        self.options = {
            "base_url": self.lab.cloud.base_url,
            "credential_scopes": [self.lab.cloud.base_url + "/.default"],
            "transport": self.transport,
            "polling_interval": 30,
            **options,
        }

    def client(self, kind: Any) -> Any:
        return kind(Credential(), SUBSCRIPTION, **self.options)

    @cached_property
    def network(self) -> Any:
        return self.client(NetworkManagementClient)

    @cached_property
    def compute(self) -> Any:
        return self.client(ComputeManagementClient)

    @cached_property
    def storage(self) -> Any:
        return self.client(StorageManagementClient)

    @cached_property
    def resources(self) -> Any:
        return self.client(ResourceManagementClient)

    @cached_property
    def vaults(self) -> Any:
        return self.client(RecoveryServicesClient)

    @cached_property
    def recovery(self) -> Any:
        return self.client(SiteRecoveryManagementClient)


def done(poller: Any) -> Any:
    """The result of a poller that has ended; its error is raised."""
    return poller.result(timeout=60)
