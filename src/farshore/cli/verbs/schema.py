"""`farshore schema NAME`: the JSON Schema of a shape that others may rely on."""

from __future__ import annotations

import click

from farshore.cli.app import App, common


@click.command("schema")
@click.argument("name", required=False)
@common
def command(app: App, name: str | None) -> None:
    """Print the JSON Schema NAME; without a name, list them."""
    import farshore.schemas as schemas
    from farshore.arm.json import pretty
    from farshore.errors import InputError

    names = list(schemas.names())
    if name is None:
        app.view.answer(names, "\n".join(names))
        return
    if name not in names:
        raise InputError(
            f"There is no schema {name}", value=name, expected="one of " + ", ".join(names), remedy="correct the name"
        )
    schema = schemas.read(name)
    app.view.answer(schema, pretty(schema))
