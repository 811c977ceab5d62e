"""Azure's routing as mathematics: a pure library on an `Estate`, useful on its own.

effective_routes(estate, nic_or_subnet_id)  -> tuple[EffectiveRoute, ...]   the table of R1 to R23
learned_routes(estate, id)                  -> tuple[BgpRoute, ...]         what a gateway or circuit heard
advertised_routes(estate, id, to=None)      -> tuple[BgpRoute, ...]         what it says
unread(estate, id)                          -> tuple[str, ...]              what these hang on and nobody can read
select(routes, address)                     -> Choice                       which row, and why not the others
trace(estate, flow)                         -> (forward, back)              both ways, with reasons
judge(forward, back)                        -> Verdict                      is that good?
elements(estate)                            -> tuple[Element, ...]          what can fail
describe(value)                             -> str                          the plain-text figure

Each takes an estate as a value and waits for nothing. Whoever asks much about one estate makes a `Routing(estate)`,
which has the same questions as methods and builds each table once. What is down, stopped or said outside of Azure is
an `Outside`: `estate.with_outside(Outside(down=element.down))` is the estate in which an element has failed.

A name's module is read when the name is first asked for (PEP 562), so that `import farshore.routing` costs a program
that may never ask next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all of this
if TYPE_CHECKING:
    from farshore.estate.outside import Outside
    from farshore.routing.context import Routing, routing_of
    from farshore.routing.failures import Element, elements
    from farshore.routing.figures import describe
    from farshore.routing.questions import (
        advertised_routes,
        effective_routes,
        learned_routes,
        trace,
        trace_one_way,
        unread,
    )
    from farshore.routing.selection import select
    from farshore.routing.values import (
        BgpRoute,
        Choice,
        Disposition,
        EffectiveRoute,
        Flow,
        Hop,
        PassedOver,
        RouteSource,
        RouteState,
        Trace,
    )
    from farshore.routing.verdicts import Verdict, judge

__all__ = [
    "BgpRoute",
    "Choice",
    "Disposition",
    "EffectiveRoute",
    "Element",
    "Flow",
    "Hop",
    "Outside",
    "PassedOver",
    "RouteSource",
    "RouteState",
    "Routing",
    "Trace",
    "Verdict",
    "advertised_routes",
    "describe",
    "effective_routes",
    "elements",
    "judge",
    "learned_routes",
    "routing_of",
    "select",
    "trace",
    "trace_one_way",
    "unread",
]

_HOMES = {
    "farshore.estate.outside": "Outside",
    "context": "Routing routing_of",
    "failures": "Element elements",
    "figures": "describe",
    "questions": "advertised_routes effective_routes learned_routes trace trace_one_way unread",
    "selection": "select",
    "values": "BgpRoute Choice Disposition EffectiveRoute Flow Hop PassedOver RouteSource RouteState Trace",
    "verdicts": "Verdict judge",
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names.split():
            import importlib

            home = module if module.startswith("farshore.") else f"farshore.routing.{module}"
            value = getattr(importlib.import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'farshore.routing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
