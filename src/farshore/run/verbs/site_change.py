"""site_change: somebody at a site changes a preference or a filter; the circuits show it (D51, E47).

The order goes to the site's actuator: the user's command, a person, the lab. What it says is not believed: the step is
done when the circuits' own tables show the half of the change that Azure's side can see. What they show already says
nothing about the other half, so the order is given in any case; given twice it is harmless, because it holds whole
settings.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Wait
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import Accepted, Acted, Apply, Asked, Situation, Talk, Verb
from farshore.run.verbs.read_circuit import until_shown

PATIENCE = timedelta(minutes=10)


class SiteChange(Verb):
    name = "site_change"

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=timedelta(0))

    def act(self, situation: Situation) -> Talk[Acted]:
        arguments = situation.arguments
        asked = yield from _order(
            Apply(site=arguments["site"], routers=arguments["routers"], command=arguments.get("command"))
        )
        return Accepted() if asked is None else asked

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        try:
            return (yield from until_shown(situation.arguments["verify"], situation.now, PATIENCE))
        except ArmError as error:
            said = f"site {situation.arguments['site']} says that it is done, and its circuits show otherwise: "
            raise ArmError(Fault(code="SiteDidNot", message=said + error.fault.message)) from None


def _order(order: Apply) -> Generator[Apply, Any, Asked | None]:
    asked: Asked | None = yield order
    return asked
