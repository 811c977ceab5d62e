"""Differences that are meant, each with its reason. An entry that fits no difference any more is an error.

`file` is a pattern of recordings' or examples' names and `path` one of key paths, as `fnmatch` reads them (a `[` is
written `[[]`). What is of another provider than Azure to Azure is no difference: `examples.other_provider` is the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.compare import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPurpose:
    file: str
    path: str
    reason: str
    expected: str = "*"

    def fits(self, difference: Difference) -> bool:
        name = difference.where.split(":")[0]
        return (
            fnmatchcase(name, self.file)
            and fnmatchcase(difference.path, self.path)
            and fnmatchcase(difference.expected, self.expected)
        )


ON_PURPOSE = (
    OnPurpose(
        file="sdk17-cli_mgmt_network_base",
        path="*networkSecurityGroup*",
        reason="a policy of the recording's subscription puts a security group on every new subnet",
    ),
    OnPurpose(
        file="sdk17-cli_mgmt_network_virtual_network",
        path="error*",
        reason="that gateway's operation timed out inside Azure; the lab's faults do that when asked",
    ),
    OnPurpose(
        file="sdk17-cli_mgmt_network_virtual_network",
        path="status",
        expected="Failed",
        reason="the same operation",
    ),
    OnPurpose(
        file="vwan-vwan_vhub_get_effective_routes",
        path="*value[[]]*",
        reason="a virtual hub is shape only: it has no routes to tell",
    ),
    OnPurpose(
        file="asr-A2A_scenarios",
        path="properties.providerSpecificDetails.vmNics[[]].recoveryNic*",
        reason="a switched item says to which of its old NICs it goes back: what a failback in the lab does",
    ),
    OnPurpose(
        file="asr-A2A_scenarios",
        path="properties.providerSpecificDetails.vmNics[[]].recoveryNetworkSecurityGroupId",
        reason="the recording never shows the machine's NIC; its stand-in has no security group",
    ),
    OnPurpose(
        file="asr-A2A_scenarios",
        path="*monitoring*",
        reason="how far replication is depends on the moment; the lab's clock is not the recording's",
    ),
    OnPurpose(
        file="asr-A2A_scenarios",
        path="properties*provisioningState",
        expected="Updating",
        reason="what was changed in a network that was there before is not in the recording: to the lab nothing was",
    ),
    OnPurpose(
        file="net-network_nic",
        path="nextLink",
        reason="Azure gave a second page with nothing on it; the lab ends a list at its end",
    ),
)


EXAMPLES = (
    OnPurpose(
        file="ExpressRouteCircuitRouteTableList",
        path="status",
        reason="asks for a peering `peeringName` and a device `devicePath`: placeholders, and Azure has no such names",
    ),
    OnPurpose(
        file="ExpressRouteCircuitPeeringCreate",
        path="properties.ipv6PeeringConfig*",
        reason="shows a version 6 peering that its request does not ask for",
    ),
    OnPurpose(
        file="ExpressRouteCircuitPeeringCreate",
        path="properties.expressRouteConnection",
        reason="a circuit of a virtual hub's gateway; its request names none",
    ),
    OnPurpose(
        file="ExpressRouteCircuitStats",
        path="*ary*",
        reason="recorded as primaryBytesIn and so on: the example has another spelling",
    ),
    OnPurpose(
        file="VirtualHubGet",
        path="properties.virtualRouterIps[[]]",
        reason="recorded: a hub has its router's addresses some time after it is ready, and not before",
    ),
    OnPurpose(
        file="VirtualNetworkGatewayConnectionCreate",
        path="properties.*Gateway?.properties",
        reason="recorded: the ends of a connection are ids alone",
    ),
    OnPurpose(
        file="ReplicationJobs_Get",
        path="properties.customDetails.affectedObjectDetails.*",
        reason="what a plan of a Hyper-V site touched; jobs of Azure to Azure are recorded without",
    ),
    OnPurpose(
        file="ReplicationProtectionClusters_Get",
        path="properties.providerSpecificDetails.*Rpo*",
        reason="how far replication is depends on the moment",
    ),
    OnPurpose(
        file="ReplicationProtectionClusters_Get",
        path="properties.providerSpecificDetails.rpo*",
        reason="the same",
    ),
    OnPurpose(
        file="ReplicationProtectionContainers_SwitchProtection",
        path="status",
        reason="names neither where to go nor a disk: Azure answers VMDisksMissing without vmManagedDisks (S50)",
    ),
)
"""Of the examples of Azure's description: statuses and key paths. Values are each example's own."""


def reason_of(difference: Difference) -> str | None:
    return next((entry.reason for entry in (*ON_PURPOSE, *EXAMPLES) if entry.fits(difference)), None)


def stale(differences: Iterable[Difference], entries: Iterable[OnPurpose] = ON_PURPOSE) -> list[OnPurpose]:
    """Entries that fit nothing."""
    seen = list(differences)
    return [entry for entry in entries if not any(entry.fits(one) for one in seen)]
