"""`check_script`: a script ends well in a machine, by run command (POST runCommand).

The action tells what a script wrote and not how it ended (Azure/azure-cli#14425, #29750), so the script is made to say
so: a shell by a trap at its exit, PowerShell by a last line that one which throws or exits never comes to. The end of
what was written is what the action tells, and that line stands there; where another script than ours was run
(Azure/azure-cli#32286), it is missing. PowerShell that wrote to its error stream did not end well either.

A script may run more than once: a check is tried again, and a process that takes the run over begins it anew.
"""

from __future__ import annotations

import re
from typing import Any

from farshore.arm.http import Request, Response, checked
from farshore.azure.conversation import ask
from farshore.azure.lro import follow, pending_of
from farshore.errors import ArmError, TransportError
from farshore.run.verbs.base import Looked, Situation, Talk, Verb, url
from farshore.run.verbs.trying import Answer, until_it_holds

SHELL = "RunShellScript"
MARK = "farshore-status"
TRAP = f"trap 'echo {MARK} $?' EXIT"
LAST = f"Write-Output '{MARK} 0'"
_MARKED = re.compile(rf"{MARK} (\d+)\s*$")
_SECTIONS = re.compile(r"\[stdout\]\n(.*?)\n?\[stderr\]\n?(.*)", re.DOTALL)
MOST_SHOWN = 300


class CheckScript(Verb):
    name = "check_script"

    def look(self, situation: Situation) -> Talk[Looked]:
        told = situation.arguments
        where = f"machine {situation.id.name} by run command"

        def once() -> Talk[Answer]:
            try:
                response = yield from _run(situation)
            except (ArmError, TransportError) as error:
                # An agent that is not up yet, another command that runs there: what stays so is told at the end.
                return Answer(good=False, said=f"run command failed: {error}", asked_from=where)
            out, err = written(response)
            status, shown = ended(out, err, shell=told["command_id"] == SHELL)
            wanted = [str(line) for line in told["lines"]]
            found = not wanted or any(line.strip() in wanted for line in shown.splitlines())
            said = _said(status, shown, err, [] if found else wanted)
            return Answer(good=status == 0 and found, said=said, asked_from=where)

        return (yield from until_it_holds(situation, str(told["what"]), once))


def _run(situation: Situation) -> Talk[Response]:
    told = situation.arguments
    body: dict[str, Any] = {"commandId": told["command_id"], "script": marked(told["script"], told["command_id"])}
    if told["parameters"]:
        body["parameters"] = [{"name": name, "value": value} for name, value in told["parameters"].items()]
    request = Request(method="POST", url=url(situation.id, "/runCommand"), body=body, repeatable=False)
    response = checked((yield from ask(request)), request)
    return (yield from follow(response, since=situation.now, result=True)) if pending_of(response) else response


def marked(script: str, command_id: str) -> list[str]:
    """The script's lines, made to say how it ended."""
    lines = script.replace("\r\n", "\n").strip("\n").split("\n")
    if command_id != SHELL:
        return [*lines, LAST]
    return [lines[0], TRAP, *lines[1:]] if lines[0].startswith("#!") else [TRAP, *lines]


def written(response: Response) -> tuple[str, str]:
    """Standard output and error, in either of the forms that the action answers in: a shell's in one text, PowerShell's
    in two rows; the result itself, or a status document around it (`properties.output`)."""
    out, err = "", ""
    for row in _rows(response.body):
        code, message = str(row.get("code") or "").lower(), str(row.get("message") or "")
        sections = _SECTIONS.search(message)
        if "stdout" in code:
            out += message
        elif "stderr" in code:
            err += message
        elif sections is not None:
            out, err = out + sections[1], err + sections[2]
        else:
            err += message
    return out, err


def _rows(body: Any) -> list[dict[str, Any]]:
    held = body if isinstance(body, dict) else {}
    if "value" not in held and isinstance(held.get("properties"), dict):
        output = held["properties"].get("output")
        held = output if isinstance(output, dict) else {}
    rows = held.get("value")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def ended(out: str, err: str, *, shell: bool) -> tuple[int | None, str]:
    """The status that a script ended with, and what it wrote but for that; None where it did not come to its end."""
    found = _MARKED.search(out.rstrip())
    if found is None:
        return None, out.strip()
    status = int(found[1])
    return (1 if not shell and err.strip() and status == 0 else status), out[: found.start()].strip()


def _said(status: int | None, out: str, err: str, missing: list[str]) -> str:
    wrote = " / ".join(line.strip() for line in f"{out}\n{err}".splitlines() if line.strip())
    shown = f"; it wrote: {wrote[-MOST_SHOWN:]}" if wrote else ""
    if status is None:
        return f"the script did not come to its end{shown}"
    lacking = f", without {' or '.join(missing)}" if missing and status == 0 else ""
    return f"status {status}{lacking}{shown}"
