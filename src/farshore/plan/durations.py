"""How long each kind of step is expected to take, and who says so.

Every figure cites its source: a numbered fact, or the public recordings of real Azure traffic (the request's time to
the last poll's; polls were 10 or 30 seconds apart, so a figure includes that grid). Where nobody has published a
figure it says so. Nothing here is read from the lab, whose own table must be free to disagree.

`for_resource(type)` is the time of a put; the named constants are the verbs that Site Recovery and the sites have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    duration: timedelta
    source: str


def seconds(value: float, source: str) -> Expected:
    return Expected(duration=timedelta(seconds=value), source=source)


A2A = "recorded: azure-cli-extensions, site-recovery, A2A_scenarios (2023)"
NETWORK = "recorded: azure-cli, network tests (2022)"
UNPUBLISHED = "no published figure: our allowance"

DECISION = seconds(300, "our allowance for noticing the loss and deciding to fail over (S43: never automatic)")
"""From the loss of the region until the first step of the failover starts."""

RECOVERY_POINT = seconds(300, "S25: a crash-consistent point every five minutes, fixed")
"""The oldest that the latest recovery point should be when the region is lost."""

CONVERGENCE = seconds(60, "E12: routes between gateways and circuit converge within a minute")

LOOK = seconds(10, "recorded: one read of a circuit's or NIC's table takes 10 to 11 seconds (R10, E11)")
ALREADY_THERE = seconds(1, "nothing to change: one read")

ENABLE = seconds(
    1655, f"{A2A}: 433 s until the job ended, Protected 1,655 s after the request (a machine of 127 GiB; S30)"
)
CONFIGURE = seconds(31, f"{A2A}: changes without a job of their own took one poll of 30 s")
TEST_FAILOVER = seconds(203, "S24: 3 min 23 s in the documented sample")
TEST_CLEANUP = seconds(123, f"{A2A}: removing an item took 123 s; no figure for the cleanup itself")
FAILOVER = seconds(154, f"{A2A}: 154 s in both directions, polled every 30 s (S57: at most an hour is promised)")
FAILOVER_STOPPED = seconds(194, f"{A2A}: 154 s; and 40 s to stop the machine first, {UNPUBLISHED}")
COMMIT = seconds(31, f"{A2A}: 31 s, one poll; S24 gives 3 s for the job itself")
SWITCH_PROTECTION = seconds(
    3569, f"{A2A}: 526 s until the job ended, Protected 3,569 s after the request (S46: hours with much change)"
)
WATCH = seconds(10, "polled every 10 s once the region answers; how long it stays away nobody can expect")
DEALLOCATE = seconds(120, UNPUBLISHED)
START = seconds(120, UNPUBLISHED)
CHECK_MACHINE = seconds(10, UNPUBLISHED)
CHECK_HERE = seconds(10, UNPUBLISHED)
CHECK_BY_RUN_COMMAND = seconds(60, UNPUBLISHED)
REFUSED_DELETE = seconds(40, "three attempts 20 s apart against a region that does not answer (D62, E36)")
WITHDRAWN_PERSON = seconds(3600, "no published figure for Microsoft's support to act: our allowance")
APPROVAL = seconds(600, "no published figure, and people have to be found: our allowance")
RAISE_BANDWIDTH = seconds(600, "no published figure, and a person approves it: our allowance")
SITE_COMMAND = seconds(60, UNPUBLISHED)
SITE_PERSON = seconds(600, UNPUBLISHED)
PLACE_PERSON = seconds(600, UNPUBLISHED)
NAMES_COMMAND = seconds(30, UNPUBLISHED)
NAMES_PERSON = seconds(600, UNPUBLISHED)
APPLIANCE_PERSON = seconds(3600, UNPUBLISHED)

_RESOURCES: Mapping[str, Expected] = {
    "microsoft.resources/resourcegroups": seconds(2, NETWORK),
    "microsoft.network/networksecuritygroups": seconds(4, f"{NETWORK}: 3 to 4 s, once 30 s"),
    "microsoft.network/applicationsecuritygroups": seconds(4, f"{NETWORK}: as a security group"),
    "microsoft.network/routetables": seconds(3, f"{NETWORK}: 2 to 11 s"),
    "microsoft.network/publicipaddresses": seconds(2, f"{NETWORK}: 1 to 2 s"),
    "microsoft.network/virtualnetworks": seconds(4, f"{NETWORK}: 3 to 4 s, once 30 s"),
    "microsoft.network/virtualnetworks/subnets": seconds(4, f"{NETWORK}: 3 to 4 s"),
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": seconds(12, f"{NETWORK}: 10 to 21 s"),
    "microsoft.network/networkinterfaces": seconds(30, f"{NETWORK}: 30 s, one poll"),
    "microsoft.network/virtualnetworkgateways": seconds(
        38 * 60, "E24: up to 45 minutes; we expect 38. Recorded: 8 to 22 for VPN gateways, none for ExpressRoute"
    ),
    "microsoft.network/connections": seconds(63, f"{NETWORK}: 10 to 63 s (E37: no official figure)"),
    "microsoft.compute/virtualmachines": seconds(120, UNPUBLISHED),
    "microsoft.storage/storageaccounts": seconds(20, f"{A2A}: answered at once, ready in a few seconds"),
    "microsoft.recoveryservices/vaults": seconds(61, A2A),
    "microsoft.recoveryservices/vaults/replicationpolicies": seconds(31, A2A),
    "microsoft.recoveryservices/vaults/replicationfabrics": seconds(93, A2A),
    "microsoft.recoveryservices/vaults/replicationfabrics/replicationprotectioncontainers": seconds(30, A2A),
    "microsoft.recoveryservices/vaults/replicationfabrics/replicationprotectioncontainers"
    "/replicationprotectioncontainermappings": seconds(94, A2A),
    "microsoft.recoveryservices/vaults/replicationfabrics/replicationnetworks/replicationnetworkmappings": seconds(
        30, A2A
    ),
}

_DELETES: Mapping[str, Expected] = {
    "microsoft.network/connections": seconds(11, NETWORK),
    "microsoft.network/virtualnetworks": seconds(10, NETWORK),
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": seconds(12, NETWORK),
    "microsoft.recoveryservices/vaults/replicationfabrics/replicationprotectioncontainers"
    "/replicationprotecteditems": seconds(123, f"{A2A}: removing an item took 123 s"),
}


def for_put(type_: str) -> Expected:
    """The time that creating a resource of this type takes."""
    return _RESOURCES.get(type_.lower(), seconds(30, UNPUBLISHED))


def for_delete(type_: str) -> Expected:
    return _DELETES.get(type_.lower(), seconds(30, UNPUBLISHED))
