"""Conversations held by hand: a script of answers in, what was asked and how long was waited for out.

A generator that talks to ARM holds no client and no clock, so a test can be the whole world to it. Waits cost no time
and move the test's own clock, on the same grid as the driver's.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from farshore.arm.http import Request, Response, Wait
from farshore.azure.conversation import length
from farshore.azure.lro import Pending
from farshore.errors import ArmError, TransportError
from farshore.run.verbs.base import AgainError, Apply, Asked, Connect, Execute, Probed, Rename, Situation

NOW = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
ARM = "https://management.azure.com"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"


class Silence:
    """No answer comes: whether the request took effect is not known."""


SILENCE = Silence()
Answer = Response | Silence | Callable[[Request], Response]


@dataclass(slots=True)
class Held:
    """How a conversation went."""

    result: Any = None
    error: ArmError | TransportError | AgainError | None = None
    requests: list[Request] = field(default_factory=list)
    applied: list[Apply] = field(default_factory=list)
    renamed: list[Rename] = field(default_factory=list)
    ordered: list[Connect | Execute] = field(default_factory=list)
    waits: list[timedelta] = field(default_factory=list)
    now: datetime = NOW

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    @property
    def asked(self) -> list[str]:
        """Method and the end of the path of each request."""
        return [f"{r.method} {r.url.split('?')[0].rstrip('/').rsplit('/', 1)[-1]}" for r in self.requests]

    @property
    def code(self) -> str:
        """Of the refusal that it ended with."""
        assert isinstance(self.error, ArmError), f"it ended with {self.error!r} and {self.result!r}"
        return self.error.fault.code

    @property
    def waited(self) -> float:
        return sum(wait.total_seconds() for wait in self.waits)


def hold(
    talk: Generator[Any, Any, Any],
    script: Iterable[Answer],
    *,
    now: datetime = NOW,
    person: Asked | None = None,
    probed: Iterable[Probed] = (),
) -> Held:
    """Hold a conversation to its end. A script that is too short fails the test; what is left of one is no matter.
    `probed`: what probes and programs say, one after the other."""
    answers, probes = iter(script), iter(probed)
    held = Held(now=now)
    said: Any = None
    silence = False
    try:
        while True:
            wanted = talk.throw(TransportError("silence")) if silence else talk.send(said)
            said, silence = None, False
            match wanted:
                case Request():
                    held.requests.append(wanted)
                    answer = next(answers, None)
                    assert answer is not None, f"the script ends before {wanted.method} {wanted.url}"
                    silence = isinstance(answer, Silence)
                    if not isinstance(answer, Silence):
                        said = answer if isinstance(answer, Response) else answer(wanted)
                case Wait():
                    held.waits.append(length(wanted, held.now))
                    held.now += held.waits[-1]
                    said = held.now
                case Apply():
                    held.applied.append(wanted)
                    said = person
                case Rename():
                    held.renamed.append(wanted)
                case Connect() | Execute():
                    held.ordered.append(wanted)
                    said = next(probes, None)
                    assert said is not None, f"nobody answers {wanted}"
    except StopIteration as end:
        held.result = end.value
    except (ArmError, TransportError, AgainError) as error:
        held.error = error
    return held


def answer(status: int, body: Any = None, **headers: str) -> Response:
    """`answer(202, retry_after="7")`: header names with underscores for dashes."""
    return Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Response:
    return answer(status, {"error": {"code": code, "message": message}}, **headers)


def gone() -> Response:
    return refusal(404, "ResourceNotFound")


def situation(arguments: Mapping[str, Any], **more: Any) -> Situation:
    """A step's situation, intended and accepted just now unless said otherwise."""
    known: dict[str, Any] = {"step": "s", "now": NOW, "intended_at": NOW, "attempt": 1, "pending": Pending(), **more}
    return Situation(arguments=arguments, **known)
