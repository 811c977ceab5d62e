"""`check_command`: a program of the user's ends with status 0 where Farshore runs."""

from __future__ import annotations

from farshore.run.verbs.base import Execute, Looked, Probed, Situation, Talk, Verb
from farshore.run.verbs.trying import Answer, until_it_holds


class CheckCommand(Verb):
    name = "check_command"

    def look(self, situation: Situation) -> Talk[Looked]:
        told = situation.arguments
        order = Execute(
            command=told["command"], environment=told["environment"], timeout_seconds=float(told["timeout_seconds"])
        )

        def once() -> Talk[Answer]:
            probed: Probed = yield order
            return Answer(good=probed.status == 0, said=probed.said, asked_from=probed.asked_from)

        return (yield from until_it_holds(situation, f"the program {order.command[0]}", once))
