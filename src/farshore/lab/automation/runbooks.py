"""automationAccounts/runbooks: a text in two copies, the draft that is edited and what jobs run.

    PUT runbook              New: neither copy has a text, and with an (empty) draft an empty one to publish; with a
                             publishContentLink Published, by a text that the lab has not
    PUT draft/content        the draft's text, as text; 202 and a place to look. A published runbook is in Edit then
    POST publish             the draft becomes what jobs run; 202 and a place to look. Published
    POST draft/undoEdit      the draft is given up
    GET content              what jobs run;  GET draft/content  the draft

Kept are runbooks of every type; run are those of Python 3 (`lab/automation/queue.py`). A link to a text elsewhere is
kept and not followed. Test jobs of drafts are not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body, Json
from farshore.lab.answers import Refused, bad_request, child_not_found, not_implemented
from farshore.lab.automation.asset import ACCOUNTS, Asset, switch, text_of, text_or_none
from farshore.lab.call import Call
from farshore.lab.patterns import AUTOMATION
from farshore.lab.registry import action, completion, listener, resource_type, view
from farshore.lab.types import Put, ResourceType
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud
    from farshore.lab.operations import Operation

RUNBOOKS = f"{ACCOUNTS}/runbooks"
TEXTS = "automation.texts"
"""Key of a runbook -> {"draft", "published"}: texts, or None."""
JOB_COUNTS = "automation.jobCounts"
"""Key of a runbook -> how many jobs it has had."""
LONGEST = 1 << 20
"""Bytes of a runbook."""
TYPES = (
    *("Script", "Graph", "PowerShellWorkflow", "PowerShell", "GraphPowerShellWorkflow", "GraphPowerShell"),
    *("PowerShell72", "Python2", "Python3", "Python", "Python38", "Python310"),
)
PYTHON = ("python3", "python", "python38", "python310")
"""In lower case: the types that run here."""
TEXT = {"content-type": "text/powershell"}


@resource_type(RUNBOOKS)
class Runbooks(Asset):
    tracked = True
    states = True
    may_be_gone = True
    read_only = (
        "provisioningState",
        "creationTime",
        "lastModifiedTime",
        "state",
        "jobCount",
        "parameters",
        "outputTypes",
    )

    def validate(self, put: Put) -> None:
        said = {**put.before_properties, **put.properties}
        kind = text_of(said, "runbookType")
        if kind.lower() not in {name.lower() for name in TYPES}:
            raise bad_request("BadRequest", f"runbookType {kind} is none of {', '.join(TYPES)}.", "runbookType")
        text_or_none(said, "description")
        for name in ("logVerbose", "logProgress"):
            switch(said, name)

    def on_put(self, put: Put) -> Body:
        body = super().on_put(put)
        usual: Body = {
            "description": None,
            "logVerbose": False,
            "logProgress": False,
            "logActivityTrace": 0,
            "state": "New",
            "parameters": {},
            "outputTypes": [],
            "lastModifiedBy": None,
            "runbookType": put.before_properties.get("runbookType"),
        }
        sent = {key: value for key, value in body["properties"].items() if key != "draft"}
        if put.created and put.properties.get("publishContentLink"):
            sent["state"] = "Published"
        elif put.created and isinstance(put.properties.get("draft"), dict):
            put.cloud.table(TEXTS)[put.id.key] = {"draft": ""}
        return {**body, "tags": put.body.get("tags") or {}, "properties": {**usual, **sent}}

    def seed(self, cloud: Cloud, body: Body) -> Body:
        """An estate holds no texts: there is nothing to run until somebody puts one."""
        properties = {"runbookType": "PowerShell", **(body.get("properties") or {}), "state": "New"}
        times = {name: stamp(cloud.now) for name in ("creationTime", "lastModifiedTime")}
        return {**body, "properties": {**times, **properties}}

    def first_answer(self, put: Put) -> Body | None:
        """A change is answered without the draft (recorded)."""
        shown = super().first_answer(put)
        if shown is None:
            return None
        return {**shown, "properties": {key: value for key, value in shown["properties"].items() if key != "draft"}}

    def show(self, cloud: Cloud, id_: ResourceId, body: Body, query: Mapping[str, str]) -> Body:
        jobs = cloud.table(JOB_COUNTS).get(id_.key, 0)
        kept = {key: value for key, value in body["properties"].items() if key != "publishContentLink"}
        found: Body = {**kept, "jobCount": jobs, "serviceManagementTags": None}
        if body["properties"]["state"] != "Published":
            found["draft"] = _draft_of(body)
        shown = super().show(cloud, id_, {**body, "properties": found}, query)
        return {**shown, "etag": cloud.etag(id_)}


@resource_type(f"{RUNBOOKS}/draft")
class DraftContent(ResourceType):
    """`runbooks/{name}/draft/content` has the form of a resource's id."""

    pattern = AUTOMATION
    tracked = False

    def get(self, call: Call) -> Response:
        texts = call.cloud.table(TEXTS).get(_runbook(call).key) or {}
        if texts.get("draft") is None:
            raise child_not_found(call.id)
        return Response(status=200, headers=TEXT, body=texts["draft"].encode())

    def put(self, call: Call) -> Response:
        cloud, call.id = call.cloud, _runbook(call)
        call.must_be_free()
        text = _text(call.body)
        cloud.table(TEXTS)[call.id.key] = {**(cloud.table(TEXTS).get(call.id.key) or {}), "draft": text}
        state = "New" if call.must_exist()["properties"]["state"] == "New" else "Edit"
        _change(cloud, call.id, state=state)
        return call.accept("draft", duration="automation.quick")

    def patch(self, call: Call) -> Response:
        raise Refused(405, "MethodNotAllowed", "A draft's content is replaced by PUT.")

    delete = patch


@action(RUNBOOKS, "draft")
def edit(call: Call) -> Response:
    """`draft/undoEdit`, and `draft/publish` of old clients."""
    what = (call.argument or "").lower()
    if what == "publish":
        return publish(call)
    if what != "undoedit":
        raise not_implemented(f"POST draft/{what} of a runbook")
    call.must_exist()
    call.must_be_free()
    texts = dict(call.cloud.table(TEXTS).get(call.id.key) or {})
    published = texts.get("published") is not None
    call.cloud.table(TEXTS)[call.id.key] = {**texts, "draft": None}
    _change(call.cloud, call.id, state="Published" if published else "New")
    return Response(status=200, body={"statusCode": "OK", "requestId": call.cloud.guid("undo", call.id.key)})


@action(RUNBOOKS, "publish")
def publish(call: Call) -> Response:
    call.must_exist()
    call.must_be_free()
    if (call.cloud.table(TEXTS).get(call.id.key) or {}).get("draft") is None:
        raise bad_request("BadRequest", f"The runbook {call.id.name} has no draft to publish.")
    return call.accept("publish", duration="automation.quick", lock=True)


@completion(RUNBOOKS, "publish")
def published(cloud: Cloud, operation: Operation) -> Body | None:
    id_ = operation.resource_id
    cloud.let_go(id_.top, operation.id)
    texts = cloud.table(TEXTS).get(id_.key) or {}
    if cloud.exists(id_) and texts.get("draft") is not None:
        cloud.table(TEXTS)[id_.key] = {"draft": None, "published": texts["draft"]}
        _change(cloud, id_, state="Published")
    return None


@completion(RUNBOOKS, "draft")
def replaced(cloud: Cloud, operation: Operation) -> Body | None:
    """The text was there when it was accepted; this is the end that a client waits for."""
    return None


@view(RUNBOOKS, "content")
def content(call: Call) -> Response:
    call.must_exist()
    text = published_text(call.cloud, call.id)
    if text is None:
        raise Refused(404, "NotFound", f"The runbook {call.id.name} has not been published.")
    return Response(status=200, headers=TEXT, body=text.encode())


@view(RUNBOOKS, "draft")
def draft(call: Call) -> Response:
    body = call.must_exist()
    if body["properties"]["state"] == "Published":
        raise Refused(404, "NotFound", f"The runbook {call.id.name} has no draft.")
    return Response(status=200, body=_draft_of(body))


@listener("resource.gone")
def forget(cloud: Cloud, subject: str, data: Json) -> None:
    cloud.table(TEXTS).pop(subject, None)
    cloud.table(JOB_COUNTS).pop(subject, None)


def published_text(cloud: Cloud, runbook: ResourceId) -> str | None:
    """What jobs of a runbook run."""
    found: str | None = (cloud.table(TEXTS).get(runbook.key) or {}).get("published")
    return found


def is_elsewhere(runbook: Body) -> bool:
    """Whether it was published by a link, which the lab does not follow."""
    properties = runbook["properties"]
    return properties["state"] == "Published" and bool(properties.get("publishContentLink"))


def is_python(runbook: Body) -> bool:
    return str(runbook["properties"].get("runbookType")).lower() in PYTHON


def _runbook(call: Call) -> ResourceId:
    """The runbook of `.../draft/content`."""
    id_ = call.id.parent
    assert id_ is not None
    body = call.cloud.body(id_)
    if body is None:
        raise child_not_found(id_)
    if call.id.name.lower() != "content":
        raise not_implemented(f"draft/{call.id.name} of a runbook")
    return resource_id(str(body["id"]))


def _text(body: Any) -> str:
    try:
        text = body.decode() if isinstance(body, bytes) else body
    except UnicodeError:
        raise bad_request("BadRequest", "A runbook's content is text in UTF-8.") from None
    if text is None or not isinstance(text, str):
        raise bad_request("BadRequest", "A runbook's content is sent as text, not as JSON.")
    if len(text.encode()) > LONGEST:
        raise Refused(413, "RequestEntityTooLarge", f"A runbook has at most {LONGEST} bytes.")
    return text.removeprefix("\ufeff")


def _draft_of(body: Body) -> Body:
    properties = body["properties"]
    return {
        "inEdit": properties["state"] == "Edit",
        "draftContentLink": None,
        "creationTime": properties["creationTime"],
        "lastModifiedTime": properties["lastModifiedTime"],
        "parameters": {},
        "outputTypes": [],
    }


def _change(cloud: Cloud, id_: ResourceId, **properties: Any) -> None:
    body = cloud.body(id_) or {}
    kept = {**body["properties"], **properties, "lastModifiedTime": stamp(cloud.now)}
    cloud.write(id_, {**body, "properties": kept}, forwards=False)
