"""The examples of Azure's own description of its operations, sent to the lab.

A folder holds examples (`parameters`, `responses`) and `_operations.json` (method, path and allowed statuses of each
operation). Each example is sent to a fresh lab in which what it refers to is there: what another example shows as it is
shown, the rest as stand-ins. It must be accepted, with a status that the operation allows, and the answer, followed to
its end, must have every key path of the example's. Examples are written by hand: what they contradict a recording in is
judged by the recording (`on_purpose`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from conformance import beside, compare, protecting
from conformance.compare import Score
from conformance.recordings import Row, id_of, texts
from conformance.standing import Standing
from farshore.arm.http import Request, Response
from farshore.lab import Cloud, Settings, open_lab

NOW = datetime(2024, 6, 1, 8, tzinfo=UTC)
MOST_POLLS = 200
OTHER_PROVIDERS = re.compile(r"^(HyperV|InMage|VMware|Vmm|San$)")
"""How the instanceType of providers begins that bring machines from elsewhere: no part of this lab."""
THE_OTHER_SIDE = "Microsoft Azure"
"""In the place of a container's or a fabric's id: where machines from elsewhere go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """`answers` are the example's, by status; `body` is the request's."""

    name: str
    operation: str
    method: str
    url: str
    body: Any
    statuses: frozenset[int]
    answers: dict[int, Any]

    @property
    def answer(self) -> Any:
        """What the caller has in the end."""
        return next((self.answers[status] for status in (200, 201) if self.answers.get(status)), None)

    @property
    def other_provider(self) -> str | None:
        """The provider of machines from elsewhere that it is of, by an instanceType, or by where machines go."""
        said = list(texts([self.body, self.answer]))
        kinds = (text for key, text in said if key == "instanceType" and OTHER_PROVIDERS.search(text))
        ends = (text for key, text in said if text == THE_OTHER_SIDE and key.endswith("Id"))
        return next(kinds, None) or next(ends, None)


def examples(folder: Path) -> list[Example]:
    """The examples of a folder whose operations are in its table."""
    operations = json.loads((folder / "_operations.json").read_text(encoding="utf-8"))["operations"]
    found = []
    for path in sorted(folder.glob("*.json")):
        if not path.name.startswith("_"):
            example = _example(path, operations)
            if example is not None:
                found.append(example)
    return found


def run(folder: Path) -> dict[str, Score | None]:
    """Example to score; None for one of an operation that the lab has not (501). Other providers' are `apart`."""
    rows = [one for one in examples(folder) if not one.other_provider]
    shown = [_as_row(one) for one in rows if one.answer is not None]
    return {one.name: _send(one, shown) for one in rows}


def apart(folder: Path) -> dict[str, tuple[str, Response]]:
    """Example of another provider to the provider and the lab's answer, where what the example shows is there."""
    rows = [one for one in examples(folder) if one.other_provider]
    shown = [_as_row(one) for one in rows if one.answer is not None]
    return {one.name: (str(one.other_provider), _met(one, shown)[1]) for one in rows}


def _example(path: Path, operations: list[dict[str, Any]]) -> Example | None:
    told = json.loads(path.read_text(encoding="utf-8"))
    parameters = told["parameters"]
    named = {key: value for key, value in parameters.items() if isinstance(value, str)}
    bodies = [value for value in parameters.values() if isinstance(value, dict)]
    fitting = [
        one
        for one in operations
        if set(re.findall(r"{(\w+)}", one["path"])) == set(named) - {"api-version", *one["query"]}
        and (not bodies or one["method"] in ("PUT", "PATCH", "POST"))
    ]
    if not fitting:
        return None
    name = path.stem.replace("_", "")
    best = max(fitting, key=lambda one: SequenceMatcher(None, one["operationId"].replace("_", ""), name).ratio())
    url = re.sub(r"{(\w+)}", lambda match: named[match[1]], best["path"])
    query = "".join(f"&{key}={named[key]}" for key in best["query"] if key in named)
    return Example(
        name=path.stem,
        operation=best["operationId"],
        method=best["method"],
        url=f"{url}?api-version={named['api-version']}{query}",
        body=bodies[0] if bodies else None,
        statuses=frozenset(int(status) for status in best["statuses"] if str(status).isdecimal()),
        answers={int(status): (answer or {}).get("body") for status, answer in told["responses"].items()},
    )


def _as_row(example: Example, *, sent: bool = False) -> Row:
    """The exchange as a recording would have it; without `sent`, the read that shows its resource."""
    return Row(
        file=example.name,
        seq=0,
        method=example.method if sent else "GET",
        url=example.url,
        request_body=example.body if sent else None,
        status=200,
        headers={},
        body=example.answer,
        date=NOW,
        last_date=NOW,
        repeats=1,
    )


def _met(example: Example, shown: list[Row]) -> tuple[Cloud, Response]:
    """A lab where what the example needs is there, and its answer."""
    cloud = open_lab(None, now=NOW, settings=Settings(throttling=False))
    row = _as_row(example, sent=True)
    makes = example.method == "PUT"
    others = [one for one in shown if not (makes and one.path.lower() == row.path.lower())]
    # Two examples may show one resource: what counts is how the one that is sent shows it.
    others.sort(key=lambda one: one.file != example.name)

    def drive(answer: Response) -> None:
        _finish(cloud, answer)

    bodies = {id_.key: one.body for one in others if (id_ := id_of(str(one.body.get("id")))) is not None}
    url = example.url
    if not example.other_provider:
        url = protecting.seed(cloud, row, example.answer, bodies)
        beside.before(cloud, example.answer)
    Standing(cloud, others, drive).before(row, cloud.now)
    beside.after(cloud, row, example.answer)
    return cloud, cloud.handle(Request(method=example.method, url=url, body=example.body), cloud.now)


def _send(example: Example, shown: list[Row]) -> Score | None:
    cloud, answer = _met(example, shown)
    if answer.status == 501:
        return None
    score = Score()
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if answer.status not in example.statuses:
        compare.status(score, example.name, min(example.statuses), answer.status, error)
        return score
    compare.status(score, example.name, answer.status, answer.status, None)
    last = _end(cloud, example, answer)
    if example.answer is not None:
        compare.bodies(score, example.name, example.answer, last.body)
    return score


def _finish(cloud: Cloud, answer: Response) -> Response:
    """Poll an operation to its end; its last answer."""
    for _ in range(MOST_POLLS):
        url = answer.headers.get("azure-asyncoperation") or answer.headers.get("location")
        if url is None:
            return answer
        found = cloud.handle(Request(method="GET", url=url), cloud.now)
        state = found.body.get("status") if isinstance(found.body, dict) else None
        if found.status != 202 and state not in ("InProgress", "Updating"):
            return found
        cloud.advance(max(cloud.now + timedelta(seconds=30), cloud.next_due() or cloud.now))
    return answer


def _end(cloud: Cloud, example: Example, answer: Response) -> Response:
    """The resource after a write, the result of an action, or the answer itself."""
    if "azure-asyncoperation" not in answer.headers and "location" not in answer.headers:
        return answer
    ended = _finish(cloud, answer)
    if example.method in ("PUT", "PATCH") or id_of(example.url.split("?")[0]) is not None:
        return cloud.handle(Request(method="GET", url=example.url), cloud.now)
    if "location" in answer.headers and "azure-asyncoperation" in answer.headers:
        return cloud.handle(Request(method="GET", url=answer.headers["location"]), cloud.now)
    return ended


def folders(root: Path) -> Iterator[Path]:
    """Folders with an operation table."""
    yield from (path.parent for path in sorted(root.rglob("_operations.json")))
