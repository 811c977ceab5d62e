"""`farshore estate read`: the estate as the cloud shows it, into estate.json, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from farshore.cli.app import App, common
from farshore.errors import FarshoreError

if TYPE_CHECKING:
    from farshore.estate.estate import Estate


@click.command("read")
@click.option(
    "--subscription",
    "subscriptions",
    multiple=True,
    help="A subscription to read; by default those of the estate.json that is there, else the only one.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Another file to write.")
@common
def command(app: App, subscriptions: tuple[str, ...], out: Path | None) -> None:
    """Read the estate from the cloud in use (--cloud) into estate.json.

    Secrets become REDACTED before anything is written. What is not understood is kept and listed. The file is
    replaced in one move, after everything has been read.
    """
    from farshore.cli import readings
    from farshore.cli.options import check_estate_file
    from farshore.cli.projects import Folder, subscriptions_of
    from farshore.cli.views.estate import read_text
    from farshore.estate.differences import differences
    from farshore.estate.files import write_estate
    from farshore.holder import ProjectLock

    folder = Folder(app.project_dir.resolve())
    if out is not None:
        check_estate_file(out)
    place = folder.estate if out is None else out.resolve()
    cloud = readings.cloud_of(app, folder)
    with ProjectLock(folder.state, wait=app.wait):
        before = _before(folder.estate)
        scope = subscriptions or (() if before is None else subscriptions_of(before))
        estate = readings.from_cloud(app, folder, cloud, scope).estate
        write_estate(place, estate)
    document: dict[str, Any] = {
        "estate": str(place),
        "cloud": cloud,
        "subscriptions": list(subscriptions_of(estate)),
        "resources": len(estate.resources),
        "types": readings.types_of(estate),
        "unread": list(estate.unread),
        "unknown": list(estate.unknown),
        "differences": None if before is None else len(differences(before, estate)),
    }
    app.view.answer(document, read_text(document))


def _before(path: Path) -> Estate | None:
    """The reading that is there; one that can't be read is replaced like any other."""
    from farshore.estate.files import read_estate_file

    try:
        return read_estate_file(path) if path.is_file() else None
    except FarshoreError:
        return None
