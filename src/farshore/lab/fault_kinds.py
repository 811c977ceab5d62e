"""How a kind of fault makes itself known to `lab/faults.py`: what it needs, what it does, how it is undone.

    @fault_kind("capacity", needs=("region", "size"))
    def capacity(cloud: Cloud, wanted: Mapping[str, Any], up: bool) -> None: ...    # `up`: it is over

    @clearing
    def clear(cloud: Cloud) -> None: ...                     # what `{"kind": "clear"}` does besides

    @showing("shortages")
    def shown(cloud: Cloud) -> Any: ...                      # a member of what `GET /_lab/faults` answers

`check` of a kind looks at a fault when it is asked for, so that one that can't be made is refused then and not when it
is due; it raises `Refused`. That what a kind needs is there, and that values of `lab/faults.py` have their form, is
seen to before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

Wanted = Mapping[str, Any]
Apply = Callable[["Cloud", Wanted, bool], None]
Check = Callable[["Cloud", Wanted], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    needs: tuple[str, ...]
    apply: Apply
    check: Check | None


KINDS: dict[str, FaultKind] = {}
CLEARS: list[Callable[[Cloud], None]] = []
SHOWS: dict[str, Callable[[Cloud], Any]] = {}

F = TypeVar("F", bound=Callable[..., Any])


def fault_kind(name: str, *, needs: tuple[str, ...] = (), check: Check | None = None) -> Callable[[Apply], Apply]:
    def register(function: Apply) -> Apply:
        assert name not in KINDS, f"{name} is registered twice"
        KINDS[name] = FaultKind(needs=needs, apply=function, check=check)
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
