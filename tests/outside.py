"""A project from outside, as scripts and other programs meet it: commands as processes, the lab by its handles."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from farshore.cli.projects import Folder, read_folder
from farshore.cli.stage import Stage, open_stage

T = TypeVar("T")


def farshore(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A command, begun. Its standard output and error are pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "farshore.cli", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )


def run(folder: Path, *arguments: str, status: int = 0) -> str:
    """A command to its end, which has to be as expected; its standard output."""
    process = farshore(folder, *arguments)
    try:
        said, told = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == status, f"farshore {' '.join(arguments)}: {process.returncode}\n{told}\n{said}"
    return said


def answer(folder: Path, *arguments: str, status: int = 0) -> Any:
    """The JSON document of a command."""
    return json.loads(run(folder, *arguments, "--format", "json", status=status))


def at_lab(folder: Path, act: Callable[[Stage], Awaitable[T]]) -> T:
    """Do something at the project's lab, opened in this process."""

    async def do() -> T:
        _, declared = read_folder(folder)
        async with open_stage(Folder(folder), declared, cloud="lab") as stage:
            return await act(stage)

    return asyncio.run(do())
