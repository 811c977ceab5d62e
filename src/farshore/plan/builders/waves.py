"""Machines go in waves of boot groups (S53), and a wave goes on only when the one before has been looked at: each
machine runs with its address, and what the user asks of it holds (`checks.py`).

What can be asked of a wave before the next one goes hangs on the way to it. Where it is there, or is built beside the
waves, a wave's routes are read and all its checks are asked. Where the way goes over at once, after the last wave,
since both networks answer for the same addresses, only those from inside are; the others are asked at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from farshore.arm.ids import ResourceId
from farshore.plan import actions, durations
from farshore.plan.builders import checks, looks
from farshore.plan.builders.checks import Stand
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.model import StepKind

Move = Callable[[Machine, list[str]], tuple[str, ResourceId, ResourceId, str]]
"""Adds the step that moves a machine; says its id, and the machine, NIC and address to find afterwards."""
Settle = Callable[[Sequence[Machine]], list[str]]
"""What else a wave waits for; returns the steps that the next one comes after."""


class Waves:
    """The waves of one phase, and what has been looked at by now."""

    def __init__(self, design: Design, draft: Draft, says: str, *, staying: Sequence[Machine] = ()) -> None:
        """`says` is what a step tells that reads routes. `staying`: machines that stay in the target."""
        self._design, self._draft, self._says = design, draft, says
        self.looked: dict[ResourceId, str] = {}
        """The look at each machine that has gone over."""
        self._nics: dict[ResourceId, ResourceId] = {}
        self._staying = staying
        self._standing: dict[ResourceId, Stand] = {
            machine.id: Stand(vm=machine.planned.target_id, address=machine.planned.target_address, looked=None)
            for machine in staying
        }
        self._read: set[ResourceId] = set()
        self.asked: set[str] = set()
        """The steps that ask the user's checks: nothing but the next wave waits for them."""

    def go(self, move: Move, after: Iterable[str] = (), settle: Settle | None = None) -> list[str]:
        """Fail machines over in their groups, the first after the steps given; returns the looks at them, in the order
        of `design.machines`."""
        before = list(after)
        for group in sorted({machine.planned.boot_group for machine in self._design.machines}):
            members = [machine for machine in self._design.machines if machine.planned.boot_group == group]
            for machine in members:
                moved, vm, nic, address = move(machine, before)
                look = self._draft.add(
                    f"check/{machine.label}",
                    actions.check_machine(vm, nic, address),
                    title=f"Machine {machine.label} runs with its address {address}",
                    subject=vm,
                    expected=durations.CHECK_MACHINE,
                    kind=StepKind.CHECK,
                    after=[moved],
                )
                self.looked[machine.id] = look
                self._nics[machine.id] = nic
                self._standing[machine.id] = Stand(vm=vm, address=address, looked=look)
            before = [self.looked[machine.id] for machine in members]
            before += [] if settle is None else settle(members)
        return [self.looked[machine.id] for machine in self._design.machines]

    def read_routes(self, after: Iterable[str], members: Iterable[Machine] | None = None, *, own: bool = True) -> None:
        """Read the routes of these machines (all of them), of each once, after the steps given, and, `own`, after the
        look at it, where the steps don't come after that themselves."""
        path = list(after)
        for machine in self._design.machines if members is None else members:
            if machine.id in self._read:
                continue
            self._read.add(machine.id)
            stand = self._standing[machine.id]
            before = [self.looked[machine.id], *path] if own else path
            read = looks.routes(self._draft, machine, self._nics[machine.id], self._says, before)
            self._standing[machine.id] = Stand(vm=stand.vm, address=stand.address, looked=read)

    def ask(self, *, outside: bool, inside: bool = True) -> list[str]:
        """Ask what the user asks and was not asked yet, as far as all that it needs stand by now."""
        added = checks.build(
            self._design, self._draft, self._standing, inside=inside, outside=outside, staying=self._staying
        )
        self.asked.update(added)
        return added

    def settled_on_the_way(self, way: Callable[[Sequence[Machine]], list[str]]) -> Settle | None:
        """A wave's routes are read, after `way`, and all its checks hold; nothing where nobody asks."""

        def settle(members: Sequence[Machine]) -> list[str]:
            self.read_routes(way(members), members)
            return [*self._reads(members), *self.ask(outside=True)]

        return settle if checks.asked_for(self._design) else None

    def _reads(self, members: Sequence[Machine]) -> list[str]:
        return [read for machine in members if (read := self._standing[machine.id].looked) is not None]

    def settled_inside(self) -> Settle | None:
        """A wave's checks from inside hold; nothing where nobody asks."""

        def settle(members: Sequence[Machine]) -> list[str]:
            return self.ask(outside=False)

        return settle if checks.asked_for(self._design) else None
