"""One request on its way through the lab, with what a handler needs to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.jsonc import RelaxedJsonError, loads_relaxed
from farshore.lab import operations, versions
from farshore.lab.answers import Refused, child_not_found, not_found
from farshore.lab.identity import OWNER, Caller
from farshore.lab.patterns import Pattern

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


LONGEST_NUMBER = 18
"""Digits: what SQLite takes for a number."""


def whole_number(text: str) -> int | None:
    """The number that a text in a query or a header is; None where it is something else."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else None


@dataclass(slots=True, kw_only=True)
class Call:
    """`id` is the resource (or, for an action, a view or a list of children, the resource that it stands below)."""

    cloud: Cloud
    request: Request
    id: ResourceId
    query: Mapping[str, str]
    """Keys in lower case."""
    base: str
    """Scheme and host that the client used: polling URLs carry it."""
    path: str = "/"
    """As it was sent, without escapes."""
    argument: str | None = None
    """What stands behind an action's name in the path (`routeTables/primary`)."""
    rest: str = ""
    """Of a handle: the path below it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = OWNER
    """Who asks, by the token."""

    @property
    def body(self) -> Any:
        return self.request.body

    @property
    def api_version(self) -> str:
        return self.query.get("api-version", versions.USUAL)

    def object(self) -> Body:
        """The request's body as a JSON object; refused where it is none."""
        body = self.request.body
        if isinstance(body, str):
            # The text itself, by a caller without a wire: read as the served door reads it.
            with suppress(RelaxedJsonError):
                body = loads_relaxed(body)
        if not isinstance(body, dict):
            raise Refused(
                400,
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: 'a JSON object was expected'.",
            )
        return body

    def properties(self) -> Body:
        """`properties` of the request's body, or an empty object."""
        body = self.request.body
        found = body.get("properties") if isinstance(body, dict) else None
        return found if isinstance(found, dict) else {}

    def must_exist(self) -> Body:
        """The kept body of `id`; 404 where there is none."""
        body = self.cloud.body(self.id)
        if body is None:
            raise not_found(self.id) if self.id.parent is None else child_not_found(self.id)
        return body

    def show(self) -> Body:
        """The body of `id` as a GET answers it; 404 where there is none."""
        self.must_exist()
        body = self.cloud.show(self.id, self.query)
        assert body is not None
        return body

    def must_be_free(self) -> None:
        """409 while another operation holds the resource (L16)."""
        held = operations.busy(self.cloud, self.id)
        if held is None:
            return
        url = operations.headers(held, ("azure-asyncoperation",), self.base)["azure-asyncoperation"]
        raise Refused(
            409,
            "AnotherOperationInProgress",
            f"Another operation on this or dependent resource is in progress. To retrieve status of the operation "
            f"use uri: {url}.",
            headers={"retry-after": str(int(held.retry_after))},
        )

    def accept(
        self,
        verb: str,
        *,
        duration: str | timedelta,
        data: Any = None,
        status: int = 202,
        headers: tuple[str, ...] | None = None,
        lock: bool = False,
        pattern: Pattern | None = None,
        body: Any = None,
    ) -> Response:
        """Start an operation for an action; `@completion(type, verb)` finishes it. `lock`: others must wait."""
        cloud, id_ = self.cloud, self.id
        kind = cloud.type_of(id_)
        used: Pattern = pattern or kind.pattern
        takes = duration
        if isinstance(takes, str):
            takes = cloud.duration(takes, id_.key, cloud.count("attempt", id_.key, verb))
        names = used.post_headers if headers is None else headers
        operation = operations.start(
            cloud,
            id_,
            verb,
            takes=takes,
            pattern=used,
            type_=kind.type,
            api_version=self.api_version,
            empty_status=used.empty_post,
            data=data,
            told=names,
        )
        if lock:
            cloud.hold(kind.lock(cloud, id_), operation.id)
        return Response(status=status, headers=operations.headers(operation, names, self.base), body=body)
