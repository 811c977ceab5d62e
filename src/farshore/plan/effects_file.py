"""Effects as JSON: one object each, its kind under `effect`."""

from __future__ import annotations

from typing import Any

from farshore.estate.outside import Filter, Router
from farshore.plan.model import (
    DeleteResource,
    Effect,
    Lose,
    MachineState,
    Promise,
    PutResource,
    Restore,
    SetMachine,
    SetRouter,
    Suspend,
)
from farshore.plan.place import Place

KINDS = ("put", "delete", "router", "machine", "promise", "suspend", "lose", "restore")


def effect_as_json(effect: Effect) -> dict[str, Any]:
    match effect:
        case PutResource(body=body):
            return {"effect": "put", "body": body}
        case DeleteResource(id=id_):
            return {"effect": "delete", "id": id_.text}
        case SetRouter(site=site, router=router):
            return {"effect": "router", "site": site, "router": _router_as_json(router)}
        case SetMachine(id=id_, state=state):
            return {"effect": "machine", "id": id_.text, "state": state.value}
        case Promise(machine=machine, nic=nic):
            return {"effect": "promise", "machine": machine.text, "nic": nic.text}
        case Suspend(machine=machine):
            return {"effect": "suspend", "machine": machine.text}
        case Lose(elements=elements):
            return {"effect": "lose", "elements": list(elements)}
        case Restore(elements=elements):
            return {"effect": "restore", "elements": list(elements)}


def effect_from(place: Place) -> Effect:
    match place.at("effect").text():
        case "put":
            body = place.at("body")
            body.at("id").id()
            return PutResource(body=body.mapping())
        case "delete":
            return DeleteResource(id=place.at("id").id())
        case "router":
            return SetRouter(site=place.at("site").text(), router=_router_from(place.at("router")))
        case "machine":
            return SetMachine(id=place.at("id").id(), state=place.at("state").member(MachineState))
        case "promise":
            return Promise(machine=place.at("machine").id(), nic=place.at("nic").id())
        case "suspend":
            return Suspend(machine=place.at("machine").id())
        case "lose":
            return Lose(elements=place.at("elements").texts())
        case "restore":
            return Restore(elements=place.at("elements").texts())
        case _:
            place.at("effect").fail("this effect is not known", "one of " + ", ".join(KINDS))


def _router_as_json(router: Router) -> dict[str, Any]:
    return {
        "name": router.name,
        "circuit": router.circuit.text,
        "links": list(router.links),
        "local_preference": router.local_preference,
        "prepend": router.prepend,
        "med": router.med,
        "readvertise": [id_.text for id_ in router.readvertise],
        "filters": [
            {"direction": item.direction, "prefix": str(item.prefix), "action": item.action} for item in router.filters
        ],
    }


def _router_from(place: Place) -> Router:
    return Router(
        name=place.at("name").text(),
        circuit=place.at("circuit").id(),
        links=place.at("links").texts(),
        local_preference=place.at("local_preference").whole(),
        prepend=place.at("prepend").whole(),
        med=place.at("med").whole() if place.has("med") else 0,
        readvertise=place.at("readvertise").each(Place.id),
        filters=place.at("filters").each(_filter_from),
    )


def _filter_from(place: Place) -> Filter:
    return Filter(
        direction=place.at("direction").text(),
        prefix=place.at("prefix").network(),
        action=place.at("action").text(),
    )
