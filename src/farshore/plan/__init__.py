"""Steps as data: the planner, the plan's file, and what its steps do to the world.

make_plan(estate, assessment, scenario)   -> Plan
plan_as_json(plan), plan_from_json(json)  the file that people review, edit, prove and run
check_against(plan, estate)               -> findings of drift; ids of another estate raise
start(estate, plan), apply(world, effects)  the world before and after, for proofs
"""

from __future__ import annotations

from farshore.plan.durations import DECISION
from farshore.plan.effects import World, apply, start
from farshore.plan.file import check_against, plan_as_json, plan_from_json
from farshore.plan.graph import Path, critical_path, finish_times
from farshore.plan.make import PUBLISHED, make_plan
from farshore.plan.model import Plan

__all__ = [
    "DECISION",
    "PUBLISHED",
    "Path",
    "Plan",
    "World",
    "apply",
    "check_against",
    "critical_path",
    "finish_times",
    "make_plan",
    "plan_as_json",
    "plan_from_json",
    "start",
]
