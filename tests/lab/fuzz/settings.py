"""How many examples: a slice that is always the same, or as many new ones as `FARSHORE_FUZZ` says."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = "FARSHORE_FUZZ" in os.environ
EXAMPLES = int(os.environ.get("FARSHORE_FUZZ", "100"))


def fuzz(share: int = 1) -> settings:
    """Settings of a test; one whose examples are long has only a share of them."""
    return settings(
        max_examples=max(1, EXAMPLES // share),
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=LONG,
    )
