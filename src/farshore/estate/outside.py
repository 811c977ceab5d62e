"""What no ARM body can show: the sites, their routers and what they say by BGP, and what does not work right now.

Sites come from farshore.yaml; the measured cases of the tests give the same things as plain announcements. Nothing
here is a result: these are the inputs beside the resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from farshore.arm.decode import Address, Network
from farshore.arm.ids import ResourceId
from farshore.arm.network import normal_location


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A prefix filter of a router: `in` is what it accepts from Azure, `out` what it tells Azure.

    A filter covers `prefix` and everything inside it; the longest matching filter decides, no match allows.
    """

    direction: str
    prefix: Network
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """A site's router on one circuit (E42: what the site prefers is its routers' business)."""

    name: str
    circuit: ResourceId
    links: tuple[str, ...] = ("primary", "secondary")
    local_preference: int = 100
    prepend: int = 0
    med: int = 0
    """The multi-exit discriminator that it gives to what it hears: after preference and path the lowest wins."""
    readvertise: tuple[ResourceId, ...] = ()
    """Circuits whose routes it passes on to its own: transit between regions, an error (E48)."""
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLink:
    """A site's own line to another site, over which the two speak BGP. Said at one end it holds for both."""

    to: str
    """The other site's name."""
    local_preference: int = 100
    """Of what the other site tells."""
    transit: bool = False
    """Whether each also tells the other what it has from Azure, and Azure what it has from the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An on-premises site: its prefixes, the routers that reach Azure, and its lines to other sites."""

    name: str
    asn: int
    prefixes: tuple[Network, ...]
    routers: tuple[Router, ...]
    stateful_firewall: bool = False
    links: tuple[SiteLink, ...] = ()

    def router(self, name: str) -> Router | None:
        return next((router for router in self.routers if router.name == name), None)

    def with_router(self, changed: Router) -> Site:
        """The same site with one router replaced."""
        return replace(self, routers=tuple(changed if r.name == changed.name else r for r in self.routers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """One route that a BGP neighbour outside the estate tells a gateway, Route Server or circuit."""

    to: str
    """A resource id in lower case, with `#address` or `#primary` where only one instance or link hears it."""
    peer: Address
    prefix: Network
    as_path: tuple[int, ...]
    next_hop: Address | None = None


def names_of(names: Iterable[str]) -> frozenset[str]:
    """Names of things that may fail in the one spelling in which they are compared: ids and all else in lower case, a
    region without the spaces of its display name (`region:East Asia` is `region:eastasia`)."""
    return frozenset(map(_one_spelling, names))


@lru_cache(maxsize=65536)
def _one_spelling(name: str) -> str:
    lower = name.lower()
    return f"region:{normal_location(lower[7:])}" if lower.startswith("region:") else lower


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Everything beside the resources. Names of `down`, `unknown`, `stopped` and `stale` are kept as `names_of` has
    them, so that sets compare as Azure does."""

    advertised: tuple[Advertisement, ...] = ()
    msee: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    gateway_instances: Mapping[str, Mapping[str, tuple[Address, ...]]] = field(default_factory=dict)
    none_prefixes: tuple[Network, ...] | None = None
    service_prefixes: Mapping[str, tuple[Network, ...]] = field(default_factory=dict)

    down: frozenset[str] = frozenset()
    """What does not work: `region:eastasia`, `location:hong kong`, a circuit's id, `id#primary`, a gateway's id,
    `gateway-id#0`, a NIC's or machine's id. See `farshore.routing.failures` for the full list."""
    unknown: frozenset[str] = frozenset()
    """What nobody can tell about right now (a lost region's gateway may still announce): same names as `down`."""
    stopped: frozenset[str] = frozenset()
    """Machines that exist and do not run."""
    stale: frozenset[str] = frozenset()
    """Machines that may run with data older than what has been promised (D92)."""

    def __post_init__(self) -> None:
        for kind in ("down", "unknown", "stopped", "stale"):
            given: frozenset[str] = getattr(self, kind)
            if given:
                object.__setattr__(self, kind, names_of(given))
