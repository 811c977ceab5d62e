"""A subnet's rows, prepared for thousands of questions.

An estate with many networks asks each of its tables about each of its ranges; a scan of all rows for each would take
the square of the estate. So rows are found by their mask where they must hold an address, and in the order of their
networks where they must lie in a prefix.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from farshore.arm.decode import Address, Network
from farshore.routing.prefixes import inside, numbers
from farshore.routing.values import EffectiveRoute


class Rows:
    """See the theory above."""

    def __init__(self, rows: Iterable[EffectiveRoute]) -> None:
        self._by_mask: dict[tuple[int, int], dict[int, list[EffectiveRoute]]] = {}
        prefixes: dict[tuple[int, int, int], tuple[int, Network]] = {}
        for rank, row in enumerate(rows):
            family, network, mask = key = numbers(row.address_prefix)
            self._by_mask.setdefault((family, mask), {}).setdefault(network, []).append(row)
            prefixes.setdefault(key, (rank, row.address_prefix))
        self._masks = sorted(self._by_mask, reverse=True)
        self._starts = sorted(
            (family, network, rank, prefix) for (family, network, _), (rank, prefix) in prefixes.items()
        )

    def matching(self, address: Address) -> list[EffectiveRoute]:
        """Every row that contains the address, longest prefix first; equals in the order in which they were given."""
        version, value = address.version, int(address)
        return [
            row
            for family, mask in self._masks
            if family == version
            for row in self._by_mask[family, mask].get(value & mask, ())
        ]

    def inner(self, prefix: Network) -> list[Network]:
        """The rows' prefixes that are parts of a prefix and shorter than all of it, in the order of the rows."""
        family, network, _ = numbers(prefix)
        first = bisect_left(self._starts, (family, network))
        last = bisect_left(self._starts, (family, int(prefix.broadcast_address) + 1))
        found = [(rank, own) for _, _, rank, own in self._starts[first:last] if own != prefix and inside(own, prefix)]
        return [own for _, own in sorted(found)]

    def parts(self, prefix: Network) -> tuple[Address, ...]:
        """One address of the prefix for each part that longer rows cut out of it, and one of what is left."""
        found = dict.fromkeys(_free(part, self.inner(part)) for part in (prefix, *self.inner(prefix)))
        return tuple(address for address in found if address is not None)


def _free(part: Network, taken: Sequence[Network]) -> Address | None:
    """An address of the part that none of `taken`, which lie in it, holds; None where they fill it."""
    candidate = int(part.network_address)
    last = int(part.broadcast_address)
    for other in sorted(taken, key=lambda network: int(network.network_address)):
        if candidate < int(other.network_address):
            break
        candidate = max(candidate, int(other.broadcast_address) + 1)
    if candidate > last:
        return None
    return part[candidate - int(part.network_address)]
