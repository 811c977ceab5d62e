"""The rows as JSON values and back, exactly."""

from __future__ import annotations

from typing import Any

from farshore.plan.carried.values import Carried, How, NameChange
from farshore.plan.place import Place


def carried_as_json(row: Carried) -> dict[str, Any]:
    return {
        "machine": None if row.machine is None else row.machine.text,
        "holder": row.holder,
        "path": row.path,
        "refers": row.refers,
        "how": row.how.value,
        "why": row.why,
        "instruction": row.instruction,
        "steps": list(row.steps),
    }


def carried_from(place: Place) -> Carried:
    machine, instruction = place.maybe("machine"), place.maybe("instruction")
    return Carried(
        machine=None if machine is None else machine.id(),
        holder=place.at("holder").text(),
        path=place.at("path").text(),
        refers=place.at("refers").text(),
        how=place.at("how").member(How),
        why=place.at("why").text(),
        instruction=None if instruction is None else instruction.text(),
        steps=() if (there := place.maybe("steps")) is None else there.texts(),
    )


def name_as_json(change: NameChange) -> dict[str, str]:
    return {
        "record": change.record,
        "type": change.type,
        "old": change.old,
        "new": change.new,
        "because": change.because,
        **({} if change.new_of is None else {"new_of": change.new_of}),
    }


def name_from(place: Place) -> NameChange:
    return NameChange(
        record=place.at("record").text(),
        type=place.at("type").text(),
        old=place.at("old").text(),
        new=place.at("new").text(),
        because=place.at("because").text(),
        new_of=None if (of := place.maybe("new_of")) is None else of.text(),
    )
