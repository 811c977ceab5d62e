"""`farshore routes`: the table of a NIC or subnet, or what a gateway or circuit learned and advertises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from farshore.cli.app import App, common
from farshore.cli.failing import fail_option, failed
from farshore.cli.views.routes import choice_as_json, route_as_json

if TYPE_CHECKING:
    from farshore.arm.ids import ResourceId
    from farshore.estate.estate import Estate


EFFECTIVE = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/virtualNetworks/subnets",
)
SPEAKERS = (
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Network/expressRouteCircuits",
    "Microsoft.Network/virtualHubs",
)


@click.command("routes")
@click.argument("of")
@click.option("--learned", is_flag=True, help="What a gateway or circuit heard by BGP.")
@click.option("--advertised", is_flag=True, help="What a gateway or circuit says by BGP.")
@click.option("--to", "address", default=None, help="Only the choice for this address, with what was passed over.")
@fail_option
@common
def command(app: App, of: str, learned: bool, advertised: bool, address: str | None, names: tuple[str, ...]) -> None:
    """Routes of OF, by name or id: of a machine, NIC or subnet (network/subnet) the effective ones; of a gateway,
    Route Server or circuit what it learned or advertises by BGP."""
    from farshore.cli.endpoints import address_of, resource_named
    from farshore.cli.readings import as_seen
    from farshore.cli.views.lines import shown
    from farshore.errors import InputError
    from farshore.routing import advertised_routes, describe, effective_routes, learned_routes, select

    if learned and advertised:
        raise InputError(
            "These are two tables",
            value="--learned --advertised",
            expected="one of the two",
            remedy="ask for one after the other",
        )
    if (learned or advertised) and address is not None:
        raise InputError(
            "A BGP table chooses nothing",
            value="--to",
            expected="--to with a machine, NIC or subnet, whose table chooses by address",
            remedy="leave --to out",
        )
    estate, said = as_seen(app)
    app.view.progress(said)
    estate = failed(estate, names)
    if learned or advertised:
        id_ = resource_named(estate, of, SPEAKERS, EFFECTIVE, "leave out --learned and --advertised")
        what = "learned" if learned else "advertised"
        bgp = learned_routes(estate, id_) if learned else advertised_routes(estate, id_)
        rows: list[dict[str, Any]] = [
            {
                "network": str(row.network),
                "nextHop": None if row.next_hop is None else str(row.next_hop),
                "asPath": "-".join(str(number) for number in row.as_path),
                "weight": row.weight,
            }
            for row in bgp
        ]
        app.view.answer({"id": id_.text, what: rows, **_unread(estate, id_)}, shown(describe(bgp) + _note(estate, id_)))
        return
    id_ = resource_named(estate, of, EFFECTIVE, SPEAKERS, "say --learned or --advertised")
    machine = estate.virtual_machine(id_)
    if machine is not None and machine.network_interfaces:
        id_ = machine.network_interfaces[0]
    table = effective_routes(estate, id_)
    if address is not None:
        choice = select(table, address_of(address))
        document = {"id": id_.text, "to": address, **choice_as_json(choice), **_unread(estate, id_)}
        app.view.answer(document, shown(describe(choice) + _note(estate, id_)))
        return
    rows = [route_as_json(route) for route in table]
    app.view.answer(
        {"id": id_.text, "value": rows, **_unread(estate, id_)}, shown(describe(table) + _note(estate, id_))
    )


def _unread(estate: Estate, id_: ResourceId) -> dict[str, list[str]]:
    """What the table hangs on and nobody can read; nothing where everything can be."""
    from farshore.routing import unread

    missing = unread(estate, id_)
    return {"unread": list(missing)} if missing else {}


def _note(estate: Estate, id_: ResourceId) -> str:
    missing = _unread(estate, id_).get("unread", [])
    lines = "".join(f"\n  {text}" for text in missing)
    return f"\nThat is as far as can be read. It hangs on what can't be:{lines}" if missing else ""
