"""The tables written for other verifiers carry packets as the engine says: followed here router by router.

The follower knows nothing of Azure: it reads the files, matches the longest prefix, and asks the access list of the
interface by which a packet leaves. Machines that an end of a configuration can't know of (off, behind a group of their
own) are not asked about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from random import Random

import pytest
from bench.growth import exponent
from bench.routers import written

from farshore.estate.estate import Estate
from farshore.estate.project import read_project
from farshore.generate import Shape, generate, project
from farshore.routing.scale.line import address_at
from farshore.routing.scale.outcomes import WORDS
from farshore.routing.scale.reach import Reach


@dataclass
class Plain:
    core: IPv4Address | None = None
    stubs: list[tuple[IPv4Network, str]] = field(default_factory=list)
    routes: list[tuple[IPv4Network, str]] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)


def _read(path: Path) -> Plain:
    made, interface, name, stub = Plain(), "", "", None
    for line in path.read_text().splitlines():
        words = line.split()
        if line.startswith("interface"):
            interface = words[1]
        elif line.startswith(" ip address"):
            held = f"{words[2]}/{words[3]}"
            if interface.startswith("Core"):
                made.core = IPv4Address(words[2])
            else:
                stub = IPv4Network(held, strict=False)
                made.stubs.append((stub, ""))
        elif line.startswith(" ip access-group"):
            made.stubs[-1] = (made.stubs[-1][0], words[2])
        elif line.startswith("ip access-list"):
            name = words[-1]
            made.lists[name] = []
        elif line.startswith("ip route"):
            made.routes.append((IPv4Network(f"{words[2]}/{words[3]}"), words[4]))
        elif re.match(r" (permit|deny)", line):
            made.lists[name].append(line.strip())
    return made


def _follow(routers: dict[str, Plain], at: str, source: IPv4Address, target: IPv4Address) -> tuple[str, str]:
    """Where a packet to tcp/443 ends: a router, and `delivered`, `refused`, `dropped` or `looped`."""
    by_address = {str(router.core): name for name, router in routers.items()}
    for _ in range(40):
        router = routers[at]
        ways = [(prefix.prefixlen, 1, "") for prefix, _ in router.stubs if target in prefix]
        ways += [(prefix.prefixlen, 0, hop) for prefix, hop in router.routes if target in prefix]
        if not ways:
            return at, "dropped"
        best = max(ways, key=lambda way: way[:2])
        if best[1]:
            checked = next(name for prefix, name in router.stubs if target in prefix)
            return at, "delivered" if _passes(router.lists.get(checked, []), source, target) else "refused"
        if best[2] == "Null0":
            return at, "dropped"
        at = by_address[best[2]]
    return at, "looped"


def _passes(rules: list[str], source: IPv4Address, target: IPv4Address) -> bool:
    for rule in rules:
        words = rule.split()
        action, protocol, rest = words[0], words[1], words[2:]
        matched = protocol in ("ip", "tcp")
        for address in (source, target):
            if rest[0] == "any":
                rest = rest[1:]
            elif rest[0] == "host":
                matched, rest = matched and address == IPv4Address(rest[1]), rest[2:]
            else:
                wild = int(IPv4Address(rest[1]))
                matched, rest = matched and int(address) | wild == int(IPv4Address(rest[0])) | wild, rest[2:]
        if rest and rest[0] == "eq":
            matched = matched and int(rest[1]) == 443
        elif rest:
            matched = matched and int(rest[1]) <= 443 <= int(rest[2])
        if matched:
            return action == "permit"
    return not rules


def _probes(home: Plain, first: int, last: int) -> list[IPv4Address]:
    """Addresses of a range, among them whatever a list there might tell from the others."""
    borders = {first, last}
    for rule in (rule for rules in home.lists.values() for rule in rules):
        borders |= {int(IPv4Address(word)) for word in re.findall(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", rule)}
    return [IPv4Address(place) for place in sorted(borders) if first <= place <= last]


@pytest.mark.parametrize("shape", ["shared", "adversarial"])
def test_the_files_carry_packets_as_the_engine_says(shape: str, tmp_path: Path) -> None:
    asked = Shape(spokes=12, machines=60, prefixes=24, seed=3, shape=shape)
    import yaml

    (tmp_path / "farshore.yaml").write_text(yaml.safe_dump(project(asked)))
    estate = Estate.from_resources(list(generate(asked)), read_project(tmp_path / "farshore.yaml"))
    count = written(estate, tmp_path)
    files = sorted((tmp_path / "configs").iterdir())
    assert len(files) == count
    routers = {path.stem: _read(path) for path in files}
    reach = Reach.of(estate)
    words = reach.words(reach.cold)
    model = reach.model
    machines = model.columns.machines
    draw = Random(1)
    homes = {str(name): f"{name.split('/')[8]}-{name.split('/')[10]}" for name in machines.subnet_keys}
    asked_about = 0
    for row in range(len(machines)):
        if not machines.runs[row] or machines.groups[row]:
            continue
        home, machine = homes[machines.subnet_keys[machines.subnets[row]]], address_at(int(machines.addresses[row]))
        for end in draw.sample(range(len(model.ends)), 6):
            word = WORDS[words[model.units.of_machine[row], end]]
            site = model.sessions.sites[int(model.ends.sites[end])].name
            assert isinstance(machine, IPv4Address)
            both = [
                _follow(routers, site, there, machine) == (home, "delivered")
                and _follow(routers, home, machine, there) == (site, "delivered")
                for there in _probes(routers[home], int(model.ends.first[end]), int(model.ends.last[end]))
            ]
            good = word in ("delivered", "asymmetric")
            # A part of a site is denied when one address of it is.
            assert all(both) == good and (any(both) == good or word == "denied"), (word, home, str(machine), site, end)
            asked_about += 1
    assert asked_about > 100


def test_the_exponent_of_a_power_is_that_power() -> None:
    sizes = [250, 500, 1000, 2000]
    assert exponent(sizes, [3.0 * size**1.3 for size in sizes]) == pytest.approx(1.3)
