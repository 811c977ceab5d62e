"""The on-premises ends of flows: the parts of sites' prefixes that nothing in the network tells apart.

The site's prefixes, every user-defined route's and every other site's cut the line into intervals; inside one no table
changes its mind. An address belongs to whoever names it most closely: an interval is an *end* of the site whose prefix
there is the longest, and of each of several that are as long. What belongs to Azure is left out: where a virtual
network's range is longer than any site's, it is the network's (R14: an on-premises 10.0.0.0/8 covers every network and
means none). Where a site is as specific as a network, the ranges really collide: the end stays, is known as
`contested`, and tables that know the network keep its rows.

Security groups cut finer, and are kept out of this on purpose: their verdicts are intervals of their own (groups.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from farshore.routing.scale.line import Bools, Lengths, Positions
from farshore.routing.scale.line import public as is_public
from farshore.routing.scale.prefixes import Indexes, Prefixes, prefixes_of
from farshore.routing.scale.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Sorted by site, then by position."""

    sites: Indexes
    first: Positions
    last: Positions
    prefix: Indexes
    """The longest prefix of any site that contains it, in `Sessions.prefixes`."""
    own: Sequence[Lengths]
    """By site: the length of that site's longest prefix that contains each end; -1 for none."""
    azure: Lengths
    """The length of the longest range of a network that contains it; -1 for none."""
    public: Bools

    def __len__(self) -> int:
        return len(self.first)

    @property
    def contested(self) -> Bools:
        """Ends that lie in the range of a network, too."""
        return self.azure >= 0

    def taken(self, rows: Indexes) -> Ends:
        """Some of them."""
        return Ends(
            sites=self.sites[rows],
            first=self.first[rows],
            last=self.last[rows],
            prefix=self.prefix[rows],
            own=[lengths[rows] for lengths in self.own],
            azure=self.azure[rows],
            public=self.public[rows],
        )

    def of_site(self, site: int) -> slice:
        """Where the ends of one site stand."""
        return slice(*np.searchsorted(self.sites, [site, site + 1]).tolist())


def ends_of(sessions: Sessions, azure: Prefixes, first: Positions, last: Positions) -> Ends:
    """The ends of all sites, cut by the prefixes of sites, of networks, and of routes given by `first` and `last`."""
    whole = sessions.prefixes
    cuts = np.unique(
        np.concatenate([whole.first, after(whole.last), *_relevant(whole, azure.first, azure.last), first, after(last)])
    )
    starts = cuts
    stops = np.concatenate([cuts[1:] - np.uint64(1), np.array([np.iinfo(np.uint64).max], dtype=np.uint64)])
    longest = whole.lengths_at(starts)
    theirs = azure.lengths_at(starts)
    kept = (longest >= 0) & (theirs <= longest)
    starts, stops, theirs = starts[kept], stops[kept], theirs[kept]
    own = []
    for numbers in sessions.owned:
        held, _ = prefixes_of(whole.first[numbers], whole.last[numbers], whole.length[numbers])
        own.append(held.lengths_at(starts))
    longest = longest[kept]
    held_by = [np.flatnonzero(lengths == longest) for lengths in own]
    order = np.concatenate(held_by) if held_by else np.zeros(0, dtype=np.int64)
    sites = np.repeat(np.arange(len(held_by), dtype=np.int32), [len(held) for held in held_by])
    return Ends(
        sites=sites,
        first=starts[order],
        last=stops[order],
        prefix=whole.match(starts[order]),
        own=tuple(lengths[order] for lengths in own),
        azure=theirs[order],
        public=is_public(starts[order]),
    )


def after(last: Positions) -> Positions:
    """The position behind each, and the last one of the line for itself."""
    found: Positions = np.where(last == np.iinfo(np.uint64).max, last, last + np.uint64(1))
    return found


def _relevant(whole: Prefixes, first: Positions, last: Positions) -> list[Positions]:
    """The borders of ranges inside what sites have: most are not, and one around a site's prefix cuts nothing."""
    touched = whole.match(first) >= 0
    return [first[touched], after(last[touched])]
