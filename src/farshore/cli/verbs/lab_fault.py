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
    "replication": ("Microsoft.Compute/virtualMachines",),
    "churn": ("Microsoft.Compute/virtualMachines",),
    "edit": (),
}
"""What a name may be of; an edit's may be of anything."""


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
        timed = click.option(
            "--in", "--after", "in_", type=DURATION, default=None, help="How long from now, in the lab's time."
        )(timed)
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


@_kind("control-plane", "Half of a lost region: its ARM is silent, everything there goes on working.")
@click.argument("region")
@click.argument("state", type=STATE)
def control_fault(app: App, region: str, state: str, **when: Any) -> None:
    _half(app, "control-plane", region, state, **when)


@_kind("data-plane", "The other half: its ARM answers, no packet passes.")
@click.argument("region")
@click.argument("state", type=STATE)
def data_fault(app: App, region: str, state: str, **when: Any) -> None:
    _half(app, "data-plane", region, state, **when)


def _half(app: App, kind: str, region: str, state: str, **when: Any) -> None:
    from farshore.arm.regions import known_region

    _answer(app, {"kind": kind, "region": known_region(region), "state": state}, **when)


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


@_kind("no-answer", "A call never arrives: no effect, and no answer.")
@METHOD
@PATH
@COUNT
def silent_fault(app: App, method: str | None, path: str, count: int, **when: Any) -> None:
    _answer(app, {"kind": "no-answer", "method": method, "path": path, "count": count}, **when)


@_kind("twice", "A call arrives twice, as when a proxy tries again; the second answer is heard.")
@METHOD
@PATH
@COUNT
def twice_fault(app: App, method: str | None, path: str, count: int, **when: Any) -> None:
    _answer(app, {"kind": "twice", "method": method, "path": path, "count": count}, **when)


MESSAGE = click.option("--message", default=None, help="What the error says.")


@_kind("refuse", "A call is answered with an error, and has no effect.")
@click.argument("code")
@click.option("--status", type=click.IntRange(400, 599), default=500, show_default=True, help="HTTP status.")
@MESSAGE
@METHOD
@PATH
@COUNT
def refuse_fault(
    app: App, code: str, status: int, message: str | None, method: str | None, path: str, count: int, **when: Any
) -> None:
    fault = {"kind": "refuse", "code": code, "status": status, "method": method, "path": path, "count": count}
    _answer(app, fault | ({} if message is None else {"message": message}), **when)


VERB = click.option("--verb", default=None, help="Only operations of this kind: put, delete, or an action's name.")
RESOURCE = click.option("--path", default="", help="Only where the resource's id holds this text.")


@_kind("fail-operation", "An operation ends Failed, with this code.")
@click.argument("code")
@MESSAGE
@VERB
@RESOURCE
@COUNT
def failing_fault(
    app: App, code: str, message: str | None, verb: str | None, path: str, count: int, **when: Any
) -> None:
    fault = {"kind": "fail-operation", "code": code, "verb": verb, "path": path, "count": count}
    _answer(app, fault | ({} if message is None else {"message": message}), **when)


@_kind("hang-operation", "An operation never ends, until it is let go.")
@VERB
@RESOURCE
@COUNT
@click.option("--over", is_flag=True, help="What hangs goes on.")
def hanging_fault(app: App, verb: str | None, path: str, count: int, over: bool, **when: Any) -> None:
    fault = {"kind": "hang-operation", "verb": verb, "path": path, "count": count, "state": "up" if over else "down"}
    _answer(app, fault, **when)


@_kind("capacity", "A region has no room for machines of a size.")
@click.argument("region")
@click.argument("size")
@click.argument("state", type=STATE)
def capacity_fault(app: App, region: str, size: str, state: str, **when: Any) -> None:
    from farshore.arm.regions import known_region

    _answer(app, {"kind": "capacity", "region": known_region(region), "size": size, "state": state}, **when)


@_kind("restriction", "A region does not sell a size of machine to the subscription.")
@click.argument("region")
@click.argument("size")
@click.argument("state", type=STATE)
def restriction_fault(app: App, region: str, size: str, state: str, **when: Any) -> None:
    from farshore.arm.regions import known_region

    _answer(app, {"kind": "restriction", "region": known_region(region), "size": size, "state": state}, **when)


@_kind("quota", "A region's quota has a limit: of cores, a family (standardDSv3Family), virtualMachines and others.")
@click.argument("region")
@click.argument("name")
@click.argument("limit", type=click.IntRange(min=0), required=False)
@click.option("--over", is_flag=True, help="There is no limit any more.")
def quota_fault(app: App, region: str, name: str, limit: int | None, over: bool, **when: Any) -> None:
    from farshore.arm.regions import known_region

    if (limit is None) is not over:
        raise InputError("A limit, or that there is none", value=limit, expected="a number, or --over")
    state = {"state": "up"} if over else {"limit": limit}
    _answer(app, {"kind": "quota", "region": known_region(region), "name": name, **state}, **when)


@_kind("replication", "A machine's changes no longer reach Site Recovery.")
@click.argument("name")
@click.argument("state", type=STATE)
@click.option("--code", default=None, help="The code of the health error that is shown.")
def replication_fault(app: App, name: str, state: str, code: str | None, **when: Any) -> None:
    fault = {"kind": "replication", "id": name, "state": state}
    _answer(app, fault | ({} if code is None else {"code": code}), **when)


@_kind("churn", "A machine writes so many bytes a second; above 54 MB/s its replication falls behind.")
@click.argument("name")
@click.argument("rate", type=click.FloatRange(min=0), required=False, metavar="BYTES_PER_SECOND")
@click.option("--over", is_flag=True, help="It writes as all do.")
def churn_fault(app: App, name: str, rate: float | None, over: bool, **when: Any) -> None:
    if (rate is None) is not over:
        raise InputError("A rate, or that it is over", value=rate, expected="bytes a second, or --over")
    state = {"state": "up"} if over else {"bytes_per_second": rate}
    _answer(app, {"kind": "churn", "id": name, **state}, **when)


@_kind("edit", "A resource is changed, or deleted, behind your back.")
@click.argument("name")
@click.option("--change", default=None, metavar="JSON", help='What changes: {"tags": {...}, "properties": {...}}.')
@click.option("--delete", is_flag=True, help="It is deleted.")
def edit_fault(app: App, name: str, change: str | None, delete: bool, **when: Any) -> None:
    if (change is None) is not delete:
        raise InputError("An edit changes a resource or deletes it", expected="--change JSON, or --delete")
    fault: dict[str, Any] = {"kind": "edit", "id": name}
    _answer(app, fault | ({"delete": True} if change is None else {"change": _object(change)}), **when)


def _object(text: str) -> dict[str, Any]:
    import json

    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError("A change is a JSON object", value=text, expected='{"tags": {"a": "b"}}')
    return found


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
    rows = [row for row in rows if not wanted or str(row.get("type", "")).lower() in wanted]
    matches = [str(row["id"]) for row in rows if str(row["name"]).lower() == text.lower()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise InputError(
            f"{len(matches)} things in the lab are called {text}", value=text, expected=" or ".join(matches)
        )
    import difflib

    names = sorted({str(row["name"]) for row in rows})
    among = " or ".join(type_.rsplit("/", 1)[-1] for type_ in types) or "resources"
    near = difflib.get_close_matches(text, names, n=1)
    raise InputError(
        f"The lab has nothing called {text} among its {among}",
        value=text,
        expected=f"one of {', '.join(names[:12]) or 'none: it holds no such thing'}",
        remedy=f"did you mean {near[0]}?" if near else None,
    )
