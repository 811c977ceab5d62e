"""One request and one response of the ARM wire contract: the only seam to the cloud.

The client sends them, the generators that hold conversations yield them, the lab answers them. Bodies are JSON
values (or bytes, for a disk's ranges); headers are lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from farshore.errors import ArmError, Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`url` is a path with query (`/subscriptions/..?api-version=..`) or absolute, as a header gave it."""

    method: str
    url: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    """False for what must not be sent twice by itself (a failover POST): no retries below the driver."""
    timeout: timedelta | None = None
    """How long to wait for the answer; the client's own measure if None."""

    def __str__(self) -> str:
        return f"{self.method} {self.url.split('?')[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def ok(self) -> bool:
        return self.status < 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A conversation asks its driver to let time pass."""

    duration: timedelta
    since: datetime | None = None
    """If given, the wait ends at the next whole number of durations after this moment: polls keep their beat."""


def fault_of(response: Response) -> Fault:
    """The error object of an answer (L9), or the answer itself where that is one: record sets of DNS say no so
    (recorded). An answer without any gets its status as the code."""
    body = response.body if isinstance(response.body, dict) else {}
    error = body if isinstance(body.get("code"), str) and "error" not in body else body.get("error")
    if not isinstance(error, dict):
        return Fault(code=f"HTTP{response.status}", message="the answer holds no error object", status=response.status)
    return Fault(
        code=str(error.get("code") or f"HTTP{response.status}"),
        message=str(error.get("message") or ""),
        target=error.get("target"),
        details=tuple(item for item in error.get("details") or () if isinstance(item, dict)),
        status=response.status,
    )


def checked(response: Response, request: Request | None = None) -> Response:
    """The response, or `ArmError` where it says no."""
    if not response.ok:
        raise ArmError(fault_of(response), request=None if request is None else str(request))
    return response
