"""RunShellScript, as far as the lab runs scripts: a few probes, a line each, joined by `;`, `&&` and `||`.

    hostname                                    echo WORDS           true   false   exit N
    ip addr|route                               comments; $1, $2 and names of parameters; $? in what follows
    ping -c N [-W s] ADDRESS                    traceroute [-n] [-m N] [-T] [-p PORT] ADDRESS
    nc -z [-v] [-u] [-w s] ADDRESS PORT         timeout s COMMAND
    curl [-s] [-S] [-f] [-k] [-I] [-m s] [-o /dev/null] [-w '%{http_code}'] [--resolve NAME:PORT:ADDRESS] http[s]://...
    bash -c '</dev/tcp/ADDRESS/PORT'             trap 'echo WORDS $?' EXIT

A script is looked at as a whole first: with anything else in it (other commands, pipes, redirections, loops) nothing of
it is run, and standard error names what it was.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from farshore.arm.decode import Address
from farshore.lab.compute.probes import Guest, NotRunError, Ran, Reached, address_of, port_of

JOINS = (";", "&&", "||")
TRAP = "trap"
MOST_HOPS = 30
_STRANGE = re.compile(r"`|\$\(|\$\{|'[^']*\$[^']*'|\\$|(['\"])[();<>|&\s]+\1")
"""What would have to be expanded, is quoted so that it must not be, or joins commands if it were not."""
_VARIABLE = re.compile(r"\$(\w+|\?)")
_TRAPPED = re.compile(r"\s*trap 'echo ([\w -]+) \$\?' EXIT\s*")
_DEV_TCP = re.compile(r"\s*(?::\s*)?(?:echo\s*)?[<>]\s*/dev/(tcp|udp)/([^/\s]+)/(\d+)\s*")


@dataclass(frozen=True, slots=True)
class _Part:
    """A command, and what it hangs on: `;` nothing, `&&` that the last one went well, `||` that it did not, `trap` the
    end of the script."""

    join: str
    words: tuple[str, ...]


def run_shell(guest: Guest, script: Sequence[str], parameters: Mapping[str, str]) -> Ran:
    """Run a script, or say of what in it the lab does not run it."""
    try:
        parts = [part for line in "\n".join(script).split("\n") for part in _parts(line)]
        for part in parts:
            _command(part.words)(guest, [_filled(word, parameters, 0) for word in part.words[1:]], probing=False)
    except NotRunError as no:
        return _not_run(no)
    out, err, status = "", "", 0
    farewell: tuple[str, ...] = ()
    for part in parts:
        if part.join == TRAP:
            farewell = part.words
            continue
        if (part.join == "&&" and status) or (part.join == "||" and not status):
            continue
        words = [_filled(word, parameters, status) for word in part.words]
        ran = _command(words)(guest, words[1:], probing=True)
        out, err, status = out + ran.out, err + ran.err, ran.status
        if words[0] == "exit":
            break
    if farewell:
        out += _echo(guest, [_filled(word, parameters, status) for word in farewell[1:]], probing=True).out
    return Ran(out=out, err=err, status=status)


def _not_run(no: NotRunError) -> Ran:
    known = ", ".join(sorted(COMMANDS))
    return Ran(err=f"farshore lab: this script is not run here: {no}. The lab runs {known}.\n", status=127)


def _parts(line: str) -> list[_Part]:
    if not line.strip() or line.lstrip().startswith("#"):
        return []
    trapped = _TRAPPED.fullmatch(line)
    if trapped is not None:
        return [_Part(TRAP, ("echo", *trapped[1].split(), "$?"))]
    if _STRANGE.search(line):
        raise NotRunError(f"nothing is expanded or continued in {line.strip()!r}")
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        tokens = list(lexer)
    except ValueError as error:
        raise NotRunError(f"{str(error).lower()} in {line.strip()!r}") from None
    found: list[_Part] = []
    words: list[str] = []
    join = ";"
    for token in [*tokens, ";"]:
        if token in JOINS:
            if words:
                found.append(_Part(join, tuple(words)))
            join, words = token, []
        elif set(token) <= set("();<>|&"):
            raise NotRunError(f"no {token} in {line.strip()!r}")
        else:
            words.append(token)
    return found


def _filled(word: str, parameters: Mapping[str, str], status: int) -> str:
    """A word with its variables."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "?":
            return str(status)
        if name not in parameters:
            raise NotRunError(f"no parameter is named {name}")
        return parameters[name]

    return _VARIABLE.sub(value, word)


def _command(words: Sequence[str]) -> _Function:
    found = COMMANDS.get(words[0])
    if found is None:
        raise NotRunError(f"there is no {words[0]}")
    return found


# Commands: with `probing` False they only look at what they are given. ----------------------------------------------


def _options(
    args: Sequence[str], plain: str, valued: str = "", long: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Options and the rest. `plain` and `valued`: letters; `long`: of a long name, the letter that it stands for."""
    found: dict[str, str] = {}
    rest: list[str] = []
    words = list(args)
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        name, _, given = word.partition("=")
        letters = (long or {}).get(name, "") if word.startswith("--") else word[1:]
        if not letters:
            raise NotRunError(f"the option {word} is not known here")
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in plain:
                found[letter] = ""
            elif letter in valued:
                value = letters or given or (words.pop(0) if words else "")
                if not value:
                    raise NotRunError(f"the option {word} needs a value")
                found[letter], letters = value, ""
            else:
                raise NotRunError(f"the option {word} is not known here")
    return found, rest


def _number(text: str, most: int = 3600) -> int:
    try:
        value = int(float(text))
    except ValueError:
        raise NotRunError(f"{text} is no number") from None
    if not 0 < value <= most:
        raise NotRunError(f"{text} is not between 1 and {most}")
    return value


def _one(rest: Sequence[str], command: str) -> str:
    if len(rest) != 1:
        raise NotRunError(f"{command} takes one address here, not {' '.join(rest) or 'none'}")
    return rest[0]


def _doubt(reached: Reached, target: str) -> str:
    return f"farshore lab: nobody can tell whether {target} answers: {reached.doubt}\n" if reached.doubt else ""


def _hostname(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    if list(args) not in ([], ["-s"]):
        raise NotRunError("hostname takes nothing here")
    return Ran(out=f"{guest.hostname}\n")


def _echo(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    return Ran(out=" ".join(args) + "\n")


def _exit(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    if len(args) > 1 or (args and not args[0].isdecimal()):
        raise NotRunError(f"exit takes a number, not {' '.join(args)}")
    return Ran(status=int(args[0]) % 256 if args else 0)


def _true(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    return Ran()


def _false(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    return Ran(status=1)


def _ip(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    words = [word for word in args if word != "-4"]
    if words[1:] not in ([], ["show"], ["list"]):
        raise NotRunError(f"ip {' '.join(args)} is not known here")
    what = words[0] if words else ""
    if what in ("a", "addr", "address"):
        return Ran(out="".join(_addresses(guest)))
    if what in ("r", "route"):
        return Ran(out="".join(_routes(guest)))
    raise NotRunError(f"ip {' '.join(args)} is not known here")


def _addresses(guest: Guest) -> list[str]:
    lines = ["1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n", "    inet 127.0.0.1/8 scope host lo\n"]
    for at, interface in enumerate(guest.interfaces):
        lines.append(f"{at + 2}: {interface.name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n")
        lines.append(f"    link/ether {interface.mac} brd ff:ff:ff:ff:ff:ff\n")
        for address, network in interface.addresses:
            family = "inet" if address.version == 4 else "inet6"
            lines.append(f"    {family} {address}/{network.prefixlen} scope global {interface.name}\n")
    return lines


def _routes(guest: Guest) -> list[str]:
    lines = []
    for at, interface in enumerate(guest.interfaces):
        for address, network in interface.addresses[:1]:
            router, end = network.network_address + 1, f"dev {interface.name} proto dhcp src {address}"
            if at == 0:
                lines.append(f"default via {router} {end}\n")
                lines += [f"{host} via {router} {end}\n" for host in ("168.63.129.16", "169.254.169.254")]
            lines.append(f"{network} dev {interface.name} proto kernel scope link src {address}\n")
    return lines


def _ping(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    options, rest = _options(args, "nq4", "cWwi")
    text = _one(rest, "ping")
    target, count = address_of(text), _number(options.get("c", "4"), 100)
    if not probing:
        return Ran()
    reached = guest.reach(target, "icmp", None)
    got = count if reached.answers else 0
    lines = [f"PING {text} ({target}) 56(84) bytes of data.\n"]
    lines += [f"64 bytes from {target}: icmp_seq={at + 1}\n" for at in range(got)]
    lines.append(f"\n--- {text} ping statistics ---\n")
    lost = 100 - 100 * got // count
    lines.append(f"{count} packets transmitted, {got} received, {lost}% packet loss\n")
    return Ran(out="".join(lines), err=_doubt(reached, text), status=0 if reached.answers else 1)


def _traceroute(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    options, rest = _options(args, "nITU4", "mpqw")
    text = _one(rest, "traceroute")
    target, most = address_of(text), _number(options.get("m", str(MOST_HOPS)), 255)
    port = port_of(options.get("p", "80")) if "T" in options else None
    if not probing:
        return Ran()
    reached = guest.reach(target, "icmp" if port is None else "tcp", port)
    shown = [f"{hop}" for hop in reached.hops]
    if not reached.answers and shown and shown[-1] == str(target):
        shown.pop()  # it arrived, and nothing came back
    if not reached.answers:
        shown += ["* * *"] * (most - len(shown))
    lines = [f"traceroute to {text} ({target}), {most} hops max\n"]
    lines += [f"{at + 1:2}  {hop}\n" for at, hop in enumerate(shown[:most])]
    return Ran(out="".join(lines), err=_doubt(reached, text))


def _nc(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    options, rest = _options(args, "zvun4", "w")
    if "z" not in options or len(rest) != 2:
        raise NotRunError("nc is run with -z, an address and a port")
    target, port = address_of(rest[0]), port_of(rest[1])
    if not probing:
        return Ran()
    protocol = "udp" if "u" in options else "tcp"
    reached = guest.reach(target, protocol, port)
    said = ""
    if "v" in options:
        good = f"Connection to {target} {port} port [{protocol}/*] succeeded!\n"
        bad = f"nc: connect to {target} port {port} ({protocol}) failed: Connection timed out\n"
        said = good if reached.answers else bad
    return Ran(err=said + _doubt(reached, rest[0]), status=0 if reached.answers else 1)


LONG = {
    "--silent": "s",
    "--show-error": "S",
    "--fail": "f",
    "--insecure": "k",
    "--head": "I",
    "--max-time": "m",
    "--connect-timeout": "m",
    "--output": "o",
    "--write-out": "w",
    "--resolve": "@",
}


def _curl(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    options, rest = _options(args, "sSfkI4", "mow@", LONG)
    url = urlsplit(_one(rest, "curl") if "://" in "".join(rest) else f"http://{_one(rest, 'curl')}")
    if url.scheme not in ("http", "https"):
        raise NotRunError(f"curl speaks http and https here, not {url.scheme}")
    if options.get("o", "/dev/null") != "/dev/null":
        raise NotRunError("curl writes to nothing but /dev/null here")
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
    except ValueError as error:
        raise NotRunError(str(error)) from None
    target, wait = _resolved(url.hostname or "", port, options.get("@")), _number(options.get("m", "120"))
    told = options.get("w", "").replace("\\n", "\n")
    if "%" in told.replace("%{http_code}", ""):
        raise NotRunError(f"curl writes out %{{http_code}} here, not {told}")
    if not probing:
        return Ran()
    reached = guest.reach(target, "tcp", port)
    written = told.replace("%{http_code}", "200" if reached.answers else "000")
    if not reached.answers:
        quiet = "s" in options and "S" not in options
        said = "" if quiet else f"curl: (28) Connection timed out after {wait * 1000} milliseconds\n"
        return Ran(out=written, err=said + _doubt(reached, str(target)), status=28)
    shown = "HTTP/1.1 200 OK\r\n\r\n" if "I" in options else f"answered by {reached.who}\n"
    return Ran(out=("" if "o" in options else shown) + written)


def _resolved(name: str, port: int, told: str | None) -> Address:
    """Of a name that `--resolve NAME:PORT:ADDRESS` gives an address; else the name is one."""
    known, _, rest = (told or "").partition(":")
    at, _, address = rest.partition(":")
    return address_of(address if (known.lower(), at) == (name.lower(), str(port)) else name)


def _timeout(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    if len(args) < 2:
        raise NotRunError("timeout takes a time and a command")
    _number(args[0].removesuffix("s"))
    ran = _command(args[1:])(guest, args[2:], probing=probing)
    return Ran(out=ran.out, err=ran.err, status=124 if ran.status and args[1] == "bash" else ran.status)


def _bash(guest: Guest, args: Sequence[str], *, probing: bool) -> Ran:
    match = _DEV_TCP.fullmatch(args[1]) if len(args) == 2 and args[0] == "-c" else None
    if match is None:
        raise NotRunError("bash is run for -c '</dev/tcp/ADDRESS/PORT' only")
    target, port = address_of(match[2]), port_of(match[3])
    if not probing:
        return Ran()
    reached = guest.reach(target, match[1], port)
    said = "" if reached.answers else f"bash: connect: Connection timed out\nbash: /dev/{match[1]}/{target}/{port}\n"
    return Ran(err=said + _doubt(reached, str(target)), status=0 if reached.answers else 1)


_Function = Callable[..., Ran]

COMMANDS: Mapping[str, _Function] = {
    "hostname": _hostname,
    "echo": _echo,
    "exit": _exit,
    "true": _true,
    "false": _false,
    "ip": _ip,
    "ping": _ping,
    "traceroute": _traceroute,
    "nc": _nc,
    "curl": _curl,
    "timeout": _timeout,
    "bash": _bash,
}
