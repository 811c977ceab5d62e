"""Which region Azure pairs with which.

Source: https://learn.microsoft.com/azure/reliability/regions-paired. Most pairs hold both ways; those of a few regions
do not. Regions that are not listed have no pair, or are newer than this list: nobody can tell which from here.
"""

from __future__ import annotations

_BOTH_WAYS = """
australiacentral australiacentral2 | australiaeast australiasoutheast | canadacentral canadaeast
centralindia southindia | centralus eastus2 | chinaeast chinanorth | chinaeast2 chinanorth2 | eastasia southeastasia
eastus westus | francecentral francesouth | germanynorth germanywestcentral | japaneast japanwest
jioindiacentral jioindiawest | koreacentral koreasouth | northcentralus southcentralus | northeurope westeurope
norwayeast norwaywest | southafricanorth southafricawest | swedencentral swedensouth
switzerlandnorth switzerlandwest | uaecentral uaenorth | uksouth ukwest | usdodcentral usdodeast | westcentralus westus2
"""
_ONE_WAY = {"brazilsouth": "southcentralus", "westindia": "southindia", "westus3": "eastus"}


def _pairs() -> dict[str, str]:
    found = dict(_ONE_WAY)
    for pair in _BOTH_WAYS.replace("\n", " | ").split("|"):
        if pair.split():
            one, other = pair.split()
            found |= {one: other, other: one}
    return found


_PAIRS = _pairs()


def paired_with(location: str) -> str | None:
    """The region that a region, in lower case without spaces, is paired with; None where that is not known."""
    return _PAIRS.get(location)
