"""All of an estate at once: every machine and every part of the sites' prefixes, both ways, counted by word.

    Reach.of(estate)              -> Reach              with nothing failed
    reach.under(element)          -> Standing           under one of `elements(estate)`
    reach.totals(standing)        -> dict[str, int]     cells by word, every machine counted
    Proven.of(reach, elements)    -> Proven             kept for changes
    changed(proven, change)       -> array | None       what a resource put or deleted adds, by element and word
    preferred, told, weighed                            the same for what sites prefer and say, and for a weight

The same questions as the package's around it, over arrays, without reasons: ends that no table tells apart are one,
machines that nothing tells apart are one, tables that look alike are one; failures and changes are counted only where
they are felt. What is not followed here is `unknown`. Whoever asks why asks for a trace.
"""

from farshore.routing.scale.changes.changed import changed
from farshore.routing.scale.changes.proven import Proven
from farshore.routing.scale.changes.told import preferred, told
from farshore.routing.scale.changes.weighed import weighed
from farshore.routing.scale.groups import Service
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.reach import Reach, Standing

__all__ = ["WORDS", "Proven", "Reach", "Service", "Standing", "changed", "preferred", "told", "weighed"]
