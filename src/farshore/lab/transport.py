"""A lab in this process behind the client's own pipeline, on a clock that stands still while anyone is busy.

    cloud = open_lab(path, now=..., sites=...)
    clock = lab_clock(cloud)
    client = lab_client(cloud, clock)

A request is answered at the clock's moment. An answer that comes late is waited for on the clock, and one that never
comes costs its client the client's own timeout, as it would anywhere (`Request.timeout`). What becomes due while all
actors wait happens in the lab before anyone wakes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from farshore.arm.http import Request, Response
from farshore.azure.clouds import client_for
from farshore.clock import Clock, LabClock
from farshore.errors import TransportError

if TYPE_CHECKING:
    from farshore.azure.client import ArmClient
    from farshore.lab.cloud import Cloud

PATIENCE = timedelta(seconds=60)
"""How long a client waits that does not say how long."""


class LabHandler:
    """Answers requests for `farshore.azure.transport.HandlerTransport`."""

    def __init__(self, cloud: Cloud, clock: Clock) -> None:
        self._cloud = cloud
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        found = self._cloud.deliver(request, self._clock.now())
        patience = request.timeout or PATIENCE
        if found.response is None or found.delay > patience:
            await self._clock.sleep(patience)
            raise TransportError(f"no answer to {request} within {patience.total_seconds():.0f} s")
        if found.delay:
            await self._clock.sleep(found.delay)
        return found.response


def lab_clock(cloud: Cloud) -> LabClock:
    """A clock that starts at the lab's moment and tells the lab when it moves."""

    def on_advance(now: datetime) -> None:
        # Nobody has been told anything yet: the next answer commits.
        cloud.advance(now, commit=False)

    return LabClock(cloud.now, on_advance)


def lab_client(cloud: Cloud, clock: Clock) -> ArmClient:
    """The same client that talks to Azure, talking to this lab."""
    return client_for(LabHandler(cloud, clock), clock, cloud.base_url)
