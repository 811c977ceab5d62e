"""Platform images as `az vm create` looks them up (recorded)."""

from __future__ import annotations

import pytest

from lab.core.bench import SUBSCRIPTION, Lab, refusal

LOCATIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations"


def of(publisher: str, offer: str, location: str = "eastasia") -> str:
    return f"{LOCATIONS}/{location}/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/server/versions"


def test_an_image_has_one_version() -> None:
    lab = Lab()
    answer = lab.get(of("Canonical", "ubuntu-24_04-lts") + "?$top=1&$orderby=name desc&api-version=2022-11-01")
    home = f"/Subscriptions/{SUBSCRIPTION}/Providers/Microsoft.Compute/Locations/EastAsia/Publishers/Canonical"
    id_ = f"{home}/ArtifactTypes/VMImage/Offers/ubuntu-24_04-lts/Skus/server/Versions/1.0.0"
    assert (answer.status, answer.body) == (200, [{"location": "EastAsia", "name": "1.0.0", "id": id_}])


@pytest.mark.parametrize(
    ("publisher", "offer", "system"),
    [("Canonical", "ubuntu-24_04-lts", "Linux"), ("MicrosoftWindowsServer", "WindowsServer", "Windows")],
)
def test_a_version_says_what_system_it_is(publisher: str, offer: str, system: str) -> None:
    found = Lab().body(of(publisher, offer) + "/1.0.0")
    assert found["name"] == "1.0.0" and found["properties"]["osDiskImage"]["operatingSystem"] == system
    assert "plan" not in found["properties"], "nothing to buy"


def test_a_region_that_is_none() -> None:
    assert refusal(Lab().get(of("Canonical", "ubuntu", "atlantis"))) == "InvalidLocation"
    assert refusal(Lab().get(of("Canonical", "ubuntu", "atlantis") + "/1.0.0")) == "InvalidLocation"
