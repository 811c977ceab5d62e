"""Checks by hand: effective routes, a machine and its address, a circuit's tables, a region's first sign of life."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from farshore.arm.http import Request, Response
from farshore.arm.ids import resource_id
from farshore.azure.conversation import length
from farshore.errors import TransportError
from farshore.plan import actions
from farshore.run.verbs import VERBS
from farshore.run.verbs import circuits as circuits_
from farshore.run.verbs.check_routes import differences
from farshore.times import moment
from run.talk import ARM, GROUP, NOW, SILENCE, Answer, Held, Silence, answer, gone, hold, refusal, situation

NIC = resource_id(f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic")
VM = resource_id(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm")
CIRCUIT = resource_id(f"{GROUP}/providers/Microsoft.Network/expressRouteCircuits/er")
RESULTS = f"{ARM}{GROUP}/providers/Microsoft.Network/locations/x/operationResults/1"


# Effective routes. ---------------------------------------------------------------------------------------------------


def row(
    prefix: str, kind: str = "VirtualAppliance", *hops: str, source: str = "User", state: str = "Active"
) -> dict[str, Any]:
    return {
        "source": source,
        "state": state,
        "addressPrefix": [prefix],
        "nextHopType": kind,
        "nextHopIpAddress": list(hops),
    }


def expected(prefix: str, kind: str = "VirtualAppliance", *hops: str, source: str = "User") -> dict[str, Any]:
    return {"source": source, "prefix": prefix, "next_hop_type": kind, "next_hop_ip_addresses": list(hops)}


WANTED = [expected("0.0.0.0/0", "VirtualAppliance", "10.0.0.4"), expected("10.1.0.0/24", "VnetLocal", source="Default")]
SHOWN = [row("0.0.0.0/0", "VirtualAppliance", "10.0.0.4"), row("10.1.0.0/24", "VnetLocal", source="Default")]


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (SHOWN, None),
        ([*SHOWN, row("0.0.0.0/0", "Internet", source="Default", state="Invalid")], None),
        ([*SHOWN, row("100.64.0.0/10", "None", source="Default")], None),
        ([*SHOWN, row("20.60.0.0/16", "VirtualNetworkServiceEndpoint", source="Default")], None),
        (SHOWN[:1], "10.1.0.0/24 to VnetLocal (Default) is not there"),
        ([row("0.0.0.0/0", "VirtualAppliance", "10.0.0.9"), SHOWN[1]], "goes to 10.0.0.9, not to 10.0.0.4"),
        (
            [row("0.0.0.0/0", "VirtualAppliance", state="Invalid"), SHOWN[1]],
            "0.0.0.0/0 to VirtualAppliance (User) is not",
        ),
        (
            [*SHOWN, row("192.168.0.0/16", "VirtualNetworkGateway", "1.1.1.1", source="VirtualNetworkGateway")],
            "not expected",
        ),
        ([*SHOWN, row("10.1.0.128/25", "VnetPeering", source="Default")], "10.1.0.128/25 to vnetpeering"),
    ],
)
def test_what_differs_in_effective_routes(rows: list[dict[str, Any]], wrong: str | None) -> None:
    found = differences(rows, WANTED)
    assert found == [] if wrong is None else wrong in "; ".join(found)


def test_rows_in_every_form_that_azure_writes() -> None:
    shown = {"source": "default", "addressPrefix": "10.1.0.0/24", "nextHopType": "vnetlocal", "nextHopIpAddress": None}
    assert differences([SHOWN[0], shown], WANTED) == [], "one text for one prefix, no state, other case"
    two = [
        row("10.0.0.0/8", "VirtualNetworkGateway", hop, source="VirtualNetworkGateway")
        for hop in ("1.1.1.1", "1.1.1.2")
    ]
    both = expected("10.0.0.0/8", "VirtualNetworkGateway", "1.1.1.1", "1.1.1.2", source="VirtualNetworkGateway")
    assert differences(two, [both]) == [], "one row a next hop (ECMP)"
    assert differences(two[:1], [both])
    assert differences([row("Storage.EastAsia", "VirtualNetworkServiceEndpoint", source="Default")], []) == []


ROUTES = actions.check_routes(NIC, WANTED).arguments
ACCEPTED = answer(202, None, location=RESULTS)


def routes(*script: Answer) -> Held:
    return hold(VERBS["check_routes"].look(situation(ROUTES)), script)


def test_routes_are_asked_for_and_compared() -> None:
    held = routes(ACCEPTED, answer(202), answer(200, {"value": SHOWN}, date="Mon, 05 Jan 2026 06:00:30 GMT"))
    assert held.result.result == {"rows": 2, "ended_at": "2026-01-05T06:00:30.000000Z"}
    assert held.asked == ["POST effectiveRouteTable", "GET 1", "GET 1"]
    assert not routes(answer(200, {"value": SHOWN})).error, "some answer at once"


def test_routes_follow_a_change_after_a_while() -> None:
    held = routes(*[ACCEPTED, answer(200, {"value": SHOWN[:1]})] * 3, ACCEPTED, answer(200, {"value": SHOWN}))
    assert held.error is None and len(held.writes) == 4


@pytest.mark.parametrize(
    "no",
    [
        SILENCE,
        refusal(429, "TooManyRequests"),
        refusal(409, "AnotherOperationInProgress"),
        refusal(503, "X"),
        answer(500),
    ],
)
def test_a_read_that_does_not_come_off_is_made_again(no: Answer) -> None:
    """Nothing is lost by asking again; a run must not stop for one lost answer."""
    held = routes(no, ACCEPTED, answer(200, {"value": SHOWN}))
    assert held.error is None, held.error


def test_routes_that_stay_wrong_are_told_and_so_is_a_read_that_never_comes() -> None:
    held = routes(*[answer(200, {"value": SHOWN[:1]})] * 200)
    assert held.code == "RoutesNotAsProven" and "10.1.0.0/24" in str(held.error)
    assert timedelta(minutes=9) <= held.now - NOW <= timedelta(minutes=11)
    silent = routes(*[SILENCE] * 200)
    assert silent.code == "RoutesNotAsProven" and "not read" in str(silent.error)
    assert routes(*[refusal(400, "VmNotRunning")] * 200).code == "RoutesNotAsProven"


# A machine. ----------------------------------------------------------------------------------------------------------

MACHINE = actions.check_machine(VM, NIC, "10.1.0.4").arguments


def vm(power: str) -> Response:
    return answer(200, {"properties": {"instanceView": {"statuses": [{"code": f"PowerState/{power}"}]}}})


def nic(*addresses: str) -> Response:
    configurations = [{"properties": {"privateIPAddress": a, "primary": i == 0}} for i, a in enumerate(addresses)]
    return answer(200, {"properties": {"ipConfigurations": configurations[::-1]}}, date="Mon, 05 Jan 2026 06:01:00 GMT")


def test_a_machine_runs_with_its_address() -> None:
    held = hold(
        VERBS["check_machine"].look(situation(MACHINE)),
        [gone(), gone(), vm("starting"), nic("10.1.0.4"), vm("running"), nic("10.1.0.4", "10.1.0.5")],
    )
    assert held.result.result["address"] == "10.1.0.4" and held.waited == 20


@pytest.mark.parametrize(
    ("machine", "its_nic", "said"),
    [
        (gone(), nic("10.1.0.4"), "is not there"),
        (vm("stopped"), nic("10.1.0.4"), "is stopped"),
        (vm("running"), nic("10.1.0.9"), "with 10.1.0.9"),
        (vm("running"), nic("10.1.0.9", "10.1.0.4"), "with 10.1.0.9, 10.1.0.4"),
        (vm("running"), gone(), "no address"),
    ],
)
def test_a_machine_that_is_not_as_promised(machine: Response, its_nic: Response, said: str) -> None:
    held = hold(VERBS["check_machine"].look(situation(MACHINE)), [machine, its_nic] * 100)
    assert held.code == "MachineNotAsPromised" and said in str(held.error) and "(D68)" in str(held.error)
    assert held.now - NOW == timedelta(minutes=10)


# A circuit. ----------------------------------------------------------------------------------------------------------


def table(*rows: tuple[str, str]) -> Response:
    return answer(200, {"value": [{"network": n, "nextHop": "10.0.0.1", "path": path} for n, path in rows]})


@pytest.mark.parametrize(
    ("rows", "expect", "wrong"),
    [
        ([("10.1.0.0/24", "65515")], {"present": ["10.1.0.0/24"]}, None),
        ([("10.1.0.1/24", "65515")], {"present": ["10.1.0.0/24"]}, None),
        ([], {"present": ["10.1.0.0/24"]}, "10.1.0.0/24 is not announced"),
        ([("10.1.0.0/25", "65515")], {"present": ["10.1.0.0/24"]}, "is not announced"),
        ([("10.1.0.0/24", "65515")], {"absent": ["10.1.0.0/24"]}, "10.1.0.0/24 is still announced"),
        ([("10.1.0.0/24", "65010 65010 65010")], {"minimum_path_length": {"10.1.0.0/24": 3}}, None),
        ([("10.1.0.0/24", "65010 65010")], {"minimum_path_length": {"10.1.0.0/24": 3}}, "AS path of 2, at least 3"),
        ([("10.1.0.0/24", "12076-65010")], {"minimum_path_length": {"10.1.0.0/24": 2}}, None),
        ([], {"minimum_path_length": {"10.1.0.0/24": 3}}, None),
    ],
)
def test_what_a_table_does_not_show(rows: list[tuple[str, str]], expect: dict[str, Any], wrong: str | None) -> None:
    whole = actions.expect_circuit(CIRCUIT, **expect)
    found = circuits_.differences(circuits_.rows_of(table(*rows)), whole)
    assert found == [] if wrong is None else wrong in "; ".join(found)


READ = actions.read_circuit(actions.expect_circuit(CIRCUIT, absent=["10.1.0.0/24"]), patience_seconds=60).arguments


def test_both_links_are_asked_and_a_busy_circuit_is_waited_for() -> None:
    busy = refusal(429, "RetryableErrorDueToAnotherOperation")
    script: list[Answer] = [
        busy,
        SILENCE,
        ACCEPTED,
        table(),
        table(("10.1.0.0/24", "65515")),
        ACCEPTED,
        table(),
        table(),
    ]
    held = hold(VERBS["read_circuit"].look(situation(READ)), script)
    assert held.result.result["tables"] == {"er/primary": [], "er/secondary": []}
    assert [request.url.split("?")[0].rsplit("/", 1)[-1] for request in held.writes[:2]] == ["primary", "secondary"]


def test_a_circuit_that_stays_as_it_was_or_silent_is_told() -> None:
    held = hold(VERBS["read_circuit"].look(situation(READ)), [table(("10.1.0.0/24", "65515"))] * 99)
    assert held.code == "CircuitNotAsExpected" and "still announced" in str(held.error)
    assert held.now - NOW == timedelta(seconds=60)
    silent = hold(VERBS["read_circuit"].look(situation(READ)), [SILENCE] * 99)
    assert silent.code == "CircuitNotAsExpected" and "was not read" in str(silent.error)


@pytest.mark.parametrize("verb", ["check_routes", "check_machine", "read_circuit"])
def test_a_check_that_is_begun_anew_has_its_patience_again(verb: str) -> None:
    """A person retries it an hour later, or a process takes it over: the first intention is long past."""
    good: dict[str, tuple[dict[str, Any], list[Answer]]] = {
        "check_routes": (dict(ROUTES), [answer(200, {"value": []}), answer(200, {"value": SHOWN})]),
        "check_machine": (dict(MACHINE), [vm("starting"), nic("10.1.0.4"), vm("running"), nic("10.1.0.4")]),
        "read_circuit": (dict(READ), [*[table(("10.1.0.0/24", "65515"))] * 2, table(), table()]),
    }
    arguments, script = good[verb]
    held = hold(VERBS[verb].look(situation(arguments, intended_at=NOW - timedelta(hours=1, seconds=3))), script)
    assert held.error is None, held.error
    assert held.waited == 7, "on the beat of the first one"


# A region's return. --------------------------------------------------------------------------------------------------


class Region:
    """A lost region: its ARM is silent and its rows are gone until they come back; each answer takes its time."""

    def __init__(self, *, arm_at: float | None = None, rows_at: float | None = None, slow: float = 3) -> None:
        self.arm_at, self.rows_at, self.slow = arm_at, rows_at, slow
        self.others: list[str] = []
        self.now = NOW
        self.asked: list[tuple[float, str]] = []
        self.tables: dict[str, float] = {}

    def answer(self, request: Request) -> Response | Silence:
        elapsed = (self.now - NOW).total_seconds()
        path = request.url.split("?")[0]
        self.asked.append((elapsed, path.rsplit("/", 1)[-1]))
        if request.method == "POST":
            self.tables[path] = elapsed + self.slow
            return answer(202, None, location=f"{ARM}{path}")
        if path.startswith(ARM):
            if elapsed < self.tables[path.removeprefix(ARM)]:
                return answer(202)
            back = self.rows_at is not None and elapsed >= self.rows_at
            return table(*[(n, "12076 65515") for n in [*self.others, *(["10.1.0.0/24"] if back else [])]])
        return gone() if self.arm_at is not None and elapsed >= self.arm_at else SILENCE

    def watch(self, *, circuit: bool = True, rows: str = "any", limit: int = 2000) -> Held:
        """Hold the watch; the clock moves as its requests and waits make it move."""
        arguments = actions.await_region(
            "eastasia", probe=NIC, circuit=CIRCUIT if circuit else None, prefixes=["10.1.0.0/24"], rows=rows
        ).arguments
        talk = VERBS["await_region"].look(situation(arguments, attempt=0))
        held, silent = Held(), False
        said: Any = None
        try:
            for _ in range(limit):
                wanted: Any = talk.throw(TransportError("silence")) if silent else talk.send(said)
                said, silent = None, False
                if isinstance(wanted, Request):
                    found = self.answer(wanted)
                    silent = isinstance(found, Silence)
                    said = found
                    # Silence costs its patience, an answer a moment.
                    self.now += (wanted.timeout or timedelta(seconds=60)) if silent else timedelta(seconds=0.1)
                else:
                    self.now += length(wanted, self.now)
                    said = self.now
        except StopIteration as end:
            held.result = end.value
        held.now = self.now
        return held


@pytest.mark.parametrize("at", [0, 3, 61, 187.5, 600])
@pytest.mark.parametrize("sign", ["arm", "circuit"])
def test_the_first_sign_of_life_is_seen_within_its_interval(at: float, sign: str) -> None:
    region = Region(arm_at=at if sign == "arm" else None, rows_at=at if sign == "circuit" else None)
    held = region.watch()
    assert held.result is not None, "the watch ended"
    found = held.result.result
    assert found["by"] == sign
    late = (moment(found["answered_at"]) - NOW).total_seconds() - at
    # Ten seconds at most between two questions; a table takes its time to be read.
    assert 0 <= late <= (14.5 if sign == "arm" else 10 + region.slow + 8)


def test_questions_stand_at_most_ten_seconds_apart() -> None:
    region = Region(arm_at=300)
    region.watch()
    for wanted in ("nic", "primary", "secondary"):
        asked = [at for at, what in region.asked if what == wanted]
        assert max(later - earlier for earlier, later in pairwise(asked)) <= 10.5, wanted


def test_rows_of_the_target_are_no_sign_where_both_announce_the_same() -> None:
    """D62, `rows: more`: what the first look found is the target's; only a row beyond it is the lost region's."""
    region = Region()
    region.others = ["10.1.0.0/24"]
    assert region.watch(rows="more", limit=300).result is None
    assert region.watch(rows="any", limit=300).result is not None


def test_the_watch_never_gives_up_and_writes_nothing() -> None:
    region = Region()
    assert region.watch(limit=3000).result is None
    assert not Region(arm_at=100).watch(circuit=False).writes


@pytest.mark.parametrize("said", [refusal(503, "X"), refusal(500, "X"), answer(429), answer(504)])
def test_a_service_that_says_it_is_not_there_is_not_there(said: Response) -> None:
    arguments = actions.await_region("eastasia", probe=NIC, circuit=None, prefixes=[]).arguments
    held = hold(VERBS["await_region"].look(situation(arguments)), [said, said, refusal(403, "AuthorizationFailed")])
    assert held.result.result["by"] == "arm" and held.result.result["what"] == "403"
    assert held.waited == 20
