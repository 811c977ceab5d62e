"""What the list of locations tells of a region beside its name: where it lies and which region is its pair.

Pairs and the regions that Azure recommends are those of its pages "Azure cross-region replication" and "Azure
geographies"; a region that is not named here has no pair and is not recommended. Places are known to a tenth of a
degree. Nothing in the lab or in Farshore reads them: a pair is no promise of anybody's (R22).
"""

from __future__ import annotations

from collections.abc import Mapping

from farshore.arm.json import Body
from farshore.arm.regions import REGIONS, Region

GROUPS: Mapping[str, str] = {
    "Asia": "Asia Pacific",
    "Japan": "Asia Pacific",
    "South Korea": "Asia Pacific",
    "India": "Asia Pacific",
    "Oceania": "Asia Pacific",
    "Australia Government": "Asia Pacific",
    "Europe": "Europe",
    "UAE": "Middle East",
    "Qatar": "Middle East",
    "Israel": "Middle East",
    "South Africa": "Africa",
    "South America": "South America",
}
"""Geopolitical region to the group of geographies; North America's are countries."""
PAIRS = (
    *("eastasia southeastasia", "australiaeast australiasoutheast", "australiacentral australiacentral2"),
    *("canadacentral canadaeast", "northeurope westeurope", "francecentral francesouth"),
    *("germanywestcentral germanynorth", "centralindia southindia", "japaneast japanwest", "koreacentral koreasouth"),
    *("norwayeast norwaywest", "southafricanorth southafricawest", "swedencentral swedensouth"),
    *("switzerlandnorth switzerlandwest", "uksouth ukwest", "uaenorth uaecentral", "eastus westus"),
    *("eastus2 centralus", "northcentralus southcentralus", "westus2 westcentralus"),
)
ONE_WAY: Mapping[str, str] = {
    "brazilsouth": "southcentralus",
    "brazilsoutheast": "brazilsouth",
    "westindia": "southindia",
    "westus3": "eastus",
}
RECOMMENDED = (
    *("eastus", "eastus2", "southcentralus", "westus2", "westus3", "centralus", "canadacentral", "brazilsouth"),
    *("australiaeast", "southeastasia", "eastasia", "japaneast", "koreacentral", "centralindia"),
    *("northeurope", "westeurope", "swedencentral", "uksouth", "francecentral", "germanywestcentral", "norwayeast"),
    *("switzerlandnorth", "polandcentral", "italynorth", "southafricanorth", "uaenorth", "qatarcentral"),
    "israelcentral",
)
_PLACES = """
eastasia 22.3 114.2 Hong Kong|southeastasia 1.3 103.8 Singapore|australiaeast -33.9 151.2 New South Wales
australiasoutheast -37.8 145.0 Victoria|australiacentral -35.3 149.1 Canberra|australiacentral2 -35.3 149.1 Canberra
brazilsouth -23.5 -46.6 Sao Paulo State|brazilsoutheast -22.9 -43.2 Rio|canadacentral 43.7 -79.4 Toronto
canadaeast 46.8 -71.2 Quebec|northeurope 53.3 -6.3 Ireland|westeurope 52.4 4.9 Netherlands|francecentral 48.9 2.4 Paris
francesouth 43.3 5.4 Marseille|germanywestcentral 50.1 8.7 Frankfurt|germanynorth 52.5 13.4 Berlin
centralindia 18.5 73.9 Pune|southindia 13.1 80.3 Chennai|westindia 19.1 72.9 Mumbai|japaneast 35.7 139.8 Tokyo, Saitama
japanwest 34.7 135.5 Osaka|koreacentral 37.6 127.0 Seoul|koreasouth 35.2 129.1 Busan|norwayeast 59.9 10.8 Norway
norwaywest 59.0 5.7 Norway|southafricanorth -26.2 28.0 Johannesburg|southafricawest -33.9 18.4 Cape Town
swedencentral 60.7 17.1 Sweden|swedensouth 55.6 13.0 Sweden|switzerlandnorth 47.4 8.5 Zurich
switzerlandwest 46.2 6.1 Geneva|uksouth 51.5 -0.1 London|ukwest 51.5 -3.2 Cardiff|uaenorth 25.3 55.3 Dubai
uaecentral 24.5 54.4 Abu Dhabi|eastus 37.5 -79.0 Virginia|westus 37.8 -122.4 California|eastus2 36.7 -78.4 Virginia
centralus 41.6 -93.6 Iowa|northcentralus 41.9 -87.6 Illinois|southcentralus 29.4 -98.5 Texas
westus2 47.6 -122.3 Washington|westcentralus 41.1 -104.8 Wyoming|westus3 33.4 -112.1 Phoenix|qatarcentral 25.3 51.5 Doha
polandcentral 52.2 21.0 Warsaw|italynorth 45.5 9.2 Milan|israelcentral 31.8 35.2 Israel
"""


def _places() -> Mapping[str, tuple[str, str, str]]:
    found = {}
    for line in _PLACES.strip().replace("\n", "|").split("|"):
        name, latitude, longitude, place = line.split(" ", 3)
        found[name] = (latitude, longitude, place)
    return found


def _pairs() -> Mapping[str, str]:
    found = dict(ONE_WAY)
    for one, other in (pair.split() for pair in PAIRS):
        found |= {one: other, other: one}
    return found


PLACES = _places()
"""Region to latitude, longitude and the name of the place, all texts as Azure has them."""
PAIR_OF = _pairs()


def group_of(region: Region) -> str | None:
    """The group of geographies that a region belongs to; None where it is not known."""
    if region.geopolitical_region == "North America":
        return "Canada" if region.display_name.startswith("Canada") else "US"
    return GROUPS.get(region.geopolitical_region or "")


def shown(subscription: str, region: Region) -> Body:
    """A region as the list of locations shows it."""
    group, pair, place = group_of(region), PAIR_OF.get(region.name), PLACES.get(region.name)
    metadata: Body = {
        "regionType": "Physical",
        "regionCategory": "Recommended" if region.name in RECOMMENDED else "Other",
    }
    if group is not None:
        metadata["geographyGroup"] = group
    if place is not None:
        metadata |= {"longitude": place[1], "latitude": place[0], "physicalLocation": place[2]}
    paired = [] if pair is None else [REGIONS[pair]]
    metadata["pairedRegion"] = [
        {"name": other.name, "id": f"/subscriptions/{subscription}/locations/{other.name}"} for other in paired
    ]
    return {
        "id": f"/subscriptions/{subscription}/locations/{region.name}",
        "name": region.name,
        "type": "Region",
        "displayName": region.display_name,
        "regionalDisplayName": region.display_name if group is None else f"({group}) {region.display_name}",
        "metadata": metadata,
    }
