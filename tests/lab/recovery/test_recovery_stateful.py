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
    POLICY,
    SOURCE,
    TARGET,
    VAULT,
    disk_id,
    fabric,
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
VERBS = {
    "Commit": "failoverCommit",
    "ChangePit": "applyRecoveryPoint",
    "DisableProtection": "remove",
    "TestFailoverCleanup": "testFailoverCleanup",
    "CompleteMigration": "completeMigration",
    "Enable": "",
    "ReverseReplicate": "",
    "UnplannedFailover": "",
    "TestFailover": "",
}
DISKS = "Microsoft.Compute/disks"
pause = st.sampled_from([0, 0, 1, 7, 20, 45, 100, 300, 900, 4000, 20000])
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
    @initialize(seed=st.integers(1, 1000), further=st.sampled_from(["nothing", "protected", "tested", "moved", "home"]))
    def begin(self, seed: int, further: str) -> None:
        """Some begin further down the road: random steps alone seldom get there."""
        self.world = world = World(*MACHINES, seed=seed, vault_in="japaneast")
        if further == "nothing":
            return
        world.protect(*MACHINES)
        groups = [{"groupType": "Boot", "replicationProtectedItems": [{"id": item_id(each)}]} for each in MACHINES]
        groups[1]["startGroupActions"] = [manual("UnplannedFailover", "TestFailover")]
        ends = {"primaryFabricId": fabric(HOME), "recoveryFabricId": fabric(AWAY)}
        world.succeeds(world.send("PUT", plan_id("plan"), {"properties": {**ends, "groups": groups}}))
        if further == "tested":
            for each in MACHINES:
                world.succeeds(world.test(each))
        if further in ("moved", "home"):
            for each in MACHINES:
                world.fail_over(each)
        if further == "home":
            world.succeeds(world.switch("web1"))
            world.succeeds(world.reprotect("file1"))
            world.wait(hours=2)

    def heard(self, answer: Response) -> None:
        """An answer is a yes, or a no with a code."""
        if answer.status >= 400:
            assert answer.status in (400, 403, 404, 409, 412, 501, 503), answer
            assert answer.body["error"]["code"], answer

    # Verbs. ----------------------------------------------------------------------------------------------------------

    @rule(data=st.data(), pause=pause)
    def do_what_is_allowed(self, data: st.DataObject, pause: int) -> None:
        """One of the operations that an item offers now, or enabling of a machine that has no item."""
        offers: list[tuple[str, str, str]] = []
        for each in MACHINES:
            there = [here for here in REGIONS if self.world.exists(item_id(each, here))]
            offers += [(each, here, verb) for here in there for verb in sorted(self.world.allowed(each, here))]
            offers += [] if there else [(each, HOME, "Enable")]
        if offers:
            self.do(*data.draw(st.sampled_from(offers)), data)
            self.world.wait(pause)

    @rule(data=st.data(), name=name, here=region, verb=st.sampled_from([*VERBS]))
    def do_what_may_not_be_allowed(self, data: st.DataObject, name: str, here: str, verb: str) -> None:
        self.do(name, here, verb, data)

    def do(self, name: str, here: str, verb: str, data: st.DataObject) -> None:
        world = self.world
        away = AWAY if here == HOME else HOME
        if verb == "Enable":
            if self.can_be_read(vm_id(name), HOME):
                self.heard(world.enable(name))
        elif verb == "ReverseReplicate":
            record = records.get(world.cloud, item_id(name, here))
            runs_at = here if record is not None and record["direction"] == "RecoveryToPrimary" else away
            group = SOURCE if runs_at == HOME else TARGET
            if self.can_be_read(vm_id(name, group), runs_at):
                begin = world.switch if name == "web1" else world.reprotect
                self.heard(begin(name, runs_at, AWAY if runs_at == HOME else HOME))
        elif verb == "UnplannedFailover":
            direction = data.draw(st.sampled_from(["PrimaryToRecovery", "PrimaryToRecovery", "RecoveryToPrimary"]))
            shutdown = data.draw(st.booleans())
            self.heard(world.failover(name, shutdown=shutdown, region=here, direction=direction))
        elif verb == "TestFailover":
            networks = ["vnet-drill", "vnet-drill", "vnet-target", "vnet-source"]
            self.heard(world.test(name, network=data.draw(st.sampled_from(networks)), region=here))
        else:
            self.heard(world.verb(name, VERBS[verb], {"recoveryPointId": None}, here))

    def can_be_read(self, vm: str, region: str) -> bool:
        """A client that asks for what is lost or gone hears that before it comes to Site Recovery."""
        return self.world.cloud.exists(resource_id(vm)) and not self.world.cloud.is_lost(region)

    @rule(
        verb=st.sampled_from(["unplannedFailover", "testFailover", "failoverCommit", "testFailoverCleanup"]),
        pause=pause,
    )
    def run_plan(self, verb: str, pause: int) -> None:
        body = {"failoverDirection": "PrimaryToRecovery", "networkId": network_id("vnet-drill")}
        self.heard(self.world.send("POST", f"{plan_id('plan')}/{verb}", {"properties": body}))
        self.world.wait(pause)

    @rule(verb=st.sampled_from(["resume", "cancel", "restart"]), pause=pause)
    def handle_a_job(self, verb: str, pause: int) -> None:
        wanted = {"resume": "Suspended", "cancel": "Suspended", "restart": "Failed"}[verb]
        rows = [row for row in self.jobs() if row["properties"]["state"] == wanted]
        if rows:
            path = f"{VAULT}/replicationJobs/{rows[-1]['name']}/{verb}"
            self.heard(self.world.send("POST", path, {"properties": {}}))
            self.world.wait(pause)

    @rule(history=st.sampled_from([0, 60, 1440]))
    def change_the_policy(self, history: int) -> None:
        said = {"instanceType": "A2A", "recoveryPointHistory": history}
        self.heard(self.world.send("PATCH", POLICY, {"properties": {"replicationProviderSettings": said}}))

    # The world. ------------------------------------------------------------------------------------------------------

    @rule(pause=pause)
    def wait(self, pause: int) -> None:
        self.world.wait(pause)

    @rule(region=region, seconds=pause)
    def a_region_goes(self, region: str, seconds: int) -> None:
        self.world.fault(region, "lost")
        self.world.wait(seconds)

    @rule(region=region, seconds=pause)
    def a_region_comes(self, region: str, seconds: int) -> None:
        self.world.fault(region, "returned")
        self.world.wait(seconds)

    @rule(data=st.data(), pause=pause)
    def delete(self, data: st.DataObject, pause: int) -> None:
        """Something that is there: a machine, a disk, an account, a network, a mapping, the plan."""
        there = [what for what in UNDER if self.world.cloud.exists(resource_id(what))]
        if there:
            self.heard(self.world.send("DELETE", data.draw(st.sampled_from(there))))
            self.world.wait(pause)

    @rule(data=st.data(), seconds=st.sampled_from([300, 3000]))
    def read_by_sas(self, data: st.DataObject, seconds: int) -> None:
        there = [str(body["id"]) for body in self.world.cloud.of_type(DISKS)]
        if there:
            body = {"access": "Read", "durationInSeconds": seconds}
            self.heard(self.world.send("POST", f"{data.draw(st.sampled_from(there))}/beginGetAccess", body))
            self.world.wait(20)

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
        for body in cloud.of_type(DISKS):
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
TestAnyOrder.settings = settings(max_examples=30, stateful_step_count=30, deadline=None, derandomize=True)
