"""Which scenarios make no sense for an estate, and why not: a sentence each, for whoever asks for one.

The same rules make the matrix (`make matrix`): what they let pass is carried out there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from farshore.estate.project import Link
from farshore.plan.builders import path_drill
from farshore.plan.design import Design
from farshore.plan.scenario.outages import Answer, answer_of, primary_circuit, taken, zone_of
from farshore.plan.scenario.scenario import ON_PURPOSE, Scenario, usual_over
from farshore.plan.scenario.words import Ahead, Back, Drill, Outage, Over, Returns

Reason = str | None
MAY_STAY_AWAY = (Outage.REGION, Outage.GREY, Outage.GREY_DEAD, Outage.DATA_PLANE)


def why_not(scenario: Scenario, design: Design) -> Reason:
    """Why a scenario makes no sense for an estate; None where it does."""
    return next((reason for rule in _RULES if (reason := rule(scenario, design)) is not None), None)


def instead(scenario: Scenario, design: Design) -> Scenario | None:
    """Where the words contradict each other, whatever the estate: a whole scenario whose words agree. None where the
    estate is the reason, or nothing near makes sense."""
    rule = next((rule for rule in _RULES if rule(scenario, design) is not None), None)
    if rule is _nothing_ahead_is_cold:
        near = replace(scenario, posture=Link.COLD)
    elif rule is _how_a_region_returns:
        stays_away = scenario.returns is Returns.NEVER and scenario.outage in MAY_STAY_AWAY
        near = replace(scenario, back=Back.NONE) if stays_away else replace(scenario, returns=Returns.TOGETHER)
    else:
        return None
    return near if why_not(near, design) is None else None


def _something_is_taken(scenario: Scenario, design: Design) -> Reason:
    if scenario.outage in (Outage.MAINTENANCE, Outage.SWAP) or taken(scenario, design).elements:
        return None
    return {
        Outage.ZONE: "no machine that moves stands in an availability zone",
        Outage.APPLIANCE: "farshore.yaml names no appliance",
        Outage.SITE: "there is no second site",
        Outage.ROUTER: "no site has a router on the primary circuit",
    }.get(scenario.outage, "the source has no connection to an ExpressRoute circuit")


def _a_zone_is_a_part(scenario: Scenario, design: Design) -> Reason:
    zone = zone_of(design)
    if scenario.outage is Outage.ZONE and all(zone in machine.vm.zones for machine in design.machines):
        return f"every machine that moves stands in zone {zone}: that is the whole region"
    return None


def _another_circuit(scenario: Scenario, design: Design) -> Reason:
    """Connectivity can only go where there is a second circuit (D48), and not where that dies too (D53)."""
    if scenario.outage not in (Outage.CIRCUIT, Outage.LOCATION, Outage.ROUTER, Outage.SWAP):
        return None
    primary = primary_circuit(design)
    others = [id_ for id_ in (*design.source_circuits, *design.target_circuits) if id_ != primary]
    if not others:
        return "there is one circuit: nothing is left that connectivity could go over to (D57)"
    if scenario.outage is Outage.LOCATION:
        lost = design.estate.express_route_circuit(primary)
        left = [design.estate.express_route_circuit(id_) for id_ in others]
        if lost is not None and all(c is not None and c.peering_location == lost.peering_location for c in left):
            return f"every circuit ends in {lost.peering_location}, and goes with it (D53)"
    return None


def _machines_move(scenario: Scenario, design: Design) -> Reason:
    if answer_of(scenario, design) is Answer.MOVE:
        return None
    if scenario.over is not usual_over(scenario.outage):
        return "no machine moves in this outage, so that none goes to a recovery point"
    if scenario.back is not Back.FAILBACK:
        return "no machine moves in this outage, so that none stays on the far shore"
    return None


def _how_a_region_returns(scenario: Scenario, design: Design) -> Reason:
    returns, outage = scenario.returns, scenario.outage
    in_its_own_way = (Returns.CONTROL_FIRST, Returns.DATA_FIRST, Returns.FLAPPING, Returns.EARLY)
    if returns in in_its_own_way and outage is not Outage.REGION:
        return "only a region that is wholly lost comes back in halves, again and again, or early"
    if returns is Returns.NEVER:
        if outage not in MAY_STAY_AWAY:
            return "only a region can stay away for good; anything else is repaired"
        if scenario.back is not Back.NONE:
            return "there is no way back to a region that never returns (no-way-back)"
    return None


def _some_go_home(scenario: Scenario, design: Design) -> Reason:
    if scenario.back is not Back.PARTIAL:
        return None
    if design.kept:
        kept = ", ".join(str(prefix) for prefix in design.kept)
        return f"addresses are kept, and a network is announced as a whole ({kept}): all of it goes home, or none (D93)"
    if len({machine.planned.boot_group for machine in design.machines}) < 2:
        return "every machine is in one boot group (machines, boot_order): all would go home (failback)"
    return None


def _what_can_be_stopped(scenario: Scenario, design: Design) -> Reason:
    over, outage = scenario.over, scenario.outage
    if over is Over.PLANNED and outage in (Outage.REGION, Outage.GREY, Outage.GREY_DEAD):
        return "the source's ARM does not answer: no machine can be stopped first (S43)"
    if over is Over.PLANNED and outage is Outage.DATA_PLANE:
        return "nothing gets out of the region: what machines have not shipped is lost"
    if over is not Over.PLANNED and outage in ON_PURPOSE and answer_of(scenario, design) is Answer.MOVE:
        return "machines can be stopped first, and then nothing is lost (planned)"
    return None


def _one_circuit_holds_one_network(scenario: Scenario, design: Design) -> Reason:
    # What farshore.yaml says of its link the assessment and the proof judge; what a scenario asks for is judged here.
    if scenario.posture not in (None, Link.COLD) and design.project.keep_addresses and design.one_circuit:
        return "one circuit can't hold two networks of the same addresses (D60): the target's link is cold"
    return None


def _nothing_ahead_is_cold(scenario: Scenario, design: Design) -> Reason:
    if scenario.ahead is Ahead.NOTHING and scenario.posture not in (None, Link.COLD):
        return "where nothing is provisioned ahead the target has no connection: its link is cold"
    return None


def _site_recovery_was_there(scenario: Scenario, design: Design) -> Reason:
    if scenario.ahead is not Ahead.SITE_RECOVERY:
        return None
    for machine in design.machines:
        subnet = machine.cards[0].configuration.subnet
        replicated = design.recovery.protecting(machine.id) is not None
        if replicated and subnet is not None and subnet.parent and design.counterparts.exists(subnet.parent):
            return None
    return (
        "no machine is replicated yet, so that Site Recovery has made no network (S31): enable replication and read"
        " the estate again; farshore exercise does it as the portal does"
    )


def _a_path_to_drill(scenario: Scenario, design: Design) -> Reason:
    return path_drill.why_not(design) if scenario.drill is Drill.PATH else None


_RULES: tuple[Callable[[Scenario, Design], Reason], ...] = (
    _something_is_taken,
    _a_zone_is_a_part,
    _another_circuit,
    _machines_move,
    _how_a_region_returns,
    _some_go_home,
    _what_can_be_stopped,
    _one_circuit_holds_one_network,
    _nothing_ahead_is_cold,
    _site_recovery_was_there,
    _a_path_to_drill,
)
