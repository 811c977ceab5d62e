"""RunPowerShellScript, as far as the lab runs scripts: a few probes, a line each or joined by `;`.

    Test-NetConnection [-ComputerName] ADDRESS [-Port N] [-InformationLevel Quiet|Detailed] [-TraceRoute]
    (Test-NetConnection ...).TcpTestSucceeded       and PingSucceeded, RemoteAddress, RemotePort, SourceAddress
    Invoke-WebRequest [-Uri] http[s]://ADDRESS[:PORT]/... [-UseBasicParsing] [-TimeoutSec s]
    hostname     $env:COMPUTERNAME     Write-Output TEXT     ipconfig     ping [-n N] ADDRESS     tracert [-d] ADDRESS
    comments, a line `param(...)`, and $names of parameters

A script is looked at as a whole first: with anything else in it nothing of it is run, and standard error names what it
was.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from farshore.lab.compute.probes import Guest, NotRunError, Ran, Reached, address_of, port_of

_PROPERTY = re.compile(r"\((.+)\)\.(\w+)")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_PARAM = re.compile(r"param\s*\(.*\)", re.IGNORECASE)
PROPERTIES = ("ComputerName", "RemoteAddress", "RemotePort", "SourceAddress", "PingSucceeded", "TcpTestSucceeded")
Shown = dict[str, str]


def run_power_shell(guest: Guest, script: Sequence[str], parameters: Mapping[str, str]) -> Ran:
    """Run a script, or say of what in it the lab does not run it."""
    named = {name.lower(): value for name, value in parameters.items()}
    try:
        lines = [line for text in "\n".join(script).split("\n") for line in _statements(text)]
        steps = [_step(_filled(line, named)) for line in lines]
        for step in steps:
            step(guest, False)
    except NotRunError as no:
        known = "Test-NetConnection, Invoke-WebRequest, Write-Output, hostname, ipconfig, ping, tracert"
        return Ran(err=f"farshore lab: this script is not run here: {no}. The lab runs {known}.\r\n", status=1)
    out, err = "", ""
    for step in steps:
        ran = step(guest, True)
        out, err = out + ran.out, err + ran.err
    return Ran(out=out, err=err)


_Step = Callable[[Guest, bool], Ran]


def _statements(line: str) -> list[str]:
    text = line.strip()
    if not text or text.startswith("#") or _PARAM.fullmatch(text):
        return []
    lexer = shlex.shlex(text, posix=False, punctuation_chars=";|&<>{}")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError as error:
        raise NotRunError(f"{str(error).lower()} in {text!r}") from None
    found: list[list[str]] = [[]]
    for token in tokens:
        if token == ";":
            found.append([])
        elif set(token) <= set(";|&<>{}"):
            raise NotRunError(f"no {token} in {text!r}")
        else:
            found[-1].append(token)
    return [" ".join(words) for words in found if words]


def _filled(line: str, parameters: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1].lower() not in parameters:
            raise NotRunError(f"no parameter is named {match[1]}")
        return parameters[match[1].lower()]

    return line if line.lower() == "$env:computername" else _VARIABLE.sub(value, line)


def _step(line: str) -> _Step:
    """One statement as what it does; `probing` False only looks."""
    match = _PROPERTY.fullmatch(line)
    if match is not None:
        name, args = _words(match[1])
        known = {label.lower(): label for label in PROPERTIES}
        if name not in ("test-netconnection", "tnc") or match[2].lower() not in known:
            raise NotRunError(f"{line!r} is not known here")
        label = known[match[2].lower()]
        return lambda guest, probing: _of_connection(guest, args, probing, label)
    if line.lower() == "$env:computername":
        return lambda guest, probing: Ran(out=f"{guest.hostname.upper()}\r\n")
    name, args = _words(line)
    found = COMMANDS.get(name)
    if found is None:
        raise NotRunError(f"there is no {line.split()[0]}")
    return lambda guest, probing: found(guest, args, probing)


def _words(line: str) -> tuple[str, list[str]]:
    try:
        words = shlex.split(line.replace("\\", "\\\\"))
    except ValueError as error:
        raise NotRunError(f"{str(error).lower()} in {line!r}") from None
    if not words:
        raise NotRunError(f"nothing is called in {line!r}")
    return words[0].lower(), words[1:]


def _named(args: Sequence[str], valued: Mapping[str, str], switches: Sequence[str]) -> dict[str, str]:
    """Arguments by the names of parameters in lower case; those without a name go in the order of `valued`, whose
    values say which may stand there unnamed."""
    found: dict[str, str] = {}
    unnamed = [name for name, place in valued.items() if place]
    words = list(args)
    while words:
        word = words.pop(0)
        name = word[1:].lower() if word.startswith("-") else ""
        if name in switches:
            found[name] = "true"
        elif name in valued and words:
            found[name] = words.pop(0)
        elif not name and unnamed and unnamed[0] not in found:
            found[unnamed.pop(0)] = word
        else:
            raise NotRunError(f"{word} is not known here")
    return found


def _doubt(reached: Reached, target: str) -> str:
    return f"farshore lab: nobody can tell whether {target} answers: {reached.doubt}\r\n" if reached.doubt else ""


def _connection(guest: Guest, args: Sequence[str], probing: bool) -> tuple[dict[str, str], Shown, Ran]:
    given = _named(args, {"computername": "first", "port": "", "informationlevel": ""}, ("traceroute",))
    if "computername" not in given:
        raise NotRunError("Test-NetConnection needs an address here")
    if given.get("informationlevel", "detailed").lower() not in ("quiet", "detailed"):
        raise NotRunError(f"-InformationLevel is Quiet or Detailed, not {given['informationlevel']}")
    text = given["computername"]
    target = address_of(text)
    port = port_of(given["port"]) if "port" in given else None
    if not probing:
        return given, {}, Ran()
    shown = {"ComputerName": text, "RemoteAddress": str(target)}
    reached = guest.reach(target, "icmp" if port is None else "tcp", port)
    if port is not None:
        shown["RemotePort"] = str(port)
    shown |= {"InterfaceAlias": "Ethernet", "SourceAddress": str(guest.source or "")}
    if port is None or not reached.answers:
        pinged = reached if port is None else guest.reach(target, "icmp", None)
        shown["PingSucceeded"] = str(pinged.answers)
    if port is not None:
        shown["TcpTestSucceeded"] = str(reached.answers)
    if "traceroute" in given:
        shown["TraceRoute"] = ", ".join(reached.hops)
    warning = "" if reached.answers else _warning(target, port)
    return given, shown, Ran(out=warning, err=_doubt(reached, text), status=0 if reached.answers else 1)


def _warning(target: object, port: int | None) -> str:
    if port is None:
        return f"WARNING: Ping to {target} failed with status: TimedOut\r\n"
    return f"WARNING: TCP connect to ({target} : {port}) failed\r\n"


def _test_net_connection(guest: Guest, args: Sequence[str], probing: bool) -> Ran:
    given, shown, ran = _connection(guest, args, probing)
    if given.get("informationlevel", "").lower() == "quiet":
        return Ran(out=ran.out + f"{ran.status == 0}\r\n", err=ran.err)
    width = max(map(len, shown), default=0)
    table = "".join(f"{name:{width}} : {value}\r\n" for name, value in shown.items())
    return Ran(out=f"{ran.out}\r\n{table}\r\n\r\n", err=ran.err)


def _of_connection(guest: Guest, args: Sequence[str], probing: bool, label: str) -> Ran:
    _, shown, ran = _connection(guest, args, probing)
    return Ran(out=f"{ran.out}{shown.get(label, '')}\r\n", err=ran.err)


def _invoke_web_request(guest: Guest, args: Sequence[str], probing: bool) -> Ran:
    given = _named(args, {"uri": "first", "timeoutsec": "", "method": ""}, ("usebasicparsing", "skipcertificatecheck"))
    url = urlsplit(given.get("uri", ""))
    if url.scheme not in ("http", "https") or given.get("method", "get").lower() not in ("get", "head"):
        raise NotRunError("Invoke-WebRequest gets what is at an http or https URL here")
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
    except ValueError as error:
        raise NotRunError(str(error)) from None
    target = address_of(url.hostname or "")
    if not probing:
        return Ran()
    reached = guest.reach(target, "tcp", port)
    if not reached.answers:
        return Ran(err="Invoke-WebRequest : Unable to connect to the remote server\r\n" + _doubt(reached, str(target)))
    content = f"StatusCode        : 200\r\nStatusDescription : OK\r\nContent           : answered by {reached.who}\r\n"
    return Ran(out=f"\r\n{content}\r\n\r\n")


def _write_output(guest: Guest, args: Sequence[str], probing: bool) -> Ran:
    return Ran(out="".join(f"{word}\r\n" for word in args))


def _hostname(guest: Guest, args: Sequence[str], probing: bool) -> Ran:
    if args:
        raise NotRunError("hostname takes nothing here")
    return Ran(out=f"{guest.hostname}\r\n")


def _ipconfig(guest: Guest, args: Sequence[str], probing: bool) -> Ran:
    if args:
        raise NotRunError("ipconfig takes nothing here")
    lines = ["\r\nWindows IP Configuration\r\n\r\n"]
    for at, interface in enumerate(guest.interfaces):
        lines.append(f"Ethernet adapter Ethernet{'' if at == 0 else f' {at + 1}'}:\r\n\r\n")
        for address, network in interface.addresses:
            label = f"IPv{address.version} Address"
            lines.append(f"   {label:.<36}: {address}\r\n   {'Subnet Mask':.<36}: {network.netmask}\r\n")
        for _, network in interface.addresses[:1] if at == 0 else ():
            lines.append(f"   {'Default Gateway':.<36}: {network.network_address + 1}\r\n")
    return Ran(out="".join(lines))


def _ping(guest: Guest, args: Sequence[str], probing: bool) -> Ran:
    given = _named(args, {"address": "first", "n": "", "w": ""}, ())
    text, count = given.get("address", ""), given.get("n", "4")
    target = address_of(text)
    if not count.isdecimal() or not 0 < int(count) <= 100:
        raise NotRunError(f"-n is a number up to 100, not {count}")
    if not probing:
        return Ran()
    reached, number = guest.reach(target, "icmp", None), int(count)
    line = f"Reply from {target}: bytes=32\r\n" if reached.answers else "Request timed out.\r\n"
    got = number if reached.answers else 0
    lost = number - got
    rate = 100 * lost // number
    end = f"    Packets: Sent = {number}, Received = {got}, Lost = {lost} ({rate}% loss)\r\n"
    head = f"\r\nPinging {text} with 32 bytes of data:\r\n"
    return Ran(
        out=f"{head}{line * number}\r\nPing statistics for {target}:\r\n{end}",
        err=_doubt(reached, text),
    )


def _tracert(guest: Guest, args: Sequence[str], probing: bool) -> Ran:
    given = _named(args, {"address": "first", "h": ""}, ("d",))
    text, most = given.get("address", ""), given.get("h", "30")
    target = address_of(text)
    if not most.isdecimal() or not 0 < int(most) <= 255:
        raise NotRunError(f"-h is a number up to 255, not {most}")
    if not probing:
        return Ran()
    reached = guest.reach(target, "icmp", None)
    shown = list(reached.hops)
    if not reached.answers:
        shown = shown[:-1] if shown and shown[-1] == str(target) else shown
        shown += ["Request timed out."] * (int(most) - len(shown))
    lines = "".join(f"{at + 1:3}  {hop}\r\n" for at, hop in enumerate(shown[: int(most)]))
    head = f"\r\nTracing route to {text} over a maximum of {most} hops\r\n\r\n"
    return Ran(out=f"{head}{lines}\r\nTrace complete.\r\n", err=_doubt(reached, text))


COMMANDS: Mapping[str, Callable[[Guest, Sequence[str], bool], Ran]] = {
    "test-netconnection": _test_net_connection,
    "tnc": _test_net_connection,
    "invoke-webrequest": _invoke_web_request,
    "iwr": _invoke_web_request,
    "write-output": _write_output,
    "echo": _write_output,
    "hostname": _hostname,
    "ipconfig": _ipconfig,
    "ping": _ping,
    "tracert": _tracert,
}
