"""The measured routing cases: real Azure tables, with the estate that produced them.

One loader serves every case in the format of the data's README. It reads `estate`, `changes` and `outside` and nothing
else: `load` returns questions (a NIC, a gateway's table) without their answers, and `expected_of` reads the answers for
the comparison alone. test_routing_cases.py proves it by shuffling the expected rows.

    python -m tests.routing.cases PATH...      cases or folders of them: what matched, what was ignored and why, each
                                               row that differs; status 1 where any does
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from farshore.arm.ids import resource_id
from farshore.estate.estate import Change, Estate
from farshore.estate.outside import Advertisement, Outside
from farshore.routing import Routing
from farshore.routing.values import BgpRoute, EffectiveRoute

DATA = Path(os.environ.get("FARSHORE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "routing-cases"

Row = tuple[str, str, str, str, str]
"""Source, state, prefix, next hop type, one next hop or nothing: what the README says to compare."""


def case_files() -> list[Path]:
    return sorted(DATA.glob("*.json")) if DATA.is_dir() else []


def read_case(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of a case: an estate, and what was asked there."""

    name: str
    estate: Estate
    nics: tuple[str, ...]
    tables: tuple[tuple[str, str, str | None, str | None], ...]
    """Of, learned or advertised, to, instance."""


def load(case: Mapping[str, Any]) -> Iterator[State]:
    """Every state of a case; `expected` is read for which things are asked, never for what the answers are."""
    base = Estate.from_resources(case["estate"])
    for state in case["states"]:
        yield State(
            name=state["name"],
            estate=replace(base.with_changes(_changes(state["changes"])), outside=outside_of(state["outside"])),
            nics=tuple(dict.fromkeys(item["nic"] for item in state["expected"])),
            tables=tuple(
                (item["of"], item["what"], item.get("to"), item.get("instance"))
                for item in state.get("expected_bgp", [])
            ),
        )


def _changes(changes: list[Mapping[str, Any]]) -> Iterator[Change]:
    for change in changes:
        yield Change(put=change["put"]) if "put" in change else Change(delete=resource_id(change["delete"]))


def outside_of(given: Mapping[str, Any]) -> Outside:
    none_prefixes = given.get("none_prefixes")
    return Outside(
        advertised=tuple(
            Advertisement(
                to=item["to"].lower(),
                peer=ip_address(item["peer"]),
                prefix=ip_network(item["prefix"]),
                as_path=tuple(item["as_path"]),
                next_hop=None if item.get("next_hop") is None else ip_address(item["next_hop"]),
            )
            for item in given.get("advertised", [])
        ),
        msee={key.lower(): _addresses(value) for key, value in given.get("msee", {}).items()},
        gateway_instances={key.lower(): _addresses(value) for key, value in given.get("gateway_instances", {}).items()},
        none_prefixes=None if none_prefixes is None else tuple(ip_network(text) for text in none_prefixes),
        service_prefixes={
            name: tuple(ip_network(text) for text in texts) for name, texts in given.get("service_prefixes", {}).items()
        },
        down=frozenset(name.lower() for name in given.get("down", [])),
    )


def _addresses(value: Any) -> Any:
    """Addresses at any depth, keys in lower case."""
    if isinstance(value, dict):
        return {key.lower(): _addresses(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_addresses(item) for item in value)
    return ip_address(value)


def flat(routes: tuple[EffectiveRoute, ...]) -> set[Row]:
    """Our rows in the compared form: one row with two next hops equals two rows."""
    return {
        (row.source, row.state, str(row.address_prefix), row.next_hop_type, hop)
        for row in routes
        for hop in (tuple(map(str, row.next_hop_ip_addresses)) or ("",))
    }


def expected_rows(expected: Mapping[str, Any]) -> set[Row]:
    return {
        (row["source"], row["state"], prefix, row["next_hop_type"], hop)
        for row in expected["rows"]
        for prefix in map(str, map(ip_network, row["prefixes"]))
        for hop in (tuple(row["next_hop_ips"]) or ("",))
    }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What matched, what was missing, what was too much, what the case says to leave alone."""

    matched: int
    missing: tuple[Any, ...]
    extra: tuple[Any, ...]
    ignored: int


def compare(ours: tuple[EffectiveRoute, ...], expected: Mapping[str, Any]) -> Comparison:
    ignore = {str(ip_network(item["prefix"])) for item in expected.get("ignore", [])}
    want, have = expected_rows(expected), flat(ours)
    if not expected["complete"]:
        have = {row for row in have if row[3] != "None"}
    loose = {row[1:] for row in want if row[0] == "?"}
    have = {("?", *row[1:]) if row[1:] in loose else row for row in have}
    ignored = {row for row in want if row[2] in ignore}
    want, have = want - ignored, {row for row in have if row[2] not in ignore}
    return Comparison(
        matched=len(want & have),
        missing=tuple(sorted(want - have)),
        extra=tuple(sorted(have - want)),
        ignored=len(ignored),
    )


BgpRow = tuple[str, str, tuple[int, ...]]


def compare_bgp(ours: tuple[BgpRoute, ...], expected: Mapping[str, Any]) -> Comparison:
    ignore = {str(ip_network(item["prefix"])) for item in expected.get("ignore", [])}
    want: set[BgpRow] = {
        (str(ip_network(row["prefix"])), str(row["next_hop"] or ""), tuple(row["as_path"]))
        for row in expected["routes"]
    }
    have: set[BgpRow] = {(str(row.network), str(row.next_hop or ""), row.as_path) for row in ours}
    ignored = {row for row in want if row[0] in ignore}
    want, have = want - ignored, {row for row in have if row[0] not in ignore}
    return Comparison(
        matched=len(want & have),
        missing=tuple(sorted(want - have)),
        extra=tuple(sorted(have - want)),
        ignored=len(ignored),
    )


def asked(routing: Routing, of: str, what: str, to: str | None, instance: str | None) -> tuple[BgpRoute, ...]:
    """A BGP table, as a case asks for it."""
    if what == "learned":
        return routing.learned_routes(of, instance, to)
    return routing.advertised_routes(f"{of}#{instance}" if instance else of, to)


def comparisons(case: Mapping[str, Any]) -> Iterator[tuple[str, Comparison, list[tuple[str, str]]]]:
    """Every table of a case: its name, how it compares, and by reason the prefixes that it ignores."""
    for state, raw in zip(load(case), case["states"], strict=True):
        routing = Routing(state.estate)
        for item in raw["expected"]:
            name = f"{state.name}: {item['nic'].rpartition('/')[2]}"
            yield name, compare(routing.effective_routes(item["nic"]), item), _whys(item)
        for item in raw.get("expected_bgp", []):
            ours = asked(routing, item["of"], item["what"], item.get("to"), item.get("instance"))
            name = f"{state.name}: {item['of'].rpartition('/')[2]} {item['what']} {item.get('to') or ''}"
            yield name.rstrip(), compare_bgp(ours, item), _whys(item)


def _whys(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(ignored.get("why", "no reason given"), ignored["prefix"]) for ignored in item.get("ignore", [])]


def main(names: list[str]) -> int:
    """Tells of every case under some paths; 1 where a row differs, or there is none to compare."""
    paths = [path for name in names or [str(DATA)] for path in _under(Path(name))]
    total = Counter[str]()
    for path in paths:
        case, here, wrong, whys = read_case(path), Counter[str](), list[str](), dict[str, set[str]]()
        for name, found, ignored in comparisons(case):
            here.update(
                matched=found.matched,
                compared=found.matched + len(found.missing) + len(found.extra),
                ignored=found.ignored,
                differing=len(found.missing) + len(found.extra),
            )
            for why, prefix in ignored:
                whys.setdefault(why, set()).add(prefix)
            wrong += [f"  {name}: not ours  {' '.join(map(str, row))}" for row in found.missing]
            wrong += [f"  {name}: only ours {' '.join(map(str, row))}" for row in found.extra]
        total.update(here)
        print(f"{path.stem}: {here['matched']} of {here['compared']} rows match, {here['ignored']} ignored")
        for why, prefixes in whys.items():
            shown = ", ".join(sorted(prefixes)) if len(prefixes) < 4 else f"{len(prefixes)} prefixes"
            print(f"  ignored {shown}: {why}")
        for text in wrong:
            print(text)
    print(f"{len(paths)} cases: {total['matched']} of {total['compared']} rows match, {total['ignored']} ignored")
    return 1 if total["differing"] or not paths else 0


def _under(path: Path) -> list[Path]:
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
