"""Wrong engines about replies: what keeps state, who took a flow, and what it should have crossed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from farshore.estate.outside import Site
from farshore.routing import (
    hops,
    machines,
    replies,
    verdicts,
    walk,
)
from farshore.routing.values import Hop
from farshore.routing.walk import trace_one_way

Patch = pytest.MonkeyPatch


def groups_without_memory(patch: Patch) -> None:
    """R43 by half: a reply is asked like a new flow."""
    patch.setattr(replies, "trace_one_way", lambda *given, established=(), **more: trace_one_way(*given, **more))


def everything_keeps_state(patch: Patch) -> None:
    """R39 by half: an appliance that the project calls stateless is taken for a stateful one."""
    patch.setattr(machines, "is_stateful", lambda *_: True)


def asymmetry_unseen(patch: Patch) -> None:
    """R39 forgotten."""
    patch.setattr(verdicts, "_asymmetry", lambda *_: None)


def firewalls_share_state(patch: Patch) -> None:
    """E44 by half: a site's routers are one."""
    right = hops.router_hop

    def wrong(site: Site, routers: tuple[str, ...]) -> Hop:
        return replace(right(site, routers), state_key=site.name if site.stateful_firewall else "")

    patch.setattr(walk, "router_hop", wrong)


def bypass_unseen(patch: Patch) -> None:
    patch.setattr(verdicts, "_bypass", lambda *_: None)


def any_owner_is_right(patch: Patch) -> None:
    """A copy of the range that took it is taken for the promised machine."""
    patch.setattr(verdicts, "_reply_lost", lambda *_: None)


REPLIES = (
    groups_without_memory,
    everything_keeps_state,
    asymmetry_unseen,
    firewalls_share_state,
    bypass_unseen,
    any_owner_is_right,
)
