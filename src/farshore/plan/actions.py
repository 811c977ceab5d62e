"""The verbs a step can use, and the arguments each takes: the agreement between planner and run.

Every function here returns an `Action`; `run/verbs/` has one file for each verb, with how it looks, acts, follows
and verifies. Arguments are JSON values, so that a plan is a file and a run reads nothing else. Ids are texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.arm.versions import api_version
from farshore.estate.checks import Http
from farshore.estate.outside import Router
from farshore.estate.project import Approvals
from farshore.plan.model import Action


def put(body: Body) -> Action:
    """Create or correct one resource. Done when a GET shows everything that the body says (what it does not say is
    kept: read, merged, written; `plan/merge.py` has both) and `provisioningState` Succeeded.

    Site Recovery's own objects answer in another shape than they are sent (a policy's `providerSpecificInput` comes
    back as `providerSpecificDetails`): those are written as they are, and compared where the answer has the same
    words."""
    id_ = ResourceId(body["id"])
    return Action(verb="put", arguments={"id": id_.text, "api_version": api_version(id_.type), "body": body})


def delete(id_: ResourceId, *, attempts: int = 3) -> Action:
    """Delete one resource; done when a GET answers 404. `attempts`: how often a refusal or silence is tried again,
    20 seconds apart, before the step has failed (a `may_fail` step then leaves its obligation, D62)."""
    arguments = {"id": id_.text, "api_version": api_version(id_.type), "attempts": attempts}
    return Action(verb="delete", arguments=arguments)


def enable_replication(item: ResourceId, vm: ResourceId, properties: Mapping[str, Any]) -> Action:
    """PUT a protected item (S12) and wait until it is Protected (S11, S18)."""
    return Action(
        verb="enable_replication",
        arguments={"id": item.text, "vm": vm.text, "properties": dict(properties)},
    )


def configure_item(item: ResourceId, properties: Mapping[str, Any]) -> Action:
    """PATCH a protected item (S13): names, size, network, each NIC's subnet and address (D68).

    `vmNics[].nicId` holds the NIC's ARM id here; the item knows its NICs by ids of its own, so the run reads the item
    and puts in the `nicId` of the entry whose `sourceNicArmId` is that NIC (recorded)."""
    return Action(verb="configure_item", arguments={"id": item.text, "properties": dict(properties)})


def test_failover(item: ResourceId, network: ResourceId, vm: ResourceId) -> Action:
    """S14. `vm` is the test machine's id to expect (`<name>-test`). Done when the job waits for cleanup and the
    machine runs."""
    return Action(verb="test_failover", arguments={"id": item.text, "network": network.text, "vm": vm.text})


def test_failover_cleanup(item: ResourceId, vm: ResourceId) -> Action:
    """Done when the item allows TestFailover again and the test machine is gone (S42)."""
    return Action(verb="test_failover_cleanup", arguments={"id": item.text, "vm": vm.text})


OF_STEP = "OfStep:"
"""A point that a step has chosen for the item: `OfStep:failover/shared-point/erp`."""
OLDER = "Older:"
"""The newest point that is at least so many seconds old when it is asked for: `Older:900`."""


def of_step(id_: str) -> str:
    """The point that a step (`shared_point`) chooses, as `failover` and `change_point` take it."""
    return f"{OF_STEP}{id_}"


def older(age: timedelta) -> str:
    """The newest point that is at least so old, as `failover` and its like take it."""
    return f"{OLDER}{age.total_seconds():.0f}"


def failover(item: ResourceId, vm: ResourceId, *, direction: str, shutdown: bool, point: str = "Latest") -> Action:
    """POST unplannedFailover (S15). `vm` is the machine to expect on the other side; `shutdown` tries to stop the
    present one first (`sourceSiteOperations: Required`). `point`: Latest, LatestProcessed,
    LatestApplicationConsistent, `older(age)`, `of_step(id)`, or a recovery point's id. Never sent twice: in doubt, the
    run looks for a job of this scenario on this item that started after the intention."""
    return Action(
        verb="failover",
        arguments={"id": item.text, "vm": vm.text, "direction": direction, "shutdown": shutdown, "point": point},
    )


def shared_point(items: Sequence[ResourceId], point: str) -> Action:
    """Choose the newest recovery point that all items of a consistency group have of one moment (S26), of a kind as in
    `failover` (Latest: of any kind). Steps after it name it as their point: `of_step` of this step's id."""
    return Action(verb="shared_point", arguments={"items": [item.text for item in items], "point": point})


def change_point(item: ResourceId, vm: ResourceId, point: str) -> Action:
    """POST applyRecoveryPoint before the commit (S15, S44): the machine is made again of another point.
    `point` as in `failover`. Done when the item's job has ended and the machine runs."""
    return Action(verb="change_point", arguments={"id": item.text, "vm": vm.text, "point": point})


def commit(item: ResourceId) -> Action:
    """POST failoverCommit; done when the item is UnplannedFailoverCommitted (S44)."""
    return Action(verb="commit", arguments={"id": item.text})


def switch_protection(
    item: ResourceId,
    reverse_item: ResourceId,
    *,
    container: ResourceId,
    policy: ResourceId,
    vm: ResourceId,
    recovery_group: ResourceId,
    staging_account: ResourceId,
    settings: Mapping[str, str] | None = None,
    encryption_sets: Mapping[str, str] | None = None,
) -> Action:
    """Reprotect a machine with managed disks (S50): POST switchprotection on the container where `item` lives now.
    `vm` is the machine as it runs now: the run reads its disks at that moment, because Site Recovery named them.
    `container` is the one to protect into, `policy` from the reverse mapping. `settings` are places for the machine on
    the other side, by Site Recovery's own names (S12); `encryption_sets` the set of a disk's key, in lower case, to the
    one for its copy. Done when `reverse_item` is Protected."""
    more = {"settings": dict(settings or {}), "encryption_sets": dict(encryption_sets or {})}
    return Action(
        verb="switch_protection",
        arguments={
            **{key: value for key, value in more.items() if value},
            "id": item.text,
            "reverse_item": reverse_item.text,
            "container": container.text,
            "policy": policy.text,
            "vm": vm.text,
            "recovery_group": recovery_group.text,
            "staging_account": staging_account.text,
        },
    )


def reprotect_unmanaged(
    item: ResourceId,
    *,
    container: ResourceId,
    policy: ResourceId,
    vm: ResourceId,
    recovery_group: ResourceId,
    staging_account: ResourceId,
    recovery_account: ResourceId,
) -> Action:
    """POST reProtect on the item (S50): the way of machines with unmanaged disks; the item keeps its id. Done when it
    is Protected again; its failover direction is then RecoveryToPrimary."""
    return Action(
        verb="reprotect_unmanaged",
        arguments={
            "id": item.text,
            "container": container.text,
            "policy": policy.text,
            "vm": vm.text,
            "recovery_group": recovery_group.text,
            "staging_account": staging_account.text,
            "recovery_account": recovery_account.text,
        },
    )


def deallocate(vm: ResourceId, *, if_there: bool = True) -> Action:
    """POST deallocate, never delete (D92); done when the instance view says deallocated."""
    return Action(verb="deallocate", arguments={"id": vm.text, "if_there": if_there})


def start(vm: ResourceId) -> Action:
    """POST start; done when the instance view says running."""
    return Action(verb="start", arguments={"id": vm.text})


def site_change(
    site: str,
    routers: Sequence[Mapping[str, Any]],
    verify: Sequence[Mapping[str, Any]],
    *,
    command: Sequence[str] | None = None,
) -> Action:
    """Set preference, prepend and filters of a site's routers (D51, E47). `routers` hold whole desired settings:
    `{name, local_preference, prepend, filters: [{direction, prefix, action}]}`. `verify` is a list of what the
    circuits' own route tables must show afterwards, in the form of `read_circuit`: verified, never believed.
    `command` is the user's own program that does it (farshore.yaml, `change`); without one a person does."""
    return Action(
        verb="site_change",
        arguments={
            "site": site,
            "routers": [dict(router) for router in routers],
            "verify": [dict(expect) for expect in verify],
            "command": None if command is None else list(command),
        },
    )


def change_names(region: str, records: Sequence[Mapping[str, str]], command: Sequence[str]) -> Action:
    """Let records of DNS zones lead to a region, by the user's own program (farshore.yaml, `dns`). Each record has
    `record`, an id, `type`, `from` and `to`, addresses; where one is not known before it stands, `from_of` or `to_of`
    is the public address to read it from. Done when every record that ARM has shows its new address and the old one no
    more. Asked twice it must do no harm: a run that was interrupted asks again."""
    return Action(
        verb="change_names",
        arguments={"region": region, "records": [dict(record) for record in records], "command": list(command)},
    )


def router_settings(router: Router) -> dict[str, Any]:
    """A router's whole settings, as `site_change` takes them."""
    return {
        "name": router.name,
        "local_preference": router.local_preference,
        "prepend": router.prepend,
        "filters": [
            {"direction": item.direction, "prefix": str(item.prefix), "action": item.action} for item in router.filters
        ],
    }


def expect_circuit(
    circuit: ResourceId,
    *,
    present: Sequence[str] = (),
    absent: Sequence[str] = (),
    minimum_path_length: Mapping[str, int] | None = None,
    links: Sequence[str] = ("primary", "secondary"),
) -> dict[str, Any]:
    """What both links' route tables of a circuit's private peering (E11) must show: prefixes present, prefixes
    absent, and for some prefixes an AS path at least that long (a prepend seen from Azure's side)."""
    return {
        "circuit": circuit.text,
        "links": list(links),
        "present": list(present),
        "absent": list(absent),
        "minimum_path_length": dict(minimum_path_length or {}),
    }


def read_circuit(expect: Mapping[str, Any], *, patience_seconds: int = 600) -> Action:
    """Poll a circuit's tables until they show what `expect_circuit` says; failing after `patience_seconds`. Rows of a
    lost source gateway still there = stop (D62)."""
    return Action(verb="read_circuit", arguments={"expect": dict(expect), "patience_seconds": patience_seconds})


def await_region(
    region: str,
    *,
    probe: ResourceId,
    circuit: ResourceId | None,
    prefixes: Sequence[str],
    rows: str = "any",
    interval_seconds: int = 10,
) -> Action:
    """The guard's watch: until ARM answers for `probe` (a resource located in the region) or the circuit's tables
    show one of `prefixes` again, both polled every `interval_seconds`, whichever comes first. Never gives up.

    `rows` is `any` where only the lost region announces these prefixes, `more` where the target announces the same
    ones to the same circuit: then its sign of life is more rows for one of them than this step's first poll found."""
    return Action(
        verb="await_region",
        arguments={
            "region": region,
            "probe": probe.text,
            "circuit": None if circuit is None else circuit.text,
            "prefixes": list(prefixes),
            "rows": rows,
            "interval_seconds": interval_seconds,
        },
    )


def check_routes(nic: ResourceId, rows: Sequence[Mapping[str, Any]]) -> Action:
    """POST effectiveRouteTable on a NIC of a running machine and compare: every row of `rows` (source, prefix,
    next_hop_type, next_hop_ip_addresses; Active) must be there, and no other Active row may catch their traffic."""
    return Action(verb="check_routes", arguments={"nic": nic.text, "rows": [dict(row) for row in rows]})


def check_machine(vm: ResourceId, nic: ResourceId, address: str) -> Action:
    """The machine runs and its NIC has exactly the promised address (D68)."""
    return Action(verb="check_machine", arguments={"id": vm.text, "nic": nic.text, "address": address})


def check_clean(group: ResourceId, absent: Sequence[ResourceId], circuits: Sequence[Mapping[str, Any]] = ()) -> Action:
    """After a drill: none of `absent` is there, no disk of the resource group is held by one of them, and the circuits
    show what `expect_circuit` says. The result lists what was looked at."""
    return Action(
        verb="check_clean",
        arguments={
            "group": group.text,
            "absent": [id_.text for id_ in absent],
            "circuits": [dict(expect) for expect in circuits],
        },
    )


def person(instruction: str) -> Action:
    """A person does something and says so (`farshore runs approve`)."""
    return Action(verb="person", arguments={"instruction": instruction})


def decision(instruction: str, approvals: Approvals) -> Action:
    """Those who approve a failover decide, so many of them as farshore.yaml asks for; where it names nobody, anyone."""
    action = person(instruction)
    return Action(verb=action.verb, arguments={**action.arguments, **_who(approvals)})


def _who(approvals: Approvals) -> dict[str, Any]:
    """For the run: whose word a step waits for, and of how many of them."""
    return {"deciders": list(approvals.failover), "quorum": approvals.quorum} if approvals.failover else {}


def raise_bandwidth(circuit: ResourceId, mbps: int, instruction: str, approvals: Approvals) -> Action:
    """A circuit gets at least so many Mbps once those who approve a failover have approved it; the rest of
    its body is kept. It can't be lowered again (E6)."""
    body: Body = {"id": circuit.text, "properties": {"serviceProviderProperties": {"bandwidthInMbps": mbps}}}
    return Action(
        verb="raise_bandwidth",
        arguments={
            **put(body).arguments,
            "mbps": mbps,
            "instruction": instruction,
            **_who(approvals),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every check of a user's says: which it is, of what machine, and how long it is tried."""

    check: str
    machine: str
    address: str
    timeout: timedelta
    within: timedelta

    def arguments(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "machine": self.machine,
            "address": self.address,
            "timeout_seconds": self.timeout.total_seconds(),
            "within_seconds": self.within.total_seconds(),
        }


CHECKS = ("probe", "check_command", "check_script")
"""The verbs of what a user asks."""


def probe(asked: Asked, port: int, http: Http | None = None) -> Action:
    """From where Farshore runs a machine takes a TCP connection, or answers a GET with one of `http.status`."""
    told = None
    if http is not None:
        told = {
            "path": http.path,
            "status": list(http.status),
            "https": http.https,
            "host": http.host,
            "verify": http.verify,
        }
    return Action(verb="probe", arguments={**asked.arguments(), "port": port, "http": told})


def check_command(asked: Asked, command: Sequence[str], environment: Mapping[str, str]) -> Action:
    """A program of the user's ends with 0 where Farshore runs; `environment` is added to its own, and FARSHORE_RUN by
    the run."""
    return Action(
        verb="check_command",
        arguments={**asked.arguments(), "command": list(command), "environment": dict(environment)},
    )


def check_script(
    asked: Asked,
    vm: ResourceId,
    command_id: str,
    script: str,
    parameters: Mapping[str, str] | None = None,
    *,
    what: str,
    lines: Sequence[str] = (),
) -> Action:
    """A script ends well in the machine `vm`, by run command, and writes one of `lines`, where there are any. `what`
    it asks, in words. `command_id` is RunShellScript or RunPowerShellScript."""
    return Action(
        verb="check_script",
        arguments={
            **asked.arguments(),
            "id": vm.text,
            "command_id": command_id,
            "script": script,
            "parameters": dict(parameters or {}),
            "what": what,
            "lines": list(lines),
        },
    )
