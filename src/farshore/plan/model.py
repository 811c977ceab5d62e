"""A plan: a graph of steps as data, the events of its scenario, and the obligations that outlive the run.

One plan tells a whole story: network provisioned ahead, replication on, drill, disaster, failover, commit, return,
reprotect, failback. A run carries out the steps of one or more phases. A step says what it does in three ways, which
never mix:

  * `action`   what the run sends (a verb of `run/verbs/` with its arguments); reads nothing but the plan
  * `effects`  what that does to forwarding and to who serves, for the proof; a step without effects can't break a path
  * `title`    what a person reads

An event is what the scenario takes away or gives back (the region). It stands in the same graph, so that a cut is
one downward-closed set of steps and events, and the steps under way above it.

Steps are in `after` order only as far as they must be: the proof looks at every order that the graph allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.errors import InputError
from farshore.estate.outside import Router
from farshore.estate.project import Objective
from farshore.plan.carried.values import Carried, NameChange

FORMAT = 1
CONTROL_PLANE = "control-plane:"
"""Before a region's name: its ARM, as an element that is lost and restored. Routing knows nothing by this name."""


class Phase(StrEnum):
    PROVISION = "provision"
    PROTECT = "protect"
    DRILL = "drill"
    FAILOVER = "failover"
    COMMIT = "commit"
    RETURN = "return"
    REPROTECT = "reprotect"
    FAILBACK = "failback"
    ABANDON = "abandon"
    """The way back from a run that was given up: a plan of its own (`plan/abandon/`)."""


class StepKind(StrEnum):
    ARM = "arm"
    SITE = "site"
    PERSON = "person"
    CHECK = "check"


# Effects: what a step or an event does to the world, each the smallest thing that can be said. ------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResource:
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResource:
    id: ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRouter:
    """A site's router gets this preference, prepend and these filters."""

    site: str
    router: Router


class MachineState(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    STALE = "stale"
    """Runs, or may run, with data older than what has been promised (D92)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMachine:
    id: ResourceId
    state: MachineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """From now on the machine (named by its id in the source) is promised behind this NIC."""

    machine: ResourceId
    nic: ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """From now on nobody may count on reaching the machine where it is promised: it serves there until it is on its
    way, and the next promise ends this. What is safe stays claimed."""

    machine: ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose:
    """Elements stop working: names as in `Outside.down`, and `control-plane:REGION` for a region's ARM, which no
    packet meets: what is there can't be written until it is restored (E36, L36)."""

    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    elements: tuple[str, ...]


Effect = PutResource | DeleteResource | SetRouter | SetMachine | Promise | Suspend | Lose | Restore


# The graph. ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A verb of `run/verbs/` (`plan/actions.py` lists them) and its arguments, as JSON values."""

    verb: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    id: str
    kind: StepKind
    phase: Phase
    title: str
    subject: str
    """An ARM id, or a path in farshore.yaml (`sites/datacenter/routers/ce1`)."""
    action: Action
    after: tuple[str, ...] = ()
    """Ids of steps and events."""
    expected_duration: timedelta = timedelta(0)
    duration_source: str = ""
    letter: str | None = None
    """The article's own a, b, c, d (D74 to D77)."""
    effects: tuple[Effect, ...] = ()
    may_fail: bool = False
    """A refusal is an outcome that the plan expects (D62): it is recorded, and `obligation` stands."""
    obligation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something the scenario does: `disaster`, `return`."""

    id: str
    title: str
    after: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """What is owed after the run, by whom it is discharged, and what happens until then (D62 to D64, D92)."""

    id: str
    title: str
    because: str
    discharged_by: tuple[str, ...]
    source: tuple[str, ...] = ()
    standing: bool = False
    """It is owed when the plan begins: what it speaks of has happened already."""


class Shore(StrEnum):
    HOME = "home"
    THERE = "there"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMachine:
    """One machine's way: from where, to where, under which item; and where it is when the plan begins."""

    id: ResourceId
    nic: ResourceId
    address: str
    target_id: ResourceId
    target_nic: ResourceId
    target_address: str
    item: ResourceId
    """The protected item while the source is primary; `reverse_item` after switch protection."""
    reverse_item: ResourceId
    managed: bool
    boot_group: int = 1
    at: Shore = Shore.HOME
    """Where it is promised when the plan begins."""
    settled: bool = True
    """False: it was on its way when the plan was made, and nobody may count on it before it is promised again (as
    `Suspend` says it of a moment)."""

    @property
    def promised_nic(self) -> ResourceId:
        """The NIC behind which it is promised when the plan begins."""
        return self.nic if self.at is Shore.HOME else self.target_nic

    @property
    def twin(self) -> ResourceId:
        """The same machine on the other shore: what runs there then is older than what has been promised."""
        return self.target_id if self.at is Shore.HOME else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Something that a plan leaves as it is, and why: nothing can or may undo it."""

    id: str
    """An ARM id, or a path in farshore.yaml."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """See the theory above. Building one with an unknown id in `after`, or with a cycle, raises `InputError`."""

    estate: str
    """The fingerprint of the estate that it was made for."""
    scenario: str
    topology: str
    steps: tuple[Step, ...]
    events: tuple[Event, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    machines: tuple[PlannedMachine, ...] = ()
    objectives: tuple[Objective, ...] = ()
    source_region: str = ""
    target_region: str = ""
    predicted_recovery_seconds: Mapping[str, float] = field(default_factory=dict)
    """Machine id in lower case to the predicted seconds from the loss of the region until it is served again."""
    made_from: Mapping[str, str] = field(default_factory=dict)
    """Resource id in lower case to a digest of its body then: names what has changed since."""
    carried: tuple[Carried, ...] = ()
    """What hangs on the machines, who carries it, and what a person has to do."""
    names: tuple[NameChange, ...] = ()
    """Records of DNS zones whose addresses a failover changes."""
    remains: tuple[Remains, ...] = ()
    """What a plan that takes things down leaves standing."""
    format: int = FORMAT

    def __post_init__(self) -> None:
        ids: set[str] = set()
        nodes: tuple[Step | Event, ...] = (*self.steps, *self.events)
        for node in nodes:
            if node.id in ids:
                raise InputError(f"Two steps of the plan have the id {node.id}", value=node.id, expected="one of each")
            ids.add(node.id)
        for node in nodes:
            for before in node.after:
                if before not in ids:
                    raise InputError(
                        f"Step {node.id} comes after {before}, which the plan does not hold",
                        value=before,
                        expected="the id of a step or event of this plan",
                        remedy="remove it from `after`, or put the step back",
                    )
        order(self.steps, self.events)

    def step(self, id_: str) -> Step | None:
        return next((step for step in self.steps if step.id == id_), None)

    def of_phase(self, *phases: Phase) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.phase in phases)


def order(steps: tuple[Step, ...], events: tuple[Event, ...]) -> tuple[str, ...]:
    """Ids in an order that `after` allows, as near to the order given as it can be; a cycle is an `InputError`
    that names its members in order (style 10)."""
    nodes: tuple[Step | Event, ...] = (*steps, *events)
    after = {node.id: list(node.after) for node in nodes}
    placed: dict[str, None] = {}
    visiting: list[str] = []

    def place(id_: str) -> None:
        # An explicit stack: plans of ten thousand steps are chains too.
        stack: list[tuple[str, int]] = [(id_, 0)]
        while stack:
            node, index = stack.pop()
            if index == 0:
                if node in placed:
                    continue
                if node in visiting:
                    cycle = [*visiting[visiting.index(node) :], node]
                    raise InputError("The plan's steps wait for each other: " + " -> ".join(reversed(cycle)))
                visiting.append(node)
            befores = after[node]
            if index < len(befores):
                stack.append((node, index + 1))
                stack.append((befores[index], 0))
            else:
                visiting.remove(node)
                placed[node] = None

    for id_ in after:
        place(id_)
    return tuple(placed)


class Below(NamedTuple):
    """For each of some steps a bit of its own, and the bits of those of them that it comes after, however far."""

    bit: Mapping[str, int]
    under: Mapping[str, int]


def below_of(plan: Plan, wanted: Iterable[str]) -> Below:
    """The order among some steps, through whatever lies between them."""
    both: tuple[Step | Event, ...] = (*plan.steps, *plan.events)
    nodes = {node.id: node for node in both}
    bit = {id_: 1 << index for index, id_ in enumerate(wanted)}
    under: dict[str, int] = {}
    for id_ in order(plan.steps, plan.events):
        under[id_] = 0
        for before in nodes[id_].after:
            under[id_] |= under[before] | bit.get(before, 0)
    return Below(bit, under)
