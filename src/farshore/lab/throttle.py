"""What a client may ask in a while: ARM's token buckets (L1, L2), per subscription, principal and kind of operation,
and behind them Microsoft.Network's own count of what a subscription asked it in five minutes (L3).

Both live in memory only: a lab that is opened again starts with full buckets. In-process clients that send no token
are one principal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from farshore.lab import mishaps
from farshore.lab.answers import Refused
from farshore.lab.call import Call

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

BUCKETS = {"reads": (250, 25.0), "writes": (200, 10.0), "deletes": (200, 10.0)}
"""Kind to size and refill a second."""

GLOBAL_FACTOR = 15
"""All principals of a subscription together have fifteen times as much."""

NETWORK = "microsoft.network/"
NETWORK_TAKES = {"reads": 10_000, "writes": 1_000}
"""Within `NETWORK_WINDOW`; a delete is one of the writes."""
NETWORK_WINDOW = timedelta(minutes=5)


@dataclass(slots=True)
class Bucket:
    level: float
    at: datetime


@dataclass(slots=True)
class Window:
    began: datetime
    counted: int = 0


_buckets: WeakKeyDictionary[Cloud, dict[tuple[str, str, str], Bucket]] = WeakKeyDictionary()
_windows: WeakKeyDictionary[Cloud, dict[tuple[str | None, str], Window]] = WeakKeyDictionary()


def kind_of(method: str) -> str:
    return "reads" if method in ("GET", "HEAD") else "deletes" if method == "DELETE" else "writes"


def take(call: Call, method: str) -> None:
    """One token, or 429 with the seconds until there is one (L1, L3)."""
    kind = kind_of(method)
    faulty = mishaps.throttled_for(call.cloud)
    if faulty:
        raise _throttled(kind, faulty)
    if not call.cloud.settings.throttling:
        return
    for who, factor in ((_principal(call), 1), ("*", GLOBAL_FACTOR)):
        size, refill = BUCKETS[kind]
        bucket = _bucket(call, kind, who, size * factor)
        elapsed = (call.cloud.now - bucket.at).total_seconds()
        bucket.level = min(size * factor, bucket.level + elapsed * refill * factor)
        bucket.at = call.cloud.now
        if bucket.level < 1:
            wait = max(1, round((1 - bucket.level) / (refill * factor)))
            raise _throttled(kind, wait)
        bucket.level -= 1
    if call.path.lower().rpartition("/providers/")[2].startswith(NETWORK):
        _count(call, "reads" if kind == "reads" else "writes")


def _count(call: Call, kind: str) -> None:
    """One more that Microsoft.Network does in these five minutes, or 429 until they are over."""
    now, windows = call.cloud.now, _windows.setdefault(call.cloud, {})
    window = windows.setdefault((_subscription(call), kind), Window(began=now))
    if now - window.began >= NETWORK_WINDOW:
        window.began, window.counted = now, 0
    if window.counted >= NETWORK_TAKES[kind]:
        wait = max(1, math.ceil((window.began + NETWORK_WINDOW - now).total_seconds()))
        raise Refused(
            429,
            # No page names the code: ours.
            "TooManyRequests",
            f"Microsoft.Network has had {window.counted} {kind} of this subscription in {NETWORK_WINDOW.seconds} "
            f"seconds. Please try again after '{wait}' seconds.",
            headers={"retry-after": str(wait)},
        )
    window.counted += 1


def remaining(call: Call) -> dict[str, str]:
    """L2."""
    if not call.cloud.settings.throttling:
        return {}
    kind = kind_of(call.request.method.upper())
    size, _ = BUCKETS[kind]
    own = _bucket(call, kind, _principal(call), size)
    if _subscription(call) is None:
        return {f"x-ms-ratelimit-remaining-tenant-{kind}": str(int(own.level))}
    every = _bucket(call, kind, "*", size * GLOBAL_FACTOR)
    return {
        f"x-ms-ratelimit-remaining-subscription-{kind}": str(int(own.level)),
        f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(int(every.level)),
    }


def _throttled(kind: str, wait: int) -> Refused:
    return Refused(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of {kind} for subscription exceeded the limit. Please try again after '{wait}' seconds.",
        headers={"retry-after": str(wait)},
    )


def _bucket(call: Call, kind: str, who: str, size: int) -> Bucket:
    mine = _buckets.setdefault(call.cloud, {})
    return mine.setdefault((_subscription(call) or "tenant", who, kind), Bucket(level=float(size), at=call.cloud.now))


def _subscription(call: Call) -> str | None:
    """The subscription that a call is about, however its path spells that; None for what is above them all."""
    _, found, rest = call.request.url.lower().partition("/subscriptions/")
    return rest.split("/", 1)[0].split("?", 1)[0] if found else None


def _principal(call: Call) -> str:
    """Who calls: another token of the same principal has no tokens of its own to spend."""
    return call.caller.object_id.lower()
