"""Times as Azure writes them: `2026-11-25T08:00:00.000000Z`, always UTC, always as long, so that texts sort."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """The moment that `stamp` wrote, or any other ISO time."""
    return datetime.fromisoformat(text).astimezone(UTC)
