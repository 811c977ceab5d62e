"""FS319 and FS320: what the traffic goes over after the move, beside the load that was measured."""

from __future__ import annotations

from typing import Any

from .bench import NEW, Bench, Edit
from .casebook import Case, both, case
from .cases_circuits import GATEWAY, SINGAPORE, second_site

CIRCUIT, ERGW = "expressRouteCircuits/er-singapore", "virtualNetworkGateways/ergw-source-hub"


def load(mbps: float, site: int = 0) -> Edit:
    return lambda b: b.project["sites"][site].update(load_mbps=mbps)


def raised(mbps: int) -> Edit:
    return lambda b: b.project.update(raise_bandwidth=[{"circuit": SINGAPORE, "mbps": mbps}])


def sku(name: str, gateway: str = GATEWAY, **properties: Any) -> Edit:
    def edit(b: Bench) -> None:
        b.properties(gateway).update(sku={"name": name, "tier": name}, **properties)

    return edit


def office(b: Bench) -> None:
    """A second site, on the target's circuit."""
    second_site(b, "172.20.0.0/16")
    b.project["sites"][1]["routers"][0]["circuit"] = SINGAPORE
    b.router("ce2")["links"] = ["secondary"]
    b.router("ce1")["links"] = ["primary", "secondary"]


def scaled(units: int) -> Edit:
    return sku("ErGwScale", autoScaleConfiguration={"bounds": {"min": 1, "max": units}})


CASES: tuple[Case, ...] = (
    case("FS319", CIRCUIT, load(201), severity="warning", quiet=load(200)),
    case("FS319", CIRCUIT, both(load(501), raised(500)), severity="warning", quiet=both(load(501), raised(1000))),
    # Loads on one circuit add up.
    case(
        "FS319",
        CIRCUIT,
        both(office, load(150), load(51, 1)),
        severity="warning",
        quiet=both(office, load(150), load(50, 1)),
    ),
    # What stands in the lost region can't be raised then.
    case(
        "FS319",
        CIRCUIT,
        both(load(500), raised(1000), lambda b: b[SINGAPORE].update(location="eastasia")),
        severity="warning",
        quiet=both(load(500), raised(1000)),
    ),
    case(
        "FS319",
        "expressRouteCircuits/er-hongkong",
        load(1001),
        severity="warning",
        example=NEW,
        quiet=load(1000),
        quiet_example=NEW,
    ),
    # A site's load is on what it prefers of the target's: not on the source's circuit, which it prefers now.
    case(
        "FS319",
        CIRCUIT,
        both(load(900), lambda b: b.router("ce1").update(local_preference=300)),
        severity="warning",
        quiet=both(load(150), lambda b: b.router("ce1").update(local_preference=300)),
    ),
    case("FS320", ERGW, both(sku("ErGw1AZ"), load(1001)), severity="warning", quiet=both(sku("ErGw1AZ"), load(1000))),
    case("FS320", ERGW, both(sku("ErGw2AZ"), load(2001)), severity="warning", quiet=both(sku("ErGw2AZ"), load(2000))),
    case("FS320", ERGW, both(sku("ErGw3AZ"), load(10001)), severity="warning", quiet=both(sku("ErGw3AZ"), load(10000))),
    case("FS320", ERGW, both(scaled(3), load(3001)), severity="warning", quiet=both(scaled(3), load(3000))),
    # How far it may grow is not told: as far as any can.
    case(
        "FS320",
        ERGW,
        both(sku("ErGwScale"), load(40001)),
        severity="warning",
        quiet=both(sku("ErGwScale"), load(40000)),
    ),
    # The target's own counts where it stands.
    case(
        "FS320",
        "virtualNetworkGateways/ergw-source-hub-asr",
        load(1001),
        severity="warning",
        target=True,
        quiet=both(sku("ErGw2AZ", GATEWAY + "-asr"), load(1001)),
        quiet_target=True,
    ),
)
