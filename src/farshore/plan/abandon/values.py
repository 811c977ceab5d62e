"""What an abandoned run has come to, and the parts of the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from farshore.estate.estate import Estate
from farshore.plan.draft import Draft
from farshore.plan.model import Plan

Add = Callable[[Draft, list[str]], str]
"""Adds the steps that undo something, after those given; returns the last of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The run as its journal tells it, once nothing of it is under way any more."""

    plan: Plan
    before: Estate
    """As it was when the run began, its sites with it."""
    done: frozenset[str]
    """Steps that are done, and events that have happened."""
    touched: frozenset[str]
    """Steps that may have taken effect: done, failed, or never known. What is read decides."""
    sites_known: bool = False
    """Whether the sites were read: in a lab they are; elsewhere the journal tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """One thing to undo. `anchors` are the steps that brought it about, in their plan's order; the last of them says
    when its turn has come."""

    anchors: tuple[str, ...]
    add: Add
