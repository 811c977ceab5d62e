"""A served lab's time, at one of three paces.

a number   so many times as fast as the wall (1, 1000); pauses that the lab asks for shrink as much
hand       it stands still until someone turns it (`POST /_lab/clock`)
jump       it stands still, and jumps to when something happens when a client polls: to the end of the operation
           that it asks about, or, where the same question gets the same answer again, to the next event; and by as
           much as a client is told to wait (429, and 409 with `retry-after`)
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from farshore.errors import InputError

HAND = "hand"
JUMP = "jump"
FASTEST = 100_000.0
"""A day in a second. Beyond that the year 9999 is near."""


def pace(text: str) -> str:
    """The pace as it is kept; raises `InputError` for what is none."""
    if text not in (HAND, JUMP):
        try:
            good = 0 < float(text) <= FASTEST
        except ValueError:
            good = False
        if not good:
            raise InputError(
                "This is no pace of a clock",
                value=text,
                expected=f"hand, jump, or a number above 0 and up to {FASTEST:.0f}",
            )
    return text


class ServedClock:
    """The lab's moment for each request."""

    def __init__(self, now: datetime, speed: str) -> None:
        self.speed = ""
        self._origin = now
        self._started = time.monotonic()
        self.set_speed(speed, now)

    @property
    def factor(self) -> float | None:
        """How many times as fast as the wall; None where it does not run."""
        return None if self.speed in (HAND, JUMP) else float(self.speed)

    def now(self) -> datetime:
        factor = self.factor
        if factor is None:
            return self._origin
        return self._origin + timedelta(seconds=(time.monotonic() - self._started) * factor)

    def move_to(self, moment: datetime) -> None:
        """From now on it is `moment`; time does not go back."""
        if moment > self.now():
            self._origin, self._started = moment, time.monotonic()

    def set_speed(self, speed: str, now: datetime | None = None) -> None:
        moment = now or self.now()
        self.speed = pace(speed)
        self._origin, self._started = moment, time.monotonic()

    def pauses(self, headers: dict[str, str]) -> dict[str, str]:
        """The answer's headers with the pause that a client should make on the wall. Below a second only
        `retry-after-ms` says it: clients take zero for nothing, and the whole seconds before the finer ones."""
        if "retry-after" not in headers:
            return headers
        factor = self.factor
        if factor == 1.0:
            return headers
        seconds = 0.02 if factor is None else float(headers["retry-after"]) / factor
        rest = {name: value for name, value in headers.items() if name != "retry-after"}
        if seconds >= 1:
            return {**rest, "retry-after": str(round(seconds))}
        return {**rest, "retry-after-ms": str(max(1, round(seconds * 1000)))}
