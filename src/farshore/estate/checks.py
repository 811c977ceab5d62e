"""What is asked of a machine once it has moved: farshore.yaml's `checks` (`estate/project_checks.py` reads them).

A check looks and changes nothing. It is asked from `here`, where Farshore runs, as a site would meet the machine, or
from inside a machine by run command. What it finds is an answer about one machine at one moment: whether a service is
there, which no route table says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

HERE = "here"
"""Where Farshore runs."""
ITSELF = "itself"
"""By run command on the machine that is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """A TCP connection is taken."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """A GET is answered with one of these statuses. Redirects are not followed."""

    port: int
    path: str = "/"
    status: tuple[int, ...] = (200,)
    https: bool = False
    host: str | None = None
    """The name that is asked for (and, with https, that the certificate must have); None: the machine's address."""
    verify: bool = True
    """Whether the certificate has to be one that is trusted here, for that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A shell or PowerShell script of the user's ends well in a machine."""

    text: str | None
    """None: it is in a file that was not read."""
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program of the user's ends with status 0 where Farshore runs."""

    words: tuple[str, ...]


Question = Tcp | Http | Script | Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    asks: Question
    machines: tuple[str, ...] = ("*",)
    """Names, ids or patterns, of those that move."""
    wave: int | None = None
    """Only machines of this boot group, counted from 1."""
    asker: str = HERE
    """`here`, `itself`, or a machine's name or id."""
    timeout: timedelta = timedelta(seconds=10)
    """Of one try."""
    within: timedelta = timedelta(minutes=5)
    """From the first try: a service comes up after its machine does."""

    @property
    def slug(self) -> str:
        """The name as a part of a step's id."""
        kept = "".join(letter if letter.isalnum() else "-" for letter in self.name.lower())
        return "-".join(part for part in kept.split("-") if part) or "check"
