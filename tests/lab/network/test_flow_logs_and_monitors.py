"""Flow logs and connection monitors of a network watcher: what Azure shows of them unasked, and how they are run."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from lab.core.bench import COMPUTE, Lab, machine_body, net, network_body, nic_body, refusal, rid, subnet, vnet

WATCHER = net("watch", kind="networkWatchers")
GROUP = net("doors", kind="networkSecurityGroups")
MACHINE = rid(f"{COMPUTE}/virtualMachines", "press")
STORE = rid("Microsoft.Storage/storageAccounts", "kept")
LOG, MONITOR = f"{WATCHER}/flowLogs/doors", f"{WATCHER}/connectionMonitors/press"
ANALYTICS = "networkWatcherFlowAnalyticsConfiguration"
OLD = "?api-version=2019-06-01"


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    made.must(made.put(WATCHER, {"location": "eastasia"}))
    made.made(GROUP, {"location": "eastasia"})
    made.made(vnet("floor"), network_body("10.8.0.0/24", a="10.8.0.0/25"))
    nic = net("press", kind="networkInterfaces")
    made.made(nic, nic_body(subnet("floor", "a")))
    made.made(MACHINE, machine_body(nic))
    return made


def log_body(**more: object) -> Body:
    return {"location": "eastasia", "properties": {"targetResourceId": GROUP, "storageId": STORE, **more}}


def test_a_flow_log_shows_its_targets_guid_and_what_was_not_said(lab: Lab) -> None:
    shown = lab.made(LOG, log_body())["properties"]
    assert shown["targetResourceGuid"] == lab.properties(GROUP)["resourceGuid"] and "resourceGuid" not in shown
    assert shown["retentionPolicy"] == {"days": 0, "enabled": False} and shown["enabled"] is True
    assert shown["format"] == {"type": "JSON", "version": 1} and shown["flowAnalyticsConfiguration"] == {}


def test_analytics_that_nobody_switched_on_are_off(lab: Lab) -> None:
    sent = {ANALYTICS: {"workspaceId": "w", "trafficAnalyticsInterval": 60}}
    shown = lab.made(LOG, log_body(flowAnalyticsConfiguration=sent, retentionPolicy={"days": 2, "enabled": True}))
    assert shown["properties"]["flowAnalyticsConfiguration"][ANALYTICS]["enabled"] is False
    assert shown["properties"]["retentionPolicy"] == {"days": 2, "enabled": True}
    patched = lab.patch(LOG, {"tags": {"who": "us"}})
    assert patched.status == 200 and patched.body["tags"] == {"who": "us"} and patched.body["location"] == "eastasia"


def test_a_watcher_configures_a_flow_log_at_once_and_tells_of_it(lab: Lab) -> None:
    question = {"targetResourceId": GROUP}
    assert lab.post(f"{WATCHER}/queryFlowLogStatus", question).body["properties"]["enabled"] is False
    sent = {**question, "properties": {"storageId": STORE, "enabled": True}}
    answer = lab.post(f"{WATCHER}/configureFlowLog", sent)
    assert answer.status == 200 and "location" not in answer.headers
    assert answer.body["properties"]["format"] == {"type": "JSON", "version": 1}
    assert "flowAnalyticsConfiguration" not in answer.body
    assert lab.post(f"{WATCHER}/queryFlowLogStatus", question).body == answer.body
    assert refusal(lab.post(f"{WATCHER}/configureFlowLog", question)) == "InvalidRequestFormat"


def single(port: int = 80, **destination: object) -> Body:
    ends = {"source": {"resourceId": MACHINE}, "destination": {"port": port, **destination}}
    return {"location": "eastasia", "properties": {**ends, "monitoringIntervalInSeconds": 30}}


def test_a_monitor_of_one_way_starts_by_itself_and_stops_when_told(lab: Lab) -> None:
    first = lab.put(MONITOR + OLD, single(address="10.8.0.9")).body["properties"]
    assert first["monitoringStatus"] == "NotStarted" and first["autoStart"] is True and "startTime" not in first
    assert first["source"] == {"resourceId": MACHINE, "port": 0}
    lab.wait(minutes=5)
    running = lab.get(MONITOR + OLD).body["properties"]
    assert running["monitoringStatus"] == "Running" and running["startTime"]
    stop = lab.post(f"{MONITOR}/stop")
    assert stop.status == 202 and lab.follow(stop).body == {"status": "Succeeded", "properties": {}}
    assert lab.get(MONITOR + OLD).body["properties"]["monitoringStatus"] == "Stopped"
    start = lab.post(f"{MONITOR}/start")
    assert start.status == 200 and set(start.headers) >= {"azure-asyncoperation", "location"}
    lab.follow(start)
    assert lab.get(MONITOR + OLD).body["properties"]["monitoringStatus"] == "Running"
    lab.gone(MONITOR)


def test_a_monitor_of_one_way_is_endpoints_to_who_knows_them(lab: Lab) -> None:
    lab.made(MONITOR + OLD, single(address="10.8.0.9"))
    shown = lab.get(MONITOR + "?api-version=2020-04-01").body["properties"]
    assert shown["connectionMonitorType"] == "SingleSourceDestination" and "source" not in shown
    assert [row["name"] for row in shown["endpoints"]] == ["defaultSourceEndpoint", "defaultDestinationEndpoint"]
    assert shown["testConfigurations"][0]["testFrequencySec"] == 30
    assert shown["testGroups"][0]["destinations"] == ["defaultDestinationEndpoint"]


def test_a_monitor_tells_the_way_as_it_is_now(lab: Lab) -> None:
    lab.made(MONITOR + OLD, single(address="10.8.0.9"))
    asked = lab.post(f"{MONITOR}/query")
    assert asked.status == 202 and "azure-asyncoperation" not in asked.headers
    found = lab.follow(asked).body
    [state] = found["states"]
    assert found["sourceStatus"] == "Active" and state["connectionState"] in ("Reachable", "Unreachable", "Unknown")
    assert [hop["type"] for hop in state["hops"]] == ["Source", "Destination"]
    assert set(state["hops"][0]["links"][0]) == {"nextHopId", "type", "properties", "context", "issues", "resourceId"}


def test_a_monitor_of_endpoints_shows_what_its_tests_leave_open(lab: Lab) -> None:
    ends = [{"name": "press", "resourceId": MACHINE}, {"name": "far", "address": "example.com"}]
    tests = [{"name": "door", "testFrequencySec": 60, "protocol": "Tcp", "tcpConfiguration": {"port": 443}}]
    groups = [{"name": "all", "testConfigurations": ["door"], "sources": ["press"], "destinations": ["far"]}]
    sent = {"endpoints": ends, "testConfigurations": tests, "testGroups": groups}
    shown = lab.made(MONITOR, {"location": "eastasia", "properties": sent})["properties"]
    assert shown["connectionMonitorType"] == "MultiEndpoint" and shown["outputs"] == [] and shown["startTime"]
    assert shown["testConfigurations"][0]["tcpConfiguration"]["disableTraceRoute"] is False
    assert shown["testGroups"][0]["disable"] is False and "monitoringStatus" not in shown


def test_a_monitor_of_one_way_needs_both_ends(lab: Lab) -> None:
    assert refusal(lab.put(MONITOR + OLD, single())) == "InvalidRequestFormat"
