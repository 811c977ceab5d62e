"""`put`: create or correct one resource (L6, L12).

Read, merged, written: what the body does not say is kept, and a write carries the etag of what was read. A create
says `If-None-Match: *`, so that a first request which is still on its way and a second one can't both create. Done
when a GET shows everything that the body says; then, not when the operation says so.

Site Recovery answers its own shapes (S1 to S5): what is put as `providerSpecificInput` comes back under another name,
or not at all. There the body is written as it is, and compared only where the answer uses the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.azure.conversation import pause
from farshore.azure.lro import TERMINAL, Pending, follow, state_of
from farshore.errors import ArmError, Fault
from farshore.estate.door import REDACTED
from farshore.plan.merge import merged, says
from farshore.run.verbs.base import (
    BEAT,
    Absent,
    Acted,
    InProgress,
    Looked,
    Present,
    Situation,
    Talk,
    Verb,
    get,
    operation_times,
    service_time,
    url,
    write,
)

SECRETS = frozenset({"adminpassword", "authorizationkey", "sharedkey", "customdata", "keydata", "protectedsettings"})
"""Taken by a PUT and never shown by a GET."""
LOOKS = 12


class Put(Verb):
    name = "put"

    def look(self, situation: Situation) -> Talk[Looked]:
        id_ = situation.id
        response = yield from get(id_)
        if response.status == 404 or not shows(id_, response.body, situation.arguments["body"]):
            return Absent()
        state = (state_of(response.body) or "succeeded").lower()
        if state == "succeeded":
            ended = {"ended_at": service_time(response)} if situation.doubted else {}
            return Present(result={"found": True, **ended})
        return Absent() if state in TERMINAL else InProgress(pending=Pending(resource=url(id_)))

    def act(self, situation: Situation) -> Talk[Acted]:
        id_ = situation.id
        there = yield from get(id_)
        said: Body = dict(situation.arguments["body"])
        headers: dict[str, str] = {}
        body = said
        if there.status == 404:
            headers["if-none-match"] = "*"
        elif not _is_recovery(id_):
            body = _writable(merged(there.body, said))
            etag = there.body.get("etag")
            if isinstance(etag, str):
                headers["if-match"] = etag
        request = Request(method="PUT", url=_url(situation), body=body, headers=headers, repeatable=False)
        return (yield from write(request, url(id_)))

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        id_, said = situation.id, situation.arguments["body"]
        times: dict[str, Any] = {}
        if situation.pending:
            times = operation_times((yield from follow(situation.pending, since=situation.since)))
        for _ in range(LOOKS):
            response = yield from get(id_)
            state = (state_of(response.body) or "succeeded").lower()
            if state == "failed":
                raise ArmError(Fault(code="ProvisioningFailed", message=f"{id_.short} has ended as Failed"))
            if response.status != 404 and state == "succeeded" and shows(id_, response.body, said):
                return {**({"ended_at": service_time(response)} if not times else {}), **times}
            yield from pause(BEAT, situation.since)
        missing = "it is not there" if response.status == 404 else f"{', '.join(differences(response, said))} differ"
        raise ArmError(Fault(code="NotAsWritten", message=f"{id_.short} was written, and afterwards {missing}"))


def shows(id_: ResourceId, there: Any, said: Any) -> bool:
    """Whether a GET shows what was said, but for secrets."""
    if _is_recovery(id_):
        said = _common(there, {key: said[key] for key in ("properties",) if key in said})
    return says(there, _public(said))


def differences(response: Response, said: Mapping[str, Any]) -> list[str]:
    """Names of the properties that a GET does not show as they were said."""
    there = response.body.get("properties") or {}
    wanted = _public(said).get("properties") or {}
    named = [f"properties.{key}" for key, value in wanted.items() if not says(there.get(key), value)]
    return named or ["some of its values"]


def _common(there: Any, said: Any) -> Any:
    """The part of what was said for which the answer has a word."""
    if isinstance(there, dict) and isinstance(said, dict):
        return {key: _common(there[key], value) for key, value in said.items() if key in there}
    return said


def _public(said: Any) -> Any:
    if isinstance(said, dict):
        return {key: _public(value) for key, value in said.items() if key.lower() not in SECRETS and value != REDACTED}
    if isinstance(said, list):
        return [_public(item) for item in said]
    return said


def _writable(body: Body) -> Body:
    """What a GET shows and a PUT has no use for is left out."""
    kept = {key: value for key, value in body.items() if key != "etag"}
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {k: v for k, v in kept["properties"].items() if k != "provisioningState"}
    return kept


def _is_recovery(id_: ResourceId) -> bool:
    return id_.namespace.lower() == "microsoft.recoveryservices" and len(id_.pairs) > 1


def _url(situation: Situation) -> str:
    return url(situation.id, version=situation.arguments["api_version"])
