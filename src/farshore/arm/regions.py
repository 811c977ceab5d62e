"""Azure's regions, and where ExpressRoute meets them.

A circuit has a peering location, a network has a region, and each lies in a geopolitical region. Which circuit may
link which network follows from that alone (E17): a Local circuit reaches the one or two regions beside its peering
location, a Standard circuit every region of its geopolitical region, a Premium circuit all of them. East Asia and
Southeast Asia are one geopolitical region, so the published example needs no Premium (E19); comparing the names of two
Azure regions would say otherwise.

The table is E18's, with the regions that came later. Where no page that we read says to which geopolitical region a
place belongs, it is None: unknown, and nobody may conclude from it. National clouds are separate and can't be joined
to public Azure.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from farshore.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    name: str
    display_name: str
    geopolitical_region: str | None


def normal_region(text: str) -> str:
    """`East Asia` and `eastasia` are one region."""
    return text.replace(" ", "").lower()


def find_region(text: str) -> Region | None:
    """The region of that name or display name, without regard to case and spaces."""
    return REGIONS.get(normal_region(text))


def known_region(text: str) -> str:
    """The region's name (`eastasia`); raises `InputError` that suggests the nearest for one that Azure doesn't have."""
    found = find_region(text)
    if found is None:
        near = nearest_region(text)
        raise InputError(
            f"Azure has no region {text}",
            value=text,
            expected="an Azure region, such as eastasia or southeastasia",
            remedy=None if near is None else f"did you mean {near}?",
        )
    return found.name


def nearest_region(text: str) -> str | None:
    """The known region whose name looks most like `text`."""
    near = difflib.get_close_matches(normal_region(text), REGIONS, n=1)
    return near[0] if near else None


def geopolitical_region_of(region: str) -> str | None:
    """A region's geopolitical region; None where it is not known."""
    found = find_region(region)
    return None if found is None else found.geopolitical_region


def geopolitical_region_at(peering_location: str) -> str | None:
    """A peering location's geopolitical region; None where it is not known."""
    return PEERING_LOCATIONS.get(_normal_place(peering_location))


def peering_location_names() -> tuple[str, ...]:
    """The places where circuits can be had, as Azure writes them."""
    return tuple(name for names in _PLACES.values() for name in names.split(", "))


def local_regions(peering_location: str) -> frozenset[str] | None:
    """The regions that a Local circuit at this place reaches (E17, E19); None where it is not known."""
    return _LOCAL.get(_normal_place(peering_location))


def is_geography(text: str) -> bool:
    """Whether a location names a whole geography: some services that are no network have one (`europe`, `global`)."""
    return normal_region(text) in _GEOGRAPHIES


def _normal_place(text: str) -> str:
    return text.replace(" ", "").lower()


_BY_GEOPOLITICAL_REGION: Mapping[str | None, str] = {
    "Asia": "East Asia, Southeast Asia",
    "Europe": (
        "France Central, France South, Germany North, Germany West Central, Italy North, North Europe, Norway East,"
        " Norway West, Poland Central, Sweden Central, Sweden South, Switzerland North, Switzerland West, UK South,"
        " UK West, West Europe"
    ),
    "North America": (
        "East US, East US 2, West US, West US 2, West US 3, Central US, South Central US, North Central US,"
        " West Central US, Canada Central, Canada East, Central US EUAP, East US 2 EUAP, East US STG,"
        " South Central US STG"
    ),
    "India": "West India, Central India, South India",
    "Japan": "Japan East, Japan West",
    "South Korea": "Korea Central, Korea South",
    "Oceania": "Australia East, Australia Southeast",
    "Australia Government": "Australia Central, Australia Central 2",
    "UAE": "UAE Central, UAE North",
    "Qatar": "Qatar Central",
    "Israel": "Israel Central",
    "South Africa": "South Africa West, South Africa North",
    "South America": "Brazil South, Brazil Southeast",
    "US Government": "USGov Virginia, USGov Arizona, USGov Texas, USGov Iowa, USDoD Central, USDoD East",
    "China East": "China East, China East 2, China East 3",
    "China North": "China North, China North 2, China North 3",
    None: (
        "Austria East, Belgium Central, Chile Central, Denmark East, East US 3, Finland Central, Greece Central,"
        " India South Central, Indonesia Central, Israel Northwest, Jio India Central, Jio India West, Malaysia South,"
        " Malaysia West, Mexico Central, New Zealand North, Saudi Arabia Central, Saudi Arabia East, Southeast US,"
        " Southeast US 3, Southwest US, Spain Central, Taiwan North, Taiwan Northwest"
    ),
}

REGIONS: Mapping[str, Region] = {
    normal_region(display): Region(name=normal_region(display), display_name=display, geopolitical_region=geo)
    for geo, names in _BY_GEOPOLITICAL_REGION.items()
    for display in names.split(", ")
}
"""Every Azure region by name."""

_PLACES: Mapping[str, str] = {
    "Asia": (
        "Bangkok, Hong Kong, Hong Kong2, Jakarta, Jakarta2, Kuala Lumpur, Kuala Lumpur2, Singapore, Singapore2,"
        " Taipei, Taipei2"
    ),
    "Europe": (
        "Amsterdam, Amsterdam2, Berlin, Brussels, Copenhagen, Dublin, Dublin2, Frankfurt, Frankfurt2, Geneva, London,"
        " London2, Madrid, Madrid2, Marseille, Milan, Milan2, Munich, Newport(Wales), Newport, Oslo, Paris, Paris2,"
        " Stavanger, Stockholm, Stockholm2, Vienna, Warsaw, Zurich, Zurich2"
    ),
    "North America": (
        "Atlanta, Chicago, Chicago2, Dallas, Dallas2, Denver, Las Vegas, Los Angeles, Los Angeles2, Miami, Minneapolis,"
        " Montreal, New York, Phoenix, Phoenix2, Portland, Quebec City, Queretaro, Quincy, San Antonio, Seattle,"
        " Silicon Valley, Silicon Valley2, Toronto, Toronto2, Vancouver, Washington DC, Washington DC2"
    ),
    "India": "Chennai, Chennai2, Mumbai, Mumbai2, Pune",
    "Japan": "Osaka, Tokyo, Tokyo2, Tokyo3",
    "South Korea": "Busan, Seoul, Seoul2",
    "Oceania": "Auckland, Melbourne, Perth, Sydney, Sydney2",
    "Australia Government": "Canberra, Canberra2",
    "UAE": "Abu Dhabi, Dubai, Dubai2",
    "Qatar": "Doha, Doha2",
    "Israel": "Tel Aviv",
    "South Africa": "Cape Town, Johannesburg",
    "South America": "Campinas, Rio de Janeiro, Sao Paulo, Sao Paulo2, Santiago",
}

PEERING_LOCATIONS: Mapping[str, str] = {
    _normal_place(name): geo for geo, names in _PLACES.items() for name in names.split(", ")
}
"""Geopolitical region of each peering location, its name in lower case without spaces."""

_LOCAL_TEXT: Mapping[str, str] = {
    "Hong Kong, Hong Kong2": "eastasia",
    "Singapore, Singapore2": "southeastasia",
    "Amsterdam, Amsterdam2": "westeurope",
    "Dublin, Dublin2": "northeurope",
    "Frankfurt, Frankfurt2": "germanywestcentral",
    "London, London2": "uksouth",
    "Paris, Paris2": "francecentral",
    "Zurich, Zurich2": "switzerlandnorth",
    "Tokyo, Tokyo2, Tokyo3": "japaneast",
    "Osaka": "japanwest",
    "Seoul, Seoul2": "koreacentral",
    "Sydney, Sydney2": "australiaeast",
    "Melbourne": "australiasoutheast",
    "Toronto, Toronto2": "canadacentral",
    "Chicago, Chicago2": "northcentralus",
    "Seattle": "westus2",
    "Silicon Valley, Silicon Valley2": "westus",
    "Washington DC, Washington DC2": "eastus eastus2",
}

_LOCAL: Mapping[str, frozenset[str]] = {
    _normal_place(name): frozenset(regions.split())
    for names, regions in _LOCAL_TEXT.items()
    for name in names.split(", ")
}

_GEOGRAPHIES_TEXT = (
    "global, asia, asiapacific, africa, australia, austria, belgium, brazil, canada, chile, china, denmark, europe,"
    " france, germany, greece, india, indonesia, israel, italy, japan, korea, malaysia, mexico, newzealand, norway,"
    " poland, portugal, qatar, saudiarabia, singapore, southafrica, spain, sweden, switzerland, taiwan, uae, uk,"
    " unitedkingdom, unitedstates"
)
_GEOGRAPHIES = frozenset(_GEOGRAPHIES_TEXT.split(", "))
