"""Run command: what a machine is asked from inside is what the data plane says, and what is not run is said to be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from farshore.arm.json import Body
from farshore.run.verbs.check_script import ended, marked
from lab.core.bench import COMPUTE, NETWORK, SUBSCRIPTION, Lab, example_lab, refusal, rid

WEB1 = rid(f"{COMPUTE}/virtualMachines", "web1", group="rg-source")
WEB1_NIC = rid(f"{NETWORK}/networkInterfaces", "web1-nic", group="rg-source")
NVA = rid(f"{COMPUTE}/virtualMachines", "nva", group="rg-source")
SITE, NOBODY = "192.168.4.20", "10.1.0.77"
GUIDE = Path(__file__).parents[3] / "docs/guide/lab.md"


@pytest.fixture
def lab() -> Lab:
    return example_lab()


def windows(lab: Lab) -> None:
    """web1 as a machine with Windows on its disk."""
    body = lab.body(WEB1)
    body["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
    lab.made(WEB1, body)


def asked(lab: Lab, *script: str, kind: str = "RunShellScript", vm: str = WEB1, **more: Any) -> list[Body]:
    answer = lab.post(f"{vm}/runCommand", {"commandId": kind, "script": list(script), **more})
    assert answer.status == 202 and set(answer.headers) >= {"location", "azure-asyncoperation"}, answer.body
    result = answer.headers["location"]
    lab.follow(answer)
    return list(lab.must(lab.get(result)).body["value"])


def told(lab: Lab, *script: str, **more: Any) -> tuple[str, str]:
    """Standard output and standard error of a shell script."""
    [row] = asked(lab, *script, **more)
    assert row["code"] == "ProvisioningState/succeeded"
    found = re.fullmatch(r"Enable succeeded: \n\[stdout\]\n(.*)\n\[stderr\]\n(.*)", row["message"], re.DOTALL)
    assert found is not None, row
    return found[1], found[2]


def test_a_machine_knows_itself(lab: Lab) -> None:
    out, err = told(lab, "# who is it?", "hostname", "ip addr; ip route")
    assert out.startswith("web1\n1: lo:") and not err
    assert "    inet 10.1.0.4/25 scope global eth0\n" in out
    assert "default via 10.1.0.1 dev eth0" in out


def test_a_probe_goes_the_way_of_a_packet(lab: Lab) -> None:
    """The same before and after the gateway has failed as the lab's own packet."""
    script = f"nc -z -w 5 {SITE} 443 && echo reached || echo not reached"
    assert lab.packet(WEB1, SITE)["disposition"] == "Delivered"
    assert told(lab, script) == ("reached\n", "")
    gateway = rid(f"{NETWORK}/virtualNetworkGateways", "ergw-source-hub", group="rg-source")
    lab.fault(kind="gateway", id=gateway, state="down")
    assert lab.packet(WEB1, SITE)["disposition"] != "Delivered"
    assert told(lab, script) == ("not reached\n", "")


def test_a_group_decides_by_port(lab: Lab) -> None:
    place = lab.body(WEB1_NIC)["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    deny(lab, place, "22")
    out, err = told(lab, "nc -zv -w 5 10.1.0.5 443; nc -zv -w 5 10.1.0.5 22", "echo $?")
    assert out == "1\n"
    assert err.splitlines() == [
        "Connection to 10.1.0.5 443 port [tcp/*] succeeded!",
        "nc: connect to 10.1.0.5 port 22 (tcp) failed: Connection timed out",
    ]


def test_what_counts_is_how_things_are_when_the_command_ends(lab: Lab) -> None:
    place = lab.body(WEB1_NIC)["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    answer = lab.post(f"{WEB1}/runCommand", {"commandId": "RunShellScript", "script": ["nc -z 10.1.0.5 443; echo $?"]})
    deny(lab, place, "443")
    lab.follow(answer)
    assert "[stdout]\n1\n" in lab.get(answer.headers["location"]).body["value"][0]["message"]


def deny(lab: Lab, place: str, port: str) -> None:
    group = lab.body(place)["properties"]["networkSecurityGroup"]["id"]
    rule = {"direction": "Outbound", "access": "Deny", "protocol": "*", "priority": 100, "destinationPortRange": port}
    ends = {"sourcePortRange": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}
    lab.must(lab.put(f"{group}/securityRules/quiet", {"properties": rule | ends}))


def test_http_says_who_answers(lab: Lab) -> None:
    assert told(lab, f"curl -sS -m 5 http://{SITE}/", "curl -s http://10.1.0.5")[0] == (
        "answered by datacenter\nanswered by web2\n"
    )
    out, err = told(lab, f"curl -s -o /dev/null -m 3 -w '%{{http_code}}\\n' http://{NOBODY}:8080/", "echo $?")
    assert (out, err) == ("000\n28\n", "")
    assert told(lab, f"curl -m 3 {NOBODY}")[1] == "curl: (28) Connection timed out after 3000 milliseconds\n"


def test_a_name_is_resolved_as_the_command_says(lab: Lab) -> None:
    resolved = "--resolve www.example.com:443:10.1.0.5"
    assert told(lab, f"curl -sk {resolved} https://www.example.com/")[0] == "answered by web2\n"
    assert "no names" in told(lab, f"curl -sk {resolved} http://www.example.com/")[1], "of another port"


@pytest.mark.parametrize(
    ("script", "status"), [("true", 0), ("false", 1), ("exit 7", 7), ("curl -s -m 2 10.1.0.99", 28)]
)
def test_a_trap_tells_how_the_script_ended(lab: Lab, script: str, status: int) -> None:
    out, err = told(lab, *marked(f"hostname\n{script}", "RunShellScript"))
    assert out == f"web1\nfarshore-status {status}\n" and err == ""
    assert ended(out, err, shell=True) == (status, "web1")


def test_ping_and_traceroute_show_who_is_on_the_way(lab: Lab) -> None:
    out, _ = told(lab, f"ping -c 2 {SITE}", f"traceroute -n -m 8 {SITE}", f"ping -c 4 -W 1 {NOBODY} || echo silent")
    assert "2 packets transmitted, 2 received, 0% packet loss" in out
    assert " 1  10.10.10.10\n 2  192.168.4.20\n" in out
    assert out.endswith("4 packets transmitted, 0 received, 100% packet loss\nsilent\n")
    out, _ = told(lab, f"traceroute -n -m 4 {NOBODY}")
    assert out.count("* * *") in (3, 4) and len(out.splitlines()) == 5


def test_where_nobody_can_tell_the_probe_says_so(lab: Lab) -> None:
    body = lab.body(WEB1_NIC)["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    held = lab.body(body)
    del held["properties"]["routeTable"]
    del held["properties"]["networkSecurityGroup"]
    lab.made(body, held)
    out, err = told(lab, "nc -z -w 5 8.8.8.8 443 && echo reached || echo not reached")
    assert out == "not reached\n" and err.startswith("farshore lab: nobody can tell whether 8.8.8.8 answers")


def test_its_own_addresses_answer_at_once(lab: Lab) -> None:
    assert told(lab, "curl -s localhost; curl -s http://10.1.0.4/; nc -z 127.0.0.1 22 && echo up")[0] == (
        "answered by web1\nanswered by web1\nup\n"
    )


@pytest.mark.parametrize(
    "script",
    [
        "ls -l",
        "hostname | cat",
        "hostname > /tmp/a",
        "for i in 1 2; do hostname; done",
        "echo `hostname`",
        "echo $(hostname)",
        "echo '$HOME'",
        "echo $HOME",
        "echo ';'",
        "echo 'open",
        "nc 10.1.0.5 443",
        "nc -z web2 443",
        "nc -z 10.1.0.5 http",
        "curl -X POST http://10.1.0.5",
        "curl ftp://10.1.0.5",
        "curl http://10.1.0.5:99999/",
        "ping -c 0 10.1.0.5",
        "ping",
        "timeout x hostname",
        "timeout 5 ls",
        "bash -c 'rm -r /'",
        "ip link",
        "exit now",
        "trap 'rm -r /' EXIT",
        "trap 'echo $HOME' EXIT",
        "trap 'echo $?' INT",
        "curl --resolve www.example.com http://www.example.com/",
        "hostname\\",
    ],
)
def test_nothing_of_a_script_is_run_that_has_more_in_it(lab: Lab, script: str) -> None:
    out, err = told(lab, "hostname", script)
    assert out == "" and err.startswith("farshore lab: this script is not run here: ")


def test_parameters_are_filled_in(lab: Lab) -> None:
    parameters = [{"name": "target", "value": "10.1.0.5"}, {"name": "port", "value": "443"}]
    assert told(lab, "nc -z $1 $2 && echo $target:$port", parameters=parameters)[0] == "10.1.0.5:443\n"


def test_power_shell_answers_in_two_parts(lab: Lab) -> None:
    windows(lab)
    script = [
        "param([string]$target)",
        "Test-NetConnection -ComputerName $target -Port 443",
        f"Test-NetConnection {NOBODY} -Port 443 -InformationLevel Quiet",
        f"(Test-NetConnection {SITE} -Port 443).TcpTestSucceeded; $env:COMPUTERNAME",
        f"tracert -d {SITE}; ping -n 2 {SITE}; ipconfig",
        "Invoke-WebRequest -UseBasicParsing http://10.1.0.5",
        "Write-Output 'that is all'",
    ]
    out, err = asked(lab, *script, kind="RunPowerShellScript", parameters=[{"name": "target", "value": SITE}])
    assert out["code"] == "ComponentStatus/StdOut/succeeded" and err["code"] == "ComponentStatus/StdErr/succeeded"
    assert err["message"] == "" and out["level"] == "Info"
    text = out["message"].replace("\r\n", "\n")
    assert (
        "RemotePort       : 443\nInterfaceAlias   : Ethernet\nSourceAddress    : 10.1.0.4\nTcpTestSucceeded : True"
        in text
    )
    assert f"WARNING: TCP connect to ({NOBODY} : 443) failed\nFalse\nTrue\nWEB1\n" in text
    assert "  1  10.10.10.10\n  2  192.168.4.20\n" in text and "Received = 2, Lost = 0 (0% loss)" in text
    assert "answered by web2" in text and text.endswith("that is all\n")


@pytest.mark.parametrize(
    "script",
    [
        "Get-Process",
        "Test-NetConnection | Out-Null",
        "Test-NetConnection web2 -Port 443",
        "Test-NetConnection -Port 443",
        "Test-NetConnection 10.1.0.5 -Port many",
        "(Test-NetConnection 10.1.0.5).Nothing",
        "if ($true) { hostname }",
        "Invoke-WebRequest ftp://10.1.0.5",
        "Write-Output $env:PATH",
        "Write-Output 'open",
        "ping -n 0 10.1.0.5",
        "tracert -h x 10.1.0.5",
    ],
)
def test_nothing_of_a_power_shell_script_is_run_that_has_more_in_it(lab: Lab, script: str) -> None:
    windows(lab)
    out, err = asked(lab, "hostname", script, kind="RunPowerShellScript")
    assert out["message"] == "" and err["message"].startswith("farshore lab: this script is not run here: ")


def test_the_guides_texts_are_run() -> None:
    """Every text that the guide says we would send."""
    section = GUIDE.read_text().split("## Asking from inside a machine")[1].split("\n## ")[0]
    shell, power_shell = section.split("and by `RunPowerShellScript`")
    lines = [[line.strip() for line in half.splitlines() if line.startswith("    ")] for half in (shell, power_shell)]
    assert len(lines[0]) > 5 < len(lines[1]) + 1
    lab = example_lab()
    for line in lines[0]:
        out, err = told(lab, line)
        assert out and not err, line
    windows(lab)
    for line in lines[1]:
        out, err = (row["message"] for row in asked(lab, line, kind="RunPowerShellScript"))
        assert out and not err, line


def test_a_machine_must_run_and_runs_one_command_at_a_time(lab: Lab) -> None:
    body = {"commandId": "RunShellScript", "script": ["hostname"]}
    first = lab.post(f"{WEB1}/runCommand", body)
    assert refusal(lab.post(f"{WEB1}/runCommand", body), 409) == "Conflict"
    lab.follow(first)
    lab.follow(lab.post(f"{WEB1}/deallocate"))
    refused = lab.post(f"{WEB1}/runCommand", body)
    assert refusal(refused, 409) == "OperationNotAllowed"
    assert refused.body["error"]["message"] == "The operation requires the VM to be running (or set to run)."
    lab.follow(lab.post(f"{WEB1}/start"))
    second = lab.post(f"{WEB1}/runCommand", body)
    lab.fault(kind="machine", id=WEB1, state="down")
    end = lab.follow(second).body
    assert end["status"] == "Failed" and end["error"]["code"] == "VMAgentStatusCommunicationError"


def test_a_command_has_a_script_of_its_own_to_run_and_to_show(lab: Lab) -> None:
    told = lab.follow(lab.post(f"{WEB1}/runCommand", {"commandId": "RunShellScript"})).body
    assert "sample script" in str(told["properties"]["output"]["value"])
    place = WEB1.partition("/resourceGroups")[0] + "/providers/Microsoft.Compute/locations/eastasia"
    shown = lab.body(f"{place}/runCommands/RunShellScript")
    assert len(shown["script"]) == 1
    assert [sorted(item) for item in shown["parameters"]] == [["name", "required", "type"]] * 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"commandId": "RunPowerShellScript", "script": ["hostname"]}, 400),
        ({"commandId": "IPConfig", "script": ["x"]}, 501),
        ({"script": ["hostname"]}, 400),
        ({"commandId": "RunShellScript", "script": "hostname"}, 400),
        ({"commandId": "RunShellScript", "script": [1]}, 400),
        ({"commandId": None, "script": ["hostname"]}, 400),
        ({"commandId": "RunShellScript", "script": ["hostname"], "parameters": [1]}, 400),
        ({"commandId": "RunShellScript", "script": ["hostname"], "parameters": {"a": 1}}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(lab: Lab, body: Body, status: int) -> None:
    assert refusal(lab.post(f"{WEB1}/runCommand", body), status)
    assert lab.get(f"{WEB1}/runCommands").body["value"] == []


def test_a_run_command_that_is_a_resource_keeps_what_it_wrote(lab: Lab) -> None:
    url = f"{WEB1}/runCommands/probe"
    secret: Body = {"protectedParameters": [{"name": "word", "value": "hidden-word"}], "runAsPassword": "pass-word"}
    source = {"script": f"nc -z -w 5 {SITE} 443 && echo $word; exit 3"}
    body: Body = {"location": "eastasia", "properties": {"source": source, **secret}}
    answer = lab.put(url, body)
    assert answer.status == 201 and "azure-asyncoperation" in answer.headers
    lab.follow(answer)
    shown = lab.properties(url)
    assert shown["source"] == source and "instanceView" not in shown and shown["asyncExecution"] is False
    view = lab.properties(url + "?$expand=instanceView")["instanceView"]
    assert (view["executionState"], view["exitCode"], view["output"], view["error"]) == (
        "Failed",
        3,
        "hidden-word\n",
        "",
    )
    assert view["startTime"] < view["endTime"]
    assert [row["name"] for row in lab.body(f"{WEB1}/runCommands")["value"]] == ["probe"]
    everything = str(lab.body(url)) + str(lab.journal())
    assert "pass-word" not in everything and "'hidden-word'" not in everything
    lab.gone(url)


def test_a_run_command_of_its_own_needs_a_running_machine_and_a_script(lab: Lab) -> None:
    url = f"{WEB1}/runCommands/probe"
    body: Body = {"location": "eastasia", "properties": {"source": {"script": "hostname"}}}
    for source, status in (({}, 400), ({"scriptUri": "https://example.com/a.sh"}, 501)):
        assert refusal(lab.put(url, {**body, "properties": {"source": source}}), status)
    failing = {"source": {"script": "false"}, "treatFailureAsDeploymentFailure": True}
    end = lab.follow(lab.put(url, {**body, "properties": failing})).body
    assert end["status"] == "Failed" and end["error"]["code"] == "VMExtensionProvisioningError"
    lab.follow(lab.post(f"{WEB1}/deallocate"))
    assert refusal(lab.put(url, body), 409) == "OperationNotAllowed"


def test_a_region_tells_which_commands_there_are(lab: Lab) -> None:
    place = f"/subscriptions/{SUBSCRIPTION}/providers/{COMPUTE}/locations"
    rows = lab.body(f"{place}/eastasia/runCommands")["value"]
    assert {(row["id"], row["osType"]) for row in rows} == {
        ("RunShellScript", "Linux"),
        ("RunPowerShellScript", "Windows"),
    }
    assert lab.body(f"{place}/eastasia/runCommands/runshellscript")["label"] == "Executes a Linux shell script"
    assert refusal(lab.get(f"{place}/eastasia/runCommands/Nothing"), 404) == "NotFound"
    assert refusal(lab.get(f"{place}/atlantis/runCommands")) == "InvalidLocation"
