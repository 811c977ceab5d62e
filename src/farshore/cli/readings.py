"""Where a reading of an estate comes from: a file, a project folder, or a cloud.

A cloud is asked for everything that we understand (`azure/inventory.py`), and then for what else lies in the
subscriptions: that is kept as the cloud shows it and listed as unread, so that a reading drops nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farshore.errors import ArmError, InputError
from farshore.estate.outside import Outside

if TYPE_CHECKING:
    from farshore.arm.json import Body
    from farshore.azure.client import ArmClient
    from farshore.cli.app import App
    from farshore.cli.projects import Folder
    from farshore.estate.estate import Estate
    from farshore.estate.outside import Site

CLOUDS = ("lab", "azure")
SUBSCRIPTIONS = "/subscriptions?api-version=2022-12-01"


@dataclass(frozen=True, slots=True)
class Reading:
    estate: Estate
    source: str
    """What it is called: the file as it was named, `the lab`, a URL."""


def is_cloud(text: str) -> bool:
    return text in CLOUDS or text.startswith("https://")


def from_file(path: Path) -> Reading:
    """The estate of a file, or of a project folder with its sites."""
    from farshore.estate.files import read_estate_file

    if path.is_dir():
        from farshore.cli.projects import read_folder

        return Reading(read_folder(path)[1], str(path / "estate.json"))
    return Reading(read_estate_file(path), str(path))


def from_cloud(app: App, folder: Folder, cloud: str, subscriptions: Sequence[str]) -> Reading:
    """The estate as a cloud shows it now, secrets taken off at the door."""
    import asyncio

    from farshore.cli.lab_beside import once_free
    from farshore.estate.estate import Estate

    if cloud == "lab" and not folder.lab_db.is_file():
        raise InputError(
            "There is no lab here yet",
            value=str(folder.path),
            expected=".farshore/lab.db",
            remedy="farshore lab up begins one from estate.json; farshore exercise leaves one",
        )
    # azure-identity tells its whole search for a credential to the log of last resort; one message is ours to give.
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
    try:
        bodies = once_free(app, lambda: asyncio.run(_bodies(app, folder, cloud, subscriptions)))
    except ArmError as error:
        if error.fault.code != "AuthenticationFailed" or cloud == "lab":
            raise
        raise InputError(
            f"No credential on this machine opens {cloud}: {error.fault.message.splitlines()[0]}",
            code=error.fault.code,
            expected="a credential that azure-identity finds",
            remedy="az login, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of a service principal",
        ) from None
    return Reading(Estate.from_resources(bodies), f"the {cloud}" if cloud == "lab" else cloud)


def as_seen(app: App) -> tuple[Estate, str]:
    """The project's estate, and a line that says what it is: as its file has it, or, with `--cloud`, as the cloud has
    it now; of a lab with its sites as they are set, and with what it has lost."""
    import asyncio

    from farshore.cli.lab_beside import once_free
    from farshore.cli.projects import Folder, read_folder, subscriptions_of

    folder = Folder(app.project_dir)
    project, declared = read_folder(folder.path)
    if app.cloud is None:
        return declared, "computed from estate.json and farshore.yaml; no cloud was asked (--cloud lab asks the lab)"
    read = from_cloud(app, folder, app.cloud, subscriptions_of(declared)).estate.with_project(project)
    if app.cloud != "lab":
        return read, f"computed from what {app.cloud} shows now, and the sites of farshore.yaml"
    sites, lost = once_free(app, lambda: asyncio.run(_around(folder, declared)))
    down = frozenset(f"region:{region}" for region in lost)
    said = "computed from what the lab shows now" + (f"; {', '.join(lost)} is lost" if lost else "")
    return read.with_sites(sites).with_outside(Outside(down=down)), said


async def _around(folder: Folder, declared: Estate) -> tuple[tuple[Site, ...], list[str]]:
    """A lab's sites as they are, and the regions that it has lost."""
    from farshore.cli.stage import open_stage

    async with open_stage(folder, None, cloud="lab", acting=False) as stage:
        shown = await stage.handles.get("faults")
        return await stage.sites(declared.sites), [row["region"] for row in shown["regions"]]


def cloud_of(app: App, folder: Folder) -> str:
    """`--cloud`, else the project's own."""
    if app.cloud is not None:
        return app.cloud
    from farshore.estate.project import read_project

    return read_project(folder.yaml).cloud if folder.yaml.is_file() else "lab"


async def _bodies(app: App, folder: Folder, cloud: str, subscriptions: Sequence[str]) -> list[dict[str, Any]]:
    from farshore.azure.inventory import read_estate
    from farshore.cli.stage import open_stage

    # Not acting: a lab's time must not move because somebody looks.
    async with open_stage(folder, None, cloud=cloud, acting=False) as stage:
        client = stage.client
        scope = list(subscriptions) or await _subscriptions(client, cloud)
        bodies: list[Body] = []
        silent: list[str] = []
        for subscription in scope:
            app.view.status(f"reading subscription {subscription}")
            found = await read_estate(client, [subscription], unanswered=silent.append)
            bodies += found
            if not found:
                # An empty reading would pass for an estate without anything in it.
                raise InputError(
                    f"There is nothing in subscription {subscription}, or nothing that this credential may see",
                    value=subscription,
                    expected="a subscription with resources",
                    remedy="--subscription ID names another",
                )
        for id_ in silent:
            app.view.progress(f"{id_} did not answer and is kept as it was listed, without its properties")
        return bodies


async def _subscriptions(client: ArmClient, cloud: str) -> list[str]:
    """All of a lab; elsewhere the only one, or nobody can guess which is meant."""
    rows = await client.list_all(SUBSCRIPTIONS)
    ids = sorted(str(row["subscriptionId"]) for row in rows)
    if cloud == "lab" or len(ids) == 1:
        return ids
    raise InputError(
        f"This credential sees {len(ids) or 'no'} subscriptions",
        value=", ".join(ids[:8]) + (", ..." if len(ids) > 8 else ""),
        expected="the subscriptions that the project is about",
        remedy="--subscription ID, once for each",
    )


def types_of(estate: Estate) -> dict[str, int]:
    """How many resources there are of each type, the types in order, each in the spelling in which it came."""
    from farshore.arm.ids import resource_id

    spelled: dict[str, str] = {}
    counts: dict[str, int] = {}
    for key, body in estate.resources.items():
        type_ = resource_id(str(body.get("id", key))).type
        name = spelled.setdefault(type_.lower(), type_)
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: item[0].lower()))
