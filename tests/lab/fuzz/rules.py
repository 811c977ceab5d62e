"""What holds of every answer, whatever was asked."""

from __future__ import annotations

import re
from typing import Any

from lab.fuzz.mangling import Case
from lab.fuzz.rig import TOKEN, URL, Answer, Rig, Sent, changed_in_place, digest
from lab.fuzz.table import Operation

OURS = re.compile(
    r"Traceback|object at 0x|\b(Key|Type|Value|Index|Attribute|Unicode\w+|Recursion|Overflow|Assertion|Input)Error\b"
    r"|NoneType|\bNone\b|<class |\{'\w+': |\['\w|\[\{'"
)
"""What only Python says."""
LOGIN = re.compile(r"/(oauth2/.*token|token)$", re.IGNORECASE)
RUNNING = ("InProgress", "Running", "Accepted", "Updating", "NotStarted")
MOST_POLLS = 30
LOOK = {"authorization": TOKEN, "x-farshore-look": "only"}


def holds(rig: Rig, case: Case, *, lost: bool = False) -> Answer:
    """Send a request and look at all of it: the answer's form, and what became of the state. `lost`: a region is, so
    that nobody may answer."""
    # What is due happens before a request is looked at, and is not its doing.
    rig.cloud.advance(rig.cloud.now)
    before = digest(rig.cloud) if case.sent.method not in ("GET", "HEAD") else {}
    answer = rig.send(case.sent)
    well_formed(case, answer, allowed=(501, 503, 504) if lost else (501,))
    if case.sent.method in ("GET", "HEAD"):
        return answer
    if not answer.ok:
        after = digest(rig.cloud)
        different = sorted(name for name in {**before, **after} if before.get(name) != after.get(name))
        assert not different, f"refused with {answer.status}, and {different} changed: {answer.content!r}"
    in_place = changed_in_place(rig.cloud)
    assert not in_place, f"changed in place: {in_place[:5]}"
    return answer


def well_formed(case: Case, answer: Answer, *, allowed: tuple[int, ...] = (501,)) -> None:
    sent = case.sent
    assert answer.status < 500 or answer.status in allowed, f"{answer.status} {answer.content!r}\n{answer.log}"
    assert 200 <= answer.status < 600 and not answer.log, answer.log
    assert int(answer.headers["content-length"]) == len(answer.content) or sent.method == "HEAD"
    if answer.ok or sent.method == "HEAD":
        assert answer.json is not None or sent.method == "HEAD" or not answer.content or not _is_json(answer)
        return
    if sent.path.startswith(("/_blob", "/_disk")) and not _is_json(answer):
        assert answer.content.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml"), answer.content
        return
    said = answer.json
    if isinstance(said, dict) and LOGIN.search(sent.path) and isinstance(said.get("error"), str):
        assert said["error_description"]
        return
    if answer.status == 404 and isinstance(said, dict) and "/extendedinformation/" in sent.path.lower():
        # Recorded: the one answer of a vault that has another form.
        assert said.get("ErrorCode") == "ResourceExtendedInfoNotFound" or "error" in said
        return
    # Record sets and public zones of DNS say no without an object around it, as in Azure.
    if isinstance(said, dict) and "/dnszones/" in sent.path.lower().replace("privatednszones", "dnszones"):
        said = said if "error" in said else {"error": said}
    assert isinstance(said, dict) and isinstance(said.get("error"), dict), (answer.status, answer.content)
    error = said["error"]
    assert isinstance(error.get("code"), str) and error["code"], error
    assert isinstance(error.get("message"), str) and error["message"], error
    texts = [error["code"], error["message"], *(str(each.get("message")) for each in error.get("details") or ())]
    for text in texts:
        found = OURS.search(text)
        assert found is None or found[0] in _as_sent(sent), f"{found and found[0]} in {text}"


def _is_json(answer: Answer) -> bool:
    return answer.headers["content-type"].startswith("application/json")


def _as_sent(sent: Sent) -> str:
    from urllib.parse import unquote

    return unquote(sent.path + sent.query) + sent.content.decode("utf-8", "replace")


def ends_well(rig: Rig, case: Case, answer: Answer) -> None:
    """After a write that was taken: its operation ends one way or the other, the resource is as the operation says,
    and what lies beside it is listed."""
    failed = followed(rig, answer)
    path = case.sent.path
    shown = rig.send(Sent(method="GET", path=path, query=case.sent.query, headers=LOOK))
    well_formed(Case(operation=case.operation, sent=Sent(method="GET", path=path)), shown)
    if case.sent.method == "DELETE":
        assert failed or shown.status in (404, 204, 501), f"deleted, and there: {shown.content!r}"
    elif case.sent.method in ("PUT", "PATCH"):
        assert failed or shown.status == 200, f"{answer.status}, and then {shown.status}: {shown.content!r}"


def followed(rig: Rig, answer: Answer) -> Any:
    """Wait for what an answer tells to poll; the error with which it failed. What waits for a person is not over."""
    url = answer.headers.get("azure-asyncoperation") or answer.headers.get("location")
    if url is None:
        return None
    path, _, query = url.removeprefix(URL).partition("?")
    polling = Case(operation=Operation("GET", "path", "", path), sent=Sent(method="GET", path=path))
    for _ in range(MOST_POLLS):
        polled = rig.send(Sent(method="GET", path=path, query=query, headers=LOOK))
        if polled.status >= 400:
            # What the operation failed with, as it would have been refused.
            well_formed(polling, polled)
            return polled.json["error"]
        body = polled.json if isinstance(polled.json, dict) else {}
        if polled.status != 202 and body.get("status") not in RUNNING:
            return body.get("error") or (body.get("status") in ("Failed", "Canceled") and body)
        rig.wait(minutes=10)
    return None
