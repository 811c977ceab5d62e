"""What works, what nobody knows, and what sites decide."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from farshore.estate.outside import Filter, Outside, Router
from scenarios.session import Session


def down(session: Session, words: list[str]) -> str:
    """`down NAME...`: these, and nothing else, do not work. `down` alone: everything works."""
    return _now(session, replace(session.estate.outside, down=_names(session, words)))


def unknown(session: Session, words: list[str]) -> str:
    """`unknown NAME...`: nobody can tell about these."""
    return _now(session, replace(session.estate.outside, unknown=_names(session, words)))


def stopped(session: Session, words: list[str]) -> str:
    """`stopped MACHINE...`: these exist and do not run."""
    return _now(session, replace(session.estate.outside, stopped=_names(session, words)))


def stale(session: Session, words: list[str]) -> str:
    """`stale MACHINE...`: these may run with old data."""
    return _now(session, replace(session.estate.outside, stale=_names(session, words)))


def prefer(session: Session, words: list[str]) -> str:
    """`prefer ROUTER NUMBER`: a router's local preference."""
    return _router(session, words[0], local_preference=int(words[1]))


def prepend(session: Session, words: list[str]) -> str:
    """`prepend ROUTER NUMBER`"""
    return _router(session, words[0], prepend=int(words[1]))


def deny(session: Session, words: list[str]) -> str:
    """`deny ROUTER in|out PREFIX...`: filters of a router; none: no filters."""
    direction = words[1] if len(words) > 1 else "in"
    filters = tuple(Filter(direction=direction, prefix=ip_network(text), action="deny") for text in words[2:])
    return _router(session, words[0], filters=filters)


def readvertise(session: Session, words: list[str]) -> str:
    """`readvertise ROUTER CIRCUIT...`: transit between circuits (E48)."""
    return _router(session, words[0], readvertise=tuple(session.id_of(name) for name in words[1:]))


def _names(session: Session, words: list[str]) -> frozenset[str]:
    return frozenset(session.key_of(word) for word in words)


def _now(session: Session, outside: Outside) -> str:
    session.estate = session.estate.with_outside(outside)
    return "done"


def _router(session: Session, name: str, **changed: object) -> str:
    sites = []
    for site in session.estate.sites:
        router: Router | None = site.router(name)
        sites.append(site if router is None else site.with_router(replace(router, **changed)))  # type: ignore[arg-type]  # field names are ours
    session.estate = session.estate.with_sites(tuple(sites))
    return "done"
