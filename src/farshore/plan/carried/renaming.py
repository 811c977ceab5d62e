"""The records of DNS zones as steps: changed once machines run where they went, and back once they are at home.

What changes is `names.changes`. With `dns: {command}` the user's program is given all of it that is known, or can be
read when it is time (a public address that stands by then); what nobody can know beforehand, the address of a private
endpoint that a person makes, is a person's, and without a command so is everything: the instruction is the list.

A program is asked again where its end is in doubt. It is told what each record has to say, so a second time changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from farshore.arm.ids import resource_id
from farshore.plan import actions, durations
from farshore.plan.carried.names import changes
from farshore.plan.carried.values import NameChange
from farshore.plan.design import Design
from farshore.plan.draft import Draft
from farshore.plan.model import Phase, StepKind

NAMES, BY_HAND = "names", "names-by-hand"
STEPS = frozenset(f"{phase.value}/{name}" for phase in (Phase.FAILOVER, Phase.FAILBACK) for name in (NAMES, BY_HAND))
"""Their ids."""


def there(design: Design, draft: Draft, after: Iterable[str]) -> list[str]:
    """Records lead to the target."""
    return _steps(design, draft, changes(design), after, home=False)


def home(design: Design, draft: Draft, after: Iterable[str], *, endpoints: bool = True) -> list[str]:
    """The same records, undone: those of the design's machines, and with `endpoints` those of its networks'."""
    return _steps(design, draft, changes(design, endpoints=endpoints), after, home=True)


def _steps(design: Design, draft: Draft, rows: Sequence[NameChange], after: Iterable[str], *, home: bool) -> list[str]:
    after = list(after)
    region = design.project.source_region if home else design.project.target.region
    command = design.project.dns.command
    known = [row for row in rows if command is not None and row.is_known]
    asked = [row for row in rows if row not in known]
    steps = []
    if known and command is not None:
        steps.append(
            draft.add(
                NAMES,
                actions.change_names(region, [_order(row, home) for row in known], command),
                title=f"{command[0]} lets {_many(known)} lead to {region}",
                subject=resource_id(known[0].record),
                expected=durations.NAMES_COMMAND,
                after=after,
            )
        )
    if asked:
        lines = [f"{row.record} {row.type}: {_ends(row, home)} ({row.because})" for row in asked]
        steps.append(
            draft.add(
                BY_HAND,
                actions.person("Change these records of DNS zones, and approve once it is done:\n" + "\n".join(lines)),
                title=f"A person lets {_many(asked)} lead to {region}",
                subject=resource_id(asked[0].record),
                expected=durations.NAMES_PERSON,
                kind=StepKind.PERSON,
                after=after,
            )
        )
    return steps


def _order(row: NameChange, home: bool) -> dict[str, str]:
    old, new = {"address": row.old}, {"address": row.new, **({} if row.new_of is None else {"of": row.new_of})}
    from_, to = (new, old) if home else (old, new)
    said = {"record": row.record, "type": row.type, "from": from_["address"], "to": to["address"]}
    return said | {f"{end}_of": one["of"] for end, one in (("from", from_), ("to", to)) if "of" in one}


def _ends(row: NameChange, home: bool) -> str:
    return f"{row.new} becomes {row.old} again" if home else f"{row.old} becomes {row.new}"


def _many(rows: Sequence[NameChange]) -> str:
    count = len({row.record.lower() for row in rows})
    return "one record" if count == 1 else f"{count} records"
