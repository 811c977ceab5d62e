"""How big, and how alike: what an estate is asked to be, and the address plan that follows.

    10.0.0.0/9          spokes, each an equal block
    10.192.0.0 on       hubs, a /22 each
    172.16.0.0/12       sites, an equal part each, told as a summary and as what is inside

Shapes: in a `shared` estate few route tables, security groups and site policies serve all; in an `adversarial` one
every subnet has a table and a group of its own, and every prefix of a site is told to circuits of its own choice, so
that nothing is worth sharing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Network

from farshore.errors import InputError

REGIONS = ("eastasia", "southeastasia", "westeurope", "northeurope")
LOCATIONS = ("Hong Kong", "Singapore", "Amsterdam", "Dublin")
MOST_SPOKES = 490
"""A network bears 500 peerings (R33): a hub keeps some for its neighbours."""

MOST_ROUTES = 400
"""Of one route table (R11)."""

RESERVED_HOSTS = 5
"""Azure keeps the first four addresses of a subnet, and the last (L28)."""


@dataclass(frozen=True)
class Shape:
    """What to generate. Raises `InputError` for what no address plan or limit of Azure's could hold."""

    spokes: int = 20
    machines: int = 100
    prefixes: int = 50
    seed: int = 1
    shape: str = "shared"
    hubs: int = 0
    """0: as many as the spokes need, two at least."""
    circuits: int = 0
    """0: one for each peering location, then as many as hubs need."""
    routes_per_table: int = 0
    """Routes to sites' prefixes in each spoke's table, beside its default."""
    drift: bool = True

    def __post_init__(self) -> None:
        for name, least in (("spokes", 1), ("machines", 1), ("prefixes", 4), ("routes_per_table", 0)):
            if getattr(self, name) < least:
                raise InputError(
                    f"--{name.replace('_', '-')} is too small",
                    value=str(getattr(self, name)),
                    expected=f"{least} or more",
                )
        if self.shape not in ("shared", "adversarial"):
            raise InputError("There is no such shape", value=self.shape, expected="shared or adversarial")
        if self.routes_per_table > MOST_ROUTES - 2:
            expected = f"at most {MOST_ROUTES - 2}: a route table holds {MOST_ROUTES} (R11), two are its own"
            raise InputError("A route table can't hold so many", value=str(self.routes_per_table), expected=expected)
        if self.spokes > self.hub_count * MOST_SPOKES:
            expected = f"at least {-(-self.spokes // MOST_SPOKES)} hubs: a network has at most 500 peerings (R33)"
            raise InputError("So few hubs can't hold so many spokes", value=f"{self.hub_count} hubs", expected=expected)
        if self.hub_count > 250:
            raise InputError("There are too many hubs", value=str(self.hub_count), expected="at most 250")
        if not self._fits(self.spokes):
            more = next((n for n in range(1, 32_769) if self._fits(n)), None)
            raise InputError(
                f"{self.machines:,} machines in {self.spokes:,} spokes don't fit into 10.0.0.0/9",
                value=f"{self.spokes:,} spokes of /{self.spoke_length}",
                expected="spokes of /16 or less, and all of them in 10.0.0.0/9",
                remedy="fewer machines" if more is None else f"--spokes {more}, or fewer machines",
            )
        if self.prefix_length > 30:
            raise InputError("There are too many prefixes", value=str(self.prefixes), expected="at most 131,072")

    def _fits(self, spokes: int) -> bool:
        """Whether so many spokes would hold the machines."""
        length = _spoke_length(-(-self.machines // spokes))
        return length >= 16 and spokes << (32 - length) <= 1 << 23

    @property
    def hub_count(self) -> int:
        return self.hubs or max(2, -(-self.spokes // 250))

    @property
    def circuit_count(self) -> int:
        return self.circuits or max(4, min(16, self.hub_count))

    @property
    def site_count(self) -> int:
        """One in each peering location, with a summary and something inside it."""
        return min(4, self.circuit_count, self.prefixes // 2)

    @property
    def adversarial(self) -> bool:
        return self.shape == "adversarial"

    @property
    def per_spoke(self) -> int:
        """The most machines that a spoke holds."""
        return -(-self.machines // self.spokes)

    @cached_property
    def spoke_length(self) -> int:
        """A spoke's prefix, wide enough for two subnets that hold its machines."""
        return _spoke_length(self.per_spoke)

    @cached_property
    def prefix_length(self) -> int:
        """Of a site's usual prefixes."""
        each = -(-self.prefixes // self.site_count)
        return 14 + max(4, each.bit_length())

    def spoke(self, number: int) -> IPv4Network:
        return IPv4Network(((10 << 24) + (number << (32 - self.spoke_length)), self.spoke_length))

    def hub(self, number: int) -> IPv4Network:
        return IPv4Network(((10 << 24) + (192 << 16) + (number << 10), 22))

    def site(self, number: int) -> IPv4Network:
        return IPv4Network(((172 << 24) + (16 << 16) + (number << 18), 14))

    def site_prefixes(self, number: int) -> tuple[IPv4Network, ...]:
        """A site's prefixes: its summary, some branches that cover others, and the rest."""
        return _site_prefixes(self, number)

    @property
    def told(self) -> tuple[IPv4Network, ...]:
        """What all sites have beside their summaries."""
        return _told(self)

    def hub_of(self, spoke: int) -> int:
        return spoke % self.hub_count

    def circuits_of_hub(self, hub: int) -> list[int]:
        """Up to four (E16), in its own peering location first."""
        return list(dict.fromkeys((hub + step * step) % self.circuit_count for step in range(4)))

    def circuits_of_site(self, site: int) -> list[tuple[int, bool]]:
        """Circuits with a router of the site, and whether it is one of its own peering location."""
        size = self.site_count
        near = [(number, True) for number in range(self.circuit_count) if number % size == site]
        far = [(number, False) for number in range(self.circuit_count) if number % size != site]
        return near + far


def _spoke_length(machines: int) -> int:
    """The length of a prefix wide enough for two subnets that hold so many machines each."""
    need = machines + 2 * RESERVED_HOSTS
    return 32 - max(5, (2 * need - 1).bit_length())


@lru_cache(maxsize=64)
def _site_prefixes(shape: Shape, number: int) -> tuple[IPv4Network, ...]:
    whole = shape.site(number)
    each = shape.prefixes // shape.site_count + (number < shape.prefixes % shape.site_count)
    found = [whole]
    step = 1 << (32 - shape.prefix_length)
    first = int(whole.network_address)
    at = 0
    while len(found) < each:
        place = first + at * step
        if at % 16 == 0 and len(found) + 1 < each:
            found.append(IPv4Network((place, shape.prefix_length - 2)))
        found.append(IPv4Network((place, shape.prefix_length)))
        at += 1
    return tuple(found)


@lru_cache(maxsize=16)
def _told(shape: Shape) -> tuple[IPv4Network, ...]:
    return tuple(prefix for site in range(shape.site_count) for prefix in shape.site_prefixes(site)[1:])
