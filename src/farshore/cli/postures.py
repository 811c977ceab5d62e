"""Every posture of the target's link with every provisioning, side by side: what each gives and what each costs.

    cold, silent, armed  x  all ahead, the project's own list, nothing ahead

Each is a plan of its own, assessed, planned and proven as any other; one that makes no sense for the estate says why
and stays in the table. Nobody is advised here: the rows that meet an objective's recovery time are named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from farshore.assess import assess, resolve
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.project import Link, Objective
from farshore.plan.effects import start
from farshore.plan.graph import Recovered, finish_times, recoveries
from farshore.plan.make import designed, make_plan
from farshore.plan.meters import Meter, meters
from farshore.plan.model import DeleteResource, Phase, Plan
from farshore.plan.prices import Prices
from farshore.plan.scenario.scenario import Scenario, scenario_named
from farshore.plan.scenario.sensible import why_not
from farshore.plan.scenario.words import Ahead
from farshore.prove import Proof, prove

FORMAT = 1
PROVISIONING = {Ahead.ALL: "all ahead", Ahead.AS_SAID: "as farshore.yaml says", Ahead.NOTHING: "nothing ahead"}
UP_NEEDS_ALL = "a link that is up needs all that makes it safe (D85): the same as all ahead"


def postures_of(estate: Estate, scenario: str, prices: Prices | None) -> dict[str, Any]:
    """The answer (`farshore schema postures`). Raises `InputError` for a scenario that is none, or makes no sense here
    whatever the posture."""
    told = scenario_named(scenario)
    rows = [_row(estate, each, prices) for each in _asked(estate, told)]
    if all(row["why_not"] for row in rows):
        raise InputError(
            f"Scenario {told.name} makes no sense for this estate in any posture: {rows[0]['why_not']}",
            value=scenario,
            expected="a scenario that this estate can meet",
            remedy="farshore plan --scenario list lists the words",
        )
    objectives = [] if estate.project is None else _objectives(estate, rows)
    for row in rows:
        row.pop("_by_machine", None)
    return {
        "format": FORMAT,
        "scenario": told.name,
        "currency": None if prices is None else prices.currency,
        "rows": rows,
        "objectives": objectives,
    }


def all_meters(estate: Estate, scenario: str) -> tuple[Meter, ...]:
    """Every meter that some posture has standing."""
    found: dict[tuple[str, tuple[str | None, ...]], Meter] = {}
    for each in _asked(estate, scenario_named(scenario)):
        design = designed(estate, each)
        if why_not(each, design) is None:
            for meter in meters(make_plan(estate, None, each.name), design):
                found.setdefault((meter.kind, meter.key), meter)
    return tuple(found.values())


def _asked(estate: Estate, scenario: Scenario) -> Iterator[Scenario]:
    """The rows: the project's own list only where it is neither all nor nothing."""
    own = () if estate.project is None else estate.project.provision_ahead
    for link in Link:
        for ahead in PROVISIONING:
            if ahead is not Ahead.AS_SAID or (own and not {"all", "none"} & set(own)):
                yield replace(scenario, posture=link, ahead=ahead)


def _row(estate: Estate, scenario: Scenario, prices: Prices | None) -> dict[str, Any]:
    assert scenario.posture is not None
    row: dict[str, Any] = {
        "scenario": scenario.name,
        "posture": scenario.posture.value,
        "provisioning": PROVISIONING[scenario.ahead],
        "why_not": None,
        "recovery": None,
        "safe": None,
        "exposure": None,
        "standing": [],
        "cost": None,
    }
    design = designed(estate, scenario)
    reason = why_not(scenario, design)
    if reason is None and scenario.ahead is Ahead.AS_SAID and scenario.posture is not Link.COLD:
        reason = UP_NEEDS_ALL
    if reason is None:
        wrong = [finding for finding in assess(design.estate).findings if finding.severity == "error"]
        reason = f"{wrong[0].code}: {wrong[0].summary}" if wrong else None
    if reason is not None:
        return {**row, "why_not": reason}
    plan = make_plan(estate, None, scenario.name)
    proof = prove(design.estate, plan)
    standing = meters(plan, design)
    found = recoveries(plan)
    return {
        **row,
        "recovery": _recovery(plan, found),
        "safe": _safe(proof),
        "exposure": _exposure(plan, proof),
        "standing": [_standing(meter, prices) for meter in standing],
        "cost": _cost(standing, prices),
        "_by_machine": {item.machine: item.seconds for item in found},
    }


def _recovery(plan: Plan, found: tuple[Recovered, ...]) -> dict[str, Any] | None:
    """The slowest machine and each wave; of the chain behind the slowest, the step that takes longest."""
    if not found:
        return None
    slowest = max(found, key=lambda item: item.seconds)
    steps = [step for id_ in slowest.path.steps if (step := plan.step(id_)) is not None]
    decides = max(steps, key=lambda step: step.expected_duration)
    waves: dict[int, float] = {}
    for item in found:
        waves[item.boot_group] = max(waves.get(item.boot_group, 0.0), item.seconds)
    return {
        "seconds": slowest.seconds,
        "machine": next(m.id.text for m in plan.machines if m.id.key == slowest.machine),
        "waves": [{"boot_group": group, "seconds": waves[group]} for group in sorted(waves)],
        "decides": {
            "step": decides.id,
            "title": decides.title,
            "seconds": decides.expected_duration.total_seconds(),
            "source": decides.duration_source,
        },
        "path": list(slowest.path.steps),
    }


def _safe(proof: Proof) -> dict[str, Any]:
    first = next((item for item in proof.counterexamples if not item.exempt), None)
    return {
        "proven": proof.ok,
        "exhaustive": proof.exhaustive,
        "counterexample": None if first is None else first.summary,
    }


def _exposure(plan: Plan, proof: Proof) -> dict[str, Any]:
    singles = [item for item in proof.exposures if len(item.failed) == 1]
    exempt = next((item for item in proof.counterexamples if item.exempt), None)
    return {
        "single_failures": len({item.failed for item in singles}),
        "worst": {
            "failed": singles[0].failed[0],
            "phase": singles[0].phase,
            "machines": len(singles[0].machines),
            "noticed": singles[0].noticed,
        }
        if singles
        else None,
        "guard": None if exempt is None else {"summary": exempt.summary, "seconds": _guarded(plan)},
    }


def _guarded(plan: Plan) -> float | None:
    """From the return until the returned connection is gone (D63), as far as the plan expects it."""
    steps = plan.of_phase(Phase.RETURN)
    ends = finish_times(steps)
    gone = [ends[step.id] for step in steps if any(isinstance(effect, DeleteResource) for effect in step.effects)]
    return max(gone).total_seconds() if gone else None


def _standing(meter: Meter, prices: Prices | None) -> dict[str, Any]:
    return {
        "kind": meter.kind,
        "key": list(meter.key),
        "quantity": meter.quantity,
        "hours": meter.hours,
        "free": meter.free,
        "cost": None if prices is None else prices.of(meter),
    }


def _cost(standing: tuple[Meter, ...], prices: Prices | None) -> dict[str, Any] | None:
    """The month's sum of what has a price, and what has none."""
    if prices is None:
        return None
    each = [(meter, prices.of(meter)) for meter in standing]
    return {
        "month": round(sum(cost for _, cost in each if cost is not None), 2),
        "unknown": [named(meter.kind, meter.key) for meter, cost in each if cost is None],
    }


def named(kind: str, key: Any) -> str:
    """A meter as people and messages call it: `disk Premium_LRS 128`."""
    return " ".join([kind, *("of unknown kind" if part is None else str(part) for part in key)])


def _objectives(estate: Estate, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every objective that machines are reached by, with the rows whose slowest machine of it is in time."""
    row = next(row for row in rows if not row["why_not"])
    plan = make_plan(estate, None, row["scenario"])
    world = start(estate, plan).estate
    found = []
    for objective in plan.objectives:
        reached = _reached(objective, world)
        if not reached:
            continue
        limit = objective.recovery_time.total_seconds()
        told: dict[str, list[str]] = {"met_by": [], "missed_by": []}
        for each in rows:
            if each["why_not"]:
                continue
            times = [seconds for key, seconds in each["_by_machine"].items() if key in reached]
            told["missed_by" if times and max(times) > limit else "met_by"].append(each["scenario"])
        found.append({"name": objective.name, "recovery_time_seconds": limit, **told})
    return found


def _reached(objective: Objective, estate: Estate) -> set[str]:
    ends = () if objective.deny else (each.destination.machine for each in resolve(objective, estate))
    return {machine.key for machine in ends if machine is not None}
