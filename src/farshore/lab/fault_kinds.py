"""How a kind of fault makes itself known to `lab/faults.py`: what it needs, what it does, how it is undone.

    @fault_kind("capacity", needs=("region", "size"))
    def capacity(cloud: Cloud, wanted: Mapping[str, Any], up: bool) -> None: ...    # `up`: it is over

    @clearing
    def clear(cloud: Cloud) -> None: ...                     # what `{"kind": "clear"}` does besides

    @showing("ailing")
    def shown(cloud: Cloud) -> Any: ...                      # a member of what `GET /_lab/faults` answers

    kept_in("shortages")                                     # both, for a table that holds nothing but faults

`check` of a kind looks at a fault when it is asked for, so that one that can't be made is refused then and not when it
is due; it raises `Refused`. That what a kind needs is there, that its id is of a type in `of` (an appliance may be many
things), and that values of `lab/faults.py` have their form, is seen to before.

What is broken is a row with the time since when: `mark` writes it, or takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

Wanted = Mapping[str, Any]
Apply = Callable[["Cloud", Wanted, bool], None]
Check = Callable[["Cloud", Wanted], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    needs: tuple[str, ...]
    of: tuple[str, ...]
    """Types that `id` may name, in lower case; any where there is none."""
    apply: Apply
    check: Check | None


KINDS: dict[str, FaultKind] = {}
CLEARS: list[Callable[[Cloud], None]] = []
SHOWS: dict[str, Callable[[Cloud], Any]] = {}

F = TypeVar("F", bound=Callable[..., Any])


def fault_kind(
    name: str, *, needs: tuple[str, ...] = (), of: tuple[str, ...] = (), check: Check | None = None
) -> Callable[[Apply], Apply]:
    def register(function: Apply) -> Apply:
        assert name not in KINDS, f"{name} is registered twice"
        KINDS[name] = FaultKind(needs=needs, of=tuple(map(str.lower, of)), apply=function, check=check)
        return function

    return register


def clearing(function: F) -> F:
    CLEARS.append(function)
    return function


def showing(name: str) -> Callable[[F], F]:
    def register(function: F) -> F:
        assert name not in SHOWS, f"{name} is shown twice"
        SHOWS[name] = function
        return function

    return register


def kept_in(table: str) -> None:
    """The rows of a table are faults and nothing else: shown under its name, gone with `{"kind": "clear"}`."""
    clearing(lambda cloud: cloud.table(table).clear())
    showing(table)(lambda cloud: list(cloud.table(table).values()))


def mark(cloud: Cloud, table: str, name: str, up: bool, /, **row: Any) -> None:
    """It is broken since now, or (`up`) no longer. A packet's way may be another from here on."""
    if up:
        cloud.table(table).pop(name, None)
    else:
        cloud.table(table)[name] = {**row, "since": stamp(cloud.now)}
    cloud.epoch += 1
