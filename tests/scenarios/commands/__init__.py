"""The commands of the transcripts: every public function of a module here is a command of its name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from farshore.errors import InputError
from scenarios.session import Session

Command = Callable[[Session, list[str]], str]


def run(session: Session, line: str) -> str:
    """The answer to one line; bad input is an answer too."""
    name, *words = line.split()
    try:
        return _COMMANDS[name](session, words)
    except InputError as error:
        return f"InputError: {error}"


def _commands() -> dict[str, Command]:
    found: dict[str, Command] = {}
    for item in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{item.name}")
        for name, value in vars(module).items():
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and callable(value):
                assert name not in found, f"two commands are called {name}"
                found[name] = value
    return found


_COMMANDS = _commands()
