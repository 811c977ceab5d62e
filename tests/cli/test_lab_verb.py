"""The lab as a process: served, talked to, turned, broken and stopped from the command line, over real HTTPS.

Every server that a test starts is stopped by its own process id, however the test ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from farshore.lab.holding import Hold

from .served import answer, ask, begin, end, farshore, group_of, lab_json, refusal


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = begin(tmp_path / "project")
    yield folder
    end(folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One lab for the tests that only talk to it; its clock stands still until someone turns it."""
    folder = begin(tmp_path_factory.mktemp("lab") / "project")
    answer("lab", "up", "--speed", "hand", cwd=folder)
    yield folder
    end(folder)


# Up, status, down. ---------------------------------------------------------------------------------------------------


def test_up_serves_the_estate_and_leaves_where(served: Path) -> None:
    lab = lab_json(served)
    assert {"url", "ca", "token", "clock"} <= lab.keys()
    assert (served / ".farshore" / "lab.json").stat().st_mode & 0o077 == 0
    status, body = ask(served, "GET", f"{group_of(served)}?api-version=2022-09-01")
    assert (status, body["id"].lower()) == (200, group_of(served).lower())
    status, body = ask(served, "GET", "/subscriptions?api-version=2022-12-01", token=False)
    assert (status, body["error"]["code"]) == (401, "AuthenticationFailed")


def test_a_second_up_says_where_the_first_is(served: Path) -> None:
    lab = lab_json(served)
    again = answer("lab", "up", cwd=served)
    assert again["already"] and (again["url"], again["pid"]) == (lab["url"], lab["pid"])
    status, said, _ = farshore("lab", "up", cwd=served)
    assert status == 0 and "already" in said and lab["url"] in said
    assert "lab down" in refusal("lab", "up", "--fresh", cwd=served)["remedy"]


def test_status_tells_place_time_and_content(served: Path) -> None:
    found = answer("lab", "status", cwd=served)
    assert found["served"] and found["answers"] and found["clock"]["speed"] == "hand"
    assert found["resources"] > 30 and Path(found["ca"]).is_file()
    _, said, _ = farshore("lab", "status", cwd=served)
    assert found["url"] in said and lab_json(served)["token"] not in said


def test_what_was_written_outlives_down_and_up(project: Path) -> None:
    first = answer("lab", "up", cwd=project)
    path = f"{group_of(project)}/providers/Microsoft.Network/routeTables/rt-kept?api-version=2024-05-01"
    body = {"location": "eastasia", "properties": {"routes": []}}
    assert ask(project, "PUT", path, body)[0] == 201
    stopped = answer("lab", "down", cwd=project)
    assert stopped == {"stopped": True, "pid": first["pid"], "url": first["url"]}
    assert not (project / ".farshore" / "lab.json").exists()
    assert not answer("lab", "status", cwd=project)["served"]
    assert not answer("lab", "down", cwd=project)["stopped"]
    # The journal can be read while nothing is served, and is there when it is served again.
    assert [row["method"] for row in answer("lab", "log", cwd=project)["value"]] == ["PUT"]
    answer("lab", "up", cwd=project)
    assert ask(project, "GET", path)[0] == 200
    assert [row["method"] for row in answer("lab", "log", cwd=project)["value"]] == ["PUT"]


def kill(project: Path, pid: int) -> None:
    """At once, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while answer("lab", "status", cwd=project)["served"] and time.monotonic() < until:
        time.sleep(0.1)


def test_the_file_of_a_dead_lab_is_no_lab(project: Path) -> None:
    first = answer("lab", "up", cwd=project)
    kill(project, first["pid"])
    assert (project / ".farshore" / "lab.json").is_file()
    assert "lab up" in refusal("lab", "env", cwd=project)["remedy"]
    second = answer("lab", "up", cwd=project)
    assert second["pid"] != first["pid"] and not second["already"]


def test_an_operation_is_polled_on_where_a_dead_lab_has_come_back(project: Path) -> None:
    first = answer("lab", "up", "--speed", "hand", cwd=project)
    path = f"{group_of(project)}/providers/Microsoft.Network/routeTables/rt-kept?api-version=2024-05-01"
    headers = {"Authorization": f"Bearer {lab_json(project)['token']}", "Content-Type": "application/json"}
    trusted = ssl.create_default_context(cafile=str(project / ".farshore" / "lab-ca.pem"))
    body = json.dumps({"location": "eastasia", "properties": {"routes": []}}).encode()
    asked = urllib.request.Request(first["url"] + path, method="PUT", data=body, headers=headers)
    with urllib.request.urlopen(asked, context=trusted) as made:
        polled = urllib.request.Request(made.headers["azure-asyncoperation"], headers=headers)
    kill(project, first["pid"])
    assert answer("lab", "up", cwd=project)["url"] == first["url"]
    with urllib.request.urlopen(polled, context=trusted) as said:
        assert json.load(said)["status"] in ("InProgress", "Succeeded")
    answer("lab", "down", cwd=project)
    with socket.create_server(("127.0.0.1", int(first["url"].rsplit(":", 1)[1]))):
        assert answer("lab", "up", cwd=project)["url"] != first["url"]


def test_a_stranger_with_the_number_of_a_dead_lab_is_left_alone(project: Path) -> None:
    answer("lab", "up", cwd=project)
    lab = lab_json(project)
    answer("lab", "down", cwd=project)
    with subprocess.Popen(["sleep", "30"]) as stranger:
        try:
            place = project / ".farshore" / "lab.json"
            place.write_text(json.dumps({**lab, "pid": stranger.pid}))
            assert not answer("lab", "down", cwd=project)["stopped"]
            assert stranger.poll() is None and not place.exists()
        finally:
            stranger.kill()


def interruptible(*arguments: str) -> list[str]:
    """A command that hears SIGINT also where the tests run in a shell's background, whose children ignore it."""
    said = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    said += "from farshore.cli.app import run; sys.exit(run(sys.argv[1:]))"
    return [sys.executable, "-c", said, *arguments]


def test_in_the_foreground_it_ends_with_its_signal(project: Path) -> None:
    command = interruptible("lab", "up", "--foreground", "--format", "json")
    for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            place = project / ".farshore" / "lab.json"
            until = time.monotonic() + 30
            while not place.is_file() and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(number)
            out, _ = process.communicate(timeout=20)
        assert process.returncode == status
        assert json.loads(out)["pid"] == process.pid
        assert not place.exists()


# What can be in the way. ---------------------------------------------------------------------------------------------


def test_a_port_that_is_taken(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = refusal("lab", "up", "--port", str(port), cwd=project)
    assert str(port) in error["message"] and "--port" in error["remedy"]
    assert not answer("lab", "status", cwd=project)["served"]


def test_a_state_that_is_no_database(project: Path) -> None:
    state = project / ".farshore"
    state.mkdir()
    (state / "lab.db").write_text("this is not a database at all " * 200)
    error = refusal("lab", "up", cwd=project)
    assert error["file"].endswith("lab.db") and "--fresh" in error["remedy"]
    assert refusal("lab", "log", cwd=project)["file"].endswith("lab.db")
    assert not answer("lab", "up", "--fresh", cwd=project)["already"]


def test_a_state_that_is_damaged_inside(project: Path) -> None:
    answer("lab", "up", cwd=project)
    answer("lab", "down", cwd=project)
    with (project / ".farshore" / "lab.db").open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xff" * 3 * 4096)
    assert refusal("lab", "up", cwd=project)["file"].endswith("lab.db")


def test_a_state_that_another_process_has_open(project: Path) -> None:
    (project / ".farshore").mkdir()
    hold = Hold(project / ".farshore" / "lab.db")
    try:
        error = refusal("lab", "up", cwd=project)
    finally:
        hold.release()
    assert error["code"] == "ProjectHeld" and str(os.getpid()) in error["message"]


def test_wait_is_until_the_other_process_has_done(project: Path) -> None:
    answer("lab", "up", cwd=project)
    answer("lab", "down", cwd=project)
    hold = Hold(project / ".farshore" / "lab.db")
    let_go = threading.Timer(1.0, hold.release)
    let_go.start()
    began = time.monotonic()
    assert answer("lab", "log", "--wait", cwd=project) == {"value": []}
    assert time.monotonic() - began > 0.9
    let_go.join()


def test_no_project_no_lab(tmp_path: Path) -> None:
    for verb in ("up", "down", "status", "log"):
        assert "farshore.yaml" in refusal("lab", verb, cwd=tmp_path)["message"]


def test_a_bad_estate_begins_no_lab(project: Path) -> None:
    (project / "estate.json").write_text('[{"name": "no id"}]')
    error = refusal("lab", "up", cwd=project)
    assert error["file"].endswith("estate.json") and error["line"] == 1
    assert not (project / ".farshore" / "lab.db").exists()


# Env. ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ['eval "$({})"', "eval $({})"])
def test_env_is_for_eval_with_quotes_and_without(served: Path, line: str) -> None:
    command = f"{sys.executable} -m farshore.cli lab env"
    script = f'{line.format(command)}; printf "%s\\n" "$FARSHORE_LAB_URL" "$ARM_SUBSCRIPTION_ID" "$SSL_CERT_FILE"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=served, timeout=60, check=True)
    url, subscription, trusted = done.stdout.splitlines()
    assert url == lab_json(served)["url"] and subscription == group_of(served).split("/")[2]
    # The lab's authority is among those that the shell trusts, and not the only one where the machine has others.
    assert (served / ".farshore" / "lab-ca.pem").read_text().strip() in Path(trusted).read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_curl_needs_nothing_but_env(served: Path) -> None:
    script = (
        f'eval "$({sys.executable} -m farshore.cli lab env)"; '
        'curl -sS -H "Authorization: Bearer $FARSHORE_LAB_TOKEN" '
        '"$FARSHORE_LAB_URL/subscriptions/$ARM_SUBSCRIPTION_ID?api-version=2022-12-01"'
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=served, timeout=60, check=True)
    assert json.loads(done.stdout)["subscriptionId"] == group_of(served).split("/")[2]


def test_env_says_what_each_is_and_takes_them_back(served: Path) -> None:
    _, said, _ = farshore("lab", "env", cwd=served)
    variables = answer("lab", "env", cwd=served)
    assert all(f"#   {name} " in said for name in variables)
    assert answer("lab", "env", "--unset", cwd=served) == [name for name in variables if name != "NO_PROXY"]


# Clock, fault, log. --------------------------------------------------------------------------------------------------


def test_the_clock_is_turned_by_hand_and_never_back(served: Path) -> None:
    before = answer("lab", "clock", cwd=served)["now"]
    after = answer("lab", "clock", "--advance", "1h30m", cwd=served)["now"]
    assert after > before and after[14:16] == f"{(int(before[14:16]) + 30) % 60:02d}"
    assert "back" in refusal("lab", "clock", "--to", before, cwd=served)["message"]
    assert refusal("lab", "clock", "--advance", "soon", cwd=served)["remedy"] == "farshore lab clock --help"
    assert "one way" in refusal("lab", "clock", "--advance", "1m", "--next", cwd=served)["message"]


def test_the_pace_is_set_and_kept_in_lab_json(served: Path) -> None:
    try:
        assert answer("lab", "clock", "--speed", "1000", cwd=served)["speed"] == "1000"
        assert lab_json(served)["clock"]["speed"] == "1000"
        for wrong in ("nan", "inf", "0", "-1", "fast"):
            assert refusal("lab", "clock", f"--speed={wrong}", cwd=served)["value"] == wrong
            assert ask(served, "POST", "/_lab/clock", {"speed": wrong})[0] == 400
        assert ask(served, "POST", "/_lab/clock", {"advance_seconds": "soon"})[0] == 400
    finally:
        answer("lab", "clock", "--speed", "hand", cwd=served)


def test_durations_are_shown_changed_and_taken_back(served: Path) -> None:
    try:
        shown = answer("lab", "durations", "connections.put", "60", "--spread", "0", cwd=served)
        row = next(row for row in shown["value"] if row["name"] == "connections.put")
        assert (row["seconds"], row["spread"], row["changed"]) == (60, 0, True)
        _, said, _ = farshore("lab", "durations", "connections", cwd=served)
        assert "connections.put" in said and "changed" in said and "network.put" not in said
        assert refusal("lab", "durations", "conections.put", "60", cwd=served)["message"]
        assert refusal("lab", "durations", "nothing", cwd=served)["remedy"]
        assert refusal("lab", "durations", "--spread", "1", cwd=served)["expected"]
    finally:
        shown = answer("lab", "durations", "--reset", cwd=served)
    assert not any(row["changed"] for row in shown["value"])


def test_the_log_tells_writes_filters_them_and_keeps_no_secret(project: Path) -> None:
    answer("lab", "up", "--speed", "hand", cwd=project)
    scope = f"{group_of(project)}/providers/Microsoft.Network"
    table = {"location": "eastasia", "properties": {"routes": []}}
    ask(project, "PUT", f"{scope}/routeTables/rt-one?api-version=2024-05-01", table)
    ask(project, "PUT", f"{scope}/connections/none?api-version=2024-05-01", {"properties": {"sharedKey": "hush-hush"}})
    ask(project, "DELETE", f"{scope}/routeTables/rt-never?api-version=2024-05-01")
    rows = answer("lab", "log", cwd=project)["value"]
    assert [row["number"] for row in rows] == [0, 1, 2] and "hush-hush" not in json.dumps(rows)
    assert [row["number"] for row in answer("lab", "log", "--since", "1", cwd=project)["value"]] == [1, 2]
    assert [row["number"] for row in answer("lab", "log", "--method", "delete", cwd=project)["value"]] == [2]
    assert [row["number"] for row in answer("lab", "log", "--failed", cwd=project)["value"]] == [1]
    assert [
        row["number"] for row in answer("lab", "log", "--path", "routeTables/", "--last", "1", cwd=project)["value"]
    ] == [2]
    answer("lab", "clock", "--advance", "1h", cwd=project)
    assert answer("lab", "log", "--since", "10m", cwd=project)["value"] == []
    _, said, _ = farshore("lab", "log", "--bodies", cwd=project)
    assert "routeTables/rt-one" in said and "REDACTED" in said and said.rstrip().endswith("3 writes")
    assert "followed" in refusal("lab", "log", "--follow", cwd=project)["message"]
    assert "journal" in refusal("lab", "log", "--since", "lately", cwd=project)["message"]
    with subprocess.Popen(
        interruptible("lab", "log", "--follow", "--since", "2"),
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "DELETE" in process.stdout.readline()
        ask(project, "PUT", f"{scope}/routeTables/rt-two?api-version=2024-05-01", table)
        assert "rt-two" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(20) == 130
        finally:
            process.kill()


def test_who_looks_does_not_move_the_time(project: Path) -> None:
    """At the pace `jump` the same question asked again is a poll, and time goes on to the next event. A verb that looks
    asks the same each time it is called."""
    answer("lab", "up", "--speed", "jump", cwd=project)
    now = answer("lab", "fault", "region", "eastasia", "lost", "--in", "1h", cwd=project)["now"]
    for _ in range(2):
        answer("lab", "status", cwd=project)
        answer("lab", "fault", "machine", "web1", "up", cwd=project)
        answer("estate", "read", cwd=project)
    shown = answer("lab", "fault", cwd=project)
    assert shown["now"] == now and not shown["regions"]
