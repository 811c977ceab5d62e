"""`farshore estate show`: what an estate contains."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import App, common


@click.command("show")
@click.argument("source", required=False)
@common
def command(app: App, source: str | None) -> None:
    """Show what the estate contains: networks, machines, circuits, gateways, routes, and what was not understood.

    SOURCE is a file, a project folder, or a cloud (lab, azure, a URL); by default the project's estate.json, or the
    cloud that --cloud names.
    """
    from farshore.cli import readings
    from farshore.cli.projects import Folder, read_folder, subscriptions_of
    from farshore.cli.views.estate import estate_document, estate_text

    if source is None and app.cloud is None:
        folder = Folder(app.project_dir)
        reading = readings.Reading(read_folder(folder.path)[1], str(folder.estate))
    elif source is None or readings.is_cloud(source):
        folder = Folder(app.project_dir.resolve())
        cloud = source or readings.cloud_of(app, folder)
        scope = subscriptions_of(readings.from_file(folder.estate).estate) if folder.estate.is_file() else ()
        reading = readings.from_cloud(app, folder, cloud, scope)
    else:
        reading = readings.from_file(Path(source))
    document = estate_document(reading.estate, reading.source)
    app.view.answer(document, estate_text(document))
