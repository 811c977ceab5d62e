"""A twin is apart from the machine that it runs on: it changes nothing there, and when it ends nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

from farshore.twin.blueprint import blueprint_of
from farshore.twin.running import Twin, TwinError
from twin.corners import CORNERS
from twin.needs import needs_a_twin

pytestmark = needs_a_twin


def machine() -> dict[str, object]:
    """What of this machine a twin could change: interfaces, routes, rules, rulesets, mounts, named namespaces."""
    asks = {
        "links": ["ip", "-o", "link"],
        "addresses": ["ip", "-o", "address"],
        "routes": ["ip", "route", "show", "table", "all"],
        "rules": ["ip", "rule"],
    }
    found: dict[str, object] = {
        name: subprocess.run(argv, capture_output=True, text=True, check=False).stdout for name, argv in asks.items()
    }
    found["mounts"] = Path("/proc/self/mounts").read_text()
    found["named"] = sorted(path.name for path in Path("/run").iterdir())
    return found


def of_twin(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for parent in found:
        for entry in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in entry.read_text().split()]
    return found


def alive(pids: list[int]) -> list[int]:
    def lives(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return [pid for pid in pids if lives(pid)]


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + 10
    while alive(pids) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(pids)


def built(twin: Twin) -> None:
    twin.do("build", plan=blueprint_of(CORNERS["through_an_appliance"][0]()).plan)


def test_it_touches_nothing_and_leaves_nothing() -> None:
    before = machine()
    with Twin() as twin:
        built(twin)
        pids = of_twin(twin.pid)
        assert len(pids) > 10, "each host is a process"
        assert machine() == before
    assert gone(pids)
    assert machine() == before


BEGINS = """
import signal, sys
# Whoever runs tests in the background has it ignored, and a process hands that on.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[:0] = {path!r}
from twin.test_twin_apart import Twin, built
twin = Twin()
built(twin)
print(twin.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_whoever_began_it(number: int) -> None:
    """The process that holds the twin is killed: its end of the line closes, and the kernel takes the rest away."""
    before = machine()
    code = BEGINS.format(path=sys.path)
    held = subprocess.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True)
    with held:
        assert held.stdout is not None
        pids = of_twin(int(held.stdout.readline()))
        assert len(pids) > 10
        held.send_signal(number)
        held.wait()
    assert gone(pids)
    assert machine() == before


def test_a_twin_that_is_killed_says_so_when_it_is_asked() -> None:
    twin = Twin()
    built(twin)
    pids = of_twin(twin.pid)
    os.kill(twin.pid, signal.SIGKILL)
    assert gone(pids)
    with pytest.raises(TwinError, match="ended by itself"):
        twin.do("settle")
    twin.close()


def test_an_order_that_fails_says_why_and_the_next_one_works() -> None:
    plan = blueprint_of(CORNERS["through_an_appliance"][0]()).plan
    wrong = {**plan, "hosts": [{**plan["hosts"][0], "ip": ["-4 route add nonsense"]}, *plan["hosts"][1:]]}
    with Twin() as twin:
        with pytest.raises(TwinError, match=r"could not build: .*network:"):
            twin.do("build", plan=wrong)
        built(twin)


def test_traceroute_and_ping_see_the_same_way() -> None:
    """Ordinary tools, run on a host, agree with what the hosts remember."""
    estate = CORNERS["through_an_appliance"][0]()
    blueprint = blueprint_of(estate)
    numbers = {f"198.18.0.{number}": name for number, name in enumerate(blueprint.hosts, start=1)}
    host = next(name for name in blueprint.hosts if name.endswith("/vm1"))
    with Twin() as twin:
        twin.do("build", plan=blueprint.plan)
        twin.do("listen", ports=[443])
        for argv in (["ping", "-c", "1", "-W", "2", "192.168.0.1"], ["ping", "-c", "1", "-W", "2", "10.0.1.4"]):
            said = twin.do("run", host=host, argv=argv)["done"]
            assert "1 received" in said["text"], said
        argv = ["traceroute", "-n", "-q", "1", "-T", "-p", "443", "-w", "1", "192.168.0.1"]
        said = twin.do("run", host=host, argv=argv)["done"]
        hops = [line.split()[1] for line in said["text"].splitlines()[1:]]
    kinds = [numbers.get(hop, hop).partition(":")[0] for hop in hops]
    assert kinds == ["network", "10.0.1.4", "network", "gateway", "circuit", "router", "192.168.0.1"], said["text"]
