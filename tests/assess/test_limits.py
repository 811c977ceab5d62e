"""Limits that overflow: each a finding with the number that there is, the number that Azure takes, and the source."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from assess.bench import Bench, Edit, bench
from assess.broken import GATEWAY, RT1
from assess.cases_circuits import HONG_KONG, connect_many, sixes_many, spokes_many


@dataclass(frozen=True, kw_only=True)
class Overflow:
    code: str
    subject: str
    number: int
    limit: int
    source: str
    over: Edit
    under: Edit
    """The same with one less."""
    severity: str = "error"


def _prefixes(count: int, *, premium: bool = False, sku: str = "ErGw3AZ") -> Edit:
    """So many of the site, on circuits and a gateway of some size."""

    def edit(made: Bench) -> None:
        made.project["sites"][0]["prefixes"] = [f"172.{16 + n // 256}.{n % 256}.0/24" for n in range(min(count, 4000))]
        made.project["sites"][0]["prefixes"] += [f"100.{64 + n // 256}.{n % 256}.0/24" for n in range(count - 4000)]
        made.properties(GATEWAY)["sku"] = {"name": sku, "tier": sku}
        for circuit in ("er-hongkong", "er-singapore") if premium else ():
            made[circuit]["sku"].update(name="Premium_MeteredData", tier="Premium")

    return edit


def _sixes_of_the_site(count: int) -> Edit:
    return lambda made: made.project["sites"][0].update(prefixes=[f"fd00:{n:x}::/48" for n in range(count)])


def _spokes(count: int) -> Edit:
    """So many announced ranges in all: the example has three of its own."""

    def edit(made: Bench) -> None:
        spokes_many(made, 1)
        first = made.properties("empty0")["addressSpace"]
        first["addressPrefixes"] = [f"10.{64 + n // 256}.{n % 256}.0/24" for n in range(count - 3)]

    return edit


def _routes(count: int) -> Edit:
    def edit(made: Bench) -> None:
        held = made.properties(RT1)["routes"]
        for number in range(count - len(held)):
            prefix = f"203.{number // 256}.{number % 256}.0/24"
            held.append({"name": f"r{number}", "properties": {"addressPrefix": prefix, "nextHopType": "None"}})

    return edit


def _links(count: int, bandwidth: int | None = None, *, direct: int | None = None) -> Edit:
    """So many connections of the circuit, Premium where a bandwidth is given."""

    def edit(made: Bench) -> None:
        properties = made.properties("er-hongkong")
        if bandwidth is not None:
            properties["serviceProviderProperties"]["bandwidthInMbps"] = bandwidth
        if direct is not None:
            del properties["serviceProviderProperties"]["bandwidthInMbps"]
            properties["bandwidthInGbps"] = direct
        if bandwidth is not None or direct is not None:
            made["er-hongkong"]["sku"].update(name="Premium_MeteredData", tier="Premium")
        connect_many(made, count - 1, HONG_KONG)

    return edit


def _sku(count: int, sku: str) -> Edit:
    """So many connections of the gateway, to circuits of places of their own."""

    def edit(made: Bench) -> None:
        made.properties(GATEWAY)["sku"] = {"name": sku, "tier": sku}
        for number in range(count - 1):
            circuit = made.copy_of("er-hongkong", f"er-more{number}")
            circuit["properties"]["serviceProviderProperties"]["peeringLocation"] = f"Place {number}"
            connect_many(made, 1, str(circuit["name"]))
            made["cn-more0"].update(
                id=made["cn-more0"]["id"].replace("cn-more0", f"cn-to{number}"), name=f"cn-to{number}"
            )

    return edit


def of(code: str, subject: str, limit: int, source: str, edit: object, *more: object, **named: object) -> Overflow:
    """One that is over by one, and one that is not: `edit(limit + 1, ...)` and `edit(limit, ...)`."""
    assert callable(edit)
    severity = str(named.pop("severity", "error"))
    over, under = edit(limit + 1, *more, **named), edit(limit, *more, **named)
    return Overflow(
        code=code,
        subject=subject,
        number=limit + 1,
        limit=limit,
        source=source,
        over=over,
        under=under,
        severity=severity,
    )


SITE, TABLE, CIRCUIT, ERGW = "sites/datacenter", "rt-source-vnet1", "er-hongkong", "ergw-source-hub"
OVERFLOWS = (
    of("FS135", SITE, 4_000, "E13", _prefixes),
    of("FS135", SITE, 10_000, "E13", _prefixes, premium=True, sku="ErGwScale"),
    of("FS135", SITE, 100, "E13", _sixes_of_the_site),
    of("FS135", ERGW, 4_000, "E28", _prefixes, premium=True, sku="ErGw1AZ"),
    of("FS135", ERGW, 9_500, "E28", _prefixes, premium=True, sku="ErGw2AZ"),
    of("FS813", ERGW, 200, "R40", _spokes),
    of("FS813", ERGW, 100, "E14", lambda count: lambda made: sixes_many(made, count)),
    of("FS811", TABLE, 400, "R34", _routes, severity="warning"),
    of("FS814", CIRCUIT, 10, "E15", _links),
    of("FS814", CIRCUIT, 20, "E15", _links, 50),
    of("FS814", CIRCUIT, 50, "E15", _links, 1_000),
    of("FS814", CIRCUIT, 100, "E15", _links, direct=10),
    of("FS814", CIRCUIT, 100, "E15", _links, direct=100),
    of("FS310", ERGW, 4, "E27", _sku, "ErGw1AZ"),
    of("FS310", ERGW, 8, "E27", _sku, "ErGw2AZ"),
    of("FS310", ERGW, 16, "E16", _sku, "ErGw3AZ"),
)


@pytest.mark.parametrize("overflow", OVERFLOWS, ids=lambda item: f"{item.code} {item.subject} {item.limit}")
def test_r34_r40_r41_e13_e14_e15_e28_a_limit_that_overflows_is_told_with_number_limit_and_source(
    overflow: Overflow,
) -> None:
    over, under = bench(), bench()
    overflow.over(over)
    overflow.under(under)
    told = [f for f in over.findings(overflow.code) if f.subject.endswith(overflow.subject)]
    assert told
    for found in told:
        assert found.severity.value == overflow.severity
        assert {str(overflow.number), str(overflow.limit)} <= set(re.findall(r"\d+", found.summary))
        assert overflow.source in found.source and found.remedy
    assert not [f for f in under.findings(overflow.code) if f.subject.endswith(overflow.subject)]


def test_r40_beyond_a_thousand_prefixes_the_connection_drops() -> None:
    made = bench()
    _spokes(1_001)(made)
    (found,) = made.findings("FS813")
    assert "announces 1001 prefixes; the connection drops beyond 1000" in found.summary


def test_r34_beyond_a_thousand_routes_no_table_is_that_large() -> None:
    """X15: up to that many under Virtual Network Manager, which an estate does not show."""
    for count, severity in ((1_000, "warning"), (1_001, "error")):
        made = bench()
        _routes(count)(made)
        (found,) = made.findings("FS811")
        assert found.severity.value == severity
