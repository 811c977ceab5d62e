"""`farshore new`: a project folder to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import App, common


@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--example", default=None, help="Begin with a copy of an example.")
@click.option("--estate", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="An export of resources.")
@common
def command(app: App, folder: Path, example: str | None, estate: Path | None) -> None:
    """Begin a project in FOLDER: a farshore.yaml with every default written out, and an estate if one is given."""
    from farshore.cli.options import check_new_folder
    from farshore.cli.projects import Folder, example_folder
    from farshore.errors import InputError

    if example is not None and estate is not None:
        raise InputError(
            "A project begins with one estate",
            value="--example --estate",
            expected="one of the two",
            remedy="leave out one of the two",
        )
    check_new_folder(folder)
    if example is not None:
        example_folder(example, folder)
    else:
        from farshore.estate.files import read_estate_file, write_estate
        from farshore.estate.project import new_project_yaml

        read = None if estate is None else read_estate_file(estate)
        text = new_project_yaml(read, folder.resolve().name)
        folder.mkdir(parents=True, exist_ok=True)
        Folder(folder).yaml.write_text(text)
        if read is not None:
            write_estate(Folder(folder).estate, read)
    files = sorted(item.name for item in folder.iterdir())
    text = f"{folder}: {', '.join(files)}\nnext: cd {folder} && farshore assess"
    app.view.answer({"project": str(folder), "files": files}, text)
