"""The lab: Azure as one value that answers requests.

    cloud.handle(request, now) -> response        what a client sees
    cloud.advance(now)                            what has become due happens, in order of (due, id)
    cloud.next_due()                              when something will happen by itself

Deterministic from (state, seed, request, now): no I/O but the store's commit, no clock and no running randomness. All
state is in the store's tables; what is kept beside it here are indexes, built anew when a lab is opened.

    bodies      every resource flat, children beside their parents; GET puts them together (`lab/bodies.py`)
    operations  id -> Operation that has ended (`operations.underWay`: that has not)
    busy        lock key -> id of the operation that holds it
    young       keys of what its first PUT is still making: it can be seen and does nothing yet
    events      kind|subject -> {"due", "kind", "subject", "data"}
    durations   name -> [seconds, spread], where the user has changed the table
    regions     name -> {"lost_at": time}    regions that are lost, until their ARM answers again (`lab/regions.py`)
    requests    number -> what was written, by whom, and what was answered
    counters    anything that is counted, so that each attempt has luck of its own

How to add to it is told in `lab/registry.py`.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.arm.network import normal_location
from farshore.errors import InputError, TransportError
from farshore.lab import catalog, registry
from farshore.lab.answers import Refused, not_implemented, quoted
from farshore.lab.bodies import Bodies
from farshore.lab.chance import chance, guid
from farshore.lab.durations import DURATIONS, duration
from farshore.lab.inert import INERT
from farshore.lab.settings import Settings
from farshore.lab.store import Store, Table
from farshore.times import moment, stamp

if TYPE_CHECKING:
    from farshore.lab.traffic import Traffic

BASE_URL = "https://management.lab"


class Cloud:
    """See the theory above. `open_lab` makes one."""

    def __init__(self, store: Store, *, now: datetime, seed: int = 1, settings: Settings | None = None) -> None:
        catalog.load()
        self.store = store
        self.base_url = BASE_URL
        self.epoch = 0
        """Counts what can change the way of a packet; the data plane keeps its answers as long as it stands still."""
        self.traffic: Traffic | None = None
        """Flows that are sent every second (`lab/traffic.py`)."""
        self._meta = store.table("meta")
        if "clock" not in self._meta:
            self._meta["seed"] = seed
            self._meta["settings"] = asdict(settings or Settings())
            self._meta["clock"] = stamp(now)
        self.seed_number: int = self._meta["seed"]
        self.settings: Settings = msgspec.convert(self._meta["settings"], Settings)
        self._now = moment(self._meta["clock"])
        self.bodies = Bodies(store)
        self._events = store.table("events")
        self._heap = [(moment(row["due"]), name) for name, row in self._events.items()]
        heapq.heapify(self._heap)
        store.commit()

    # What a client sees. -------------------------------------------------------------------------------------------

    def handle(self, request: Request, now: datetime) -> Response:
        """The answer, with the state committed before it is given. Raises `TransportError` where none comes back."""
        found = self.deliver(request, now)
        if found.response is None:
            raise TransportError(f"no answer to {request}")
        return found.response

    def deliver(self, request: Request, now: datetime, *, commit: bool = True) -> Delivery:
        """The answer as a network would bring it: perhaps late, perhaps not at all. Without `commit` whoever called
        lets nobody have it before the store's next commit."""
        from farshore.lab.router import deliver

        self.advance(now, commit=False)
        try:
            return deliver(self, request)
        finally:
            if commit:
                self.store.commit()

    # Time. ---------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The lab's moment; inside an event, its due time."""
        return self._now

    def advance(self, now: datetime, *, commit: bool = True) -> None:
        """Let everything happen that is due by `now`. Time never goes back."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, name = heapq.heappop(heap)
            row = self._events.get(name)
            if row is None or moment(row["due"]) != due:
                continue  # cancelled, or put off
            del self._events[name]
            self._set_clock(max(self._now, due))
            registry.EVENTS[row["kind"]](self, row["subject"], row["data"])
        self._set_clock(max(self._now, now))
        if commit:
            self.store.commit()

    def next_due(self) -> datetime | None:
        heap = self._heap
        while heap:
            due, name = heap[0]
            row = self._events.get(name)
            if row is not None and moment(row["due"]) == due:
                return due
            heapq.heappop(heap)
        return None

    def at(self, due: datetime, kind: str, subject: str, data: Json) -> None:
        """Let something happen at a time; one event of a kind a subject, the latest word counts."""
        assert kind in registry.EVENTS, f"nobody knows the event {kind}"
        name = f"{kind}|{subject}"
        self._events[name] = {"due": stamp(due), "kind": kind, "subject": subject, "data": data}
        heapq.heappush(self._heap, (due, name))

    def cancel(self, kind: str, subject: str) -> None:
        self._events.pop(f"{kind}|{subject}", None)

    def pending(self, kind: str, subject: str) -> datetime | None:
        """When the event of that kind and subject is due, if there is one."""
        row = self._events.get(f"{kind}|{subject}")
        return None if row is None else moment(row["due"])

    def tell(self, topic: str, subject: str, data: Json = None) -> None:
        """Let listeners know, at once and in the order in which they registered."""
        for function in registry.LISTENERS.get(topic, ()):
            function(self, subject, data)

    def _set_clock(self, now: datetime) -> None:
        if now != self._now:
            if self.traffic is not None:
                self.traffic.until(self, now)
            self._now = now
            self._meta["clock"] = stamp(now)

    # Chance. -------------------------------------------------------------------------------------------------------

    def count(self, *what: str) -> int:
        """How often this has been counted before: 0, 1, 2... Kept, so that a lab opened again goes on."""
        # The subject first: what is counted of one resource is one row.
        subject, _, counted = "|".join((*what[1:], what[0])).partition("|")
        counters = self.store.shelf("counters")
        row = counters.get(subject, {})
        found: int = row.get(counted, 0)
        counters[subject] = {**row, counted: found + 1}
        return found

    def guid(self, *what: object) -> str:
        return guid(self.seed_number, *what)

    def chance(self, *what: object) -> float:
        return chance(self.seed_number, *what)

    def duration(self, name: str, *what: object) -> timedelta:
        """How long `name` takes this time, by the lab's own table (`lab/durations.py`)."""
        return duration(self.seed_number, name, *what, row=self.typical(name))

    def typical(self, name: str) -> tuple[float, float]:
        """Typical seconds and spread: as told since the lab was made, when it was made, or as the table has it."""
        told: tuple[float, float] | None = self.table("durations").get(name)
        return told or self.settings.durations.get(name) or DURATIONS[name]

    # Resources. ----------------------------------------------------------------------------------------------------

    def table(self, name: str, *, raw: bool = False) -> Table:
        return self.store.table(name, raw=raw)

    def body(self, id_: ResourceId | str) -> Body | None:
        """The kept body: flat, without children and without what a GET adds. Never change it in place."""
        return self.bodies.get(id_.key if isinstance(id_, ResourceId) else id_.lower())

    def id_of(self, body: Body) -> ResourceId:
        """A kept body's id; of what a list passes by it is forgotten with the body."""
        text = str(body["id"])
        return ResourceId(text) if self.bodies.is_passing else resource_id(text)

    def show(self, id_: ResourceId, query: Mapping[str, str] | None = None) -> Body | None:
        """The body that a GET answers."""
        body = self.body(id_)
        return None if body is None else self.type_of(id_).shown(self, resource_id(str(body["id"])), body, query or {})

    def times(self, id_: ResourceId) -> tuple[str, str]:
        """When a resource was made and when it last changed."""
        return self.bodies.times(id_.key)

    def exists(self, id_: ResourceId) -> bool:
        return id_.key in self.bodies

    def write(self, id_: ResourceId, body: Body, *, forwards: bool | None = None) -> None:
        """Keep a body; its own and its root's etag change. `forwards=False`: no packet's way depends on it."""
        links = registry.TYPES.get(id_.type.lower(), INERT).links
        self.bodies.put(id_, body, links, self._meta["clock"])
        self.touch(id_, forwards=forwards)

    def touch(self, id_: ResourceId, *, forwards: bool | None = None) -> None:
        """A new etag for the resource at the root, and for the data plane a new moment."""
        root = id_.top
        if root.key != id_.key:
            self.bodies.bump(root.key)
        kind = registry.TYPES.get(id_.type.lower())
        if forwards if forwards is not None else kind is not None and kind.forwards:
            self.epoch += 1

    def remove(self, id_: ResourceId) -> Body | None:
        """Take a resource and its children away and tell `resource.gone`; the body that was."""
        for child in self.bodies.below(id_):
            self.remove(resource_id(str(child["id"])))
        body = self.bodies.pop(id_.key)
        if body is None:
            return None
        self.touch(id_)
        self.tell("resource.gone", id_.key, body)
        return body

    def children(self, id_: ResourceId, kind: str) -> list[Body]:
        """Kept bodies of one kind of child (`subnets`), in the order in which they came."""
        return self.bodies.in_place(f"{id_.key}/{kind.lower()}")

    def of_type(self, type_: str) -> list[Body]:
        """Kept bodies of one type, over all subscriptions and groups."""
        return self.bodies.of_type(type_)

    def etag(self, id_: ResourceId) -> str:
        """`W/"guid"` of the root's revision: Microsoft.Network gives children their parent's (recorded)."""
        root = id_.top
        return f'W/"{self.guid("etag", root.key, self.bodies.rev(root.key))}"'

    def type_of(self, id_: ResourceId) -> Any:
        """The registered type; raises `Refused` 501 for one that the lab does not have. What an estate brought of such
        a type is inert: it can be read."""
        found = registry.TYPES.get(id_.type.lower())
        if found is not None:
            return found
        if self.exists(id_):
            return INERT
        raise not_implemented(f"the resource type {id_.type}")

    # Who holds what: one write at a time on what a type's `lock` names (L16). ----------------------------------------

    def busy_with(self, id_: ResourceId) -> str | None:
        """The id of the operation that holds the lock which a write to this resource needs."""
        found: str | None = self.table("busy").get(self.type_of(id_).lock(self, id_).key)
        return found

    def hold(self, lock: ResourceId, operation: str) -> None:
        """Others must wait until the operation of this id lets go."""
        self.table("busy")[lock.key] = operation

    def let_go(self, lock: ResourceId, operation: str | None = None) -> None:
        """Nobody holds it any more; where an operation is named, only if it is the one that does."""
        busy = self.table("busy")
        if operation is None or busy.get(lock.key) == operation:
            busy.pop(lock.key, None)

    # Regions. ------------------------------------------------------------------------------------------------------

    def region_of(self, id_: ResourceId) -> str | None:
        """The region that answers for a resource: its own location, or its parent's."""
        if not self.exists(id_) and id_.type.lower() not in registry.TYPES:
            return None
        found: str | None = self.type_of(id_).region(self, id_)
        return found

    def is_lost(self, region: str | None) -> bool:
        """Whether a region's control plane is out of reach."""
        name = None if region is None else normal_location(region)
        return name is not None and (name in self.table("regions") or name in self.table("silent"))

    def wait_for_region(self, region: str, kind: str, subject: str, delay: timedelta, data: Json = None) -> None:
        """Put an event off until its region has returned, and then by `delay`."""
        waiting = self.table("waiting")
        waiting[f"{normal_location(region)}|{kind}|{subject}"] = {
            "kind": kind,
            "subject": subject,
            "data": data,
            "delay_seconds": delay.total_seconds(),
        }

    # An estate. ----------------------------------------------------------------------------------------------------

    def seed(self, resources: list[Body]) -> None:
        """Put bodies of an estate in steady state: no operations, nothing to wait for."""
        from farshore.lab.seeding import seed

        seed(self, resources)
        self.store.commit()


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An answer on its way: None is lost, and `delay` is how late it comes."""

    response: Response | None
    delay: timedelta = timedelta(0)


def must_have(cloud: Cloud, id_text: object, what: str) -> Body:
    """The body that a reference in a request names; refused as Azure does where it is not there."""
    try:
        id_ = resource_id(str(id_text))
    except InputError:
        raise Refused(
            400, "LinkedInvalidPropertyId", f"Property id {quoted(id_text)} at path '{what}' is invalid."
        ) from None
    body = cloud.body(id_)
    if body is None:
        raise Refused(
            400,
            "InvalidResourceReference",
            f"Resource {id_.text} referenced by {what} was not found. Please make sure that the referenced resource "
            "exists, and that both resources are in the same region.",
        )
    if (body.get("properties") or {}).get("provisioningState") == "Deleting":
        raise Refused(
            400,
            "ReferencedResourceNotProvisioned",
            f"Cannot proceed with operation because resource {id_.text} used by resource {what} is not in Succeeded "
            "state. Resource is in Deleting state.",
        )
    return body
