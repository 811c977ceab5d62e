"""`farshore lab status`: where the lab is served, what time it is there, what is broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from farshore.cli.app import App, common


@click.command("status")
@common
def command(app: App) -> None:
    """Say whether the project's lab is being served, and how it is. The answer is status 0 either way."""
    from farshore.cli.lab_beside import lab_folder
    from farshore.cli.views.lab import served_document, status_text
    from farshore.lab import processes

    folder = lab_folder(app)
    found = processes.status(folder.path)
    document: dict[str, Any] = {"served": found is not None}
    document["state"] = str(folder.lab_db) if folder.lab_db.is_file() else None
    if found is not None:
        document |= served_document(found)
        clock = processes.ask(found, "/_lab/clock")
        document |= {"answers": clock is not None, "clock": clock}
        if clock is not None:
            document["faults"] = processes.ask(found, "/_lab/faults")
            subscriptions = subscriptions_of(found)
            document["subscriptions"] = subscriptions
            document["resources"] = sum(_count(found, subscription) for subscription in subscriptions)
    app.view.answer(document, status_text(document))


def subscriptions_of(found: Mapping[str, Any]) -> list[str]:
    """The subscriptions of a served lab, in its own order; none where it does not answer."""
    from farshore.lab import processes

    body = processes.ask(found, "/subscriptions?api-version=2022-12-01") or {}
    return [str(row["subscriptionId"]) for row in body.get("value", ())]


def _count(found: Mapping[str, Any], subscription: str) -> int:
    """Top-level resources, page after page."""
    from farshore.lab import processes

    path = f"/subscriptions/{subscription}/resources?api-version=2021-04-01"
    count = 0
    while path:
        body = processes.ask(found, path) or {}
        count += len(body.get("value", ()))
        path = str(body.get("nextLink") or "").removeprefix(str(found["url"]))
    return count
