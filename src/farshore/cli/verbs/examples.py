"""`farshore examples`: what comes in the package."""

from __future__ import annotations

import click

from farshore.cli.app import App, common


@click.command("examples")
@common
def command(app: App) -> None:
    """List the examples that come with Farshore."""
    from farshore import examples

    rows = [{"name": name, "title": examples.title(name)} for name in examples.names()]
    width = max(len(row["name"]) for row in rows)
    text = "\n".join(f"{row['name']:<{width}}  {row['title']}" for row in rows)
    app.view.answer(rows, text)
