"""`farshore estate diff`: two readings compared over canonical bodies."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common


@click.command("diff")
@click.argument("before", required=False)
@click.argument("after", required=False)
@common
def command(app: App, before: str | None, after: str | None) -> int:
    """Compare two readings of an estate; status 2 when they differ.

    BEFORE and AFTER are files, project folders, or clouds (lab, azure, a URL). By default BEFORE is the project's
    estate.json and AFTER the cloud in use. Left out are etags, GUIDs, times, provisioning and polling states.
    """
    from farshore.cli import readings
    from farshore.cli.projects import Folder, subscriptions_of
    from farshore.cli.views.estate import differences_text
    from farshore.estate.differences import differences

    first = Folder(app.project_dir).estate if before is None else before
    clouds = [text is None or readings.is_cloud(text) for text in (str(first), after)]
    sides: list[readings.Reading | None] = [
        None if cloud else readings.from_file(Path(str(text)))
        for cloud, text in zip(clouds, (first, after), strict=True)
    ]
    # A cloud is compared in the subscriptions that the other side is about.
    known = next((subscriptions_of(side.estate) for side in sides if side is not None), ())
    for index, text in enumerate((str(first), after)):
        if sides[index] is None:
            folder = Folder(app.project_dir.resolve())
            cloud = text or readings.cloud_of(app, folder)
            sides[index] = readings.from_cloud(app, folder, cloud, known)
    left, right = (side for side in sides if side is not None)
    rows = differences(left.estate, right.estate)
    document = {"before": left.source, "after": right.source, "differences": [row.as_json() for row in rows]}
    app.view.answer(document, differences_text(rows, left.source, right.source))
    return BAD_ANSWER if rows else GOOD
