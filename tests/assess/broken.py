"""One broken estate: what a person might have edited, where it can be edited, and what must be blamed for it.

An edit of a network is written once and made on several grounds: in the source as shipped, and in a target that stands
beforehand, whether the plan built it, a person did by the project's names, a person did before the gateway, or a person
did by names of their own. `At` turns a source's name into the name on that ground.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from farshore import examples

from .bench import BOTH, NEAR, NEW, ONE, SOURCE_GROUP, TARGET_GROUP, TWO, Bench, bench, built
from .handmade import SUFFIX, handmade

ALL = tuple(examples.names())
MAPPED = (BOTH, NEW)
KEPT = tuple(name for name in ALL if name not in MAPPED)
PAIRS = (TWO, NEAR)
SINGLES = (ONE, NEW)

HUB, SPOKE1, SPOKE2 = "Source-Hub-vNet", "Source-vNet1", "Source-vNet2"
RT1, RT2, RTG = "rt-source-vnet1", "rt-source-vnet2", "rt-source-gateway"
NSG1, NSG2 = "nsg-source-vnet1-app", "nsg-source-vnet2-app"
GATEWAY, CONNECTION = "ergw-source-hub", "cn-source-hub"


@dataclass(frozen=True)
class Ground:
    """A healthy estate to break, and what things are called on the side that is broken."""

    name: str
    make: Callable[[str], Bench]
    suffix: str = ""
    target: bool = True


SHIPPED = Ground("source", bench, target=False)
PLANNED = Ground("planned", built, SUFFIX)
HANDMADE = Ground("handmade", handmade, SUFFIX)
BARE = Ground("before-gateway", lambda example: handmade(example, gateway=False), SUFFIX)
RENAMED = Ground("other-names", lambda example: handmade(example, suffix="-dr"), "-dr")
TARGETS = (PLANNED, HANDMADE, BARE, RENAMED)
WITH_GATEWAY = (PLANNED, HANDMADE, RENAMED)
BY_NAME = (PLANNED, HANDMADE, BARE)
ANYWHERE = (SHIPPED, *TARGETS)


class At:
    """A bench, seen from the side that is broken."""

    def __init__(self, ground: Ground, example: str) -> None:
        self.ground = ground
        self.example = example
        self.bench = ground.make(example)

    def name(self, source: str) -> str:
        if source in ("nva", "nva-nic"):
            return f"{TARGET_GROUP if self.ground.target else SOURCE_GROUP}/{source}"
        return source + self.ground.suffix

    def id(self, source: str) -> str:
        return str(self.bench[self.name(source)]["id"])

    def properties(self, source: str) -> dict[str, Any]:
        return self.bench.properties(self.name(source))

    def subnet(self, network: str, name: str) -> dict[str, Any]:
        return self.bench.child(self.name(network), "subnets", name)

    def peering(self, network: str, remote: str) -> dict[str, Any]:
        wanted = self.id(remote).lower()
        found: dict[str, Any] = next(
            item["properties"]
            for item in self.properties(network)["virtualNetworkPeerings"]
            if item["properties"]["remoteVirtualNetwork"]["id"].lower() == wanted
        )
        return found

    def address(self, source: str) -> str:
        """An address or range of the source, as it is on this side."""
        if not self.ground.target or self.example not in MAPPED:
            return source
        for old, new in (("10.1.0.", "10.101.0."), ("10.2.0.", "10.102.0."), ("10.10.10.", "10.110.10.")):
            if source.startswith(old):
                return new + source.removeprefix(old)
        return source

    def routes(self, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.properties(table)["routes"]
        return found

    def route(self, table: str, prefix: str) -> dict[str, Any]:
        wanted = self.address(prefix)
        found: dict[str, Any] = next(
            r["properties"] for r in self.routes(table) if r["properties"]["addressPrefix"] == wanted
        )
        return found

    def drop_route(self, table: str, *prefixes: str) -> None:
        gone = [self.address(prefix) for prefix in prefixes]
        routes = self.routes(table)
        routes[:] = [item for item in routes if item["properties"]["addressPrefix"] not in gone]

    def add_route(self, table: str, prefix: str, kind: str, hop: str | None = None) -> None:
        properties = {"addressPrefix": self.address(prefix), "nextHopType": kind}
        if hop is not None:
            properties["nextHopIpAddress"] = self.address(hop)
        self.routes(table).append({"name": f"added{len(self.routes(table))}", "properties": properties})


Subject = Callable[[At], str]


@dataclass(frozen=True)
class Break:
    """`edit` breaks one thing; an error must then blame `subject`, as it is called after the edit."""

    name: str
    edit: Callable[[At], Any]
    subject: Subject
    grounds: tuple[Ground, ...] = ANYWHERE
    examples: tuple[str, ...] = ALL
    severity: str = "error"


# Subjects. ---------------------------------------------------------------------------------------------------------


def own(name: str) -> Subject:
    """A top-level resource."""
    return lambda at: at.id(name)


def made(name: str) -> Subject:
    """A resource that the edit made, by its own name."""
    return lambda at: str(at.bench[name]["id"])


def subnet_of(network: str, name: str) -> Subject:
    return lambda at: f"{at.id(network)}/subnets/{name}"


def peering_from(network: str, remote: str) -> Subject:
    def subject(at: At) -> str:
        wanted = at.id(remote).lower()
        found = next(
            item
            for item in at.properties(network)["virtualNetworkPeerings"]
            if item["properties"]["remoteVirtualNetwork"]["id"].lower() == wanted
        )
        return str(found["id"])

    return subject


def private_peering(circuit: str) -> Subject:
    return lambda at: f"{at.bench[circuit]['id']}/peerings/AzurePrivatePeering"


def path(text: str) -> Subject:
    """A path of farshore.yaml."""
    return lambda _: text


# Edits. ------------------------------------------------------------------------------------------------------------


def bind(edit: Callable[..., Any], *values: object) -> Callable[[At], Any]:
    """The edit with what a loop gives it, held fast."""
    return lambda at: edit(at, *values)


def put(mapping: Callable[[At], dict[str, Any]], **values: Any) -> Callable[[At], None]:
    """Set what is not None, take away what is."""

    def edit(at: At) -> None:
        found = mapping(at)
        for key, value in values.items():
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value

    return edit


def project(**values: Any) -> Callable[[At], None]:
    return lambda at: at.bench.project.update(values)
