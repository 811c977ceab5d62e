"""Regions, peering locations and who reaches whom (E17 to E19)."""

from __future__ import annotations

import pytest

from farshore.arm import regions
from farshore.errors import InputError


def test_the_published_example_is_one_geopolitical_region() -> None:
    asia = {regions.geopolitical_region_of(region) for region in ("eastasia", "Southeast Asia")}
    assert asia == {"Asia"}
    assert {regions.geopolitical_region_at(place) for place in ("Hong Kong", "hong kong2", "Singapore")} == {"Asia"}


def test_a_local_circuit_reaches_what_is_beside_it() -> None:
    assert regions.local_regions("Hong Kong") == frozenset({"eastasia"})
    assert regions.local_regions("Singapore2") == frozenset({"southeastasia"})
    assert regions.local_regions("Nowhere") is None


def test_every_local_region_is_a_region_of_its_places_geography() -> None:
    for place, reached in regions._LOCAL.items():
        for region in reached:
            assert regions.geopolitical_region_of(region) == regions.PEERING_LOCATIONS[place], (place, region)


def test_names_and_display_names_are_one() -> None:
    assert regions.known_region("East Asia") == regions.known_region("eastasia") == "eastasia"
    for region in regions.REGIONS.values():
        assert regions.find_region(region.display_name) is region


@pytest.mark.parametrize(
    ("wrong", "right"), [("eastaisa", "eastasia"), ("south east asia", None), ("westeurop", "westeurope")]
)
def test_an_unknown_region_suggests_the_nearest(wrong: str, right: str | None) -> None:
    if right is None:
        assert regions.known_region(wrong) == "southeastasia"
        return
    with pytest.raises(InputError) as caught:
        regions.known_region(wrong)
    assert caught.value.remedy == f"did you mean {right}?"
