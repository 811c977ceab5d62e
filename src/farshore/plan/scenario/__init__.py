"""Scenarios by name: what is taken away, how machines and connectivity go over, and how they come back.

A name is made of words, `grey+cold+stay`, at most one for each question (`words.py`), in any order; what is not said is
the default. `published`, the article's own story, is all defaults: the region dies and returns, machines go to the
latest data, and home again.

    scenario_named(name)        -> Scenario                 raises InputError for a word that nobody knows
    why_not(scenario, design)   -> str | None               why it makes no sense for an estate (`sensible.py`)
    taken(scenario, design)     -> Taken                    what it takes away (`outages.py`)
"""

from __future__ import annotations

from farshore.plan.scenario.scenario import PUBLISHED, Scenario, scenario_named

__all__ = ["PUBLISHED", "Scenario", "scenario_named"]
