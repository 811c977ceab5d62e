"""plan.json: a plan as JSON and back, exactly (its shape: docs/reference/schemas.md).

A plan that people edit is not bad input for that: steps may be removed or put in another order, and are proven as
they stand. The file holds, beside the steps, `order`: what each step came after when the plan was written. So where a
step was removed and others still name it in their `after`, they come after what it came after; a step that the file
has never heard of is dropped from `after`. Bad input is a shape that is no plan, one step twice, a cycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from farshore.arm.json import fingerprint
from farshore.errors import InputError
from farshore.estate.project import Asymmetry, Objective
from farshore.plan.carried.file import carried_as_json, carried_from, name_as_json, name_from
from farshore.plan.drift import check_against
from farshore.plan.effects_file import effect_as_json, effect_from
from farshore.plan.model import (
    FORMAT,
    Action,
    Event,
    Obligation,
    Phase,
    Plan,
    PlannedMachine,
    Remains,
    Shore,
    Step,
    StepKind,
    order,
)
from farshore.plan.place import Place

__all__ = ["check_against", "plan_as_json", "plan_digest", "plan_from_json", "without_steps"]


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """The plan as a JSON value."""
    return {
        "format": plan.format,
        "estate": plan.estate,
        "scenario": plan.scenario,
        "topology": plan.topology,
        "source_region": plan.source_region,
        "target_region": plan.target_region,
        "predicted_recovery_seconds": dict(plan.predicted_recovery_seconds),
        "steps": [_step_as_json(step) for step in plan.steps],
        "events": [_event_as_json(event) for event in plan.events],
        "obligations": [_obligation_as_json(item) for item in plan.obligations],
        "machines": [_machine_as_json(machine) for machine in plan.machines],
        "objectives": [_objective_as_json(objective) for objective in plan.objectives],
        "order": {node.id: list(node.after) for nodes in (plan.steps, plan.events) for node in nodes},
        "made_from": dict(plan.made_from),
        "carried": [carried_as_json(row) for row in plan.carried],
        "names": [name_as_json(change) for change in plan.names],
        **({"remains": [{"id": row.id, "why": row.why} for row in plan.remains]} if plan.remains else {}),
    }


def plan_digest(plan: Plan) -> str:
    """A digest of everything that the plan says: what ties a run to it."""
    return fingerprint(plan_as_json(plan))


def without_steps(plan: Plan, *step_ids: str) -> Plan:
    """The plan as it stands when steps are removed by hand; what came after them comes after what they came after."""
    document = plan_as_json(plan)
    document["steps"] = [step for step in document["steps"] if step["id"] not in step_ids]
    return plan_from_json(document)


def plan_from_json(document: Any, *, file: str = "plan.json") -> Plan:
    """The plan of a JSON value; raises `InputError` that names the place."""
    if not isinstance(document, dict):
        raise InputError(
            "This is no plan",
            file=file,
            value="a list" if isinstance(document, list) else str(document)[:80],
            expected="an object with steps",
            remedy="`farshore plan --out FILE` writes a plan",
        )
    root = Place(document, "", file)
    form = root.at("format")
    if form.value != FORMAT or isinstance(form.value, bool):
        form.fail("this format is not known", str(FORMAT), "make the plan again with this version's `farshore plan`")
    steps = root.at("steps").each(_step_from)
    events = () if (there := root.maybe("events")) is None else there.each(_event_from)
    steps, events = _mended(steps, events, _order_from(root.maybe("order")))
    predicted = root.maybe("predicted_recovery_seconds")
    made_from = root.maybe("made_from")
    try:
        return Plan(
            estate=root.at("estate").text(),
            scenario=root.at("scenario").text(),
            topology=_text(root, "topology"),
            source_region=_text(root, "source_region"),
            target_region=_text(root, "target_region"),
            steps=steps,
            events=events,
            obligations=root.at("obligations").each(_obligation_from),
            machines=() if (there := root.maybe("machines")) is None else there.each(_machine_from),
            objectives=() if (there := root.maybe("objectives")) is None else there.each(_objective_from),
            predicted_recovery_seconds={} if predicted is None else _numbers(predicted),
            made_from={} if made_from is None else {key: str(value) for key, value in made_from.mapping().items()},
            carried=() if (there := root.maybe("carried")) is None else there.each(carried_from),
            names=() if (there := root.maybe("names")) is None else there.each(name_from),
            remains=() if (there := root.maybe("remains")) is None else there.each(_remains_from),
        )
    except InputError as error:
        raise error.at(file) from None


# What was removed by hand. -----------------------------------------------------------------------------------------


def _mended(
    steps: tuple[Step, ...], events: tuple[Event, ...], was: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[Step, ...], tuple[Event, ...]]:
    """The same nodes without names of removed ones in `after`. See the theory above."""
    here = {node.id for nodes in (steps, events) for node in nodes}
    if all(before in here for nodes in (steps, events) for node in nodes for before in node.after):
        return steps, events

    def standing(after: tuple[str, ...]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        waiting, seen = list(reversed(after)), set[str]()
        while waiting:
            id_ = waiting.pop()
            if id_ in here:
                found[id_] = None
            elif id_ not in seen:
                seen.add(id_)
                waiting += reversed(was.get(id_, ()))
        return tuple(found)

    mended = (
        tuple(replace(step, after=standing(step.after)) for step in steps),
        tuple(replace(event, after=standing(event.after)) for event in events),
    )
    try:
        order(*mended)
    except InputError:
        # What a removed step came after can contradict an order that was written by hand; the hand wins.
        def dropped(after: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(id_ for id_ in after if id_ in here)

        return (
            tuple(replace(step, after=dropped(step.after)) for step in steps),
            tuple(replace(event, after=dropped(event.after)) for event in events),
        )
    return mended


def _order_from(place: Place | None) -> dict[str, tuple[str, ...]]:
    if place is None:
        return {}
    return {key: place.at(key).texts() for key in place.mapping()}


# Steps and events. -------------------------------------------------------------------------------------------------


def _step_as_json(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "kind": step.kind.value,
        "phase": step.phase.value,
        "letter": step.letter,
        "title": step.title,
        "subject": step.subject,
        "after": list(step.after),
        "expected_duration_seconds": _seconds(step.expected_duration),
        "duration_source": step.duration_source,
        "may_fail": step.may_fail,
        "obligation": step.obligation,
        "action": {"verb": step.action.verb, "arguments": dict(step.action.arguments)},
        "effects": [effect_as_json(effect) for effect in step.effects],
    }


def _step_from(place: Place) -> Step:
    action = place.at("action")
    duration = place.at("expected_duration_seconds")
    if duration.number() < 0:
        duration.fail("a duration is not negative", "seconds")
    letter = place.maybe("letter")
    if letter is not None and letter.text() not in ("a", "b", "c", "d"):
        letter.fail("this is none of the article's letters", "a, b, c, d or null")
    obligation = place.maybe("obligation")
    return Step(
        id=_id(place),
        kind=place.at("kind").member(StepKind),
        phase=place.at("phase").member(Phase),
        title=_text(place, "title"),
        subject=place.at("subject").text(),
        action=Action(verb=action.at("verb").text(), arguments=action.at("arguments").mapping()),
        after=place.at("after").texts(),
        expected_duration=timedelta(seconds=duration.number()),
        duration_source=_text(place, "duration_source"),
        letter=None if letter is None else letter.text(),
        effects=() if (there := place.maybe("effects")) is None else there.each(effect_from),
        may_fail=False if (there := place.maybe("may_fail")) is None else there.flag(),
        obligation=None if obligation is None else obligation.text(),
    )


def _event_as_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "title": event.title,
        "after": list(event.after),
        "effects": [effect_as_json(effect) for effect in event.effects],
    }


def _event_from(place: Place) -> Event:
    return Event(
        id=_id(place),
        title=_text(place, "title"),
        after=place.at("after").texts(),
        effects=() if (there := place.maybe("effects")) is None else there.each(effect_from),
    )


def _obligation_as_json(item: Obligation) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "because": item.because,
        "discharged_by": list(item.discharged_by),
        "source": list(item.source),
        **({"standing": True} if item.standing else {}),
    }


def _obligation_from(place: Place) -> Obligation:
    return Obligation(
        id=_id(place),
        title=_text(place, "title"),
        because=_text(place, "because"),
        discharged_by=() if (there := place.maybe("discharged_by")) is None else there.texts(),
        source=() if (there := place.maybe("source")) is None else there.texts(),
        standing=False if (there := place.maybe("standing")) is None else there.flag(),
    )


# Machines and objectives. ------------------------------------------------------------------------------------------


def _machine_as_json(machine: PlannedMachine) -> dict[str, Any]:
    return {
        "id": machine.id.text,
        "nic": machine.nic.text,
        "address": machine.address,
        "target_id": machine.target_id.text,
        "target_nic": machine.target_nic.text,
        "target_address": machine.target_address,
        "item": machine.item.text,
        "reverse_item": machine.reverse_item.text,
        "managed": machine.managed,
        "boot_group": machine.boot_group,
        **({} if machine.at is Shore.HOME else {"at": machine.at.value}),
        **({} if machine.settled else {"settled": False}),
    }


def _machine_from(place: Place) -> PlannedMachine:
    return PlannedMachine(
        id=place.at("id").id(),
        nic=place.at("nic").id(),
        address=place.at("address").text(),
        target_id=place.at("target_id").id(),
        target_nic=place.at("target_nic").id(),
        target_address=place.at("target_address").text(),
        item=place.at("item").id(),
        reverse_item=place.at("reverse_item").id(),
        managed=place.at("managed").flag(),
        boot_group=place.at("boot_group").whole(),
        at=Shore.HOME if (there := place.maybe("at")) is None else there.member(Shore),
        settled=True if (there := place.maybe("settled")) is None else there.flag(),
    )


def _remains_from(place: Place) -> Remains:
    return Remains(id=place.at("id").text(), why=place.at("why").text())


def _objective_as_json(objective: Objective) -> dict[str, Any]:
    return {
        "name": objective.name,
        "from": objective.from_,
        "to": objective.to,
        "ports": list(objective.ports),
        "through": objective.through,
        "deny": objective.deny,
        "recovery_time_seconds": _seconds(objective.recovery_time),
        "recovery_point_seconds": _seconds(objective.recovery_point),
        "survive": list(objective.survive),
        "asymmetry": objective.asymmetry.value,
        "derived": objective.derived,
    }


def _objective_from(place: Place) -> Objective:
    through, asymmetry = place.maybe("through"), place.maybe("asymmetry")
    return Objective(
        name=place.at("name").text(),
        from_=place.at("from").text(),
        to=place.at("to").text(),
        ports=place.at("ports").texts(),
        through=None if through is None else through.text(),
        deny=place.at("deny").flag(),
        recovery_time=timedelta(seconds=place.at("recovery_time_seconds").number()),
        recovery_point=timedelta(seconds=place.at("recovery_point_seconds").number()),
        survive=place.at("survive").texts(),
        asymmetry=Asymmetry.STATELESS if asymmetry is None else asymmetry.member(Asymmetry),
        derived=place.at("derived").flag(),
    )


def _id(place: Place) -> str:
    found = place.at("id")
    if not found.text().strip():
        found.fail("an id is not empty", "an id")
    return found.text()


def _text(place: Place, key: str) -> str:
    found = place.maybe(key)
    return "" if found is None else found.text()


def _numbers(place: Place) -> dict[str, float]:
    return {key: place.at(key).number() for key in place.mapping()}


def _seconds(duration: timedelta) -> int | float:
    seconds = duration.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
