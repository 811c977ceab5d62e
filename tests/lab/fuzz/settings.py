"""How many examples: a slice, or as many as `FARSHORE_FUZZ` says; always the same ones, or new ones each time where
`FARSHORE_FUZZ_NEW` says so: what has to hold before a change lands does not hang on luck."""

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
        derandomize=not os.environ.get("FARSHORE_FUZZ_NEW"),
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=LONG,
    )
