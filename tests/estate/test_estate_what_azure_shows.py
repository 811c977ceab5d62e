"""What Azure shows of a resource by itself is no difference, and no part of what ties a plan to its estate."""

from __future__ import annotations

from farshore.arm.json import Body
from farshore.estate.canonical import chosen_body
from farshore.estate.differences import differences
from farshore.estate.estate import Estate

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic"
PLAIN: Body = {
    "id": ID,
    "name": "nic",
    "location": "eastasia",
    "properties": {"enableIPForwarding": True, "dnsSettings": {"dnsServers": []}},
}
SHOWN: Body = {
    **PLAIN,
    "kind": "Regular",
    "properties": {
        "enableIPForwarding": True,
        "vnetEncryptionSupported": False,
        "disableTcpStateTracking": False,
        "hostedWorkloads": [],
        "dnsSettings": {"dnsServers": [], "internalDomainNameSuffix": "x.internal.cloudapp.net"},
    },
}


def test_a_nic_as_a_template_has_it_and_as_azure_shows_it_are_one() -> None:
    one, other = (Estate(resources={ID.lower(): body}) for body in (PLAIN, SHOWN))
    assert differences(one, other) == ()
    assert chosen_body(PLAIN) == chosen_body(SHOWN)


def test_the_kind_of_anything_else_is_chosen() -> None:
    assert chosen_body({**PLAIN, "kind": "StorageV2"}) != chosen_body(PLAIN)
