"""What of a recording is no part of this lab: such a request must be answered 501, and is counted apart.

The lab is for routing and recovery (docs/lab-fidelity.md). Each entry is a pattern of paths, in lower case, and the
reason; the first that fits counts.
"""

from __future__ import annotations

import re

OUTSIDE = (
    (r"/providers/microsoft\.features(/|$)", "switches for previews of other people's services"),
    (r"/providers/microsoft\.hardwaresecuritymodules(/|$)", "dedicated HSMs: neither routing nor recovery needs them"),
)


def outside(path: str) -> str | None:
    """Why a path is out of scope; None where it is in scope."""
    return next((reason for pattern, reason in OUTSIDE if re.search(pattern, path.lower())), None)
