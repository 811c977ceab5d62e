"""plan.json: a plan as JSON and back, and a plan against an estate (contract, "plan.json").

The round trip is exact. A plan that people edit is not bad input for that: steps may be removed or put in another
order, and are proven as they stand. Where a removed step is still named by another's `after`, that name is dropped,
and if the file still shows what the removed step came after, that stands in for it. What is bad input: a shape that
is no plan, a step twice, a cycle, and ids that are not in this estate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from farshore.arm.decode import Network
from farshore.arm.ids import ResourceId, resource_id
from farshore.errors import InputError
from farshore.estate.estate import Estate
from farshore.estate.outside import Filter, Router
from farshore.estate.project import Objective
from farshore.plan.model import (
    FORMAT,
    Action,
    DeleteResource,
    Effect,
    Event,
    Lose,
    MachineState,
    Obligation,
    Phase,
    Plan,
    PlannedMachine,
    Promise,
    PutResource,
    Restore,
    SetMachine,
    SetRouter,
    Step,
    StepKind,
)
