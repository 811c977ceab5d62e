"""The checks of a user by hand: probes, programs and scripts in a machine, tried until they hold or time is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.estate.checks import Http
from farshore.plan import actions
from farshore.plan.model import Action
from farshore.run.verbs import VERBS
from farshore.run.verbs.base import Connect, Execute, Get, Present, Probed
from farshore.run.verbs.check_script import LAST, TRAP, ended, marked, written
from prove.plans import step
from run.bench import Bench, story
from run.talk import ARM, GROUP, SILENCE, Answer, Held, answer, gone, hold, refusal, situation

VM = resource_id(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web1")
RESULT = f"{ARM}{GROUP}/providers/Microsoft.Compute/locations/x/operations/1"
ASKED = actions.Asked(
    check="web answers",
    machine="web1",
    address="10.1.0.4",
    timeout=timedelta(seconds=5),
    within=timedelta(minutes=1),
)
TCP = actions.probe(ASKED, 443)
WEB = actions.probe(ASKED, 8443, Http(port=8443, path="/health", status=(200, 204), https=True, host="www.example.com"))
OURS = actions.check_command(ASKED, ["./check", "--fast"], {"FARSHORE_MACHINE": "web1"})


def looked(action: Action, script: Iterable[Answer] = (), probed: Iterable[Probed] = ()) -> Held:
    verb = VERBS[action.verb]
    return hold(verb.look(situation(action.arguments)), script, probed=probed)


def said(status: int | None, text: str = "so") -> Probed:
    return Probed(status=status, said=text, asked_from="here")


def test_a_probe_asks_again_until_it_holds() -> None:
    held = looked(TCP, probed=[said(None, "refused"), said(None, "refused"), said(0)])
    assert isinstance(held.result, Present)
    assert held.result.result == {"asked": "tcp/443", "asked_from": "here", "said": "so", "tries": 3}
    assert held.ordered == [Connect(address="10.1.0.4", port=443, timeout_seconds=5)] * 3
    assert held.waited == 20


def test_what_never_holds_is_one_sentence() -> None:
    held = looked(TCP, probed=[said(None, "the connection was refused")] * 9)
    assert held.code == "CheckFailed" and len(held.ordered) == 6 and held.waited == 60
    assert str(held.error).count("\n") == 0
    for part in (
        "check web answers does not hold for machine web1 (10.1.0.4)",
        "tcp/443 was asked from here, 6 times within 1 min, and the last answer was: the connection was refused",
        "`farshore runs retry s`",
        "`farshore runs skip s --why ...`",
    ):
        assert part in str(held.error)


def test_a_check_of_no_time_is_asked_once() -> None:
    brief = actions.Asked(
        check="a", machine="m", address="10.0.0.4", timeout=ASKED.timeout, within=timedelta(seconds=1)
    )
    held = looked(actions.probe(brief, 1), probed=[said(None)])
    assert "asked from here, once within 1 s" in str(held.error)


def test_a_get_is_judged_by_its_status() -> None:
    assert isinstance(looked(WEB, probed=[said(204)]).result, Present)
    held = looked(WEB, probed=[said(503, "HTTP 503")] * 9)
    assert "GET https://10.1.0.4:8443/health as www.example.com" in str(held.error)
    assert "HTTP 503, not 200 or 204" in str(held.error)
    (order,) = {held.ordered[0]}
    assert isinstance(order, Connect)
    assert order.get == Get(path="/health", host="www.example.com", https=True, verify=True)
    assert looked(WEB, probed=[said(0)] * 9).code == "CheckFailed", "a connection is no answer"


def test_a_program_is_judged_by_its_status() -> None:
    held = looked(OURS, probed=[said(1, "status 1: no"), said(0)])
    assert isinstance(held.result, Present)
    assert held.ordered[0] == Execute(
        command=["./check", "--fast"], environment={"FARSHORE_MACHINE": "web1"}, timeout_seconds=5
    )


# In a machine. -------------------------------------------------------------------------------------------------------


def script(text: str = "systemctl is-active web", shell: bool = True, **more: Any) -> Action:
    kind = "RunShellScript" if shell else "RunPowerShellScript"
    return actions.check_script(ASKED, VM, kind, text, what="its script", **more)


def wrote(out: str, err: str = "", word: str = "succeeded") -> Response:
    message = f"Enable {word}: \n[stdout]\n{out}\n[stderr]\n{err}"
    return answer(200, {"value": [{"code": f"ProvisioningState/{word}", "message": message}]})


def wrote_on_windows(out: str, err: str = "") -> Response:
    rows = [("StdOut", out), ("StdErr", err)]
    return answer(200, {"value": [{"code": f"ComponentStatus/{n}/succeeded", "message": text} for n, text in rows]})


ACCEPTED = answer(202, location=RESULT, retry_after="10")


def test_a_script_runs_by_run_command_and_says_how_it_ended() -> None:
    held = looked(script(parameters={"FARSHORE_ADDRESS": "10.1.0.4"}), [ACCEPTED, wrote("active\nfarshore-status 0\n")])
    assert isinstance(held.result, Present)
    assert held.result.result["said"] == "status 0; it wrote: active"
    assert held.result.result["asked_from"] == "machine web1 by run command"
    (request,) = held.writes
    assert request.method == "POST" and request.url.startswith(f"{VM.text}/runCommand?") and not request.repeatable
    assert request.body == {
        "commandId": "RunShellScript",
        "script": [TRAP, "systemctl is-active web"],
        "parameters": [{"name": "FARSHORE_ADDRESS", "value": "10.1.0.4"}],
    }


def test_a_shebang_stays_the_first_line() -> None:
    assert marked("#!/bin/bash\nexit 3\n", "RunShellScript") == ["#!/bin/bash", TRAP, "exit 3"]
    assert marked("param($x)\r\nGet-Service web\r\n", "RunPowerShellScript") == ["param($x)", "Get-Service web", LAST]


@pytest.mark.parametrize(
    ("action", "response", "why"),
    [
        (script(), wrote("inactive\nfarshore-status 3\n"), "status 3; it wrote: inactive"),
        (
            script(),
            wrote("", "sh: 1: Syntax error"),
            "the script did not come to its end; it wrote: sh: 1: Syntax error",
        ),
        (script(), wrote("", "no such file", "failed"), "did not come to its end"),
        (script(), answer(200, {"value": []}), "did not come to its end"),
        (script(), answer(200, None), "did not come to its end"),
        (script(lines=["200"]), wrote("503\nfarshore-status 0"), "status 0, without 200; it wrote: 503"),
        (script(shell=False), wrote_on_windows("all well\r\n"), "did not come to its end; it wrote: all well"),
        (
            script(shell=False),
            wrote_on_windows("farshore-status 0\r\n", "Get-Service : no"),
            "status 1; it wrote: Get-",
        ),
        (script(lines=["True"], shell=False), wrote_on_windows("False\r\nfarshore-status 0\r\n"), "without True"),
    ],
)
def test_what_is_not_good(action: Action, response: Response, why: str) -> None:
    held = looked(action, [ACCEPTED, response] * 9)
    assert held.code == "CheckFailed" and why in str(held.error)


def test_what_azure_has_answered() -> None:
    """The texts of public issues: a status document around the result, and a script that is not the one that was sent
    (Azure/azure-cli#32286)."""
    sample = "Enable succeeded: \n[stdout]\nThis is a sample script\nOptional parameters: /script.sh\n\n[stderr]\n"
    row = {"code": "ProvisioningState/succeeded", "level": "Info", "message": sample}
    document = answer(200, {"status": "Succeeded", "properties": {"output": {"value": [row]}}})
    assert written(document) == ("This is a sample script\nOptional parameters: /script.sh\n", "")
    held = looked(script(), [ACCEPTED, document] * 9)
    assert "did not come to its end; it wrote: This is a sample script" in str(held.error)


def test_on_windows_a_last_line_tells() -> None:
    held = looked(script(lines=["True"], shell=False), [ACCEPTED, wrote_on_windows("True\r\nfarshore-status 0\r\n")])
    assert isinstance(held.result, Present)


def test_what_keeps_a_command_from_running_may_pass() -> None:
    """An agent that is not up yet, another command there, an answer that gets lost: it is asked again."""
    held = looked(
        script(),
        [
            refusal(409, "VMAgentStatusCommunicationError"),
            refusal(409, "Conflict"),
            SILENCE,
            gone(),
            ACCEPTED,
            wrote("farshore-status 0"),
        ],
    )
    assert isinstance(held.result, Present) and held.result.result["tries"] == 5
    held = looked(script(), [refusal(403, "AuthorizationFailed", "no role")] * 9)
    assert held.code == "CheckFailed" and "run command failed" in str(held.error) and "no role" in str(held.error)


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 255))
def test_the_end_of_a_script_is_found_whatever_it_wrote(out: str, err: str, status: int) -> None:
    """Nothing that a script writes before its end is taken for its end, and what it wrote is told."""
    found_out, found_err = written(wrote(f"{out}\nfarshore-status {status}\n", err))
    if "[std" not in out + err:
        assert ended(found_out, found_err, shell=True) == (status, out.strip())
        assert found_err.strip() == err.strip()
    assert ended(out.replace("farshore-status", ""), err, shell=True)[0] is None


# In a run. -----------------------------------------------------------------------------------------------------------


class Network:
    """Answers from the given try on; a program always."""

    def __init__(self, good_from: int) -> None:
        self.good_from, self.asked, self.ran = good_from, 0, list[Execute]()

    async def connect(self, order: Connect) -> Probed:
        self.asked += 1
        return said(0 if self.asked >= self.good_from else None, "refused")

    async def execute(self, order: Execute) -> Probed:
        self.ran.append(order)
        return said(0)


@pytest.mark.parametrize(("good_from", "failed"), [(1, ()), (6, ()), (7, ("s",))])
def test_a_run_halts_where_a_check_does_not_hold_and_goes_on_once_it_does(
    good_from: int, failed: tuple[str, ...]
) -> None:
    bench, network = Bench(), Network(good_from)
    plan_ = story(step("s", action=TCP), step("next", after=("s",), action=OURS))
    outcome = bench.run(plan_, prober=network)
    assert outcome.failed == failed and outcome.halted == bool(failed)
    assert bench.kinds("next")[-1:] == ([] if failed else ["done"]), "what comes after it waits"
    assert [order.environment["FARSHORE_RUN"] for order in network.ran] == ([] if failed else ["r"])
    assert not bench.cloud.store.shelf("requests"), "a check writes nothing"


@pytest.mark.parametrize("seconds", [0.5, 15, 35])
def test_a_process_that_dies_while_it_asks_is_followed_by_one_that_asks_anew(seconds: float) -> None:
    bench, network = Bench(), Network(5)
    outcome = bench.run(story(step("s", action=TCP)), prober=network, kills=(seconds,))
    assert not outcome.halted and bench.kinds("s")[-1] == "done"
    assert network.asked == 5 and "doubted" not in bench.kinds("s"), "a check has nothing to be in doubt about"
