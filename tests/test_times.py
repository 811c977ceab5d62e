"""Times as texts: what services write is read, what we write sorts, what people read is short."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from farshore.times import clock_time, moment, span, stamp


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-05T06:00:00Z", "2026-01-05T06:00:00.000000Z"),
        ("2026-01-05T06:00:00.1234567Z", "2026-01-05T06:00:00.123456Z"),
        ("2026-01-05T06:00:00.5+01:00", "2026-01-05T05:00:00.500000Z"),
        ("2026-01-05T06:00:00", "2026-01-05T06:00:00.000000Z"),
    ],
)
def test_times_of_services(text: str, found: str) -> None:
    assert stamp(moment(text)) == found


def test_a_time_without_a_zone_is_utc_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Hong_Kong")
    time.tzset()
    try:
        assert moment("2026-01-05T06:00") == datetime(2026, 1, 5, 6, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_is_no_time() -> None:
    with pytest.raises(ValueError, match="6 o'clock"):
        moment("6 o'clock")


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(0), "0 s"),
        (59.6, "1 min"),
        (timedelta(minutes=2, seconds=30), "2 min 30 s"),
        (38 * 60.0, "38 min"),
        (timedelta(minutes=38, seconds=4), "38 min 4 s"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1, minutes=5, seconds=40), "1 h 5 min"),
    ],
)
def test_a_length_of_time_for_people(length: timedelta | float, said: str) -> None:
    assert span(length) == said


def test_a_stamp_for_people() -> None:
    assert clock_time(stamp(datetime(2026, 1, 5, 6, 7, 8, tzinfo=UTC))) == "2026-01-05 06:07:08"
