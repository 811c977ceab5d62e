"""One of everything: an estate that has a resource of each type which can be made, and a story behind it.

It is built through requests, as a client would build it, once a session, into a file; every example of a fuzz test
begins with a copy of that file. The journal of the building tells what sensible requests look like: `SENT` bodies are
those that were accepted, by method and by what they were sent to.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from uuid import UUID

from farshore import examples
from farshore.arm.json import Body
from farshore.lab import Cloud, open_lab, registry
from farshore.lab.kept import Kept
from farshore.lab.sites import keep
from lab.authorization.callers import AT_SUBSCRIPTION, READER, assignment, granted, role_id
from lab.automation.account import Automation
from lab.core.bench import COMPUTE, GROUP, SUBSCRIPTION, Lab, net, network_body, rid, vnet
from lab.core.kinds import CIRCUIT, KINDS, PEERING
from lab.recovery.estate import (
    AWAY,
    HOME,
    POLICY,
    VAULT,
    container,
    disk_id,
    fabric,
    item_id,
    network_id,
    plan_id,
)
from lab.recovery.plans import manual
from lab.recovery.test_recovery_intents import intent
from lab.recovery.world import BEGIN, World
from lab.resources.deployed import GROUP_ID, deployment, ip, sent, template

CLUSTER = f"{container(HOME)}/replicationProtectionClusters/pair"
NEAR_PEERING, FAR_PEERING = (
    net(name, kind="expressRouteCircuits") + "/peerings/AzurePrivatePeering" for name in ("er", "far")
)
A2A = {"instanceType": "A2A"}
SECRET = "a-secret-of-the-test"


@functools.cache
def folder() -> Path:
    """Where the estate and its copies lie; it goes with the process."""
    held = tempfile.TemporaryDirectory(prefix="farshore-fuzz-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
    _HELD.append(held)
    return Path(held.name)


MEMORY = "/dev/shm"
"""Where files lie in memory, on Linux: thousands of labs are opened and closed."""
_HELD: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def template_file() -> Path:
    path = folder() / "whole.db"
    world = World("free", "tested", "waiting", "moved", "filemoved", "node", "intended", path=path)
    keep(world.cloud, examples.read("two-circuits-two-locations")[1].sites)
    bench = OnBench(world)
    _networks(bench)
    _beside(bench)
    _recovery(world)
    _shapes(bench)
    bench.must(bench.post(f"{disk_id('free-os')}/beginGetAccess", {"access": "Read", "durationInSeconds": 864_000}))
    world.wait(minutes=1)
    world.cloud.store.close()
    return path


def fresh(name: str = "copy") -> Cloud:
    """The estate again, in a file of its own; whoever opened the one of that name before has closed it."""
    path = folder() / f"{name}.db"
    for tail in ("", "-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    shutil.copyfile(template_file(), path)
    return open_lab(path, now=BEGIN)


class OnBench(Lab):
    """The bench's short verbs, on the lab of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cloud = world.cloud
        self.turn = threading.RLock()
        self.must(self.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", {"location": "eastasia"}))

    @property
    def now(self) -> datetime:
        return self.world.now

    @now.setter
    def now(self, now: datetime) -> None:
        self.world.now = now


def _networks(bench: OnBench) -> None:
    for kind in KINDS.values():
        kind.before(bench)
        answer = bench.put(kind.url, kind.body)
        if answer.ok:
            bench.follow(answer)
    balancer = bench.body(net("lb", kind="loadBalancers"))
    front = {"id": f"{balancer['id']}/frontendIPConfigurations/front"}
    nat = {"frontendIPConfiguration": front, "protocol": "Tcp", "frontendPort": 2222, "backendPort": 22}
    balancer["properties"]["inboundNatRules"] = [{"name": "ssh", "properties": nat}]
    bench.made(balancer["id"], balancer)
    server = net("server", kind="virtualHubs")
    bench.made(vnet("served"), network_body("10.50.0.0/24", RouteServerSubnet="10.50.0.0/27", nva="10.50.0.64/27"))
    bench.made(server, {"location": "eastasia", "properties": {"sku": "Standard"}})
    place = {"subnet": {"id": vnet("served", "subnets", "RouteServerSubnet")}}
    bench.made(f"{server}/ipConfigurations/one", {"properties": place})
    bench.made(f"{server}/bgpConnections/nva", {"properties": {"peerIp": "10.50.0.68", "peerAsn": 65001}})
    provider = {**CIRCUIT["properties"]["serviceProviderProperties"], "peeringLocation": "Singapore"}
    bench.made(
        net("far", kind="expressRouteCircuits"), {**CIRCUIT, "properties": {"serviceProviderProperties": provider}}
    )
    bench.made(FAR_PEERING, PEERING)
    reach = {"peerExpressRouteCircuitPeering": {"id": FAR_PEERING}, "addressPrefix": "172.31.0.0/29"}
    bench.made(f"{NEAR_PEERING}/connections/reach", {"properties": reach})
    machine = rid(f"{COMPUTE}/virtualMachines", "vm")
    agent = {"publisher": "Contoso.Tools", "type": "Meter", "typeHandlerVersion": "2.1", "settings": {"rate": 3}}
    bench.made(f"{machine}/extensions/meter", {"location": "eastasia", "properties": agent})
    system = {"osType": "Linux", "osState": "Generalized", "snapshot": {"id": KINDS["snapshot"].url}}
    image = {"location": "eastasia", "properties": {"storageProfile": {"osDisk": system}}}
    bench.made(rid(f"{COMPUTE}/images", "golden"), image)


def _beside(bench: OnBench) -> None:
    """What is made beside networks and machines: locks, roles, tags, deployments, a runbook and its job."""
    made = Automation(bench)
    made.runbook("book", "print('hello')")
    made.start("book")
    made.asset("webhooks", "hook", runbook={"name": "book"}, expiryTime="2031-01-01T00:00:00Z")
    made.asset("variables", "size", value='"3"', isEncrypted=False)
    made.asset("credentials", "login", userName="lab", password=SECRET)
    often = {"frequency": "Day", "interval": 1, "startTime": "2026-04-01T08:00:00Z"}
    made.asset("schedules", "daily", **often)
    made.asset("jobSchedules", str(UUID(int=1)), runbook={"name": "book"}, schedule={"name": "daily"})
    for kind in ("modules", "python2Packages", "python3Packages", "powerShell72Modules", "runtimeEnvironments"):
        made.asset(kind, "one", contentLink={"uri": "https://lab/x.zip"})
    for scope in (GROUP_ID, AT_SUBSCRIPTION):
        bench.must(
            bench.put(f"{scope}/providers/Microsoft.Resources/tags/default", {"properties": {"tags": {"a": "b"}}})
        )
    bench.must(bench.put(assignment(GROUP_ID), granted(READER, "Reader")))
    role = {"roleName": "Own", "assignableScopes": [AT_SUBSCRIPTION], "permissions": [{"actions": ["*"]}]}
    bench.must(bench.put(role_id("Reader")[:-1] + "0", {"properties": role}))
    bench.follow(bench.put(deployment(), sent(template(ip("deployed")))))
    at = f"{AT_SUBSCRIPTION}/providers/Microsoft.Resources/deployments/above"
    bench.follow(bench.put(at, sent(template(), location="eastasia")))
    for action in ("validate", "whatIf", "exportTemplate"):
        bench.must(bench.post(f"{deployment()}/{action}", sent(template(ip("deployed")))))
    bench.made(vnet("kept"), network_body("10.77.0.0/24"))
    lock = f"{vnet('kept')}/providers/Microsoft.Authorization/locks/keep"
    bench.must(bench.put(lock, {"properties": {"level": "CanNotDelete", "notes": "x"}}))


def _shapes(bench: OnBench) -> None:
    """One of each type that is shape only: the bodies are nobody's business; parents stand before their children."""
    shapes = [each for each in registry.TYPES.values() if each.shape_only]
    for kind in sorted(shapes, key=lambda each: each.type.count("/")):
        if bench.cloud.of_type(kind.type):
            continue
        parent, _, last = kind.type.rpartition("/")
        above = str(bench.cloud.of_type(parent)[0]["id"]) if "/" in parent else f"{GROUP_ID}/providers/{parent}"
        born = isinstance(kind, Kept) and kind.kind.born is not None
        bench.made(f"{above}/{last}/{'default' if born else 'one'}", {"location": "eastasia", "properties": {}})


def _recovery(world: World) -> None:
    """Machines under protection, each further down the road; what is undone again has been in the journal."""
    cluster = {"policyId": POLICY, "recoveryContainerId": container(AWAY), "providerSpecificDetails": A2A}
    world.succeeds(world.send("PUT", CLUSTER, {"properties": cluster}))
    for answer in [
        *(world.enable(name) for name in ("free", "tested", "waiting", "moved", "filemoved")),
        world.enable("node", protectionClusterId=CLUSTER),
        world.send("PUT", f"{VAULT}/replicationProtectionIntents/intent", intent("intended")),
    ]:
        assert answer.ok, answer
    world.wait(hours=1)
    world.succeeds(world.verb("free", "remove", {"disableProtectionReason": "NotSpecified"}))
    world.succeeds(world.test("tested"))
    world.succeeds(world.failover("moved"))
    world.fail_over("filemoved")
    ends = {"primaryFabricId": fabric(HOME), "recoveryFabricId": fabric(AWAY)}
    boot: Body = {"groupType": "Boot", "replicationProtectedItems": [{"id": item_id("waiting")}]}
    boot["startGroupActions"] = [manual("UnplannedFailover", "TestFailover")]
    world.succeeds(world.send("PUT", plan_id("plan"), {"properties": {**ends, "groups": [boot]}}))
    run = {"failoverDirection": "PrimaryToRecovery", "sourceSiteOperations": "NotRequired"}
    assert world.send("POST", f"{plan_id('plan')}/unplannedFailover", {"properties": run}).ok
    for name in ("unplannedFailover", "testFailover", "failoverCommit", "testFailoverCleanup", "applyRecoveryPoint"):
        point: Body = {"recoveryPointId": None, "clusterRecoveryPointId": None, "individualNodeRecoveryPoints": []}
        body = {**run, "networkId": network_id("vnet-drill"), "providerSpecificDetails": {**A2A, **point}}
        for of in (plan_id("plan"), CLUSTER, item_id("intended")):
            # Refused, most of them: it is the journal that is to have them.
            world.send("POST", f"{of}/{name}", {"properties": {**body, "networkType": "VmNetworkAsInput"}})
    world.wait(minutes=20)
    for name, properties in (
        ("replicationAlertSettings/alert", {"sendToOwners": "Send", "locale": "en"}),
        ("replicationVaultSettings/default", {"migrationSolutionId": "x"}),
        ("extendedInformation/vaultExtendedInfo", {"integrityKey": "x"}),
    ):
        assert world.send("PUT", f"{VAULT}/{name}", {"properties": properties}).ok
