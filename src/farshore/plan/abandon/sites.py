"""The sites' routers, as they were: each change of the run's undone, the last one first.

Where changes of the run have undone one another (a fence that was lifted) nothing of them is left to undo: what the
routers hold now is looked for among what they held in turn, from the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from farshore.estate.estate import Estate
from farshore.estate.outside import Router, Site
from farshore.plan import actions, durations
from farshore.plan.abandon.values import Begun, Undo
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import SetRouter, Step, StepKind, order


def undos(begun: Begun, now: Estate, design: Design) -> Iterator[Undo]:
    """The changes to take back, of all sites. `now`: as `as_left` says."""
    for site in begun.before.sites:
        held, changes = _held(begun, site)
        shown = now.site(site.name)
        if changes and shown in held:
            # What the routers hold is what they held after that many changes.
            last = len(held) - 1 - held[::-1].index(shown)
            held, changes = held[: last + 1], changes[:last]
        yield from _unwound(design, held, changes)


def as_left(begun: Begun, now: Estate) -> Estate:
    """The estate as the run left it, its sites too: as they were read, else as the journal tells."""
    if begun.sites_known:
        return now
    return now.with_sites(tuple(_held(begun, site)[0][-1] for site in begun.before.sites))


def _held(begun: Begun, site: Site) -> tuple[list[Site], list[Step]]:
    """What the site's routers held in turn, and the step that made each of the changes."""
    nodes = {step.id: step for step in begun.plan.steps}
    held: list[Site] = [site]
    changes: list[Step] = []
    for id_ in order(begun.plan.steps, begun.plan.events):
        step = nodes.get(id_)
        if step is not None and id_ in begun.touched and (after := _after(held[-1], step)) is not None:
            held.append(after)
            changes.append(step)
    return held, changes


def _after(site: Site, step: Step) -> Site | None:
    """The site once a step has changed it; None where the step does not."""
    changed = site
    for effect in step.effects:
        if isinstance(effect, SetRouter) and effect.site == site.name:
            changed = changed.with_router(effect.router)
    return None if changed == site else changed


def _unwound(design: Design, held: list[Site], changes: list[Step]) -> Iterator[Undo]:
    """From the last state back to the first, without the turns that led back to where they began."""
    at = len(held) - 1
    while at > 0:
        first = held.index(held[at])
        if first < at:
            at = first
            continue
        yield _undo(design, held[at], held[at - 1], changes[at - 1])
        at -= 1


def _undo(design: Design, site: Site, wanted: Site, step: Step) -> Undo:
    shown = [router for router in wanted.routers if router not in site.routers]
    change = design.project.change_of(site.name)

    def add(draft: Draft, after: list[str]) -> str:
        return draft.add(
            step.id,
            actions.site_change(
                site.name,
                [actions.router_settings(router) for router in shown],
                [_expected(wanted, router) for router in shown],
                command=change.command,
            ),
            title=f"Site {site.name} has its routers again as before: {', '.join(router.name for router in shown)}",
            subject=f"sites/{site.name}/routers/{shown[0].name}",
            expected=durations.SITE_PERSON if change.command is None else durations.SITE_COMMAND,
            kind=StepKind.SITE,
            after=after,
            effects=[SetRouter(site=site.name, router=router) for router in shown],
        )

    return Undo(anchors=(step.id,), add=add)


def _expected(site: Site, router: Router) -> dict[str, Any]:
    """What the circuit's tables show of a router: the site's prefixes, unless a filter keeps them from it."""
    denied = {item.prefix for item in router.filters if item.direction == "out" and item.action == "deny"}
    present = [str(prefix) for prefix in site.prefixes if prefix not in denied]
    absent = [str(prefix) for prefix in site.prefixes if prefix in denied]
    lengths = dict.fromkeys(present, 1 + router.prepend)
    return actions.expect_circuit(
        router.circuit, present=present, absent=absent, minimum_path_length=lengths, links=router.links
    )
