"""Operations: what takes time, how it ends, and what a client that polls is told.

An operation is a row of the state and an event at its due time. When it is due its completion runs: for a PUT or
DELETE the resource type's hooks, for an action the function registered for it. A completion that raises `Refused`
makes the operation Failed, with the error object that a refusal would have had (L9). What is under way is little and
changes, and lies in a table; what has ended goes to a shelf, written once with all that it has to tell.

An operation of a region that is lost stands still; it completes after the region has returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab import mishaps, registry
from farshore.lab.answers import Refused, child_not_found, not_found
from farshore.lab.patterns import PATTERNS, Pattern
from farshore.lab.registry import event
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

EVENT = "operation"
UNDER_WAY, ENDED = "operations.underWay", "operations"
STALLED = timedelta(seconds=20)
"""How long after its region's return an operation that stood still goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    id: str
    resource: str
    verb: str
    type: str
    pattern: str
    location: str | None
    status: str
    started: str
    ended: str | None = None
    due: str
    retry_after: float
    api_version: str
    error: dict[str, Any] | None = None
    error_status: int = 409
    """With which the result's place answers an error."""
    result: Any = None
    result_status: int = 204
    empty_status: int = 204
    """Of a result that has nothing to show."""
    data: Any = None
    """What the completion needs; JSON."""
    told: Sequence[str] = ()
    """Which polling headers its beginning had."""

    @property
    def running(self) -> bool:
        return self.status not in ("Succeeded", "Failed", "Canceled")

    @property
    def resource_id(self) -> ResourceId:
        return resource_id(self.resource)


FIELDS = tuple(field.name for field in fields(Operation))


def start(
    cloud: Cloud,
    id_: ResourceId,
    verb: str,
    *,
    takes: timedelta,
    pattern: Pattern,
    type_: str,
    api_version: str,
    data: Any = None,
    id_hint: str | None = None,
    empty_status: int = 204,
    status: str = "InProgress",
    told: Sequence[str] = (),
) -> Operation:
    """A new operation on a resource, under way; its id is a hash of the resource, the verb and the attempt."""
    attempt = cloud.count("operation", id_.key, verb)
    due = cloud.now + takes
    operation = Operation(
        id=id_hint or cloud.guid("operation", id_.key, verb, attempt),
        resource=id_.text,
        verb=verb,
        type=type_,
        pattern=pattern.name,
        location=cloud.region_of(id_),
        status=status,
        started=stamp(cloud.now),
        due=stamp(due),
        retry_after=float(min(10, max(1, round(takes.total_seconds() / 2)))),
        api_version=api_version,
        empty_status=empty_status,
        data=data,
        told=list(told),
    )
    keep(cloud, operation)
    cloud.at(due, EVENT, operation.id, None)
    return operation


def find(cloud: Cloud, id_: str) -> Operation | None:
    row = cloud.table(UNDER_WAY).get(id_) or cloud.store.shelf(ENDED).get(id_)
    return None if row is None else Operation(**row)


def keep(cloud: Cloud, operation: Operation) -> None:
    row = {name: getattr(operation, name) for name in FIELDS}
    if operation.running:
        cloud.table(UNDER_WAY)[operation.id] = row
    else:
        cloud.table(UNDER_WAY).pop(operation.id, None)
        cloud.store.shelf(ENDED)[operation.id] = row


def busy(cloud: Cloud, id_: ResourceId) -> Operation | None:
    """The operation that is under way on a resource, if any."""
    held = cloud.busy_with(id_)
    found = None if held is None else find(cloud, held)
    return found if found is not None and found.running else None


def finish(cloud: Cloud, operation: Operation) -> Operation:
    """Run the completion now and keep how it ended."""
    if mishaps.hangs(cloud, operation):
        return operation
    ended: datetime = cloud.now
    try:
        mishaps.must_succeed(cloud, operation)
        result = _complete(cloud, operation)
    except Refused as refused:
        done = replace(operation, status="Failed", ended=stamp(ended), error=refused.error, error_status=refused.status)
        kind = registry.TYPES.get(operation.type.lower())
        if kind is not None and operation.verb in ("put", "patch", "delete"):
            kind.operation_failed(cloud, operation, refused)
        _let_go(cloud, operation)
        cloud.tell("operation.failed", operation.id, {"status": refused.status, **refused.error})
    else:
        status = operation.empty_status if result is None else PATTERNS[operation.pattern].result_status
        done = replace(operation, status="Succeeded", ended=stamp(ended), result=result, result_status=status)
    # A completion may have told more about its own operation (a Site Recovery job's outcome).
    latest = find(cloud, operation.id)
    if latest is not None and latest.data != operation.data:
        done = replace(done, data=latest.data)
    keep(cloud, done)
    cloud.tell("operation.ended", done.id)
    return done


def _let_go(cloud: Cloud, operation: Operation) -> None:
    """One that has failed holds nothing any more."""
    held = cloud.table("busy")
    for key in [key for key, id_ in held.items() if id_ == operation.id]:
        del held[key]


def must_be_there(cloud: Cloud, operation: Operation) -> None:
    """What a question was about may have gone before it was answered."""
    id_ = operation.resource_id
    if not cloud.exists(id_):
        raise not_found(id_) if id_.parent is None else child_not_found(id_)


_PLAIN = "/:@!$&'()*+,;=~"
"""What stands in a URL's path as it is (RFC 3986); a header takes nothing that is not ASCII."""


BOTH = ("azure-asyncoperation", "location")


def headers(operation: Operation, names: tuple[str, ...], base: str) -> dict[str, str]:
    """The polling headers of an answer, with the pause to make before the next poll."""
    pattern = PATTERNS[operation.pattern]
    query = f"?api-version={operation.api_version}"
    found: dict[str, str] = {}
    if "azure-asyncoperation" in names:
        found["azure-asyncoperation"] = base + quote(pattern.status_url(operation), safe=_PLAIN) + query
    if "location" in names:
        asked = f"?{pattern.result_query}&{query[1:]}" if pattern.result_query else query
        found["location"] = base + quote(pattern.result_url(operation), safe=_PLAIN) + asked
    found["retry-after"] = str(int(operation.retry_after))
    return found


def poll(operation: Operation, segment: str, query: Mapping[str, str], base: str) -> Response:
    """The answer to a GET of a status document (`operations/..`) or of a result (`operationResults/..`, or
    `operations/..?monitor=true`)."""
    pattern = PATTERNS[operation.pattern]
    of_result = "result" in segment.lower() or query.get("monitor", "").lower() == "true"
    if not of_result and pattern.name != "storage":
        if operation.running and pattern.status_running == 202:
            both = headers(operation, BOTH, base)
            return Response(status=202, headers=both, body=pattern.status_body(operation))
        extra = {} if not operation.running else {"retry-after": str(int(operation.retry_after))}
        return Response(status=200, headers=extra, body=pattern.status_body(operation))
    if operation.running:
        return Response(status=202, headers=headers(operation, ("location",), base))
    if operation.error is not None:
        return Response(status=operation.error_status, body={"error": operation.error})
    # Recorded of Microsoft.Network: the result of what had both headers says both again.
    again = headers(operation, BOTH, base) if pattern.etags and set(operation.told) == set(BOTH) else {}
    again.pop("retry-after", None)
    return Response(status=operation.result_status, headers=again, body=operation.result)


@event(EVENT)
def due(cloud: Cloud, subject: str, data: Any) -> None:
    operation = find(cloud, subject)
    if operation is None or not operation.running:
        return
    if operation.location is not None and cloud.is_lost(operation.location):
        cloud.wait_for_region(operation.location, EVENT, subject, STALLED)
        return
    finish(cloud, operation)


def _complete(cloud: Cloud, operation: Operation) -> Body | str | None:
    function = registry.COMPLETIONS.get((operation.type.lower(), operation.verb.lower()))
    if function is not None:
        return function(cloud, operation)
    kind = registry.TYPES[operation.type.lower()]
    return kind.operation_done(cloud, operation)
