"""`read_circuit`: a circuit's tables show what they should, on both links, or the step fails after a while (D62)."""

from __future__ import annotations

from datetime import timedelta

from farshore.run.verbs.base import Looked, Present, Situation, Talk, Verb
from farshore.run.verbs.circuits import await_tables


class ReadCircuit(Verb):
    name = "read_circuit"

    def look(self, situation: Situation) -> Talk[Looked]:
        patience = timedelta(seconds=float(situation.arguments.get("patience_seconds", 600)))
        result = yield from await_tables(
            [situation.arguments["expect"]],
            since=situation.intended_at,
            now=situation.now,
            until=situation.now + patience,
            code="CircuitNotAsExpected",
            what=f"the circuit's tables do not show what they should after {patience.total_seconds():.0f} s",
        )
        return Present(result=result)
