"""The command line's frame: verbs loaded when used, options that every verb shares, one place for errors.

A verb is a file in `cli/verbs/` with a click command of its own name (`command`). It computes a value and hands it
to the view; it never prints. `--format json` makes stdout one JSON document, an error included; progress goes to
stderr in both formats.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from farshore import __version__
from farshore.cli.views import View, make_view
from farshore.errors import FarshoreError, InputError

VERBS: dict[str, tuple[str, str]] = {
    "new": ("new", "Begin a project folder from an estate or an example"),
    "examples": ("examples", "List the examples that come with Farshore"),
    "generate": ("generate", "Write a big honest estate, by seed"),
    "schema": ("schema", "Print the JSON Schema of a file or answer"),
    "lab": ("lab", "The embedded Azure: serve it, turn its clock, break things in it"),
    "estate": ("estate", "Read the estate, show it, compare two readings"),
    "assess": ("assess", "Say what would break"),
    "plan": ("plan", "Work out the target network and every step there and back"),
    "prove": ("prove", "Prove the plan safe at every moment and under every single failure"),
    "routes": ("routes", "Effective, learned or advertised routes, with reasons"),
    "trace": ("trace", "Follow a flow both ways, hop by hop"),
    "twin": ("twin", "Build the estate as network namespaces with real BGP, and compare"),
    "provision": ("phases", "Build the target network ahead"),
    "protect": ("phases", "Turn replication on and wait until everything is protected"),
    "drill": ("phases", "Rehearse in a separate network and clean up"),
    "failover": ("phases", "Fence, fail over, connect, check"),
    "commit": ("phases", "Commit the failover"),
    "reprotect": ("phases", "After the region's return: guard, deallocate, replicate back"),
    "failback": ("phases", "Go home and protect again"),
    "runs": ("runs", "List, show, resume and steer runs"),
    "exercise": ("exercise", "Tell the whole story in the lab, with proof and a report"),
    "report": ("report", "Write or verify the report of a run"),
}

RUNNING = frozenset({name for name, (module, _) in VERBS.items() if module == "phases"} | {"runs", "exercise"})
"""Verbs that leave a run behind when they are interrupted."""

GOOD, COULD_NOT, BAD_ANSWER, INTERRUPTED = 0, 1, 2, 130


@dataclass
class App:
    """What every verb is given: where, to which cloud, and how to speak."""

    format: str = "human"
    project: Path | None = None
    cloud: str | None = None
    wait: bool = False

    @functools.cached_property
    def view(self) -> View:
        return make_view(self.format)

    @property
    def project_dir(self) -> Path:
        """`--project`, else this folder or the nearest one above that holds a farshore.yaml."""
        if self.project is not None:
            if not self.project.is_dir():
                raise InputError("There is no such project folder", value=str(self.project), expected="a folder")
            return self.project
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / "farshore.yaml").is_file():
                return folder
        raise InputError(
            "There is no farshore.yaml here or in any folder above",
            value=str(here),
            expected="a project folder",
            remedy="farshore new NAME begins one; --project DIR names one",
        )


class Verbs(click.Group):
    """A group that imports a verb's module only when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _ = VERBS[cmd_name]
        loaded = importlib.import_module(f"farshore.cli.verbs.{module}")
        found: click.Command = loaded.commands[cmd_name] if hasattr(loaded, "commands") else loaded.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            import difflib

            near = difflib.get_close_matches(name, VERBS, n=1)
            raise InputError(
                f"There is no verb {name}",
                value=name,
                expected="a verb of farshore --help",
                remedy=f"did you mean {near[0]}?" if near else "farshore --help lists the verbs",
            )
        return super().resolve_command(ctx, args)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every verb takes, before or after its name; the verb is called with an `App` first."""

    @click.option("--format", "format_", type=click.Choice(["human", "json"]), default=None, help="How to answer.")
    @click.option("--project", type=click.Path(path_type=Path), default=None, help="The project folder.")
    @click.option("--cloud", default=None, help="lab, azure, or the URL of an ARM endpoint.")
    @click.option("--wait", is_flag=True, default=False, help="Wait for another process on this project.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        format_: str | None,
        project: Path | None,
        cloud: str | None,
        wait: bool,
        **kwargs: Any,
    ) -> Any:
        app = click.get_current_context().find_object(App) or App()
        app.format = format_ or app.format
        app.project = project or app.project
        app.cloud = cloud or app.cloud
        app.wait = wait or app.wait
        return command(app, *args, **kwargs)

    return wrapped


STATUS = (
    "Exit status: 0 done, or a good answer; 1 could not, one message says why; 2 a bad answer, like a finding of"
    " severity error or a claim that does not hold; 130 interrupted."
)


@click.command(
    cls=Verbs, epilog=STATUS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--format", "format_", type=click.Choice(["human", "json"]), default=None, help="How to answer.")
@click.option("--project", type=click.Path(path_type=Path), default=None, help="The project folder.")
@click.option("--cloud", default=None, help="lab, azure, or the URL of an ARM endpoint.")
@click.version_option(__version__, "--version", message="farshore %(version)s")
@click.pass_context
def cli(ctx: click.Context, format_: str | None, project: Path | None, cloud: str | None) -> None:
    """Gets Azure virtual machines that are reached over ExpressRoute to the far shore and back."""
    ctx.obj = App(format=format_ or "human", project=project, cloud=cloud)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status. Never raises for what a user can cause."""
    view = make_view("json" if _wants_json(arguments) else "human")
    try:
        status = cli.main(args=list(arguments), prog_name="farshore", standalone_mode=False)
        return status if isinstance(status, int) else GOOD
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        return COULD_NOT
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "farshore"
        view.error(InputError(" ".join(error.format_message().split()), code="UsageError", remedy=f"{where} --help"))
        return COULD_NOT
    except click.ClickException as error:
        view.error(InputError(error.format_message()))
        return COULD_NOT
    except (KeyboardInterrupt, click.exceptions.Abort):
        more = "; farshore runs list shows what can be resumed" if not RUNNING.isdisjoint(arguments) else ""
        view.error(FarshoreError(f"interrupted{more}"))
        return INTERRUPTED
    except FarshoreError as error:
        view.error(error)
        return COULD_NOT
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return COULD_NOT
    except OSError as error:
        view.error(InputError(f"{error.strerror or error}", value=str(error.filename or "")))
        return COULD_NOT
    except Exception as error:
        if os.environ.get("FARSHORE_TRACEBACK"):
            raise
        kind = type(error).__name__
        view.error(
            InputError(
                f"Farshore met something it did not expect ({kind}: {error})",
                code="InternalError",
                remedy="please report it; FARSHORE_TRACEBACK=1 shows where it happened",
            )
        )
        return COULD_NOT


def _wants_json(arguments: Sequence[str]) -> bool:
    """Errors are JSON as soon as JSON was asked for, also when the command line can't be parsed."""
    for index, argument in enumerate(arguments):
        if argument == "--format=json" or (argument == "--format" and arguments[index + 1 : index + 2] == ["json"]):
            return True
    return False
