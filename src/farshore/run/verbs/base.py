"""What a verb is: how one kind of step looks, acts, and follows what it began.

    look     is it done, under way, or not there? Safe at any time, also after a crash, also twice.
    act      do it; once for each time that a look found it absent. No answer means doubt, never failure.
    follow   to the end of the operation, and then see that it is so: read, not believed.

All three are conversations (`azure/conversation.py`): they yield requests and waits, hold no client and no clock, and
get everything that they know from the step. What they return is written in the journal by the driver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from farshore.arm.http import Request, Response, fault_of
from farshore.arm.json import Body
from farshore.azure.conversation import Conversation, ask, pause
from farshore.azure.lro import Pending, pending_from, pending_of
from farshore.errors import ArmError, Fault, TransportError
from farshore.plan.model import Step
from farshore.run.events import moment

PATIENCE = 5
"""How often a read that got no answer is tried again before the step gives up."""
AGAIN = timedelta(seconds=10)
BUSY = frozenset({"anotheroperationinprogress", "referencedresourcenotprovisioned", "retryableerror"})
BUSY_STATUS = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a conversation knows: the step, and what its journal says so far."""

    step: Step
    intended_at: datetime
    attempt: int = 1
    doubted: bool = False

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.step.action.arguments

    def text(self, name: str) -> str:
        return str(self.arguments[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """It is not done: act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """It is done."""

    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """It was accepted, or found to be going on: JSON values by which it can be followed."""

    pending: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The answer was no, and nothing has happened: it is tried again after a while."""

    fault: Mapping[str, Any]
    wait: timedelta = AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    fault: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """No answer came: whether it took effect is not known."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOrder:
    """What an act yields when somebody at a site must do something; the driver gives it to the site's actuator."""

    site: str
    routers: Sequence[Mapping[str, Any]]


Found = Absent | Present | UnderWay | Failed
Did = Present | UnderWay | Refused | Failed | Doubted
Ended = Present | Refused | Failed


class Verb(Protocol):
    """See the theory above."""

    def look(self, task: Task) -> Conversation[Found]: ...

    def act(self, task: Task) -> Conversation[Did]: ...

    def follow(self, task: Task, pending: Mapping[str, Any], accepted_at: datetime) -> Conversation[Ended]: ...


# What verbs share. ---------------------------------------------------------------------------------------------------


def url_of(id_: str, version: str, verb: str = "", query: str = "") -> str:
    return f"{id_}{'/' + verb if verb else ''}?{query + '&' if query else ''}api-version={version}"


def read_patiently(url: str, timeout: timedelta | None = None) -> Conversation[Response]:
    """A GET that is tried again when nothing answers; 404 is an answer. Raises `ArmError` for other refusals."""
    for attempt in range(PATIENCE + 1):
        try:
            response = yield from ask(Request(method="GET", url=url, timeout=timeout))
        except TransportError:
            if attempt == PATIENCE:
                raise
        else:
            if response.ok or response.status == 404:
                return response
            if response.status not in BUSY_STATUS or attempt == PATIENCE:
                raise ArmError(fault_of(response), request=f"GET {url}")
        yield from pause(AGAIN)
    raise AssertionError("unreachable")


def send_once(request: Request) -> Conversation[Response | Doubted]:
    """An act: sent once. Silence is doubt."""
    try:
        response: Response = yield from ask(request)
    except TransportError as error:
        return Doubted(why=str(error))
    if response.status in (500, 502, 504):
        return Doubted(why=f"{request} was answered {response.status}")
    return response


def judged(response: Response | Doubted, request: Request, resource: str | None = None) -> Did | None:
    """What an act's answer means; None where it was done at once and is to be verified."""
    if isinstance(response, Doubted):
        return response
    if not response.ok:
        fault = fault_of(response)
        if response.status in BUSY_STATUS or fault.code.lower() in BUSY:
            return Refused(fault=fault_json(fault), wait=_wait(response))
        return Failed(fault=fault_json(fault))
    pending = pending_of(response, resource)
    return UnderWay(pending=pending.as_json()) if pending else UnderWay(pending={"settled": True})


def pending_in(pending: Mapping[str, Any]) -> Pending | None:
    """What an operation left to follow; None where the act was done at once."""
    return None if pending.get("settled") else pending_from(pending)


def fault_json(fault: Fault) -> dict[str, Any]:
    return {"code": fault.code, "message": fault.message, "target": fault.target, "status": fault.status}


def said(code: str, message: str) -> dict[str, Any]:
    """A fault of our own finding."""
    return {"code": code, "message": message, "target": None, "status": None}


def times_of(response: Response | None) -> dict[str, Any]:
    """`started_at` and `ended_at` of an operation or job, by the service's own clock."""
    body: Body = response.body if response is not None and isinstance(response.body, dict) else {}
    held = {**body, **properties(body)}
    found = {}
    for ours, theirs in (("started_at", "startTime"), ("ended_at", "endTime")):
        if isinstance(held.get(theirs), str) and held[theirs]:
            found[ours] = moment(held[theirs]).isoformat()
    return found


def properties(body: Any) -> Body:
    held = body.get("properties") if isinstance(body, dict) else None
    return held if isinstance(held, dict) else {}


def _wait(response: Response) -> timedelta:
    from farshore.azure.lro import retry_after

    return retry_after(response) or AGAIN
