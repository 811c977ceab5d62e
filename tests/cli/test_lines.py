"""Lines on a terminal: broken at words, under what they belong to; as they are where they go to another program."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from farshore import examples
from farshore.cli.views.lines import fitted

from .test_app import farshore

VERBS = (
    ("assess",),
    ("prove",),
    ("plan",),
    ("prove", "--as-it-is", "--pairs"),
    ("trace", "datacenter", "web1", "--through", "nva"),
    ("routes", "web1"),
    ("routes", "web1", "--to", "192.168.4.4"),
    ("routes", "er-hongkong", "--learned"),
    ("trace", "nobody", "web1"),
    ("trace", "datacenter", "web1", "--fail", "circuit nope"),
)


def on_a_terminal(columns: int, *arguments: str) -> str:
    """What a person sees who has a terminal so wide: stdout and stderr."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "farshore.cli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "NO_COLOR": "1"},
    )
    os.close(theirs)
    seen = b""
    # Linux tells the end of a terminal by EIO.
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        pass
    os.close(ours)
    process.wait(timeout=60)
    return seen.decode().replace("\r\n", "\n")


@pytest.fixture
def leaky(project: Path) -> Path:
    """The published example with an appliance that is bypassed: every verb has something to say."""
    resources = json.loads((project / "estate.json").read_text())
    table = next(body for body in resources if body["name"] == "rt-source-vnet1")
    table["properties"]["disableBgpRoutePropagation"] = False
    (project / "estate.json").write_text(json.dumps(resources))
    return project


@pytest.mark.parametrize("arguments", VERBS, ids=" ".join)
def test_on_a_terminal_lines_fit_and_words_are_whole(arguments: tuple[str, ...], leaky: Path) -> None:
    if arguments == ("prove",):
        # A proof with its repair takes three times as long; what holds is told in wide lines, too.
        shutil.copyfile(examples.path("two-circuits-two-locations") / "estate.json", leaky / "estate.json")
    command = (*arguments, "--project", str(leaky))
    piped = farshore(*command)
    words = set((piped.stdout + piped.stderr).split())
    for columns in (80, 140):
        seen = on_a_terminal(columns, *command)
        assert max(map(len, seen.splitlines())) <= columns
        assert {word for word in words if len(word) < 48} <= set(seen.split())
    assert max(map(len, (piped.stdout + piped.stderr).splitlines())) > 80, "what is piped is not wrapped"


def test_a_row_goes_on_under_its_last_column() -> None:
    row = (
        "  gateway  ergw-source-hub  192.168.0.0/16 VirtualNetworkGateway 172.16.0.2 172.16.0.6 (VirtualNetworkGateway)"
    )
    assert fitted(row, 80).splitlines() == [
        "  gateway  ergw-source-hub  192.168.0.0/16 VirtualNetworkGateway 172.16.0.2",
        "                            172.16.0.6 (VirtualNetworkGateway)",
    ]
    assert fitted(row, 140) == fitted(row, None) == row


def test_prose_goes_on_two_columns_further_in() -> None:
    text = "SAFETY asymmetric: " + "word " * 20 + "end."
    first, second = fitted(text, 80).splitlines()
    assert first.startswith("SAFETY") and second.startswith("  word") and f"{first} {second.strip()}" == text


def test_a_matrix_that_is_too_wide_comes_in_parts() -> None:
    heads = "Objective               provision  protect  drill  failover  commit  return  reprotect  failback"
    row = "datacenter to machines  NO         yes      NO     NO        NO      NO      yes        NO"
    assert fitted(f"before\n\n{heads}\n{row}\n\nafter", 80).splitlines() == [
        "before",
        "",
        "Objective               provision  protect  drill  failover  commit  return",
        "datacenter to machines  NO         yes      NO     NO        NO      NO",
        "",
        "Objective               reprotect  failback",
        "datacenter to machines  yes        NO",
        "",
        "after",
    ]


def test_a_word_longer_than_the_terminal_is_broken_after_a_sign() -> None:
    id_ = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-source/providers/Microsoft.Network/x"
    lines = fitted(f"    subject  {id_}", 80).splitlines()
    assert len(lines) == 2 and all(len(line) <= 80 for line in lines) and lines[0].endswith("/")
    assert "".join(line.strip() for line in lines).replace("subject  ", "") == id_
