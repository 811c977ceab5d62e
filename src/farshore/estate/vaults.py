"""Vaults of Site Recovery, by where they stand.

A vault must not lie in the region that it recovers machines from (S10): it would be lost with them. So one that does is
never a plan's vault, whatever it protects. What it protects is let go of first, since a machine can't be protected
twice; until it is protected anew it is replicated nowhere. (Nor may its group lie there: that one can be changed, and a
finding says so.)
"""

from __future__ import annotations

from farshore.arm.ids import ResourceId
from farshore.arm.network import normal_location
from farshore.estate.estate import Estate

VAULTS = "Microsoft.RecoveryServices/vaults"


def lies_in(estate: Estate, id_: ResourceId, region: str) -> bool:
    """Whether a vault, or the vault that an object lies in, is located in a region. Of one that the estate does not
    hold nobody knows: it is taken to be where it belongs."""
    body = estate.get(id_.top) if id_.top.is_a(VAULTS) else None
    return body is not None and normal_location(body.get("location")) == region
