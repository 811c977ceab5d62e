"""Platform images, as clients look them up before they make a machine: `az vm create` asks for an image's versions and
for one version's system, disks and plan (recorded).

Every image that somebody names is there, in one version, in every region: the lab sells none and turns nobody away.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.regions import find_region
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.compute.guests import LATEST, system_of
from farshore.lab.registry import named_view, view

SKUS = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus"


@view(SKUS, "versions")
def versions(call: Call) -> Response:
    """A list without an envelope."""
    return Response(status=200, body=[_row(call.id, LATEST)])


@named_view(SKUS, "versions")
def version(call: Call) -> Response:
    _, publisher, _, offer, _ = (name for _, name in call.id.pairs)
    image = {"publisher": publisher, "offer": offer}
    properties: Body = {
        "hyperVGeneration": "V1",
        "architecture": "x64",
        "replicaType": "Unmanaged",
        "disallowed": {"vmDiskType": "None"},
        "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": True},
        "imageDeprecationStatus": {"imageState": "Active"},
        "features": [{"name": "IsAcceleratedNetworkSupported", "value": "True"}],
        "osDiskImage": {"operatingSystem": system_of({"storageProfile": {"imageReference": image}}), "sizeInGb": 1},
        "dataDiskImages": [],
    }
    return Response(status=200, body={"properties": properties, **_row(call.id, str(call.argument))})


def _row(sku: ResourceId, name: str) -> Body:
    """Ids of images have capitals that no other provider's have (recorded)."""
    (_, place), (_, publisher), (_, kind), (_, offer), (_, sku_name) = sku.pairs
    region = find_region(place)
    if region is None:
        raise bad_request("InvalidLocation", f"Azure has no region '{place}'.", "location")
    location = region.display_name.replace(" ", "")
    image = "VMImage" if kind.lower() == "vmimage" else kind
    path = f"Publishers/{publisher}/ArtifactTypes/{image}/Offers/{offer}/Skus/{sku_name}/Versions/{name}"
    home = f"/Subscriptions/{sku.subscription}/Providers/Microsoft.Compute/Locations/{location}"
    return {"location": location, "name": name, "id": f"{home}/{path}"}
