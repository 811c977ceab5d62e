"""Circuits, connections, sites, topology and link, broken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from farshore.arm.ids import make_id

from .bench import BOTH, CIRCUIT_GROUP, NEAR, NEW, ONE, SOURCE_GROUP, SUBSCRIPTION, TARGET_GROUP, TWO, Bench
from .broken import (
    ALL,
    CONNECTION,
    GATEWAY,
    HANDMADE,
    KEPT,
    MAPPED,
    PAIRS,
    PLANNED,
    RENAMED,
    SHIPPED,
    At,
    Break,
    Ground,
    bind,
    own,
    path,
    private_peering,
    project,
    put,
)
from .paired import weigh

HONG_KONG, SECOND, SINGAPORE = "er-hongkong", "er-hongkong-second", "er-singapore"
HERE: tuple[Ground, ...] = (SHIPPED,)
CIRCUITS = ((HONG_KONG, ALL), (SINGAPORE, (TWO, BOTH)), (SECOND, (NEAR,)))


def of_target(at: At) -> str:
    """The circuit that the target is reached by."""
    return {TWO: SINGAPORE, BOTH: SINGAPORE, NEAR: SECOND}.get(at.example, HONG_KONG)


def circuit(at: At, name: str) -> dict[str, Any]:
    return at.bench.properties(name)


def private(at: At, name: str) -> dict[str, Any]:
    found: dict[str, Any] = circuit(at, name)["peerings"][0]["properties"]
    return found


def _circuits() -> Iterator[Break]:
    for name, examples in CIRCUITS:
        of, peering = own(name), private_peering(name)
        for key, value in (
            ("serviceProviderProvisioningState", "NotProvisioned"),
            ("serviceProviderProvisioningState", "Deprovisioning"),
            ("circuitProvisioningState", "Disabled"),
            ("provisioningState", "Failed"),
        ):
            yield Break(
                f"{name}: {key} {value}",
                bind(lambda at, n, k, v: circuit(at, n).update({k: v}), name, key, value),
                of,
                HERE,
                examples,
            )
        yield Break(
            f"{name} without peerings", bind(lambda at, n: circuit(at, n).update(peerings=[]), name), of, HERE, examples
        )
        yield Break(
            f"{name} with Microsoft peering only",
            bind(lambda at, n: private(at, n).update(peeringType="MicrosoftPeering"), name),
            of,
            HERE,
            examples,
        )
        yield Break(
            f"{name}: private peering off",
            bind(lambda at, n: private(at, n).update(state="Disabled"), name),
            peering,
            HERE,
            examples,
        )
        for asn in (65099, 65515, 12076):
            yield Break(
                f"{name}: far end is AS {asn}",
                bind(lambda at, n, a: private(at, n).update(peerASN=a), name, asn),
                peering,
                HERE,
                examples,
            )
        yield Break(
            f"{name}: a link inside a network",
            bind(lambda at, n: private(at, n).update(primaryPeerAddressPrefix="10.10.10.4/30"), name),
            peering,
            HERE,
            examples,
        )
        yield Break(
            f"{name}: one range for both links",
            bind(
                lambda at, n: private(at, n).update(
                    secondaryPeerAddressPrefix=private(at, n)["primaryPeerAddressPrefix"]
                ),
                name,
            ),
            peering,
            HERE,
            examples,
        )
    for example, name in ((NEAR, SECOND), (ONE, HONG_KONG), (NEW, HONG_KONG)):
        yield Break(f"{name} is Local", bind(lambda at, n: _local(at, n), name), own(name), HERE, (example,))
        yield Break(
            f"{name} is Local by its name only",
            bind(lambda at, n: at.bench[n].update(sku={"name": "Local_UnlimitedData"}), name),
            own(name),
            HERE,
            (example,),
        )
    yield Break(
        "er-singapore is Local and in Hong Kong2",
        lambda at: _local(at, SINGAPORE, "Hong Kong2"),
        own(SINGAPORE),
        HERE,
        (TWO,),
    )
    for place in ("Tokyo", "Sydney", "London"):
        yield Break(
            f"er-singapore is Local and in {place}",
            bind(lambda at, p: _local(at, SINGAPORE, p), place),
            own(SINGAPORE),
            HERE,
            (TWO,),
        )
    yield Break(
        "er-hongkong is Local and in Singapore",
        lambda at: _local(at, HONG_KONG, "Singapore"),
        own(HONG_KONG),
        HERE,
    )
    yield Break(
        "er-singapore in Frankfurt without Premium",
        lambda at: _place(at, SINGAPORE, "Frankfurt"),
        own(SINGAPORE),
        HERE,
        (TWO,),
    )


def _connections() -> Iterator[Break]:
    of = own(CONNECTION)
    yield Break(
        "connection to no circuit",
        lambda at: at.properties(CONNECTION).update(peer={"id": _circuit_id("er-gone")}),
        of,
        HERE,
    )
    yield Break("connection without peer", put(lambda at: at.properties(CONNECTION), peer=None), of, HERE)
    yield Break("connection failed", put(lambda at: at.properties(CONNECTION), provisioningState="Failed"), of, HERE)
    yield Break("connection of type IPsec", put(lambda at: at.properties(CONNECTION), connectionType="IPsec"), of, HERE)
    yield Break("connection in another region", lambda at: at.bench[CONNECTION].update(location="japaneast"), of, HERE)
    single = tuple(example for example in ALL if example != BOTH)
    yield Break("connection gone", lambda at: at.bench.remove(CONNECTION), own(GATEWAY), HERE, single)
    for name in (CONNECTION, f"{CONNECTION}-singapore"):
        yield Break(
            f"{name} gone of two",
            bind(lambda at, n: at.bench.remove(n), name),
            path("objectives/datacenter to machines"),
            HERE,
            (BOTH,),
        )
    for weights in ((0, 0), (50, 100)):
        yield Break(
            f"weights {weights} against the site's preference",
            bind(lambda at, w: weigh(at.bench, *w, second=f"{CONNECTION}-singapore"), weights),
            of,
            HERE,
            (BOTH,),
        )
    for ground in (PLANNED, HANDMADE, RENAMED):
        examples = PAIRS if ground is PLANNED else KEPT
        yield Break(
            "target joined to the source's circuit",
            lambda at: join(at, HONG_KONG),
            lambda at: at.bench["cn-dr"]["id"],
            (ground,),
            examples,
        )
    yield Break(
        "target's own connection to the source's circuit",
        lambda at: at.properties(CONNECTION).update(peer={"id": _circuit_id(HONG_KONG)}),
        own(CONNECTION),
        (PLANNED,),
        PAIRS,
    )
    yield Break(
        "circuits crossed",
        lambda at: at.properties(CONNECTION).update(peer={"id": _circuit_id(SINGAPORE)}),
        of,
        HERE,
        (TWO,),
    )


def _sites() -> Iterator[Break]:
    first, second = path("sites/datacenter/routers/ce1"), path("sites/datacenter/routers/ce2")
    yield Break(
        "ce2 passes on what ce1 says",
        lambda at: at.bench.router("ce2").update(readvertise=[HONG_KONG]),
        second,
        HERE,
        (*PAIRS, BOTH),
    )
    yield Break(
        "ce1 passes on what ce2 says",
        lambda at: at.bench.router("ce1").update(readvertise=[of_target(at)]),
        first,
        HERE,
        (*PAIRS, BOTH),
    )
    yield Break("ce1 denies a spoke", lambda at: _filter(at, "in", "10.1.0.0/24"), first, HERE)
    yield Break("ce1 denies all of Azure", lambda at: _filter(at, "in", "0.0.0.0/0"), first, HERE)
    yield Break("ce1 keeps the site's range back", lambda at: _filter(at, "out", "192.168.0.0/16"), first, HERE)
    yield Break(
        "the site has another number",
        lambda at: at.bench.project["sites"][0].update(asn=65099),
        path("sites/datacenter"),
        HERE,
        (*PAIRS, BOTH),
    )
    yield Break(
        "the site has a spoke's range",
        lambda at: at.bench.project["sites"][0].update(prefixes=["10.1.0.0/16"]),
        path("sites/datacenter"),
        HERE,
    )
    yield Break(
        "no router on the source's circuit",
        lambda at: _without_router(at.bench, "ce1"),
        path("sites"),
        HERE,
        (*PAIRS, BOTH),
    )
    yield Break(
        "both routers on one circuit",
        lambda at: at.bench.router("ce2").update(circuit=HONG_KONG),
        second,
        HERE,
        (*PAIRS, BOTH),
    )


def _topology() -> Iterator[Break]:
    every = (
        "two-circuits-two-locations",
        "two-circuits-one-location",
        "two-circuits-new-addresses",
        "single-circuit-kept-addresses",
        "single-circuit-new-addresses",
    )
    for example in ALL:
        for other in every:
            if other != example:
                yield Break(f"{example} called {other}", project(topology=other), path("topology"), HERE, (example,))
    for link in ("armed", "silent"):
        yield Break(f"one circuit, addresses kept, link {link}", project(link=link), path("link"), HERE, (ONE,))
    yield Break(
        "one circuit, link armed, addresses kept after all", project(addresses="keep"), path("addresses"), HERE, (NEW,)
    )
    yield Break(
        "the hub's row of the map is missing",
        lambda at: at.bench.project["addresses"]["map"].pop(2),
        path("addresses/map"),
        HERE,
        MAPPED,
    )
    for row, to in ((0, "10.1.0.0/24"), (1, "10.10.10.0/24"), (2, "10.2.0.0/24"), (0, "192.168.4.0/24")):
        yield Break(
            f"row {row} of the map leads to {to}",
            bind(lambda at, r, t: at.bench.project["addresses"]["map"][r].update(to=t), row, to),
            path(f"addresses/map/{row}"),
            HERE,
            MAPPED,
        )


def _groups() -> Iterator[Break]:
    yield Break(
        "the circuits' group in the source region",
        lambda at: at.bench[CIRCUIT_GROUP].update(location="eastasia"),
        own(CIRCUIT_GROUP),
        HERE,
    )
    yield Break(
        "the target's group in the source region",
        lambda at: at.bench[TARGET_GROUP].update(location="East Asia"),
        own(TARGET_GROUP),
        HERE,
    )
    yield Break(
        "the target in the source's group",
        lambda at: at.bench.project["target"].update(resourceGroup=SOURCE_GROUP),
        path("target/resourceGroup"),
        HERE,
    )
    yield Break(
        "the target's circuit itself in the source region",
        lambda at: at.bench[of_target(at)].update(location="eastasia"),
        lambda at: at.bench[of_target(at)]["id"],
        HERE,
    )


def _circuit_id(name: str) -> str:
    return make_id(SUBSCRIPTION, CIRCUIT_GROUP, "Microsoft.Network/expressRouteCircuits", name).text


def _local(at: At, name: str, place: str | None = None) -> None:
    at.bench[name]["sku"] = {"name": "Local_UnlimitedData", "tier": "Local", "family": "UnlimitedData"}
    if place is not None:
        _place(at, name, place)


def _place(at: At, name: str, place: str) -> None:
    circuit(at, name)["serviceProviderProperties"]["peeringLocation"] = place


def _filter(at: At, direction: str, prefix: str) -> None:
    at.bench.router("ce1")["filters"] = [{"direction": direction, "prefix": prefix, "action": "deny"}]


def _without_router(bench: Bench, name: str) -> None:
    routers = bench.project["sites"][0]["routers"]
    routers[:] = [router for router in routers if router["name"] != name]


def join(at: At, name: str) -> None:
    """A second connection, from the target's gateway to a circuit."""
    made = copy.deepcopy(at.bench[CONNECTION])
    made["id"] = made["id"].replace(CONNECTION, "cn-dr").replace(SOURCE_GROUP, TARGET_GROUP)
    made["name"], made["location"] = "cn-dr", "southeastasia"
    made["properties"]["virtualNetworkGateway1"] = {"id": at.id(GATEWAY)}
    made["properties"]["peer"] = {"id": _circuit_id(name)}
    at.bench.resources.append(made)


BREAKS = (*_circuits(), *_connections(), *_sites(), *_topology(), *_groups())
