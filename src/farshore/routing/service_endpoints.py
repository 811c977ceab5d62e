"""What a service endpoint covers (R22): the service's prefixes as far as somebody told them, and what is not known.

    Microsoft.Storage          the tag Storage.<region> of the network's own region. Whether it covers the paired region
                               as well has not been measured: what goes to the prefixes of that one is not known
    Microsoft.Storage.Global   every Storage tag
    Microsoft.Sql, ...         the tag Sql.<region>, or the service's one tag where it has none by region

Microsoft maintains the prefixes, so they come from outside the estate (`Outside.service_prefixes`). An endpoint whose
prefixes nobody told is answered as if it were not there: almost every subnet has one, and almost no public destination
is one of its addresses (docs/guide/limits.md says so).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from farshore.arm.decode import Network
from farshore.routing.doubts import Doubt
from farshore.routing.prefixes import within
from farshore.routing.region_pairs import paired_with

Known = Mapping[str, tuple[Network, ...]]
"""Prefixes by service tag, in any case."""

_STORAGE = "storage"


def endpoint_prefixes(service: str, location: str, known: Known) -> tuple[Network, ...]:
    """What an endpoint covers for sure."""
    base, everywhere = _named(service)
    own = f"{base}.{location}"
    lower = {tag.lower(): prefixes for tag, prefixes in known.items()}
    if everywhere:
        wanted = [prefixes for tag, prefixes in lower.items() if tag.split(".")[0] == base]
    elif own in lower:
        wanted = [lower[own]]
    else:
        wanted = [lower[base]] if base in lower and base != _STORAGE else []
    return tuple(dict.fromkeys(prefix for prefixes in wanted for prefix in prefixes))


def paired_doubts(services: Sequence[str], location: str, known: Known) -> Iterator[Doubt]:
    """What goes to the paired region's storage: nobody has measured whether a plain endpoint covers it (R22). Where it
    is not known which region that is, it may be any of which a tag was told."""
    plain = next((service for service in services if _named(service) == (_STORAGE, False)), None)
    if plain is None or any(_named(service) == (_STORAGE, True) for service in services):
        return
    pair, covered = paired_with(location), endpoint_prefixes(plain, location, known)
    for tag, prefixes in known.items():
        base, _, region = tag.lower().partition(".")
        if base == _STORAGE and region not in ("", location) and pair in (None, region):
            ranges = tuple(prefix for prefix in prefixes if not within(prefix, covered))
            if ranges:
                yield Doubt(f"whether {plain} covers {region}, with which {location} is paired (R22)", ranges)


def _named(service: str) -> tuple[str, bool]:
    """The service in lower case, and whether all of its regions are meant."""
    base, _, scope = service.partition(".")[2].lower().partition(".")
    return base, bool(scope)
