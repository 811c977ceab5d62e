"""One scenario, and its name.

The name that a scenario has is canonical: its words in the order of the questions, defaults left out. `published` is
the name of the one that has none left. A posture and what is provisioned ahead are the project's unless they are said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from farshore.errors import InputError
from farshore.estate.project import Link, Project
from farshore.plan.scenario.words import TITLES, Ahead, Back, Drill, Outage, Over, Returns, Word

PUBLISHED = "published"
JOIN = "+"

ON_PURPOSE = frozenset({Outage.MAINTENANCE, Outage.ZONE, Outage.APPLIANCE})
"""Outages in which the region's ARM answers and machines run: they are stopped first unless something else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """See the theory above."""

    outage: Outage = Outage.REGION
    returns: Returns = Returns.TOGETHER
    posture: Link | None = None
    over: Over = Over.LATEST
    ahead: Ahead = Ahead.AS_SAID
    drill: Drill = Drill.ISOLATED
    back: Back = Back.FAILBACK

    @property
    def words(self) -> tuple[Word, ...]:
        """What it says beside the defaults, in the order of the questions."""
        return tuple(value for value in self._values() if value is not None and value is not _default_of(self, value))

    @property
    def name(self) -> str:
        return JOIN.join(word.value for word in self.words) or PUBLISHED

    @property
    def title(self) -> str:
        """What a person reads: the words' own titles."""
        if not self.words:
            return "the published story: provision, protect, drill, disaster, failover, return, failback"
        return "; ".join(TITLES[word] for word in (self.outage, *(w for w in self.words if w is not self.outage)))

    def of(self, project: Project) -> Project:
        """The project as this scenario has it: its posture, and what is ahead."""
        if self.posture is not None:
            project = replace(project, link=self.posture)
        if self.ahead in (Ahead.ALL, Ahead.NOTHING):
            project = replace(project, provision_ahead=("all",) if self.ahead is Ahead.ALL else ("none",))
        return project

    def _values(self) -> Iterator[Any]:
        return (getattr(self, item.name) for item in fields(self))


def scenario_named(name: str) -> Scenario:
    """The scenario of a name. Raises `InputError` for a word that is none, and for two answers to one question."""
    if name == PUBLISHED:
        return Scenario()
    told: dict[str, Word] = {}
    for text in name.split(JOIN):
        if text not in _WORDS:
            raise InputError(
                f"There is no scenario {name}" + (f": {text} is no word of one" if JOIN in name else ""),
                value=name,
                expected=f"{PUBLISHED}, or words joined by {JOIN}, at most one for each question",
                remedy="farshore plan --scenario list lists the words",
            )
        question, word = _WORDS[text]
        if question in told:
            raise InputError(
                f"{told[question].value} and {text} answer one question, the scenario's {question}",
                value=name,
                expected="at most one word for each question",
                remedy="farshore plan --scenario list lists the words by question",
            )
        told[question] = word
    scenario = Scenario(**told)  # type: ignore[arg-type]
    return scenario if "over" in told else replace(scenario, over=usual_over(scenario.outage))


def questions() -> Mapping[str, tuple[Word, ...]]:
    """Each question with its answers."""
    return _KINDS


def default_word(question: str) -> Word | None:
    """The answer that goes without saying; None where it is the project's (`link`). Of `over` in an outage that is
    on purpose it is `planned`."""
    word: Word | None = getattr(Scenario(), question)
    return word


def usual_over(outage: Outage) -> Over:
    """How machines go over where nothing else is said: stopped first in an outage that is on purpose."""
    return Over.PLANNED if outage in ON_PURPOSE else Over.LATEST


def _default_of(scenario: Scenario, value: Word) -> Word | None:
    """The word that goes without saying where this one stands."""
    if isinstance(value, Over):
        return usual_over(scenario.outage)
    return _DEFAULTS.get(type(value))


_KINDS: Mapping[str, tuple[Word, ...]] = {
    "outage": tuple(Outage),
    "returns": tuple(Returns),
    "posture": tuple(Link),
    "over": tuple(Over),
    "ahead": tuple(Ahead),
    "drill": tuple(Drill),
    "back": tuple(Back),
}
_DEFAULTS: Mapping[type, Word] = {
    Outage: Outage.REGION,
    Returns: Returns.TOGETHER,
    Ahead: Ahead.AS_SAID,
    Drill: Drill.ISOLATED,
    Back: Back.FAILBACK,
}
_WORDS: Mapping[str, tuple[str, Word]] = {
    word.value: (question, word) for question, words in questions().items() for word in words
}
