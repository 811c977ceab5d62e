"""The process inside: it makes the hosts, and does to them what it is told.

    python -m farshore.twin.inside          under `unshare`, as the first process of its own process namespace

Each host is a child that moved into a network namespace of its own and waits for orders (agent.py). Nothing has a name
outside: no file under /run/netns, no interface in the namespace that this started in. When this process ends, for
whatever reason, the kernel ends every child and takes the namespaces and wires away with them.

Orders are JSON, one a line, answered by one line each: `{"do": "build", "plan": ...}`. Only Python's own library is
imported here: this process is forked once for each host.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

from farshore.twin.agent import serve
from farshore.twin.lines import Lines

CLONE_NEWNET = 0x40000000
PRIVATE = "/run"
"""Where files may lie: in memory of our own that is mounted here, and seen by nobody else."""
SETTLED = 0.25
"""Seconds in which no count of routes may change before BGP counts as settled."""
PATIENCE = 20.0
"""Seconds that BGP may take. With a core to itself a hundred hosts take two."""


class Hosts:
    """The hosts of one plan."""

    def __init__(self, plan: dict[str, Any], folder: str) -> None:
        self.plan = {host["name"]: host for host in plan["hosts"]}
        self.wires: list[list[str]] = plan["wires"]
        self.folder = folder
        self.pids: dict[str, int] = {}
        self.lines: dict[str, Lines] = {}

    def start(self) -> None:
        for number, name in enumerate(self.plan):
            ours, theirs = socket.socketpair()
            pid = os.fork()
            if pid == 0:
                ours.close()
                for line in self.lines.values():
                    line.close()
                _alone()
                theirs.sendall(b"{}\n")
                serve(theirs, os.path.join(self.folder, str(number)))
            theirs.close()
            self.pids[name], self.lines[name] = pid, Lines(ours)
        for line in self.lines.values():
            line.read()
        batch = [
            f"link add {wire} netns {self.pids[one]} type veth peer name {wire} netns {self.pids[other]}"
            for wire, one, other in self.wires
        ]
        done = subprocess.run(
            ["ip", "-batch", "-"], input="\n".join(batch), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"wires: {done.stderr.strip()}")

    def all(self, order: dict[str, Any], names: list[str] | None = None) -> dict[str, Any]:
        """One order to many hosts at once."""
        return self.each(dict.fromkeys(self.plan if names is None else names, order))

    def each(self, orders: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """An order of its own to each; the answers, by host."""
        for name, order in orders.items():
            self.lines[name].write(order)
        answers = {name: self.lines[name].read() for name in orders}
        for name, answer in answers.items():
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']}")
        return answers

    def stop(self) -> None:
        for line in self.lines.values():
            line.close()
        for pid in self.pids.values():
            os.waitpid(pid, 0)


class UnsettledError(RuntimeError):
    """All sessions are up, and routes come and go."""


class Inside:
    """The orders."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="twin", dir=PRIVATE)
        self.hosts: Hosts | None = None

    def build(self, order: dict[str, Any]) -> dict[str, Any]:
        """Make the hosts of a plan, those of the last one are gone before. Answers how long it took."""
        self.clear({})
        began = time.monotonic()
        self.hosts = Hosts(order["plan"], tempfile.mkdtemp(dir=self.folder))
        self.hosts.start()
        wires: dict[str, list[str]] = {name: [] for name in self.hosts.plan}
        for wire, *ends in self.hosts.wires:
            for end in ends:
                wires[end].append(wire)
        self.hosts.each(
            {name: {"do": "wake", "forwards": host["forwards"], "wires": wires[name]} for name, host in self._plan()}
        )
        self.hosts.each({name: {"do": "setup", "host": host} for name, host in self._plan()})
        laid = time.monotonic()
        self.settle({})
        self.tags({})
        return {
            "hosts": len(wires),
            "wires": len(self.hosts.wires),
            "laid": laid - began,
            "settled": time.monotonic() - laid,
        }

    def settle(self, order: dict[str, Any]) -> dict[str, Any]:
        """Wait until every session stands and no table changes any more."""
        hosts = self._there()
        names = [name for name, host in self._plan() if host["bird"]]
        last, since = None, time.monotonic()
        began = since
        while True:
            answers = hosts.all({"do": "counts"}, names)
            now = time.monotonic()
            down = [f"{name} {session}" for name in names for session in answers[name]["down"]]
            counts = {name: answers[name]["routes"] for name in names}
            if down or counts != last:
                last, since = counts, now
            elif now - since >= SETTLED:
                return {"seconds": now - began}
            if now - began > PATIENCE:
                text = f"BGP did not settle in {PATIENCE:.0f} s"
                raise RuntimeError(f"{text}; down: {', '.join(down)}") if down else UnsettledError(text)
            time.sleep(0.05)

    def tags(self, order: dict[str, Any]) -> dict[str, Any]:
        """Put what networks have learned into the sets of those whose groups go by it (R44)."""
        hosts = self._there()
        wanted = {source for _, host in self._plan() for sources in host["tags"].values() for source in sources}
        known = [name for name in sorted(wanted) if name in hosts.plan and hosts.plan[name]["bird"]]
        learned = hosts.all({"do": "learned"}, known)
        orders = {}
        for name, host in self._plan():
            sets = {
                tag: [
                    prefix
                    for source in sources
                    for prefix in learned.get(source, {}).get("prefixes", ())
                    if (":" in prefix) == tag.endswith("6")
                ]
                for tag, sources in host["tags"].items()
            }
            if any(sets.values()):
                orders[name] = {"do": "tags", "sets": sets}
        hosts.each(orders)
        return {}

    def probe(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ask along flows, and send echoes, by the host that each leaves from: `{"host": [[id, from, to, own port,
        port], ...]}` and `{"host": [[id, from, to, identifier, sequence, time to live], ...]}`."""
        hosts = self._there()
        names = dict.fromkeys((*order["flows"], *order["echoes"]))
        told = hosts.each(
            {name: {**order, **{what: order[what].get(name, []) for what in ("flows", "echoes")}} for name in names}
        )
        return {
            what: {key: value for found in told.values() for key, value in found[what].items()}
            for what in ("answers", "echoes")
        }

    def listen(self, order: dict[str, Any]) -> dict[str, Any]:
        """Answer at these TCP ports, everywhere that answers."""
        self._there().all({"do": "listen", "ports": order["ports"]})
        return {}

    def seen(self, order: dict[str, Any]) -> dict[str, Any]:
        """What every host remembers of packets, and forgets with it."""
        return {"hosts": self._there().all({"do": "seen"})}

    def routes(self, order: dict[str, Any]) -> dict[str, Any]:
        """The kernel's routes of some hosts, all tables."""
        return {"hosts": self._there().all({"do": "routes"}, order["hosts"])}

    def bgp(self, order: dict[str, Any]) -> dict[str, Any]:
        """What BIRD has been told, by host and session."""
        names = [name for name in order["hosts"] if self._there().plan[name]["bird"]]
        return {"hosts": self._there().all({"do": "bgp"}, names)}

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """A command on one host."""
        return {"done": self._there().each({order["host"]: {"do": "run", "argv": order["argv"]}})[order["host"]]}

    def cut(self, order: dict[str, Any]) -> dict[str, Any]:
        """Take down all wires of some hosts, and some between hosts that stay, at once, as when power is lost; `up`
        puts them back."""
        state = "up" if order.get("up") else "down"
        ends: dict[str, list[str]] = {}
        for wire, one, other in self._there().wires:
            if {one, other} & set(order["hosts"]) or [one, other] in order["wires"]:
                ends.setdefault(one, []).append(wire)
        self._there().each({name: {"do": "wires", "wires": wires, "state": state} for name, wires in ends.items()})
        return {}

    def knock(self, order: dict[str, Any]) -> dict[str, Any]:
        """Begin to connect along flows, by host, each `every` seconds; `knocked` ends it."""
        self._there().each({name: {**order, "flows": flows} for name, flows in order["flows"].items()})
        return {}

    def knocked(self, order: dict[str, Any]) -> dict[str, Any]:
        """When each was tried, and which were answered."""
        return {"hosts": self._there().all({"do": "knocked"}, order["hosts"])}

    def clear(self, order: dict[str, Any]) -> dict[str, Any]:
        """No hosts any more."""
        if self.hosts is not None:
            self.hosts.stop()
        self.hosts = None
        return {}

    def _there(self) -> Hosts:
        assert self.hosts is not None, "build first"
        return self.hosts

    def _plan(self) -> list[tuple[str, dict[str, Any]]]:
        return list(self._there().plan.items())


def _alone() -> None:
    """Into a network namespace of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def main() -> None:
    # -n: else `mount` keeps a folder of its own records in the machine's /run, which is still there at this moment.
    subprocess.run(["mount", "-n", "-t", "tmpfs", "tmpfs", PRIVATE], check=True)
    inside = Inside()
    for text in sys.stdin:
        order = json.loads(text)
        try:
            answer = getattr(inside, order["do"])(order)
        except (RuntimeError, OSError, EOFError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        try:
            print(json.dumps(answer), flush=True)
        except BrokenPipeError:
            # Whoever asked is gone. Nothing more is said, to nobody.
            os._exit(0)


if __name__ == "__main__":
    main()
