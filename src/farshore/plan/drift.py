"""A plan and the estate that it meets: another estate, or the same one with something changed (style 17).

A plan names its estate by fingerprint. Where that differs, digests of the single bodies say what changed, so that the
finding's subject is the resource to look at and not the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import fingerprint
from farshore.arm.network import EXPRESS_ROUTE_CIRCUITS
from farshore.assess.findings import Finding, Severity
from farshore.errors import InputError
from farshore.estate.canonical import chosen_body
from farshore.estate.estate import Estate
from farshore.plan.model import Plan, SetRouter

CHANGED = "FS831"
GONE = "FS832"
NEW = "FS833"
SITES = "FS834"

TITLES = {
    CHANGED: "A resource is not as it was when the plan was made",
    GONE: "A resource that was there when the plan was made is gone",
    NEW: "A resource was not there when the plan was made",
    SITES: "The sites of farshore.yaml are not as they were when the plan was made",
}
"""Findings that no rule of `assess` has: they need a plan. Their codes are theirs alone."""
SOURCE = ("D13",)
"""What was planned ahead helps only while the estate is the one that it was planned for."""


def digests(estate: Estate) -> dict[str, str]:
    """A short digest of each body, by lower-case id, over what does not change by itself."""
    return {key: fingerprint(chosen_body(body))[7:23] for key, body in estate.resources.items()}


def check_against(plan: Plan, estate: Estate) -> tuple[Finding, ...]:
    """What has changed since the plan was made: nothing, or findings. Raises `InputError` where the plan speaks of
    machines, circuits or routers that this estate does not have: it is another estate's."""
    _belongs(plan, estate)
    if plan.estate == estate.fingerprint:
        return ()
    found = tuple(_changes(plan, estate)) if plan.made_from else ()
    return found or (_finding(SITES, "sites", TITLES[SITES]),)


def _changes(plan: Plan, estate: Estate) -> Iterator[Finding]:
    now = digests(estate)
    for key, digest in plan.made_from.items():
        name = resource_id(key).short
        if key not in now:
            yield _finding(GONE, key, f"{name} was there when the plan was made and is not any more")
        elif now[key] != digest:
            body = estate.resources[key]
            yield _finding(CHANGED, str(body.get("id") or key), f"{name} is not as it was when the plan was made")
    for key in now.keys() - plan.made_from.keys():
        body = estate.resources[key]
        text = f"{resource_id(key).short} was not there when the plan was made"
        yield _finding(NEW, str(body.get("id") or key), text, Severity.INFO)


def _finding(code: str, subject: str, summary: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        subject=subject,
        summary=summary,
        remedy="make the plan again with `farshore plan`, and prove it",
        source=SOURCE,
    )


def _belongs(plan: Plan, estate: Estate) -> None:
    wanted: dict[ResourceId, str] = {machine.id: "machine" for machine in plan.machines}
    for step in plan.steps:
        if step.subject.startswith("/") and resource_id(step.subject).is_a(EXPRESS_ROUTE_CIRCUITS):
            wanted[resource_id(step.subject)] = "circuit"
    missing = [id_ for id_ in wanted if estate.get(id_) is None]
    if missing:
        raise InputError(
            f"This plan is another estate's: its {wanted[missing[0]]} {missing[0].name} is not in this one"
            + (f", nor {len(missing) - 1} more" if len(missing) > 1 else ""),
            value=missing[0].text,
            expected="a plan made from this estate",
            remedy="make one with `farshore plan`",
        )
    for step in plan.steps:
        for effect in step.effects:
            if isinstance(effect, SetRouter):
                site = estate.site(effect.site)
                if site is None or site.router(effect.router.name) is None:
                    raise InputError(
                        f"This plan is another estate's: farshore.yaml has no router {effect.router.name} "
                        f"at {effect.site}",
                        value=f"sites/{effect.site}/routers/{effect.router.name}",
                        expected="a plan made from this estate",
                        remedy="make one with `farshore plan`",
                    )
