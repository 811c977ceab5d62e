"""Times as texts: as Azure and our own files write them, and as people read them.

A moment is written `2026-11-25T08:00:00.000000Z`: always UTC and always as long, so that texts sort as the moments do.
What is read may come from elsewhere: Site Recovery writes seven digits of a second, a person may leave out the zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def stamp(at: datetime) -> str:
    """`2026-11-25T08:00:00.000000Z` of an aware moment."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """The moment that an ISO text tells, in UTC; one without a zone is UTC, whatever the zone of this machine. Raises
    `ValueError`."""
    found = datetime.fromisoformat(text.strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def clock_time(text: str) -> str:
    """`2026-11-25 08:00:00` of a stamp, for people."""
    return text[:19].replace("T", " ")


def span(length: timedelta | float) -> str:
    """`38 min`, `2 min 30 s`, `4 s`, `1 h 5 min`, for people: seconds below an hour, where there are any."""
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{seconds} s"
