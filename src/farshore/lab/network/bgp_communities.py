"""BGP communities: what marks Microsoft's prefixes, and what a network's own region is called.

Every region has a number; 12076:51xxx marks its public prefixes, 12076:50xxx those of networks in it (the second is
recorded, as `regionalCommunity`). Services of Microsoft 365 have communities of their own, for route filters. The
numbers are those of Azure's page on ExpressRoute routing; a region that it doesn't list gets one of the lab's own. The
list shows no prefixes: nobody should configure a router from it.
"""

from __future__ import annotations

import hashlib

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.arm.regions import REGIONS
from farshore.lab.call import Call
from farshore.lab.network import asns
from farshore.lab.paging import page
from farshore.lab.registry import provider_list

_NUMBERS = {
    "westeurope": 2,
    "northeurope": 3,
    "eastus": 4,
    "eastus2": 5,
    "westus": 6,
    "northcentralus": 7,
    "southcentralus": 8,
    "centralus": 9,
    "eastasia": 10,
    "southeastasia": 11,
    "japaneast": 12,
    "japanwest": 13,
    "brazilsouth": 14,
    "australiaeast": 15,
    "australiasoutheast": 16,
    "centralindia": 17,
    "westindia": 18,
    "southindia": 19,
    "canadacentral": 20,
    "canadaeast": 21,
    "uksouth": 24,
    "ukwest": 25,
    "westus2": 26,
    "westcentralus": 27,
    "koreasouth": 28,
    "koreacentral": 29,
    "francecentral": 30,
    "francesouth": 31,
    "australiacentral": 32,
    "australiacentral2": 33,
    "southafricanorth": 34,
    "southafricawest": 35,
    "uaenorth": 36,
    "uaecentral": 37,
}
SERVICES = (
    ("Exchange", "Exchange", 5010),
    ("SharePoint", "SharePoint", 5020),
    ("SkypeForBusiness", "Skype For Business", 5030),
    ("CRMOnline", "CRM Online", 5040),
    ("OtherOffice365Services", "Other Office 365 Services", 5100),
)
LIST = "Microsoft.Network/bgpServiceCommunities"


def regional_community(region: str, *, public: bool) -> int:
    """The number of a region behind 12076: 51004 for the public prefixes of eastus."""
    number = _NUMBERS.get(region)
    if number is None:
        number = 500 + int(hashlib.sha256(region.encode()).hexdigest(), 16) % 400
    return (51000 if public else 50000) + number


@provider_list(LIST)
def communities(call: Call) -> Response:
    rows = [_row(name, "Global", shown, value, "O365") for name, shown, value in SERVICES]
    for region in REGIONS.values():
        value = regional_community(region.name, public=True)
        rows.append(
            _row(f"Azure {region.display_name}", region.display_name, f"Azure {region.display_name}", value, "Azure")
        )
    return page(call, rows)


def _row(name: str, region: str, shown: str, value: int, group: str) -> Body:
    community = {
        "serviceSupportedRegion": region,
        "communityName": shown,
        "communityValue": f"{asns.MICROSOFT}:{value}",
        "communityPrefixes": ["192.0.2.0/24"],
        "isAuthorizedToUse": True,
        "serviceGroup": group,
    }
    return {
        "name": name,
        # Recorded: an id without a subscription and a group.
        "id": f"/subscriptions//resourceGroups//providers/{LIST}/{name}",
        "type": LIST,
        "properties": {"serviceName": name, "bgpCommunities": [community]},
    }
