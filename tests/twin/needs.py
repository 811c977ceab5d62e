"""What these tests need of the machine. Where it isn't there they say why and are skipped, or, where CI asks for them
(FARSHORE_TWIN_REQUIRED), fail."""

from __future__ import annotations

import os

import pytest

from farshore.twin.running import why_not

_why = None if "FARSHORE_TWIN_REQUIRED" in os.environ else why_not()
needs_a_twin = pytest.mark.skipif(_why is not None, reason=f"no twin can be built here: {_why}")
