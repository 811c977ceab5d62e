"""The words that scenarios are made of: seven questions, and for each the answers that there are.

    outage      what is taken away, and when it comes back
    returns     in which order a region comes back, or that it does not
    posture     the target hub's connection before (farshore.yaml, `link`)
    over        how machines go over: to which recovery point, and whether they are stopped first
    ahead       what has been provisioned before
    drill       which drill there was
    back        how the way ends

Each word says one thing, belongs to one question, and has a title that a person reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from farshore.estate.project import Link


class Outage(StrEnum):
    REGION = "region"
    GREY = "grey"
    GREY_DEAD = "grey-dead"
    DATA_PLANE = "data-plane"
    ZONE = "zone"
    CIRCUIT = "circuit"
    CIRCUIT_LINK = "circuit-link"
    LOCATION = "location"
    ROUTER = "router"
    GATEWAY_INSTANCE = "gateway-instance"
    APPLIANCE = "appliance"
    SITE = "site"
    MAINTENANCE = "maintenance"
    SWAP = "swap"


class Returns(StrEnum):
    TOGETHER = "together"
    CONTROL_FIRST = "control-first"
    DATA_FIRST = "data-first"
    FLAPPING = "flapping"
    EARLY = "early"
    NEVER = "never"


class Over(StrEnum):
    LATEST = "latest"
    PROCESSED = "latest-processed"
    APPLICATION = "application-consistent"
    CHOSEN = "chosen-point"
    CHANGED = "change-point"
    PLANNED = "planned"


class Ahead(StrEnum):
    AS_SAID = "as-said"
    ALL = "all-ahead"
    NOTHING = "nothing-ahead"
    SITE_RECOVERY = "site-recovery-ahead"


class Drill(StrEnum):
    ISOLATED = "isolated-drill"
    PATH = "path-drill"
    NONE = "no-drill"


class Back(StrEnum):
    FAILBACK = "failback"
    PARTIAL = "partial"
    STAY = "stay"
    NONE = "no-way-back"


Word = Outage | Returns | Link | Over | Ahead | Drill | Back

QUESTIONS: Mapping[str, str] = {
    "outage": "what is taken away",
    "returns": "how a lost region comes back",
    "posture": "the target hub's connection before",
    "over": "how machines go over",
    "ahead": "what has been provisioned before",
    "drill": "which drill there was",
    "back": "how the way ends",
}
"""Each question as a person asks it, by the scenario's field."""

TITLES: Mapping[Word, str] = {
    Outage.REGION: "the source region is dead, its gateway with it",
    Outage.GREY: "the region's ARM is dead; its gateway announces and its machines run",
    Outage.GREY_DEAD: "the region's ARM and its machines are dead; its gateway announces",
    Outage.DATA_PLANE: "no packet passes in the region; its ARM answers",
    Outage.ZONE: "one availability zone of the region is dead",
    Outage.CIRCUIT: "the primary circuit is dead; the region is healthy",
    Outage.CIRCUIT_LINK: "one link of the primary circuit is dead",
    Outage.LOCATION: "the primary circuit's peering location is dead; the region is healthy",
    Outage.ROUTER: "the sites' routers on the primary circuit are dead",
    Outage.GATEWAY_INSTANCE: "one instance of the source's gateway is dead",
    Outage.APPLIANCE: "an appliance of the source is dead",
    Outage.SITE: "a second site is dead, all of its routers",
    Outage.MAINTENANCE: "nothing is lost: machines are moved on purpose",
    Outage.SWAP: "nothing is lost: connectivity is moved to the other circuit and back, a connectivity drill",
    Returns.TOGETHER: "ARM and data plane come back together, each thing in its own time",
    Returns.CONTROL_FIRST: "ARM answers first, packets pass later",
    Returns.DATA_FIRST: "packets pass first, ARM answers later",
    Returns.FLAPPING: "it comes back, goes again, and comes back for good",
    Returns.EARLY: "it comes back while the failover is under way, its halves in any order",
    Returns.NEVER: "it never comes back",
    Link.COLD: "the target hub has no connection before",
    Link.SILENT: "the target hub is connected, its spokes are not transited",
    Link.ARMED: "the target is connected and announced; sites prefer the primary",
    Over.LATEST: "to the latest data that has arrived",
    Over.PROCESSED: "to the latest recovery point that is ready: soonest",
    Over.APPLICATION: "to the latest application-consistent recovery point",
    Over.CHOSEN: "to a recovery point at least a quarter of an hour old",
    Over.CHANGED: "to the latest point, then to an older one before the commit",
    Over.PLANNED: "machines are stopped first: nothing is lost",
    Ahead.AS_SAID: "what farshore.yaml says is provisioned ahead",
    Ahead.ALL: "everything is provisioned ahead",
    Ahead.NOTHING: "nothing is provisioned ahead: gateway and all are made in the run",
    Ahead.SITE_RECOVERY: "Site Recovery has made networks and mappings itself as replication was enabled; the plan"
    " completes them",
    Drill.ISOLATED: "every machine is tested in a network of its own",
    Drill.PATH: "every machine is tested where sites reach it: circuit, gateway and appliance of the target",
    Drill.NONE: "no drill before",
    Back.FAILBACK: "home again, and protected as before",
    Back.PARTIAL: "the first boot group goes home; the others stay on the far shore, protected towards home",
    Back.STAY: "the target stays the new source, protected towards the old one",
    Back.NONE: "it ends on the far shore",
}
