"""`farshore lab env`: what a shell needs so that other programs talk to the lab.

    eval "$(farshore lab env)"          and back again: eval "$(farshore lab env --unset)"

The lines that say what each variable is for come last and are comments, so that an `eval` without quotes, which makes
one line of all this, still sets every variable.
"""

from __future__ import annotations

import shlex

import click

from farshore.cli.app import App, common
from farshore.errors import InputError


@click.command("env")
@click.option("--unset", is_flag=True, help="Lines that take the variables back.")
@common
def command(app: App, unset: bool) -> None:
    """Print lines for a shell: eval "$(farshore lab env)" lets curl, Azure SDKs, az and terraform talk to the lab."""
    from farshore.cli.lab_beside import lab_folder
    from farshore.cli.verbs.lab_status import subscriptions_of
    from farshore.lab import processes

    folder = lab_folder(app)
    found = processes.status(folder.path)
    if found is None:
        raise InputError(
            "No lab is being served for this project", value=str(folder.path), remedy="farshore lab up serves it"
        )
    subscriptions = subscriptions_of(found)
    if not subscriptions:
        raise InputError(
            f"Process {found['pid']} has this project's lab and does not answer",
            value=found["url"],
            remedy=f"farshore lab down, or kill -9 {found['pid']}, then farshore lab up",
        )
    variables = processes.environment(found, subscriptions[0])
    if unset:
        # NO_PROXY was ours only where it was empty before; taking it away could cut a shell off.
        names = [variable.name for variable in variables if variable.name != "NO_PROXY"]
        app.view.answer(names, "\n".join(f"unset {name}" for name in names))
        return
    width = max(len(variable.name) for variable in variables)
    lines = [f"export {variable.name}={shlex.quote(variable.value)}" for variable in variables]
    lines += ["#", '# eval "$(farshore lab env)" sets:']
    lines += [f"#   {variable.name:<{width}}  {variable.meaning}" for variable in variables]
    lines += [
        "# Then, for example:",
        '#   curl -H "Authorization: Bearer $FARSHORE_LAB_TOKEN"'
        ' "$FARSHORE_LAB_URL/subscriptions?api-version=2022-12-01"',
        '# eval "$(farshore lab env --unset)" takes them back.',
    ]
    app.view.answer({variable.name: variable.value for variable in variables}, "\n".join(lines))
