"""What a finding says happens is what happens: a summary is read at night, by itself."""

from __future__ import annotations

from collections.abc import Callable

from assess.bench import Bench, bench
from assess.cases_networks import RT1, drop_route
from farshore.assess import assess


def said(code: str, edit: Callable[[Bench], object]) -> list[str]:
    here = bench()
    edit(here)
    return [finding.summary for finding in assess(here.estate()).findings if finding.code == code]


def test_what_is_dropped_is_not_said_to_pass_the_appliance_by() -> None:
    # Propagation is off and the default is gone: the reserved range's own route to nowhere is what is left (R1).
    told = said("FS201", lambda b: drop_route(b, RT1, "0.0.0.0/0"))
    assert told
    assert all("drops what goes to" in text and "past the appliance" not in text for text in told)


def test_a_drill_in_the_network_of_the_source_is_said_to_be_where_production_runs() -> None:
    network = "/subscriptions/{}/resourceGroups/rg-source/providers/Microsoft.Network/virtualNetworks/Source-vNet1"
    id_ = network.format("00000000-0000-0000-0000-000000000001")
    (told,) = said("FS701", lambda b: b.project.update(drill={"network": id_}))
    assert told == "The drill would start machines in Source-vNet1, where production runs"


def test_one_machine_that_is_left_behind_is_one_machine() -> None:
    (told,) = said("FS641", lambda b: b.project["machines"].update(exclude=["web2"], boot_order=[]))
    assert told.startswith("web2: left behind in a network that moves: ")
