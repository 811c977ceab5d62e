"""What a verb is: four conversations, each of which can be begun anew.

    look     is it done already?     Absent | Present(result) | InProgress(pending)
    act      do it                   Accepted(pending) | Refused(fault) | Asked(instruction)
    follow   wait for its end and verify it; what it returns is the step's result
    grace    how long to wait, when it is in doubt whether an act took effect, before looking again

A look reads and never writes, so it can be repeated. An act writes once, with `repeatable=False`: only the journal
decides to do it again. Silence after a write (`TransportError`), or an answer of 5xx, is doubt, and the driver
writes it down as such. A verb whose act does no harm twice may look at nothing and wait for little.

A check has nothing to do: its look is all of it. Results are JSON values; the report reads from them what a service
said of its own times (`started_at`, `ended_at`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from farshore.arm.http import Request, Response, Wait, fault_of
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.versions import api_version
from farshore.azure.client import REQUEST_TIMEOUT
from farshore.azure.conversation import ask, pause
from farshore.azure.lro import NO_ANSWER_YET, Pending, pending_of, retry_after
from farshore.errors import ArmError, Fault, TransportError
from farshore.times import stamp

T = TypeVar("T")

GRACE = REQUEST_TIMEOUT + timedelta(seconds=30)
"""A request outlives its sender: the look that ends a doubt comes when nothing can still be on its way."""
AGAIN = timedelta(seconds=20)
"""Between a refusal and the next attempt, where the service does not say."""
ATTEMPTS = 30
BEAT = timedelta(seconds=10)
VIEW = "$expand=instanceView&"
"""Of a machine: with its power state."""
CHANCES = 5
"""How often a read is asked for before its silence is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """A conversation asks for a change at a site; it is sent None, or `Asked` where a person has to do it."""

    site: str
    routers: Sequence[Mapping[str, Any]]
    command: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A conversation asks for records of DNS zones to be changed by the user's program."""

    order: Mapping[str, Any]
    command: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """What a probe asks once it is connected: a GET, without following redirects."""

    path: str
    host: str | None
    https: bool
    verify: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A conversation asks for a TCP connection from where Farshore runs, and for an answer to a GET where there is one;
    it is sent `Probed`."""

    address: str
    port: int
    timeout_seconds: float
    get: Get | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    """A conversation asks for a program of the user's, run where Farshore runs; it is sent `Probed`."""

    command: Sequence[str]
    environment: Mapping[str, str]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What came of it."""

    status: int | None
    """Of a connection that was taken 0, of an answer to a GET its status, of a program the one that it ended with;
    None where nothing came of it."""
    said: str
    asked_from: str


Talk = Generator[Request | Wait | Apply | Rename | Connect | Execute, Any, T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Not done: the act follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Done."""

    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InProgress:
    """Under way already."""

    pending: Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The service has taken it on; nothing to follow where it is done at once."""

    pending: Pending = field(default_factory=Pending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The answer is no, nothing has happened, and later it may be yes."""

    fault: Fault
    wait: timedelta = AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A person has to do it."""

    instruction: str


Looked = Absent | Present | InProgress
Acted = Accepted | Refused | Asked


class AgainError(Exception):
    """Raised by `follow` where an accepted operation has failed in a way that is worth another attempt."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.fault.code)
        self.refused = refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a conversation may know: the step's arguments, and what the journal says of it."""

    step: str
    arguments: Mapping[str, Any]
    now: datetime
    """When this conversation begins."""
    intended_at: datetime
    attempt: int = 0
    sent_at: datetime | None = None
    """When the act was first begun."""
    accepted_at: datetime | None = None
    pending: Pending = field(default_factory=Pending)
    doubted: bool = False
    approved_by: str | None = None
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Results of the steps that this one comes after, by their ids."""

    @property
    def id(self) -> ResourceId:
        return resource_id(str(self.arguments["id"]))

    @property
    def since(self) -> datetime:
        """Where the beat of polls begins."""
        return self.accepted_at or self.intended_at


class Verb:
    """One verb. The defaults are those of an act that must not be done twice and a step that needs no following."""

    name: str

    def attempts(self, situation: Situation) -> int:
        """How often the act may be tried in all."""
        return ATTEMPTS

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=GRACE)

    def look(self, situation: Situation) -> Talk[Looked]:
        yield from ()
        return Absent()

    def act(self, situation: Situation) -> Talk[Acted]:
        raise AssertionError(f"{self.name} has nothing to do")

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        yield from ()
        return {}


# What verbs share. -------------------------------------------------------------------------------------------------

CLEAN_REFUSALS = frozenset(
    {
        "anotheroperationinprogress",
        "referencedresourcenotprovisioned",
        "retryableerror",
        "retryableerrorduetoanotheroperation",
        "preconditionfailed",
        "toomanyrequests",
        "conflict",
        "inuseroutetablecannotbedeleted",
        "remotevnethasnogateways",
    }
)
"""Codes of a no that may be a yes later (L3, L16, L24, L26); all of them leave everything as it was."""


def url(id_: ResourceId, tail: str = "", query: str = "", version: str | None = None) -> str:
    """The URL of a resource, or of an action on it."""
    return f"{id_.text}{tail}?{query}api-version={version or api_version(id_.type)}"


def get(id_: ResourceId, query: str = "", timeout: timedelta | None = None) -> Talk[Response]:
    """GET one resource. See `get_url`."""
    return (yield from get_url(url(id_, query=query), timeout))


def get_url(
    address: str, timeout: timedelta | None = None, *, refused: frozenset[int] = frozenset({404})
) -> Talk[Response]:
    """A GET with patience for a network that drops an answer; a status of `refused` is an answer, other refusals raise
    `ArmError`."""
    request = Request(method="GET", url=address, timeout=timeout)
    for chance in range(CHANCES):
        try:
            response = yield from ask(request)
        except TransportError:
            if chance == CHANCES - 1:
                raise
        else:
            if response.ok or response.status in refused:
                return response
            if response.status not in NO_ANSWER_YET or chance == CHANCES - 1:
                raise ArmError(fault_of(response), request=str(request))
        yield from pause(BEAT)
    raise AssertionError("the last chance returns or raises")


def write(request: Request, resource: str | None = None, retryable: frozenset[str] = frozenset()) -> Talk[Acted]:
    """Send a write, once. An answer of 5xx is no answer: it may have taken effect."""
    response = yield from ask(request)
    if response.ok:
        return Accepted(pending=pending_of(response, resource))
    fault = fault_of(response)
    if (response.status >= 500 and response.status != 501) or response.status == 408:
        raise TransportError(f"{request} was answered {response.status} {fault.code}: {fault.message}")
    code = fault.code.lower()
    if response.status in (412, 429) or code in CLEAN_REFUSALS or code in retryable:
        return Refused(fault=fault, wait=retry_after(response) or AGAIN)
    raise ArmError(fault, request=str(request))


def service_time(response: Response) -> str | None:
    """The service's own clock, from its Date header."""
    text = response.headers.get("date")
    if text is None:
        return None
    try:
        return stamp(parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None


def operation_times(response: Response | None) -> dict[str, Any]:
    """`started_at` and `ended_at` from an operation's status document, else the end from the answer's date."""
    if response is None:
        return {}
    body = response.body if isinstance(response.body, dict) else {}
    found: dict[str, Any] = {}
    if isinstance(body.get("startTime"), str):
        found["started_at"] = body["startTime"]
    ended = body.get("endTime") if isinstance(body.get("endTime"), str) else service_time(response)
    if ended is not None:
        found["ended_at"] = ended
    return found


def properties(response: Response) -> Mapping[str, Any]:
    found = response.body.get("properties") if isinstance(response.body, dict) else None
    return found if isinstance(found, dict) else {}


def power_state(response: Response) -> str | None:
    """`running`, `deallocated`, ... of a machine read with its instance view."""
    statuses = (properties(response).get("instanceView") or {}).get("statuses") or ()
    for status in statuses:
        code = str(status.get("code", ""))
        if code.lower().startswith("powerstate/"):
            return code.split("/", 1)[1].lower()
    return None
