"""farshore.yaml's `checks`: what is asked of machines that have moved, each of one of four kinds.

A script's text is read here, so that a plan holds all that its run will send.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from farshore.errors import InputError
from farshore.estate.checks import HERE, ITSELF, Check, Command, Http, Question, Script, Tcp
from farshore.estate.files import read_text
from farshore.estate.yaml_lists import named, some
from farshore.estate.yaml_nodes import Place, Section

KINDS = ("tcp", "http", "script", "command")
KEYS = ("name", "machines", "wave", *KINDS, "from", "timeout_seconds", "within_minutes")
HTTP_KEYS = ("port", "path", "status", "https", "host", "verify")
MOST_SCRIPT = 64 * 1024
_SHELLS = re.compile(r"#!\s*(/\S*/)?(env\s+)?(sh|bash|dash|ksh|zsh)\b")
_PATH = re.compile(r"/[!-~]*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?")


def checks_of(place: Place | None, groups: int, folder: Path | None) -> tuple[Check, ...]:
    """`groups`: how many boot groups there are. `folder` is where scripts are read from; None reads none."""
    if place is None:
        return ()
    found = named(place, KEYS, lambda name, section: _check(name, section, groups, folder))
    seen: dict[str, str] = {}
    for check, section in found:
        other = seen.setdefault(check.slug, check.name)
        if other != check.name:
            section.place.fail(
                f"{check.name} and {other} would give their steps one name",
                value=check.name,
                expected="names that differ in letters or digits",
                remedy="give one another name",
            )
    return tuple(check for check, _ in found)


def _check(name: str, section: Section, groups: int, folder: Path | None) -> Check:
    asks = _question(section, folder)
    machines, wave = section.get("machines"), section.get("wave")
    if machines is not None and wave is not None:
        wave.fail(
            "a check is of some machines or of a wave", expected="machines or wave", remedy="remove one of the two"
        )
    timeout, within = section.get("timeout_seconds"), section.get("within_minutes")
    if timeout is not None and isinstance(asks, Script):
        timeout.fail("a script bounds its own time", expected="no timeout_seconds", remedy="remove it")
    return Check(
        name=name,
        asks=asks,
        machines=("*",) if machines is None else _patterns(machines),
        wave=None if wave is None else wave.integer(1, max(groups, 1)),
        asker=_asker(section.get("from"), asks),
        timeout=timedelta(seconds=10 if timeout is None else _at_most(timeout, 600)),
        within=timedelta(minutes=5 if within is None else _at_most(within, 24 * 60)),
    )


def _at_most(place: Place, most: int) -> float:
    value = place.number(0)
    if value > most:
        place.fail(f"{place.written} is too long", expected=f"a number above 0, at most {most}")
    return value


def _patterns(place: Place) -> tuple[str, ...]:
    return tuple(item.text() for item in some(place)) if place.is_list else (place.text(),)


def _question(section: Section, folder: Path | None) -> Question:
    given = [kind for kind in KINDS if section.get(kind) is not None]
    if len(given) != 1:
        section.place.fail(
            "a check asks one thing",
            value=" and ".join(given) or "nothing",
            expected="one of " + ", ".join(KINDS),
            remedy="make them checks of their own" if given else "add tcp: 443, or another",
        )
    place = section.need(given[0], "")
    match given[0]:
        case "tcp":
            return Tcp(port=place.integer(1, 65535))
        case "http":
            return _http(place)
        case "script":
            return _script(place, folder)
    words = tuple(item.text() for item in some(place))
    return Command(words=words)


def _http(place: Place) -> Http:
    section = place.section(*HTTP_KEYS)
    port, path, status, https, host, verify = (section.get(key) for key in HTTP_KEYS)
    secure = False if https is None else https.boolean()
    if path is not None and not _PATH.fullmatch(path.text()):
        path.fail(f"{path.written} is no path", expected="a path such as /health, without spaces")
    if host is not None and not _HOST.fullmatch(host.text()):
        host.fail(f"{host.written} is no host", expected="a name such as www.example.com")
    if verify is not None and not secure:
        verify.fail("there is no certificate without https", expected="https: true beside it", remedy="remove it")
    return Http(
        port=(443 if secure else 80) if port is None else port.integer(1, 65535),
        path="/" if path is None else path.text(),
        status=(200,) if status is None else _statuses(status),
        https=secure,
        host=None if host is None else host.text(),
        verify=True if verify is None else verify.boolean(),
    )


def _statuses(place: Place) -> tuple[int, ...]:
    return tuple(item.integer(200, 599) for item in (some(place) if place.is_list else [place]))


def _script(place: Place, folder: Path | None) -> Script:
    file: str | None = None
    text: str | None
    if place.is_mapping:
        at = place.section("file").need("file", "a script in the project's folder")
        file, place = at.text(), at
        text = None if folder is None else _read(at, folder)
    else:
        text = place.text()
    if text is None:
        return Script(text=None, file=file)
    if len(text.encode()) > MOST_SCRIPT:
        place.fail("this script is too long for a plan", value=f"{len(text)} characters", expected="64 KiB at most")
    if "\0" in text or not text.strip():
        place.fail("there is no script in it", value=file or "nothing", expected="a shell or PowerShell script")
    first = text.lstrip("\n").split("\n", 1)[0]
    if first.startswith("#!") and not _SHELLS.match(first):
        place.fail(
            f"{first} is no shell: how a script ended is told by its shell",
            value=first,
            expected="a script for sh or bash, or for PowerShell on Windows",
            remedy="call the program from a shell script",
        )
    return Script(text=text, file=file)


def _read(place: Place, folder: Path) -> str:
    name = place.text()

    def no(why: str) -> NoReturn:
        place.fail(
            f"the script {name} {why}",
            expected="a text file in the project's folder",
            remedy=f"put {name} into {folder}",
        )

    if not (folder / name).is_file():
        no("is not there")
    try:
        return read_text(folder / name)
    except InputError as error:
        no(f"can't be read: {error.message}")


def _asker(place: Place | None, asks: Question) -> str:
    usual = ITSELF if isinstance(asks, Script) else HERE
    if place is None:
        return usual
    asker = place.text()
    if isinstance(asks, Script) and asker == HERE:
        place.fail(
            "a script runs in a machine",
            expected="itself, or a machine's name or id",
            remedy="write `command` for a program that runs where Farshore does",
        )
    if isinstance(asks, Command) and asker != HERE:
        place.fail(
            "a command runs where Farshore does", expected="here", remedy="write `script` to run it in a machine"
        )
    return asker
