"""Making and changing the estate."""

from __future__ import annotations

import copy
import json
from typing import Any

from farshore import examples
from farshore.arm.ids import resource_id
from farshore.estate.estate import Change
from scenarios.session import Session

_COPIED = (
    "microsoft.network/virtualnetworks",
    "microsoft.network/routetables",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/networkinterfaces",
    "microsoft.network/virtualnetworkgateways",
    "microsoft.compute/virtualmachines",
)


def example(session: Session, words: list[str]) -> str:
    """`example NAME`: one of the examples, with its sites."""
    _, session.estate = examples.read(words[0])
    sites = [
        f"{site.name}: {', '.join(f'{r.name} on {r.circuit.name}' for r in site.routers)}"
        for site in session.estate.sites
    ]
    return "\n".join([f"{len(session.estate.resources)} resources", *sites])


def mirror(session: Session, words: list[str]) -> str:
    """`mirror REGION CIRCUIT [TEXT=TEXT...]`: the same network in another region, connected to a circuit; the
    replacements are of addresses, none means the same ones."""
    region, circuit, *replaced = words
    bodies = [body for key, body in session.estate.resources.items() if resource_id(key).type.lower() in _COPIED]
    renamed = {str(body["id"]): f"{_in_target(str(body['id']))}-asr" for body in bodies}
    text = json.dumps(bodies)
    for old, new in sorted(renamed.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(f'"{old}"', f'"{new}"').replace(f'"{old}/', f'"{new}/')
    for word in replaced:
        old, _, new = word.partition("=")
        text = text.replace(f'"{old}', f'"{new}')
    made = json.loads(text)
    for body in made:
        body["location"] = region
        body["name"] = resource_id(body["id"]).name
    session.put(*made)
    gateway = next(body for body in made if "/virtualNetworkGateways/" in body["id"])
    session.put(
        {
            "id": f"{gateway['id'].rsplit('/', 2)[0]}/connections/cn-target",
            "location": region,
            "properties": {
                "connectionType": "ExpressRoute",
                "virtualNetworkGateway1": {"id": gateway["id"]},
                "peer": {"id": session.id_of(circuit).text},
                "routingWeight": 0,
                "provisioningState": "Succeeded",
            },
        }
    )
    return f"{len(made) + 1} resources in {region}, connected to {circuit}"


def _in_target(id_: str) -> str:
    parts = id_.split("/")
    parts[4] = "rg-target"
    return "/".join(parts)


def delete(session: Session, words: list[str]) -> str:
    """`delete NAME...`"""
    session.estate = session.estate.with_changes([Change(delete=session.id_of(name)) for name in words])
    return "gone"


def change(session: Session, words: list[str]) -> str:
    """`change NAME PATH VALUE`: one property of a resource, VALUE being JSON; a path step in brackets names a child."""
    name, path, value = words[0], words[1].split("."), json.loads(" ".join(words[2:]))
    body = copy.deepcopy(session.estate.resources[session.id_of(name).key])
    place: Any = body["properties"]
    for step in path[:-1]:
        place = _step(place, step)
    place[path[-1]] = value
    session.put(body)
    return "done"


def _step(place: Any, step: str) -> Any:
    """`subnets[app]` is the properties of the child of that name."""
    if step.endswith("]"):
        kind, _, child = step[:-1].partition("[")
        return next(item for item in place[kind] if item["name"].lower() == child.lower())["properties"]
    return place.setdefault(step, {})


def connect(session: Session, words: list[str]) -> str:
    """`connect GATEWAY CIRCUIT`: a connection more."""
    gateway, circuit = map(session.id_of, words)
    session.put(
        {
            "id": f"{gateway.text.rsplit('/', 2)[0]}/connections/cn-{gateway.name}-{circuit.name}",
            "location": session.estate.resources[gateway.key]["location"],
            "properties": {
                "connectionType": "ExpressRoute",
                "virtualNetworkGateway1": {"id": gateway.text},
                "peer": {"id": circuit.text},
                "routingWeight": 0,
                "provisioningState": "Succeeded",
            },
        }
    )
    return f"{gateway.name} is connected to {circuit.name}"
