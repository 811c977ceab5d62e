"""Routes and choices as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farshore.routing import Choice, EffectiveRoute


def route_as_json(route: EffectiveRoute) -> dict[str, Any]:
    """Azure's own row (R9)."""
    return {
        "name": route.name,
        "source": route.source,
        "state": route.state,
        "addressPrefix": [str(route.address_prefix)],
        "nextHopType": route.next_hop_type,
        "nextHopIpAddress": [str(address) for address in route.next_hop_ip_addresses],
    }


def choice_as_json(choice: Choice) -> dict[str, Any]:
    """What was chosen, and what was passed over and why."""
    return {
        "chosen": None if choice.chosen is None else route_as_json(choice.chosen),
        "passedOver": [{**route_as_json(item.route), "because": item.reason} for item in choice.passed_over],
    }
