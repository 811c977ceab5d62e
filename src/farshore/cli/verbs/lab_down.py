"""`farshore lab down`: stop the process that serves this project's lab, and no other."""

from __future__ import annotations

import click

from farshore.cli.app import App, common


@click.command("down")
@common
def command(app: App) -> None:
    """Stop serving the project's lab; its state stays in .farshore/lab.db."""
    from farshore.cli.lab_beside import lab_folder
    from farshore.lab import processes

    folder = lab_folder(app)
    found = processes.status(folder.path)
    app.view.status("the lab is stopping")
    if found is not None and processes.stop(folder.path):
        document = {"stopped": True, "pid": found["pid"], "url": found["url"]}
        text = f"The lab at {found['url']} has stopped (process {found['pid']}); its state stays in {folder.lab_db}"
    else:
        left = folder.lab_json.is_file()
        processes.stop(folder.path)
        document = {"stopped": False, "pid": None, "url": None}
        text = "No lab is being served for this project."
        if left:
            text += " The lab.json of one that has died is gone now."
    app.view.answer(document, text)
