"""Azure's routing as mathematics: a pure library on an `Estate`, useful on its own.

    effective_routes(estate, nic_or_subnet_id)  -> tuple[EffectiveRoute, ...]   the table of R1 to R23
    learned_routes(estate, id)                  -> tuple[BgpRoute, ...]         what a gateway or circuit heard
    advertised_routes(estate, id, to=None)      -> tuple[BgpRoute, ...]         what it says
    trace(estate, flow)                         -> (forward, back)              both ways, with reasons
    describe(value)                             -> str                          the plain-text figure
"""

from __future__ import annotations
