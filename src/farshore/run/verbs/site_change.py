"""`site_change`: a site's routers get other preferences and filters (D51, E47), and then it is read, not believed.

Whole settings are sent, so a second time does no harm, and it is done even where the tables look right already: they
show only the half of it that Azure can see. A program of the user's, or a person, does it; afterwards the circuits'
own tables must show it on both links. A site that says done and does nothing is found out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Wait
from farshore.run.verbs.base import Accepted, Acted, Apply, Asked, Situation, Talk, Verb
from farshore.run.verbs.circuits import await_tables

PATIENCE = timedelta(minutes=10)


class SiteChange(Verb):
    name = "site_change"

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=timedelta(0))

    def act(self, situation: Situation) -> Talk[Acted]:
        arguments = situation.arguments
        asked: Asked | None = yield Apply(
            site=str(arguments["site"]), routers=arguments["routers"], command=arguments.get("command")
        )
        return asked or Accepted()

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        site, verify = situation.arguments["site"], situation.arguments["verify"]
        by = {"by": situation.approved_by} if situation.approved_by else {}
        if not verify:
            return by
        result = yield from await_tables(
            verify,
            since=situation.since,
            now=situation.now,
            until=situation.since + PATIENCE,
            code="SiteNotChanged",
            what=f"site {site} was changed, and {PATIENCE.total_seconds():.0f} s later the circuits do not show it",
        )
        return {**by, **result}
