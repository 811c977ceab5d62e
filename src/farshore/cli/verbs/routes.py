"""`farshore routes`: the table of a NIC or subnet, or what a gateway or circuit learned and advertises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from farshore.cli.app import App, common

if TYPE_CHECKING:
    from farshore.arm.ids import ResourceId
    from farshore.estate.estate import Estate


@click.command("routes")
@click.argument("of")
@click.option("--learned", "what", flag_value="learned", help="What a gateway or circuit heard by BGP.")
@click.option("--advertised", "what", flag_value="advertised", help="What a gateway or circuit says by BGP.")
@click.option("--to", "address", default=None, help="Only the choice for this address, with what was passed over.")
@common
def command(app: App, of: str, what: str | None, address: str | None) -> None:
    """Routes of OF: a machine, NIC, subnet (network/subnet), gateway or circuit, by name or id."""
    from farshore.cli.endpoints import resource_named
    from farshore.cli.readings import as_seen
    from farshore.routing import advertised_routes, describe, effective_routes, learned_routes, select

    estate, said = as_seen(app)
    app.view.progress(said)
    if what is not None:
        id_ = resource_named(
            estate, of, ("Microsoft.Network/virtualNetworkGateways", "Microsoft.Network/expressRouteCircuits")
        )
        bgp = learned_routes(estate, id_) if what == "learned" else advertised_routes(estate, id_)
        rows: list[dict[str, Any]] = [
            {
                "network": str(row.network),
                "nextHop": None if row.next_hop is None else str(row.next_hop),
                "asPath": "-".join(str(number) for number in row.as_path),
                "weight": row.weight,
            }
            for row in bgp
        ]
        app.view.answer({"id": id_.text, what: rows, **_unread(estate, id_)}, describe(bgp) + _note(estate, id_))
        return
    id_ = resource_named(
        estate,
        of,
        (
            "Microsoft.Compute/virtualMachines",
            "Microsoft.Network/networkInterfaces",
            "Microsoft.Network/virtualNetworks/subnets",
        ),
    )
    machine = estate.virtual_machine(id_)
    if machine is not None and machine.network_interfaces:
        id_ = machine.network_interfaces[0]
    table = effective_routes(estate, id_)
    if address is not None:
        from ipaddress import ip_address

        from farshore.errors import InputError

        try:
            wanted = ip_address(address)
        except ValueError:
            raise InputError("This is not an address", value=address, expected="an address like 10.1.0.4") from None
        choice = select(table, wanted)
        chosen = None if choice.chosen is None else _row(choice.chosen)
        passed = [{**_row(item.route), "because": item.reason} for item in choice.passed_over]
        shown = {"id": id_.text, "to": address, "chosen": chosen, "passedOver": passed, **_unread(estate, id_)}
        app.view.answer(shown, describe(choice) + _note(estate, id_))
        return
    rows = [_row(route) for route in table]
    app.view.answer({"id": id_.text, "value": rows, **_unread(estate, id_)}, describe(table) + _note(estate, id_))


def _unread(estate: Estate, id_: ResourceId) -> dict[str, list[str]]:
    """What the table hangs on and nobody can read; nothing where everything can be."""
    from farshore.routing import unread

    missing = unread(estate, id_)
    return {"unread": list(missing)} if missing else {}


def _note(estate: Estate, id_: ResourceId) -> str:
    missing = _unread(estate, id_).get("unread", [])
    lines = "".join(f"\n  {text}" for text in missing)
    return f"\nThat is as far as can be read. It hangs on what can't be:{lines}" if missing else ""


def _row(route: Any) -> dict[str, Any]:
    """Azure's own row (R9)."""
    return {
        "name": route.name,
        "source": route.source,
        "state": route.state,
        "addressPrefix": [str(route.address_prefix)],
        "nextHopType": route.next_hop_type,
        "nextHopIpAddress": [str(address) for address in route.next_hop_ip_addresses],
    }
