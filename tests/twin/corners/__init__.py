"""Small estates, each with one thing that generated ones seldom have; and the engine's words that must come up in it.

`CORNERS` is by name: an estate, and words. A corner whose word does not come up tests nothing.
"""

from __future__ import annotations

from twin.corners import exchange, groups, networks, sites
from twin.corners.base import CORNERS, hub, router, site

__all__ = ["CORNERS", "exchange", "groups", "hub", "networks", "router", "site", "sites"]
