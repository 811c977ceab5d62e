"""When a served lab collects Python's garbage: in small portions, and never all of it while somebody waits.

Bodies at hand are many small objects that form no cycles. Python's own collector counts what is made less what goes:
where old bodies go as new ones come it is called seldom, and then walks a hundred thousand young objects, tens of
milliseconds in which nobody is answered. So it is turned off: what some requests have left is walked after them, a
millisecond or so, and what has stayed since is walked when the lab has been idle for a moment, or, under a load that
never ends, once in very many requests.
"""

from __future__ import annotations

import gc

PORTION = 50
"""Requests after which the youngest are walked."""
WORTH = 5_000
"""Requests after which an idle moment is used to walk all."""
LOOKS = 600
"""Looks, one a second, after which it is also used: a clock that runs fast makes garbage without requests."""
OVERDUE = 500_000
"""Requests after which all is walked though somebody waits."""


class Collecting:
    """Collects for a process that serves; `stop` gives Python's own collector its work back."""

    def __init__(self) -> None:
        self._answered = self._at_last_look = self._looks = 0
        """Since all was walked."""
        self._restart = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()

    def answered(self) -> None:
        """A request has been answered."""
        self._answered += 1
        if self._answered % PORTION == 0:
            gc.collect(0)

    def look(self) -> None:
        """Called about once a second."""
        idle, self._at_last_look = self._answered == self._at_last_look, self._answered
        self._looks += 1
        if self._answered >= OVERDUE or (idle and (self._answered >= WORTH or self._looks >= LOOKS)):
            gc.collect()
            self._answered = self._at_last_look = self._looks = 0

    def stop(self) -> None:
        gc.unfreeze()
        if self._restart:
            gc.enable()
