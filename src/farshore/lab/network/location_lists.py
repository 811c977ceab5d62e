"""Lists of a region of Microsoft.Network: the names that policies and rules know parts of a service by.

    availableServiceAliases                 names under which policies of endpoints know parts of a service
    serviceTags                             names of ranges, as the rules of security groups use them

The lists are in Azure's form and not as long: of the tags those that mean something without Azure's own ranges, which
the lab does not have. What may be in a subnet is listed by `subnet_services.py`.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.network.effective import TAGS
from farshore.lab.paging import page
from farshore.lab.registry import view

LOCATIONS = "Microsoft.Network/locations"
NAMESPACE = "Microsoft.Network"
ALIASES = ("/services/Azure", "/services/Azure/Batch", "/services/Azure/MachineLearning")
CHANGE = "1"
"""Of the tags: they never change here."""


@view(LOCATIONS, "availableServiceAliases")
def aliases(call: Call) -> Response:
    kind = "availableServiceAliases"
    rows: list[Body] = []
    for alias in ALIASES:
        name = alias.strip("/").replace("/", ".")
        id_ = f"{_root(call)}/{kind}/{name}"
        rows.append({"name": name, "id": id_, "type": f"{NAMESPACE}/{kind}", "resourceName": alias})
    return page(call, rows)


@view(LOCATIONS, "serviceTags")
def service_tags(call: Call) -> Response:
    values = [
        {
            "name": name,
            "id": name,
            "serviceTagChangeNumber": CHANGE,
            "properties": {"changeNumber": CHANGE, "region": "", "systemService": "", "addressPrefixes": prefixes},
        }
        for name, prefixes in TAGS.items()
    ]
    body: Body = {
        "name": "Public",
        "id": f"{_root(call)}/serviceTags/Public",
        "type": f"{NAMESPACE}/serviceTags",
        "changeNumber": CHANGE,
        "cloud": "Public",
        "values": values,
    }
    return Response(status=200, body=body)


def _root(call: Call) -> str:
    return f"/subscriptions/{call.id.subscription}/providers/{NAMESPACE}"
