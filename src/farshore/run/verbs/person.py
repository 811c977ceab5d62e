"""`person`: somebody does something and says so (`farshore runs approve`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Wait
from farshore.run.verbs.base import Acted, Asked, Situation, Talk, Verb


class Person(Verb):
    name = "person"

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=timedelta(0))

    def act(self, situation: Situation) -> Talk[Acted]:
        yield from ()
        return Asked(instruction=str(situation.arguments["instruction"]))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        yield from ()
        return {"by": situation.approved_by}
