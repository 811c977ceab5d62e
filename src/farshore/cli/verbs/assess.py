"""`farshore assess`: what would break."""

from __future__ import annotations

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common


@click.command("assess")
@common
def command(app: App) -> int:
    """Say what would break in a regional disaster, and what mends it."""
    from farshore.assess import assess
    from farshore.cli.projects import read_folder
    from farshore.cli.views.findings import findings_text

    _, estate = read_folder(app.project_dir)
    assessment = assess(estate)
    app.view.answer(assessment.as_json(), findings_text(assessment.findings))
    return GOOD if assessment.ok else BAD_ANSWER
