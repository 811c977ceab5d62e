"""The twin: an estate as Linux network namespaces, with real BGP and real packets, to check the engine against.

    Estate ─► blueprint ─► namespaces ─► what was seen

`blueprint_of(estate)` says which hosts and routers stand for the estate, how they are wired, and what each of them is
told: routes, rules, a BIRD configuration, an nftables ruleset. `Twin(blueprint)` builds that in namespaces of its own
and answers what happens there: which requests came through and who answered, by which hosts they went, what BIRD has
learned, how long an answer is missing when something fails.

It knows nothing of `routing`. The longest match is the kernel's, the choice between BGP routes BIRD's, a flow's state
that of the kernel's connection tracking. What Azure adds is read from the same numbered facts, a second time. What it
can't stand for is in `limits.py`.
"""

from __future__ import annotations
