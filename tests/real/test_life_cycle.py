"""Azure's Python clients take the article's example to the far shore and back, on a served lab.

One story: hub and spokes with their appliance, gateway, circuit and connection are built, machines are protected, a
drill is held and cleaned up, a failover is made and committed, the connection is moved, protection is switched, and
all goes home again. The clients know an address, an authority and a login from the environment, as `farshore lab env`
gives it, and nothing else of the lab; packets and faults come from beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from real.bare_lab import BareLab
from real.life import network, recovery
from real.life.clients import AWAY, FAR, HOME, MACHINES, NEAR, Clients


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    with BareLab(tmp_path) as lab:
        for name, value in lab.environment.items():
            monkeypatch.setenv(name, value)
        found = Clients(lab)
        yield found
        found.close()


def test_to_the_far_shore_and_back(clients: Clients, record_property: Callable[[str, object], None]) -> None:
    # Home.
    network.groups(clients)
    network.networks(clients, HOME, NEAR, "Source-Hub-vNet", suffix="")
    network.appliance(clients, HOME, NEAR, "Source-Hub-vNet", "nva")
    network.gateway(clients, HOME, NEAR, "Source-Hub-vNet", "ergw-source-hub")
    network.peerings(clients, HOME, "Source-Hub-vNet", suffix="")
    network.circuit(clients, "er-hongkong", "Hong Kong", 1000, "172.16.0.0/30", "172.16.0.4/30", 100)
    network.circuit(clients, "er-singapore", "Singapore", 200, "172.16.0.8/30", "172.16.0.12/30", 200)
    network.connection(clients, HOME, NEAR, "cn-source-hub", "ergw-source-hub", "er-hongkong")
    network.machines(clients)
    network.reaches(clients)
    network.routes(clients)
    # The far shore, but for its connection: one network at a time holds the addresses (D57).
    network.networks(clients, AWAY, FAR, "Target-Hub-vNet", suffix="-asr")
    network.appliance(clients, AWAY, FAR, "Target-Hub-vNet", "nva-asr")
    network.gateway(clients, AWAY, FAR, "Target-Hub-vNet", "ergw-target-hub")
    network.peerings(clients, AWAY, "Target-Hub-vNet", suffix="-asr")
    # Protection, and a drill in a network of its own.
    recovery.vault(clients)
    for name in MACHINES:
        recovery.protect(clients, name)
    for name in MACHINES:
        recovery.protected(clients, name, "near")
    recovery.drill(clients, "web1", "near", f"{AWAY}-drill")
    network.reaches(clients)
    # There.
    for name in MACHINES:
        recovery.fail_over(clients, name, "near", AWAY)
    network.move_connection(
        clients, (HOME, "cn-source-hub"), (AWAY, FAR, "cn-target-hub", "ergw-target-hub", "er-singapore")
    )
    network.reaches(clients)
    for name in MACHINES:
        recovery.switch(clients, name, "near", "far", AWAY, HOME)
    for name in MACHINES:
        recovery.protected(clients, name, "far")
    # And back, and protected as in the beginning.
    for name in MACHINES:
        recovery.fail_over(clients, name, "far", HOME)
    network.move_connection(
        clients, (AWAY, "cn-target-hub"), (HOME, NEAR, "cn-source-hub", "ergw-source-hub", "er-hongkong")
    )
    network.reaches(clients)
    for name in MACHINES:
        recovery.switch(clients, name, "far", "near", HOME, AWAY)
    for name in MACHINES:
        recovery.protected(clients, name, "near")
    recovery.what_the_jobs_say(clients)
    recovery.taken_away(clients)
    record_property("calls", clients.calls)
