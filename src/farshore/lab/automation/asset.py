"""What every thing inside an automation account has in common.

It is there when its PUT is answered (201, or 200 where it was there before); it goes with 200, and what is not there
answers 404 (204 where clients take it: accounts, runbooks). Most show no `provisioningState`. All show when they were
made and last changed. Recorded: every word of a type begins with a capital here, and the answer to what is new says in
`location` where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.patterns import AUTOMATION
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

ACCOUNTS = "Microsoft.Automation/automationAccounts"


class Asset(ResourceType):
    pattern = AUTOMATION
    tracked = False
    patches = True
    read_only: ClassVar[tuple[str, ...]] = ("provisioningState", "creationTime", "lastModifiedTime")
    states: ClassVar[bool] = False
    """Whether it shows a `provisioningState`."""
    may_be_gone: ClassVar[bool] = False
    """Whether a DELETE of what is not there is answered 204."""

    def check_place(self, call: Call, id_: ResourceId, body: Body, before: Body | None) -> None:
        """What has a location and is told none has its account's."""
        place = None if id_.parent is None else call.cloud.region_of(id_.parent)
        super().check_place(call, id_, body if place is None else {"location": place, **body}, before)

    def seed(self, cloud: Cloud, body: Body) -> Body:
        """What an estate has told of it; what it has not told is not known."""
        return {**body, "properties": body.get("properties") or {}}

    def on_put(self, put: Put) -> Body:
        body = self.standard(put)
        now = stamp(put.cloud.now)
        times = {"creationTime": put.before_properties.get("creationTime", now), "lastModifiedTime": now}
        return {**body, "properties": {**body["properties"], **times}}

    def write(self, call: Call, body: Body) -> Response:
        response = super().write(call, body)
        return response if response.status != 201 else there(call, response)

    def patch(self, call: Call) -> Response:
        """The properties that are sent, and nothing else."""
        body, sent = call.must_exist(), call.object()
        call.must_be_free()
        properties = {**body["properties"], **call.properties()}
        more = {key: value for key, value in sent.items() if key in ("tags", "identity")}
        return self.write(call, {**body, **more, "properties": properties})

    def delete(self, call: Call) -> Response:
        if not self.may_be_gone:
            call.must_exist()
        return super().delete(call)

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        body = {**body, "type": spelled(self.type)}
        if self.states:
            return body
        properties = {key: value for key, value in body["properties"].items() if key != "provisioningState"}
        return {**body, "properties": properties}


def spelled(type_: str) -> str:
    """`Microsoft.Automation/AutomationAccounts/Runbooks`."""
    namespace, *kinds = type_.split("/")
    return "/".join([namespace, *(kind[:1].upper() + kind[1:] for kind in kinds)])


def there(call: Call, response: Response) -> Response:
    """The answer to a PUT of something new, with the place where it is."""
    shown = response.body if isinstance(response.body, dict) else {}
    place = f"{call.base}{shown.get('id', call.id.text)}?api-version={call.api_version}"
    return Response(status=response.status, headers={**response.headers, "location": place}, body=response.body)


def text_of(properties: Body, name: str) -> str:
    """A property that must be a text; refused where it is not there or something else."""
    found = properties.get(name)
    if not isinstance(found, str) or not found:
        raise bad_request("BadRequest", f"{name} is missing, or is no text.", name)
    return found


def text_or_none(properties: Body, name: str) -> str | None:
    found = properties.get(name)
    if found is not None and not isinstance(found, str):
        raise bad_request("BadRequest", f"{name} is a text.", name)
    return found


def switch(properties: Body, name: str) -> bool:
    """A property that is true, false or not there."""
    found = properties.get(name)
    if found is not None and not isinstance(found, bool):
        raise bad_request("BadRequest", f"{name} is true or false.", name)
    return bool(found)


def name_in(properties: Body, name: str) -> str:
    """The name in a reference such as `{"runbook": {"name": "Connect"}}`."""
    found = properties.get(name)
    inner = found.get("name") if isinstance(found, dict) else None
    if not isinstance(inner, str) or not inner:
        raise bad_request("BadRequest", f"{name}.name is missing, or is no text.", name)
    if "/" in inner:
        raise bad_request("BadRequest", f"{name}.name is a name, not '{inner}'.", name)
    return inner
