"""`farshore lab fault`: what can be taken away and given back, now or at a time of the lab.

    farshore lab fault                                     what is broken, and what is planned
    farshore lab fault region eastasia lost --in 10m
    farshore lab fault circuit-link er-hongkong primary down
    farshore lab fault clear

Things are called by name or id; the lab is asked for the id. The kinds are those of `lab/faults.py`, in the same
words: what is refused there is refused here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import click

from farshore.cli.app import App, common
from farshore.cli.moments import DURATION, INSTANT
from farshore.errors import InputError

STATE = click.Choice(["down", "up"])
ELEMENTS = {
    "circuit": "A circuit, both links.",
    "gateway": "A virtual network gateway, all instances.",
    "connection": "A connection between gateway and circuit.",
    "nic": "A network interface.",
    "appliance": "An appliance, by its network interface.",
    "machine": "A machine with all its interfaces.",
}
TYPES = {
    "circuit": ("Microsoft.Network/expressRouteCircuits",),
    "circuit-link": ("Microsoft.Network/expressRouteCircuits",),
    "gateway": ("Microsoft.Network/virtualNetworkGateways",),
    "gateway-instance": ("Microsoft.Network/virtualNetworkGateways",),
    "connection": ("Microsoft.Network/connections",),
    "nic": ("Microsoft.Network/networkInterfaces",),
    "appliance": (
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Network/azureFirewalls",
    ),
    "machine": ("Microsoft.Compute/virtualMachines",),
}


@click.group("fault", invoke_without_command=True)
@common
@click.pass_context
def command(ctx: click.Context, app: App) -> None:
    """Break things in the lab, and mend them. Without a kind: what is broken and what is planned."""
    if ctx.invoked_subcommand is None:
        _answer(app, None)


def _kind(name: str, help_: str) -> Callable[[Callable[..., None]], click.Command]:
    """A kind of fault: a verb with the options that all kinds share."""

    def made(function: Callable[..., None]) -> click.Command:
        timed = click.option("--at", type=INSTANT, default=None, help="When, in the lab's time (UTC).")(function)
        timed = click.option("--in", "in_", type=DURATION, default=None, help="How long from now, in the lab's time.")(
            timed
        )
        return command.command(name, help=help_)(common(timed))

    return made


@command.command("list")
@common
def listed(app: App) -> None:
    """What is broken and what is planned."""
    _answer(app, None)


@_kind("region", "A whole region, lost at once; ARM, gateways and machines return each in its own time.")
@click.argument("region")
@click.argument("state", type=click.Choice(["lost", "returned"]))
def region_fault(app: App, region: str, state: str, **when: Any) -> None:
    from farshore.arm.regions import known_region

    _answer(app, {"kind": "region", "region": known_region(region), "state": state}, **when)


@_kind("location", "A peering location: every circuit that ends there.")
@click.argument("location")
@click.argument("state", type=STATE)
def location_fault(app: App, location: str, state: str, **when: Any) -> None:
    _answer(app, {"kind": "location", "location": location, "state": state}, **when)


@_kind("circuit-link", "One of a circuit's two links.")
@click.argument("circuit")
@click.argument("link", type=click.Choice(["primary", "secondary"]))
@click.argument("state", type=STATE)
def link_fault(app: App, circuit: str, link: str, state: str, **when: Any) -> None:
    _answer(app, {"kind": "circuit-link", "id": circuit, "link": link, "state": state}, **when)


@_kind("gateway-instance", "One of a gateway's two instances.")
@click.argument("gateway")
@click.argument("instance", type=click.Choice(["0", "1"]))
@click.argument("state", type=STATE)
def instance_fault(app: App, gateway: str, instance: str, state: str, **when: Any) -> None:
    _answer(app, {"kind": "gateway-instance", "id": gateway, "instance": int(instance), "state": state}, **when)


@_kind("router", "A site's router.")
@click.argument("site")
@click.argument("router")
@click.argument("state", type=STATE)
def router_fault(app: App, site: str, router: str, state: str, **when: Any) -> None:
    _answer(app, {"kind": "router", "site": site, "router": router, "state": state}, **when)


@_kind("site-deaf", "A site, or one router of it, that says done and does nothing.")
@click.argument("site")
@click.argument("router", required=False)
@click.option("--over", is_flag=True, help="It listens again.")
def deaf_fault(app: App, site: str, router: str | None, over: bool, **when: Any) -> None:
    _answer(app, {"kind": "site-deaf", "site": site, "router": router, "state": "up" if over else "down"}, **when)


@_kind("throttle", "Every call is answered 429 for a while.")
@click.argument("length", type=DURATION)
def throttle_fault(app: App, length: timedelta, **when: Any) -> None:
    _answer(app, {"kind": "throttle", "seconds": length.total_seconds()}, **when)


METHOD = click.option(
    "--method", type=click.Choice(["GET", "PUT", "PATCH", "POST", "DELETE"]), help="Only this method."
)
PATH = click.option("--path", default="", help="Only where the URL holds this text.")
COUNT = click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many answers.")


@_kind("reply-lost", "A call takes effect and nobody hears of it.")
@METHOD
@PATH
@COUNT
def lost_fault(app: App, method: str | None, path: str, count: int, **when: Any) -> None:
    _answer(app, {"kind": "reply-lost", "method": method, "path": path, "count": count}, **when)


@_kind("late-answer", "An answer comes late.")
@click.argument("length", type=DURATION)
@METHOD
@PATH
@COUNT
def late_fault(app: App, length: timedelta, method: str | None, path: str, count: int, **when: Any) -> None:
    fault = {"kind": "late-answer", "method": method, "path": path, "count": count, "seconds": length.total_seconds()}
    _answer(app, fault, **when)


@_kind("clear", "Mend everything and plan nothing; a lost region returns in its own time.")
def cleared(app: App, **when: Any) -> None:
    _answer(app, {"kind": "clear"}, **when)


def _element(kind: str, help_: str) -> None:
    @_kind(kind, help_)
    @click.argument("name")
    @click.argument("state", type=STATE)
    def made(app: App, name: str, state: str, **when: Any) -> None:
        _answer(app, {"kind": kind, "id": name, "state": state}, **when)


for _name, _help in ELEMENTS.items():
    _element(_name, _help)


def _answer(
    app: App, fault: dict[str, Any] | None, *, at: datetime | None = None, in_: timedelta | None = None
) -> None:
    """Make the fault, where there is one to make, and show what is broken now."""
    import asyncio

    from farshore.cli.lab_beside import lab_folder, once_free
    from farshore.cli.views.lab import faults_text

    if at is not None and in_ is not None:
        raise InputError("A fault comes at one time", expected="--at or --in, not both")
    shown = once_free(app, lambda: asyncio.run(_ask(lab_folder(app), fault, at, in_)))
    app.view.answer(shown, faults_text(shown))


async def _ask(folder: Any, fault: dict[str, Any] | None, at: datetime | None, in_: timedelta | None) -> dict[str, Any]:
    from farshore.cli.lab_beside import beside_the_lab
    from farshore.times import moment, stamp

    async with beside_the_lab(folder) as stage:
        handles = stage.handles
        if fault is None:
            found: dict[str, Any] = await handles.get("faults")
            return found
        fault = dict(fault)
        if "id" in fault:
            fault["id"] = await _id_of(stage.client, str(fault["id"]), TYPES[str(fault["kind"])])
        now = moment((await handles.get("clock"))["now"]) if at is not None or in_ is not None else None
        if now is not None:
            due = at if at is not None else now + (in_ or timedelta())
            if due < now:
                raise InputError("This is past in the lab", value=stamp(due), expected=f"a time after {stamp(now)}")
            fault["at"] = stamp(due)
        found = await handles.post("faults", fault)
        return found


async def _id_of(client: Any, text: str, types: tuple[str, ...]) -> str:
    """The id of what is called so among the lab's resources of these types; an id is left as it is."""
    if text.startswith("/subscriptions/"):
        return text
    wanted = {type_.lower() for type_ in types}
    rows: list[dict[str, Any]] = []
    for subscription in await client.list_all("/subscriptions?api-version=2022-12-01"):
        rows += await client.list_all(f"{subscription['id']}/resources?api-version=2021-04-01")
    rows = [row for row in rows if str(row.get("type", "")).lower() in wanted]
    matches = [str(row["id"]) for row in rows if str(row["name"]).lower() == text.lower()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise InputError(
            f"{len(matches)} things in the lab are called {text}", value=text, expected=" or ".join(matches)
        )
    import difflib

    names = sorted({str(row["name"]) for row in rows})
    near = difflib.get_close_matches(text, names, n=1)
    raise InputError(
        f"The lab has nothing called {text} among its {' or '.join(t.rsplit('/', 1)[-1] for t in types)}",
        value=text,
        expected=f"one of {', '.join(names[:12]) or 'none: it holds no such thing'}",
        remedy=f"did you mean {near[0]}?" if near else None,
    )
