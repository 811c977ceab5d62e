"""A host from within: it sets itself up, answers requests, asks, and tells what it has seen.

Requests are TCP: whoever is asked says its name, so that the asker knows who has answered, not only that somebody did.
A flow counts as answered when the name has come: a handshake alone would not notice a firewall that sees only one
direction (R39). Echoes go beside them (echoes.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import re
import socket
import struct
import subprocess
import time
from typing import Any

from farshore.twin.echoes import IP_TRANSPARENT, IPV6_TRANSPARENT, Echoes

LONGEST = 8.0
LONGEST_UP = 80
"""Tries, a twentieth of a second apart."""
LINES = 60
"""Of one message to nftables."""

SYSCTLS = {
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv4/conf/all/accept_redirects": "0",
    # A packet that comes back to its sender goes round again, as it would in Azure's fabric.
    "net/ipv4/conf/all/accept_local": "1",
    # A site may ask from an address that Azure holds too: what comes for it is routed on, whoever has asked.
    "net/ipv4/ip_early_demux": "0",
    # Every hop of every traceroute at once: no kind of ICMP is held back.
    "net/ipv4/icmp_ratemask": "0",
    "net/ipv6/icmp/ratemask": "0",
    "net/ipv6/conf/all/accept_ra": "0",
    "net/ipv6/conf/all/keep_addr_on_down": "1",
    "net/ipv4/fib_multipath_hash_policy": "0",
}


def serve(line: socket.socket, folder: str) -> None:
    """Do as told until the other end closes; never returns."""
    os.mkdir(folder)
    try:
        # Without `asyncio.run`: what still waits when the other end has closed needs no goodbye.
        asyncio.new_event_loop().run_until_complete(Agent(folder).serve(line))
    finally:
        os._exit(0)


class Agent:
    """One host."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.name = ""
        self.addresses: list[str] = []
        self.learns: list[str] = []
        """BIRD's tables of what a network's host has been told."""
        self.bird: subprocess.Popen[bytes] | None = None
        self.servers: dict[tuple[int, int], asyncio.Server] = {}
        self.knocks: list[Knocks] = []

    async def serve(self, line: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=line, limit=1 << 28)
        while text := await reader.readline():
            order = json.loads(text)
            try:
                answer = await getattr(self, order["do"])(order)
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                answer = {"error": f"{order['do']}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        if self.bird is not None:
            self.bird.kill()

    # Being set up

    async def wake(self, order: dict[str, Any]) -> dict[str, Any]:
        """Switches, and wires up: a route by a wire is refused until both of its ends are."""
        forwards = "1" if order["forwards"] else "0"
        switches = {"net/ipv4/ip_forward": forwards, "net/ipv6/conf/all/forwarding": forwards}
        # Nobody else has our addresses: they need no seconds of asking around before they may be used.
        switches |= {f"net/ipv6/conf/{wire}/accept_dad": "0" for wire in order["wires"]}
        for name, value in {**SYSCTLS, **switches}.items():
            _set(name, value)
        _feed(["ip", "-batch", "-"], "\n".join(f"link set {wire} up" for wire in ("lo", *order["wires"])))
        return {}

    async def setup(self, order: dict[str, Any]) -> dict[str, Any]:
        host = order["host"]
        self.name, self.addresses = host["name"], host["answers"]
        self.learns = [f"learned{f}" for f in (4, 6) if f"ipv{f} table learned{f};" in host["bird"]]
        for family in ("-4", "-6"):
            lines = [text.partition(" ")[2] for text in host["ip"] if text.startswith(family)]
            # Addresses before routes: a route goes by a neighbour that an address has made known.
            lines.sort(key=lambda text: not text.startswith("address"))
            seen = [text for text in lines if " via " in text and " onlink" not in text]
            _feed(["ip", family, "-batch", "-"], "\n".join(text for text in lines if text not in seen))
            for text in seen:
                await _once_up(["ip", family, *text.split()])
        _rules(host["nft"])
        if host["stateful"]:
            _set("net/netfilter/nf_conntrack_tcp_loose", "0")
        if host["bird"]:
            path = os.path.join(self.folder, "bird.conf")
            with open(path, "w") as file:
                file.write("\n".join(host["bird"]) + "\n")
            argv = ["bird", "-f", "-c", path, "-s", self._control, "-P", os.path.join(self.folder, "bird.pid")]
            check = subprocess.run(["bird", "-p", "-c", path], capture_output=True, text=True, check=False)
            if check.returncode:
                raise ValueError(f"BIRD refuses its configuration: {check.stderr.strip()}")
            with open(os.path.join(self.folder, "bird.log"), "wb") as log:
                self.bird = subprocess.Popen(argv, stdout=log, stderr=log)
        return {}

    @property
    def _control(self) -> str:
        return os.path.join(self.folder, "bird.ctl")

    async def run(self, order: dict[str, Any]) -> dict[str, Any]:
        done = await asyncio.create_subprocess_exec(
            *order["argv"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        text, _ = await done.communicate()
        return {"status": done.returncode, "text": text.decode(errors="replace")}

    async def wires(self, order: dict[str, Any]) -> dict[str, Any]:
        _feed(["ip", "-batch", "-"], "\n".join(f"link set {wire} {order['state']}" for wire in order["wires"]))
        return {}

    async def tags(self, order: dict[str, Any]) -> dict[str, Any]:
        lines = [
            f"add element inet twin {name} {{ {', '.join(held)} }}" for name, held in order["sets"].items() if held
        ]
        _rules(lines)
        return {}

    # BIRD

    def _ask(self, text: str) -> list[str]:
        """A question to BIRD; its answer's lines, without codes."""
        with socket.socket(socket.AF_UNIX) as line:
            for _ in range(200):
                try:
                    line.connect(self._control)
                    break
                except OSError:
                    time.sleep(0.01)
            else:
                raise ValueError("BIRD does not answer")
            file = line.makefile("rw", newline="\n")
            _answer(file)
            file.write(text + "\n")
            file.flush()
            return _answer(file)

    async def counts(self, order: dict[str, Any]) -> dict[str, Any]:
        """Which sessions do not stand, and how many routes there are."""
        down = []
        for row in self._ask("show protocols"):
            words = row.split()
            if len(words) > 3 and words[1] == "BGP" and "Established" not in words:
                down.append(words[0])
        return {"down": down, "routes": self._ask("show route count")}

    async def learned(self, order: dict[str, Any]) -> dict[str, Any]:
        """The prefixes that a network's host has been told."""
        rows = []
        for table in self.learns:
            rows += self._ask(f"show route table {table}")
        return {"prefixes": sorted({words[0] for row in rows if (words := row.split()) and "/" in words[0]})}

    async def bgp(self, order: dict[str, Any]) -> dict[str, Any]:
        """Prefix and path of everything that each session has brought."""
        found: dict[str, list[list[Any]]] = {}
        for row in self._ask("show protocols"):
            words = row.split()
            if len(words) > 3 and words[1] == "BGP":
                found[words[0]] = list(_routes(self._ask(f"show route protocol {words[0]} all")))
        return {"sessions": found}

    # Packets

    async def listen(self, order: dict[str, Any]) -> dict[str, Any]:
        for port in order["ports"] if self.addresses or self.name.startswith("site:") else ():
            for family, everywhere in ((4, "0.0.0.0"), (6, "::")):
                if (family, port) not in self.servers:
                    self.servers[family, port] = await asyncio.start_server(
                        self._say, everywhere, port, backlog=4096, family=_family(family)
                    )
        return {}

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.readline()
            writer.write(self.name.encode() + b"\n")
            await writer.drain()
        writer.close()

    async def probe(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ask along each flow, and send each echo; the answerer's name, and an echo's address, or None where nobody has
        answered when for `quiet` seconds no answer at all has come."""
        answers: dict[str, str | None] = {flow[0]: None for flow in order["flows"]}
        latest = time.monotonic()

        async def one(flow: list[Any]) -> None:
            nonlocal latest
            answers[flow[0]] = await _request(*flow[1:])
            latest = time.monotonic()

        echoes = Echoes(order["echoes"])
        tasks = [asyncio.create_task(one(flow)) for flow in order["flows"]]
        tasks.append(asyncio.create_task(echoes.all()))
        began = time.monotonic()
        while True:
            _, waiting = await asyncio.wait(tasks, timeout=order["quiet"] / 4)
            now = time.monotonic()
            if not waiting or now - max(latest, echoes.latest) > order["quiet"] or now - began > LONGEST:
                break
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        echoes.close()
        wrong = next((error for error in ended if isinstance(error, Exception)), None)
        if wrong is not None:
            raise wrong
        return {"answers": answers, "echoes": echoes.answers}

    async def seen(self, order: dict[str, Any]) -> dict[str, Any]:
        """The packets remembered, by kind of memory; forgotten afterwards."""
        listing = json.loads(_told(["nft", "-j", "list", "table", "inet", "twin"]))
        found: dict[str, list[list[Any]]] = {"seen": [], "denied": [], "stateless": []}
        for item in listing["nftables"]:
            held = item.get("set", {"name": ""})
            if held["name"][:-1] in found:
                found[held["name"][:-1]] += [element["concat"] for element in held.get("elem", ())]
        names = [f"{name}{family}" for name in found for family in (4, 6)]
        _feed(["nft", "-f", "-"], "\n".join(f"flush set inet twin {name}" for name in names))
        return found

    async def routes(self, order: dict[str, Any]) -> dict[str, Any]:
        """The kernel's routes, by family."""
        return {
            str(f): json.loads(_told(["ip", "-j", f"-{f}", "route", "show", "table", "all"]) or "[]") for f in (4, 6)
        }

    async def knock(self, order: dict[str, Any]) -> dict[str, Any]:
        """Begin to connect along flows, again and again; `knocked` ends it."""
        self.knocks = [Knocks(*(*flow, order["every"])) for flow in order["flows"]]
        return {}

    async def knocked(self, order: dict[str, Any]) -> dict[str, Any]:
        """When each was tried, and which were answered."""
        return {"knocks": {knocks.key: await knocks.stop() for knocks in self.knocks}}


class Knocks:
    """TCP connections at a steady pace along one flow: how long it is answered, and when not. Each is given up after
    `LATE`, before TCP would try again: a late answer is none."""

    LATE = 0.9

    def __init__(self, key: str, source: str, destination: str, port: int, every: float) -> None:
        self.key, self.source, self.to, self.every = key, source, (destination, port), every
        self.family = ipaddress.ip_address(source).version
        self.sent: list[float] = []
        self.answered: set[int] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._going = True
        self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        began = time.monotonic()
        while self._going:
            one = asyncio.create_task(self._knock(len(self.sent)))
            self.sent.append(time.monotonic())
            self._waiting.add(one)
            one.add_done_callback(self._waiting.discard)
            await asyncio.sleep(max(0.0, began + len(self.sent) * self.every - time.monotonic()))

    async def _knock(self, number: int) -> None:
        with _socket(self.family) as held:
            # Nobody waits for what was said: the other end forgets it at once.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            held.bind((self.source, 0))
            # Without a route at this moment it is a request that nobody answers.
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(asyncio.get_running_loop().sock_connect(held, self.to), self.LATE)
                self.answered.add(number)

    async def stop(self) -> dict[str, Any]:
        self._going = False
        await self._task
        if self._waiting:
            await asyncio.wait(self._waiting)
        return {"sent": self.sent, "answered": sorted(self.answered)}


def _socket(family: int) -> socket.socket:
    """A socket that may speak from any address: a site answers for more than its interfaces have."""
    held = socket.socket(_family(family), socket.SOCK_STREAM)
    held.setblocking(False)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == 4:
        held.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    else:
        held.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
    return held


async def _request(source: str, destination: str, own_port: int, port: int) -> str | None:
    """Ask who is there. None where the answer is a refusal."""
    held = _socket(ipaddress.ip_address(source).version)
    try:
        held.bind((source, own_port))
        loop = asyncio.get_running_loop()
        await loop.sock_connect(held, (destination, port))
        await loop.sock_sendall(held, b"who\n")
        text = b""
        while not text.endswith(b"\n"):
            more = await loop.sock_recv(held, 4096)
            if not more:
                return None
            text += more
        return text.decode().strip()
    except OSError:
        # Unreachable, prohibited: an answer of the network's. It comes again as long as the flow waits.
        await asyncio.sleep(LONGEST)
        return None
    finally:
        held.close()


def _routes(rows: list[str]) -> Any:
    """`[prefix, [path]]` from BIRD's long form."""
    prefix = None
    for row in rows:
        words = row.split()
        if words and "/" in words[0] and re.match(r"^[0-9a-f.:]+/\d+$", words[0]):
            prefix = words[0]
        elif row.strip().startswith("BGP.as_path:"):
            yield [prefix, [int(word) for word in words[1:]]]


def _answer(file: Any) -> list[str]:
    """One answer: lines `1234-text` or ` text`, until one `0000 text` or an error of 8000 and above."""
    found = []
    while True:
        row = file.readline()
        if not row:
            raise ValueError("BIRD has ended")
        code = row[:4]
        if code.isdigit():
            if row[4] == " ":
                if code >= "8000" and code != "8001":
                    raise ValueError(f"BIRD: {row[5:].strip()}")
                if code not in ("0000", "8001"):
                    found.append(row[5:].rstrip("\n"))
                return found
            found.append(row[5:].rstrip("\n"))
        else:
            found.append(row[1:].rstrip("\n"))


def _feed(argv: list[str], text: str) -> None:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{argv[0]}: {done.stderr.strip()[:2000]}")


async def _once_up(argv: list[str]) -> None:
    """A route that the kernel takes only when the wire is up at both ends, which it notices within a second."""
    for left in range(LONGEST_UP, -1, -1):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if not done.returncode:
            return
        if not left:
            raise ValueError(f"{' '.join(argv)}: {done.stderr.strip()}")
        await asyncio.sleep(0.05)


def _rules(lines: list[str]) -> None:
    """Orders to nftables, some at a time: a user of no rank can't widen the socket that all of them would have to go
    through at once."""
    for first in range(0, len(lines), LINES):
        _feed(["nft", "-f", "-"], "\n".join(lines[first : first + LINES]))


def _told(argv: list[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _set(name: str, value: str) -> None:
    """A switch of the kernel's. One that this kernel doesn't have needs no setting."""
    try:
        with open(f"/proc/sys/{name}", "w") as file:
            file.write(value)
    except FileNotFoundError:
        pass


def _family(version: int) -> socket.AddressFamily:
    return socket.AF_INET if version == 4 else socket.AF_INET6
