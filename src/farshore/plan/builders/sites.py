"""Site steps: what routers on-premises prefer, deny and say (D51, E47).

Azure can only withdraw; which of two networks a site chooses is the site's own business, and nobody may take a
person's word for it. So each change has a half that Azure can see in a circuit's route tables: with the preference
for the primary goes a prepend on what the secondary says, with the fence goes a filter on what the primary says.

    prefer   before the target is announced beside the source: the primary's local preference above the secondary's
    fence    at the failover: the primary's offer of the kept prefixes denied, and the site's own withheld from it.
             Denied, not de-preferred: when the secondary fails, a preference falls back to machines with old data
    lift     at the end of the failback, when nothing old is left: the routers as they were before the fence
    turn     where machines stay: the secondary is preferred from then on, and the primary believed again behind it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId
from farshore.estate.outside import Filter, Router, Site
from farshore.plan import actions, durations
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import SetRouter, StepKind

PREFERENCE = 200
"""Above the default of 100 (E42)."""
PREPEND = 3


def prefer_primary(design: Design, draft: Draft, after: Iterable[str] = ()) -> list[str]:
    """One step for each site that will hear kept prefixes from two circuits."""
    if not design.kept or design.one_circuit:
        return []
    steps = []
    for site in design.estate.sites:
        wanted = preferred(design, site)
        if wanted is None:
            continue
        behind = [router for router in wanted.routers if router.circuit in design.target_circuits]
        verify = [_expected(router, site, router.prepend) for router in behind]
        primary = next(router for router in wanted.routers if router.circuit in design.source_circuits)
        steps.append(
            _step(
                design,
                draft,
                f"site/{site.name}",
                site,
                wanted,
                verify,
                title=f"Site {site.name} prefers circuit {primary.circuit.name} for what both networks announce",
                after=after,
            )
        )
    return steps


def fence(design: Design, draft: Draft) -> list[str]:
    """One step for each site with a router on a source circuit: nothing of the source's is believed any more."""
    if not design.kept or design.one_circuit:
        return []
    return deny(design, draft, design.source_circuits, design.kept)


def lift(design: Design, draft: Draft, after: Iterable[str]) -> list[str]:
    """The fence is taken away; the preference for the primary stays."""
    if not design.kept or design.one_circuit:
        return []
    return believe(design, draft, design.source_circuits, design.kept, after)


def deny(
    design: Design,
    draft: Draft,
    circuits: Sequence[ResourceId],
    prefixes: Sequence[Network],
    after: Iterable[str] = (),
    *,
    preferring: bool = False,
) -> list[str]:
    """One step for each site with a router on these circuits: what they offer of the prefixes is denied there, and the
    site's own is withheld from them. `preferring`: the sites prefer their primary by then, whatever is ahead."""
    return [
        _step(
            design,
            draft,
            f"fence/{site.name}",
            site,
            _fenced(site, circuits, prefixes),
            [
                actions.expect_circuit(router.circuit, absent=[str(p) for p in site.prefixes], links=router.links)
                for router in own
            ],
            title=f"Site {site.name} denies what circuit {own[0].circuit.name} offers of the moved networks"
            " and withholds its own from it: no other network on it reaches the site meanwhile",
            after=after,
        )
        for site, own in _concerned(design, circuits, preferring)
    ]


def believe(
    design: Design,
    draft: Draft,
    circuits: Sequence[ResourceId],
    prefixes: Sequence[Network],
    after: Iterable[str] = (),
    *,
    preferring: bool = False,
) -> list[str]:
    """`deny`, undone."""
    return [
        _step(
            design,
            draft,
            f"lift-fence/{site.name}",
            _fenced(site, circuits, prefixes),
            site,
            [
                actions.expect_circuit(router.circuit, present=[str(p) for p in site.prefixes], links=router.links)
                for router in own
            ],
            title=f"Site {site.name} believes circuit {own[0].circuit.name} again",
            after=after,
        )
        for site, own in _concerned(design, circuits, preferring)
    ]


def _concerned(design: Design, circuits: Sequence[ResourceId], preferring: bool) -> Iterator[tuple[Site, list[Router]]]:
    """The sites with routers on these circuits, as they stand without a fence, and those routers."""
    for site in design.estate.sites:
        standing = (preferred(design, site) or site) if preferring else settled(design, site)
        own = [router for router in standing.routers if router.circuit in circuits]
        if own:
            yield standing, own


def settled(design: Design, site: Site) -> Site:
    """The site as it stands before and after a disaster: with the preference, where the plan sets one."""
    if "connection" not in design.ahead:
        return site
    return preferred(design, site) or site


def preferred(design: Design, site: Site) -> Site | None:
    """The site with its primary preferred; None where it does not have a router on either side."""
    return _ranked(site, design.source_circuits, design.target_circuits)


def turn_round(design: Design, draft: Draft) -> list[str]:
    """The target's circuit is what each site prefers from now on; only then the source's is believed again."""
    if not design.kept or design.one_circuit:
        return []
    steps = []
    for site in design.estate.sites:
        wanted = _ranked(site, design.target_circuits, design.source_circuits)
        if wanted is None:
            continue
        fenced = _fenced(wanted, design.source_circuits, design.kept)
        serving = [router for router in wanted.routers if router.circuit in design.target_circuits]
        behind = [router for router in wanted.routers if router.circuit in design.source_circuits]
        first = serving[0].circuit.name
        preferring = _step(
            design,
            draft,
            f"prefer/{site.name}",
            _fenced(settled(design, site), design.source_circuits, design.kept),
            fenced,
            [_expected(router, site, 0) for router in serving],
            title=f"Site {site.name} prefers circuit {first} from now on",
        )
        steps.append(
            _step(
                design,
                draft,
                f"lift-fence/{site.name}",
                fenced,
                wanted,
                [_expected(router, site, router.prepend) for router in behind],
                title=f"Site {site.name} believes circuit {behind[0].circuit.name} again, behind {first}",
                after=[preferring],
            )
        )
    return steps


def _expected(router: Router, site: Site, prepend: int) -> dict[str, Any]:
    """What the circuit's tables show of a site's router."""
    texts = [str(prefix) for prefix in site.prefixes]
    lengths = dict.fromkeys(texts, 1 + prepend)
    return actions.expect_circuit(router.circuit, present=texts, minimum_path_length=lengths, links=router.links)


def _ranked(site: Site, first: Sequence[ResourceId], second: Sequence[ResourceId]) -> Site | None:
    """The site with the first circuits preferred to the rest of the second; None where it lacks a router on one. What
    it prefers among several of the first mirrors the gateway's weights (E42) and stays as it is, while routers are
    changed one by one, too: there the second are put below them all."""
    primary = [router for router in site.routers if router.circuit in first]
    secondary = [router for router in site.routers if router.circuit in second and router.circuit not in first]
    if not primary or not secondary:
        return None
    highest = max(router.local_preference for router in secondary)
    lowest = min(router.local_preference for router in primary)
    ranked = len({router.local_preference for router in primary}) > 1 and lowest > 0
    wanted = lowest if lowest > highest or ranked else max(PREFERENCE, highest + 100)
    most = lowest - 1 if ranked else highest
    changed = {
        router.name: replace(router, local_preference=max(router.local_preference, wanted)) for router in primary
    }
    changed |= {
        router.name: replace(
            router, local_preference=min(router.local_preference, most), prepend=max(router.prepend, PREPEND)
        )
        for router in secondary
    }
    return replace(site, routers=tuple(changed.get(router.name, router) for router in site.routers))


def _fenced(site: Site, circuits: Sequence[ResourceId], prefixes: Sequence[Network]) -> Site:
    """The site with its routers on these circuits fenced off."""

    def fenced(router: Router) -> Router:
        if router.circuit not in circuits:
            return router
        denied = [Filter(direction="in", prefix=prefix, action="deny") for prefix in prefixes]
        denied += [Filter(direction="out", prefix=prefix, action="deny") for prefix in site.prefixes]
        covered = {(item.direction, item.prefix) for item in denied}
        kept = [item for item in router.filters if (item.direction, item.prefix) not in covered]
        return replace(router, filters=(*kept, *denied))

    return replace(site, routers=tuple(map(fenced, site.routers)))


def _step(
    design: Design,
    draft: Draft,
    name: str,
    before: Site,
    wanted: Site,
    verify: list[dict[str, Any]],
    *,
    title: str,
    after: Iterable[str] = (),
) -> str:
    changed = [router for router in wanted.routers if router not in before.routers]
    shown = changed or [router for router in wanted.routers if router.circuit in design.source_circuits]
    change = design.project.change_of(wanted.name)
    return draft.add(
        name,
        actions.site_change(
            wanted.name, [actions.router_settings(router) for router in shown], verify, command=change.command
        ),
        title=title,
        subject=f"sites/{wanted.name}/routers/{shown[0].name}",
        expected=durations.SITE_PERSON if change.command is None else durations.SITE_COMMAND,
        kind=StepKind.SITE,
        after=after,
        effects=[SetRouter(site=wanted.name, router=router) for router in shown],
    )
