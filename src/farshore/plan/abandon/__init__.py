"""The way back from a run that was given up halfway: a plan of its own, proven and carried out as any other.

values.py    what the run has come to: what it did, what it may have done
homeward.py  the machines: where each is, and its way home
undo.py      what is there now and was not before: taken down; what was there before and is not: made again
sites.py     the routers of the sites, as they were
used.py      what somebody else uses by now stays
turned.py    the order: what came later goes first
make.py      the plan

make_abandonment(begun, now) -> Plan     pure
"""

from __future__ import annotations

from farshore.plan.abandon.make import make_abandonment
from farshore.plan.abandon.sites import as_left
from farshore.plan.abandon.values import Begun

__all__ = ["Begun", "as_left", "make_abandonment"]
