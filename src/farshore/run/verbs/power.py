"""What `start` and `deallocate` share: either is done when Azure shows the power state that was asked for, which it
may do a while after its operation has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.azure.conversation import pause
from farshore.azure.lro import follow
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import BEAT, VIEW, Situation, Talk, get, operation_times, power_state, service_time

APART = timedelta(seconds=20)
"""From one try to the next."""
LOOKS = 30


def shown(situation: Situation, state: str, *, code: str, or_gone: bool = False) -> Talk[Mapping[str, Any]]:
    """Follow what is pending until the machine is shown in `state` (`or_gone`: or is not there any more); when that
    was. Raises `ArmError` with `code` where it is never shown so."""
    times: dict[str, Any] = {}
    if situation.pending:
        times = operation_times((yield from follow(situation.pending, since=situation.since)))
    for _ in range(LOOKS):
        response = yield from get(situation.id, VIEW)
        if power_state(response) == state or (or_gone and response.status == 404):
            return times or {"ended_at": service_time(response)}
        yield from pause(BEAT, situation.since)
    message = f"{situation.id.short} is {power_state(response)}, and was to be {state}"
    raise ArmError(Fault(code=code, message=message))
