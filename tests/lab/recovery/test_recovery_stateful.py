"""Anything in any order: verbs, faults, deletions and the clock, and the cloud stays sound.

Two machines, one with managed disks and one with blobs, in a vault that is in neither of their regions. Hypothesis
chooses what is asked, what is lost, what is deleted under the service, and how much time passes. After every step:

- nothing has been raised, and whatever was refused has a code;
- an item and its record are there together, and what holds an item is an operation that runs;
- a job has ended or its operation runs; an ended one has no open task;
- an item in passage (enabling, failing over, committing, reprotecting) is held by a job, so it will get out of it;
- disks and NICs name the machine that names them, and no two of one subnet have one address.

At the end both regions return and a day passes: every job has ended unless it waits for a person, and something can
be done with every item.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from farshore.arm.http import Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab import operations
from farshore.lab.compute import attached
from farshore.lab.recovery import records
from farshore.lab.recovery.states import Phase
from lab.recovery.estate import (
    AWAY,
    BLOBS,
    CACHES,
    HOME,
    SOURCE,
    TARGET,
    VAULT,
    disk_id,
    item_id,
    mapping,
    network_id,
    nic_id,
    plan_id,
    vm_id,
)
from lab.recovery.plans import manual
from lab.recovery.world import World

MACHINES = ("web1", "file1")
REGIONS = (HOME, AWAY)
IN_PASSAGE = (Phase.ENABLING, Phase.FAILING_OVER, Phase.COMMITTING, Phase.REPROTECTING)
name = st.sampled_from(MACHINES)
region = st.sampled_from(REGIONS)
UNDER = [
    *CACHES.values(),
    *BLOBS.values(),
    *[vm_id(each, group) for each in MACHINES for group in (SOURCE, TARGET)],
    *[vm_id(f"{each}-test", TARGET) for each in MACHINES],
    *[nic_id(f"{each}-nic", group) for each in MACHINES for group in (SOURCE, TARGET)],
    *[disk_id(f"web1-data{suffix}", group) for suffix in ("", "-ASRReplica", "-ASRtest") for group in (SOURCE, TARGET)],
    *[network_id(each) for each in ("vnet-source", "vnet-target", "vnet-drill")],
    *[mapping(each) for each in REGIONS],
    plan_id("plan"),
]


class AnyOrder(RuleBasedStateMachine):
    @initialize(seed=st.integers(1, 1000), further=st.sampled_from(["nothing", "protected", "failed over", "returned"]))
    def begin(self, seed: int, further: str) -> None:
        """Some begin further down the road: random steps alone seldom get there."""
        self.world = world = World(*MACHINES, seed=seed, vault_in="japaneast")
        if further == "nothing":
            return
        world.protect(*MACHINES)
        groups = [{"groupType": "Boot", "replicationProtectedItems": [{"id": item_id(each)}]} for each in MACHINES]
        groups[1]["startGroupActions"] = [manual("UnplannedFailover", "TestFailover")]
        ends = {"primaryFabricId": f"{VAULT}/replicationFabrics/fabric-{HOME}"}
        ends["recoveryFabricId"] = f"{VAULT}/replicationFabrics/fabric-{AWAY}"
        world.succeeds(world.send("PUT", plan_id("plan"), {"properties": {**ends, "groups": groups}}))
        if further == "protected":
            return
        for each in MACHINES:
            world.fail_over(each)
        if further == "returned":
            world.succeeds(world.switch("web1"))
            world.succeeds(world.reprotect("file1"))
            world.wait(hours=2)

    def heard(self, answer: Response) -> None:
        """An answer is a yes, or a no with a code."""
        if answer.status >= 400:
            assert answer.status in (400, 403, 404, 409, 412, 501, 503), answer
            assert answer.body["error"]["code"], answer

    # Verbs. ----------------------------------------------------------------------------------------------------------

    @rule(name=name)
    def enable(self, name: str) -> None:
        machine = self.world.cloud.body(vm_id(name))
        if machine is not None and not self.world.cloud.is_lost(HOME):
            self.heard(self.world.enable(name))

    @rule(name=name, region=region)
    def disable(self, name: str, region: str) -> None:
        self.heard(self.world.send("DELETE", item_id(name, region)))

    @rule(name=name, region=region, shutdown=st.booleans(), back=st.booleans())
    def fail_over(self, name: str, region: str, shutdown: bool, back: bool) -> None:
        direction = "RecoveryToPrimary" if back else "PrimaryToRecovery"
        self.heard(self.world.failover(name, shutdown=shutdown, region=region, direction=direction))

    @rule(name=name, region=region, network=st.sampled_from(["vnet-drill", "vnet-target", "vnet-source"]))
    def test(self, name: str, region: str, network: str) -> None:
        self.heard(self.world.test(name, network=network, region=region))

    @rule(
        name=name,
        region=region,
        verb=st.sampled_from(["testFailoverCleanup", "failoverCommit", "applyRecoveryPoint", "failoverCommit"]),
    )
    def go_on(self, name: str, region: str, verb: str) -> None:
        self.heard(self.world.verb(name, verb, {"recoveryPointId": None}, region))

    @rule(name=name, here=region)
    def reprotect(self, name: str, here: str) -> None:
        there = AWAY if here == HOME else HOME
        where = TARGET if here == AWAY else SOURCE
        if self.world.cloud.body(vm_id(name, where)) is None or self.world.cloud.is_lost(here):
            return
        verb = self.world.switch if name == "web1" else self.world.reprotect
        self.heard(verb(name, here, there))

    @rule(verb=st.sampled_from(["unplannedFailover", "testFailover", "failoverCommit", "testFailoverCleanup"]))
    def run_plan(self, verb: str) -> None:
        body = {"failoverDirection": "PrimaryToRecovery", "networkId": network_id("vnet-drill")}
        self.heard(self.world.send("POST", f"{plan_id('plan')}/{verb}", {"properties": body}))

    @rule(verb=st.sampled_from(["resume", "cancel", "restart"]))
    def handle_a_job(self, verb: str) -> None:
        wanted = {"resume": "Suspended", "cancel": "Suspended", "restart": "Failed"}[verb]
        rows = [row for row in self.jobs() if row["properties"]["state"] == wanted]
        if rows:
            path = f"{VAULT}/replicationJobs/{rows[-1]['name']}/{verb}"
            self.heard(self.world.send("POST", path, {"properties": {}}))

    @rule(history=st.sampled_from([0, 60, 1440]))
    def change_the_policy(self, history: int) -> None:
        settings_ = {"instanceType": "A2A", "recoveryPointHistory": history}
        policy = f"{VAULT}/replicationPolicies/policy"
        self.heard(self.world.send("PATCH", policy, {"properties": {"replicationProviderSettings": settings_}}))

    # The world. ------------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 7, 20, 45, 100, 300, 900, 4000, 20000]))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds)

    @rule(region=region, state=st.sampled_from(["lost", "returned"]))
    def region_goes_or_comes(self, region: str, state: str) -> None:
        self.world.fault(region, state)

    @rule(what=st.sampled_from(UNDER))
    def delete(self, what: str) -> None:
        self.heard(self.world.send("DELETE", what))

    @rule(disk=st.sampled_from([each for each in UNDER if "/disks/" in each]))
    def read_by_sas(self, disk: str) -> None:
        self.heard(self.world.send("POST", f"{disk}/beginGetAccess", {"access": "Read", "durationInSeconds": 3000}))

    @rule(name=name, group=st.sampled_from([SOURCE, TARGET]), verb=st.sampled_from(["start", "deallocate", "powerOff"]))
    def power(self, name: str, group: str, verb: str) -> None:
        self.heard(self.world.send("POST", f"{vm_id(name, group)}/{verb}"))

    @rule(account=st.sampled_from([*CACHES.items(), *BLOBS.items()]))
    def make_an_account_again(self, account: tuple[str, str]) -> None:
        where, path = account
        body = {"location": where, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}
        self.heard(self.world.send("PUT", path, body))

    @rule()
    @precondition(lambda self: not self.world.cloud.exists(resource_id(network_id("vnet-target"))))
    def make_the_network_again(self) -> None:
        subnets = [{"name": "app", "properties": {"addressPrefix": "10.1.0.0/24"}}]
        properties = {"addressSpace": {"addressPrefixes": ["10.1.0.0/24"]}, "subnets": subnets}
        body = {"location": AWAY, "properties": properties}
        self.heard(self.world.send("PUT", network_id("vnet-target"), body))

    # What always holds. ----------------------------------------------------------------------------------------------

    def jobs(self) -> list[Body]:
        return list(self.world.cloud.table("recovery.jobs").values())

    @invariant()
    def jobs_end_with_their_operations(self) -> None:
        if not hasattr(self, "world"):
            return
        for row in self.jobs():
            job = row["properties"]
            operation = operations.find(self.world.cloud, row["name"])
            assert operation is not None
            assert (job["endTime"] is None) == operation.running, (job["scenarioName"], job["state"], operation.status)
            assert (job["endTime"] is None) == (job["state"] in ("InProgress", "Suspended"))

    @invariant()
    def items_are_whole(self) -> None:
        if not hasattr(self, "world"):
            return
        cloud = self.world.cloud
        bodies = {str(body["id"]).lower() for body in cloud.of_type(records_type())}
        assert bodies == set(cloud.table(records.TABLE))
        for item, record in records.items(cloud):
            held = operations.busy(cloud, item)
            if records.phase_of(record) in IN_PASSAGE and not self.waits_for_a_plan(record):
                assert held is not None, (item.name, record["phase"])
            shown = cloud.show(item)
            assert shown is not None
            if held is None:
                scenario = shown["properties"]["currentScenario"]["scenarioName"]
                assert scenario == "None" or self.waits_for_a_plan(record), scenario
            if record["phase"] == Phase.TEST_PENDING:
                assert record["test"] is not None and record["test"]["vm"]

    def waits_for_a_plan(self, record: Body) -> bool:
        """Made by a plan that was cancelled, and about to start."""
        state = record["failover"] or record["test"] or {}
        job = self.world.cloud.table("recovery.jobs").get(str(state.get("job")))
        return job is not None and job["properties"]["state"] == "Cancelled"

    @invariant()
    def machines_have_what_they_name(self) -> None:
        if not hasattr(self, "world"):
            return
        cloud = self.world.cloud
        taken: Counter[tuple[str, str]] = Counter()
        for body in cloud.of_type(attached.NETWORK_INTERFACES):
            owner = body["properties"].get("virtualMachine")
            if owner:
                machine = cloud.body(owner["id"])
                assert machine is not None, body["id"]
                assert str(body["id"]).lower() in [nic.key for nic in attached.nics(machine)]
            for config in body["properties"]["ipConfigurations"]:
                found = config["properties"]
                taken[(str(found["subnet"]["id"]).lower(), found["privateIPAddress"])] += 1
        assert all(count == 1 for count in taken.values()), taken
        for body in cloud.of_type("Microsoft.Compute/disks"):
            if body.get("managedBy"):
                machine = cloud.body(body["managedBy"])
                assert machine is not None, body["id"]
                assert str(body["id"]).lower() in [name.lower() for name in attached.disk_names(machine)]
            assert str(body["id"]).lower() in cloud.table("volume_names"), body["id"]

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        for each in REGIONS:
            self.world.fault(each, "returned")
        self.world.wait(hours=24)
        for row in self.jobs():
            assert row["properties"]["state"] != "InProgress", row["properties"]
        for body in self.world.cloud.of_type(records_type()):
            shown = self.world.cloud.show(resource_id(str(body["id"])))
            assert shown is not None
            held = operations.busy(self.world.cloud, resource_id(str(body["id"])))
            assert shown["properties"]["allowedOperations"] or held is not None, shown["properties"]["protectionState"]


def records_type() -> str:
    return resource_id(item_id("x")).type


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
