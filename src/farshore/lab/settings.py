"""What can be set on a lab when it is made. Kept in its state, so that a lab opened again is the same lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    throttling: bool = True
    """L1 to L3: token buckets for reads, writes and deletes."""
    lost_region_answers: bool = False
    """Whether calls on what is in a lost region are refused with 503 (True), or get no answer at all."""
    page_size: int = 200
    """Rows of one page of a list (L11)."""
    write_rate_bytes_per_second: int = 64 * 1024
    """How fast each running machine writes to its disks."""
    keep_source_after_reprotect: bool = False
    """X19 and S46 differ about the old primary machine: False deletes it at reprotect, as the documents say."""
    durations: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Rows that replace those of `lab/durations.py`: typical seconds and spread."""
    subscriptions: tuple[str, ...] = ()
    """The ids of subscriptions that are there though nothing is in them yet: those of a lab that was begun empty."""
    test_failover_takes_reserved_address: bool = False
    """X8: whether a test failover in the failover network may take the address that failover would need."""
