"""What the user asks of machines that have moved (farshore.yaml, `checks`), as steps that look and change nothing.

A check is asked once everybody that it needs is there: the machine, whoever asks, and the way between them.

    from inside     a machine that moves asks, by run command: itself, or another on the same shore. It needs no site
    from outside    Farshore asks from where it runs, or a machine that stays where it is: it needs the way from a site

Who calls says what stands by now, and after which steps; the step of the next wave then comes after what is returned
here, so that a wave goes on only when the checks of the one before hold.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from farshore.arm.ids import ResourceId
from farshore.errors import InputError
from farshore.estate.checks import HERE, ITSELF, Check, Command, Http, Script, Tcp
from farshore.estate.resolving import askers, means
from farshore.plan import actions, durations
from farshore.plan.design import Design, Machine
from farshore.plan.draft import Draft
from farshore.plan.model import Action, StepKind

SHELL, POWER_SHELL = "RunShellScript", "RunPowerShellScript"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A machine as it stands now, wherever that is."""

    vm: ResourceId
    address: str
    looked: str | None
    """The step that has looked at it; None where it stood before anything moved."""


Standing = Mapping[ResourceId, Stand]
"""By the machine's id in the source."""


def asked_for(design: Design) -> bool:
    """Whether there is anything to ask."""
    return bool(design.project.checks)


def build(
    design: Design,
    draft: Draft,
    standing: Standing,
    *,
    inside: bool,
    outside: bool,
    staying: Sequence[Machine] = (),
) -> list[str]:
    """A step for each check and machine of the design that can be asked now and was not in this phase, after the looks
    at all of its machines. `staying`: machines that may ask and are not asked about. Returns the steps."""
    asked = {step.id for step in draft.steps}
    steps = []
    for check in design.project.checks:
        named = _named(design, check, staying)
        for machine in _meant(design, check):
            asker = machine if check.asker == ITSELF else named
            moved = asker if isinstance(asker, Machine) else None
            needed = [machine.id, *([] if moved is None else [moved.id])]
            wanted = outside if moved is None else inside
            known = f"{draft.phase.value}/{_name(check, machine)}" in asked
            if wanted and not known and all(id_ in standing for id_ in needed):
                steps.append(_step(design, draft, check, machine, asker, standing))
    return steps


def _name(check: Check, machine: Machine) -> str:
    return f"holds/{check.slug}/{machine.label}"


def _meant(design: Design, check: Check) -> Iterator[Machine]:
    """The machines that a check is of."""
    for machine in design.machines:
        in_wave = check.wave is None or machine.planned.boot_group == check.wave
        if in_wave and means(machine.id, check.machines):
            yield machine


def refuse(design: Design) -> None:
    """Raises `InputError` for a check that could never be asked, before anything is planned."""
    for check in design.project.checks:
        meant = list(_meant(design, check))
        if not meant:
            _no(
                design,
                check,
                "machines" if check.wave is None else "wave",
                "no machine that moves is meant by it",
                value=", ".join(check.machines) if check.wave is None else check.wave,
                expected="machines that `machines` chooses",
            )
        if isinstance(check.asks, Script) and check.asks.text is None:
            _no(design, check, "script", "the script was not read", value=check.asks.file, expected="its text")
        named = _named(design, check, ())
        for asker in meant if check.asker == ITSELF else [named]:
            if isinstance(check.asks, Http) and isinstance(asker, Machine | ResourceId) and _is_windows(design, asker):
                _no(
                    design,
                    check,
                    "http",
                    "a Windows machine is not asked to send a GET: its answer depends on what is installed",
                    value=check.asker,
                    expected="tcp, or a script of your own",
                )


def _named(design: Design, check: Check, others: Sequence[Machine]) -> Machine | ResourceId | None:
    """The machine that is named to ask: one that moves, or one that stays where it is (its id); None where none is."""
    if check.asker in (HERE, ITSELF):
        return None
    found = askers(design.project, design.estate, check.asker)
    moving = next((item for item in (*design.machines, *others) if item.id in found[:1]), None)
    if moving is not None:
        return moving
    stays = design.estate.virtual_machine(found[0]) if len(found) == 1 else None
    if stays is None or stays.location == design.project.source_region:
        _no(
            design,
            check,
            "from",
            f"{check.asker} stands in {design.project.source_region} and does not move: it can't ask when that is lost",
            value=check.asker,
            expected="here, itself, a machine that moves, or one of another region",
        )
    return stays.id


def _step(
    design: Design,
    draft: Draft,
    check: Check,
    machine: Machine,
    asker: Machine | ResourceId | None,
    standing: Standing,
) -> str:
    stand = standing[machine.id]
    asking = standing[asker.id] if isinstance(asker, Machine) else None
    vm = asker if isinstance(asker, ResourceId) else None if asking is None else asking.vm
    where = "where Farshore runs" if vm is None else f"{vm.name}, by run command"
    return draft.add(
        _name(check, machine),
        _action(design, draft, check, machine, stand, asker, vm),
        title=f"Check {check.name}: machine {machine.label} ({stand.address}) {_says(check)}, asked from {where}",
        subject=stand.vm,
        expected=durations.CHECK_HERE if vm is None else durations.CHECK_BY_RUN_COMMAND,
        kind=StepKind.CHECK,
        after=[stand.looked, None if asking is None else asking.looked],
    )


def _says(check: Check) -> str:
    match check.asks:
        case Tcp(port=port):
            return f"takes tcp/{port}"
        case Http() as http:
            return f"answers GET {http.path} on tcp/{http.port} with {' or '.join(map(str, http.status))}"
        case Script() as script:
            return f"passes {script.file or 'its script'}"
        case Command(words=words):
            return f"passes {words[0]}"


def _action(
    design: Design,
    draft: Draft,
    check: Check,
    machine: Machine,
    stand: Stand,
    asker: Machine | ResourceId | None,
    vm: ResourceId | None,
) -> Action:
    asked = actions.Asked(
        check=check.name, machine=machine.label, address=stand.address, timeout=check.timeout, within=check.within
    )
    told = {"FARSHORE_CHECK": check.name, "FARSHORE_MACHINE": machine.label, "FARSHORE_ADDRESS": stand.address}
    told["FARSHORE_PHASE"] = draft.phase.value
    if isinstance(check.asks, Command):
        return actions.check_command(asked, check.asks.words, told)
    if vm is None or asker is None:
        assert isinstance(check.asks, Tcp | Http), "a script has a machine to run in"
        return actions.probe(asked, check.asks.port, check.asks if isinstance(check.asks, Http) else None)
    windows = _is_windows(design, asker)
    kind = POWER_SHELL if windows else SHELL
    seconds = max(1, round(check.timeout.total_seconds()))
    match check.asks:
        case Script() as script:
            assert script.text is not None
            # Nobody has measured what becomes of a parameter with spaces in it: a check's name is not sent.
            sent = {name: value for name, value in told.items() if name != "FARSHORE_CHECK"}
            return actions.check_script(asked, vm, kind, script.text, sent, what=script.file or "its script")
        case Tcp(port=port) if windows:
            text = f"(Test-NetConnection -ComputerName {stand.address} -Port {port}).TcpTestSucceeded"
            return actions.check_script(asked, vm, kind, text, what=f"tcp/{port}", lines=["True"])
        case Tcp(port=port):
            text = f"timeout {seconds} bash -c '</dev/tcp/{stand.address}/{port}'"
            return actions.check_script(asked, vm, kind, text, what=f"tcp/{port}")
        case Http() as http:
            lines = [str(status) for status in http.status]
            return actions.check_script(
                asked, vm, kind, _curl(http, stand.address, seconds), what=_url(http, stand.address), lines=lines
            )


def _curl(http: Http, address: str, seconds: int) -> str:
    words = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}\\n", "-m", str(seconds)]
    words += [] if http.verify else ["-k"]
    words += [] if http.host is None else ["--resolve", f"{http.host}:{http.port}:{address}"]
    return shlex.join([*words, _url(http, http.host or address)])


def _url(http: Http, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if http.https else 'http'}://{name}:{http.port}{http.path}"


def _is_windows(design: Design, asker: Machine | ResourceId) -> bool:
    vm = asker.vm if isinstance(asker, Machine) else design.estate.virtual_machine(asker)
    return vm is not None and (vm.os_type or "").lower() == "windows"


def _no(design: Design, check: Check, key: str, what: str, *, value: object, expected: str) -> NoReturn:
    project = design.project
    path = f"checks/{check.name}/{key}"
    raise InputError(
        f"{path}: {what}",
        file=project.file,
        line=project.line_of(path),
        value=value,
        expected=expected,
        remedy="correct the check, or remove it",
    )
