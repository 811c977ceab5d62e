"""`farshore new`: a project folder to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from farshore.cli.app import App, common


@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--example", default=None, help="Begin with a copy of an example.")
@click.option("--estate", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="An export of resources.")
@click.option(
    "--mirror",
    "mirror_of",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A project whose run ended with `stay`: its two regions change places.",
)
@common
def command(app: App, folder: Path, example: str | None, estate: Path | None, mirror_of: Path | None) -> None:
    """Begin a project in FOLDER: a farshore.yaml with every default written out, and an estate if one is given.

    With --mirror both are of another project whose machines have moved for good: the estate as its cloud has it now,
    and a farshore.yaml in which the target is the source. What can't be turned round is said.
    """
    from farshore.cli.options import check_new_folder
    from farshore.cli.projects import Folder, example_folder
    from farshore.errors import InputError

    given = {"--example": example, "--estate": estate, "--mirror": mirror_of}
    named = [option for option, value in given.items() if value is not None]
    if len(named) > 1:
        raise InputError(
            "A project begins with one estate",
            value=" ".join(named),
            expected=f"one of the {'two' if len(named) == 2 else 'three'}",
            remedy="leave out all but one",
        )
    check_new_folder(folder)
    notes: dict[str, tuple[str, ...]] = {}
    if mirror_of is not None:
        from farshore.cli.mirroring import mirror

        notes = mirror(app, mirror_of, folder)
    elif example is not None:
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
    document: dict[str, Any] = {"project": str(folder), "files": files}
    if mirror_of is not None:
        document["notes"] = notes
        text = "\n".join([*(f"{key}: {said}" for key, all_ in notes.items() for said in all_), text])
    app.view.answer(document, text)
