"""A vault for the published example's estate, and short verbs for what is done in it; plain requests only."""

from __future__ import annotations

from typing import Any

from farshore.arm.http import Response
from farshore.arm.json import Body
from tests.lab.kit import DR, NET, SUBSCRIPTION, Lab, example_lab, network

SOURCE = f"{SUBSCRIPTION}/resourceGroups/rg-source"
COMPUTE = "/providers/Microsoft.Compute/"
VAULT = f"{DR}/providers/Microsoft.RecoveryServices/vaults/vault"
FABRICS = {region: f"{VAULT}/replicationFabrics/{region}" for region in ("eastasia", "southeastasia")}
CONTAINERS = {region: f"{fabric}/replicationProtectionContainers/{region}" for region, fabric in FABRICS.items()}
POLICY = f"{VAULT}/replicationPolicies/day"
CACHES = {
    "eastasia": f"{SOURCE}/providers/Microsoft.Storage/storageAccounts/cachehere",
    "southeastasia": f"{DR}/providers/Microsoft.Storage/storageAccounts/cachethere",
}
DISKS_THERE = f"{DR}/providers/Microsoft.Storage/storageAccounts/disksthere"
VHDS_HERE = f"{SOURCE}/providers/Microsoft.Storage/storageAccounts/stsourcevhds"
THERE = f"{DR}{NET}virtualNetworks/spoke1-there"
DRILL = f"{DR}{NET}virtualNetworks/drill"
OTHER = {"eastasia": "southeastasia", "southeastasia": "eastasia"}


class Vault:
    """The lab with a vault that can protect from East Asia to Southeast Asia and back."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def item(self, name: str, region: str = "eastasia") -> str:
        return f"{CONTAINERS[region]}/replicationProtectedItems/{name}"

    def shown(self, name: str, region: str = "eastasia") -> Body:
        found: Body = self.lab.get(self.item(name, region))["properties"]
        return found

    def vm(self, name: str, group: str = SOURCE) -> str:
        return f"{group}{COMPUTE}virtualMachines/{name}"

    def power(self, vm: str) -> str:
        statuses = self.lab.get(f"{vm}/instanceView")["statuses"]
        return str(statuses[-1]["code"].split("/")[1])

    def address(self, nic: str) -> str:
        found = self.lab.get(nic)["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
        return str(found)

    def disks(self, vm: str) -> list[str]:
        """Ids or URLs of a machine's disks, the system's first."""
        profile = self.lab.get(vm)["properties"]["storageProfile"]
        entries = [profile["osDisk"], *profile["dataDisks"]]
        return [str((e.get("managedDisk") or {}).get("id") or e["vhd"]["uri"]) for e in entries]

    def enable(self, name: str, *, wait: bool = True, **more: Any) -> None:
        vm = self.vm(name)
        self.lab.follow(self.lab.ask("PUT", self.item(name), {"properties": self.enable_body(vm, **more)}))
        if wait:
            self.until_protected(name)

    def enable_body(self, vm: str, **more: Any) -> Body:
        details: Body = {
            "instanceType": "A2A",
            "fabricObjectId": vm,
            "recoveryContainerId": CONTAINERS["southeastasia"],
            "recoveryResourceGroupId": DR,
            **self.disk_inputs(vm, "eastasia", DR, DISKS_THERE),
            **more,
        }
        return {"policyId": POLICY, "providerSpecificDetails": details}

    def disk_inputs(self, vm: str, region: str, group: str, account: str) -> Body:
        inputs: Body = {"vmManagedDisks": [], "vmDisks": []}
        for disk in self.disks(vm):
            staging = {"primaryStagingAzureStorageAccountId": CACHES[region]}
            if disk.startswith("https"):
                inputs["vmDisks"].append({"diskUri": disk, "recoveryAzureStorageAccountId": account, **staging})
            else:
                inputs["vmManagedDisks"].append({"diskId": disk, "recoveryResourceGroupId": group, **staging})
        return {key: value for key, value in inputs.items() if value}

    def until_protected(self, name: str, region: str = "eastasia") -> None:
        for _ in range(120):
            if self.shown(name, region)["protectionState"] == "Protected":
                return
            self.lab.wait(60)
        raise AssertionError(f"{name} is {self.shown(name, region)['protectionState']}")

    def do(self, name: str, verb: str, region: str = "eastasia", **properties: Any) -> Body:
        """A verb of an item, to its end; the job."""
        answer = self.ask(name, verb, region, **properties)
        assert answer.status == 202, answer.body
        self.lab.follow(answer)
        return self.job(answer)

    def ask(self, name: str, verb: str, region: str = "eastasia", **properties: Any) -> Response:
        return self.lab.ask("POST", f"{self.item(name, region)}/{verb}", {"properties": properties})

    def job(self, answer: Response) -> Body:
        name = answer.headers["location"].split("?")[0].rsplit("/", 1)[1]
        found: Body = self.lab.get(f"{VAULT}/replicationJobs/{name}")["properties"]
        return found

    def failover(self, name: str, region: str = "eastasia", *, shutdown: bool = False, **more: Any) -> Body:
        said = {
            "failoverDirection": "PrimaryToRecovery",
            "sourceSiteOperations": "Required" if shutdown else "NotRequired",
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
        return self.do(name, "unplannedFailover", region, **{**said, **more})

    def switch_body(self, name: str, vm: str, region: str, group: str) -> Body:
        """`region` is where the machine runs."""
        return {
            "replicationProtectedItemName": name,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryContainerId": CONTAINERS[OTHER[region]],
                "policyId": POLICY,
                "recoveryResourceGroupId": group,
                **self.disk_inputs(vm, region, group, ""),
            },
        }

    def switch(self, name: str, vm: str, region: str, group: str) -> Body:
        """Reprotect a managed machine that runs in `region`; its item lives under the other one."""
        url = f"{CONTAINERS[OTHER[region]]}/switchprotection"
        answer = self.lab.ask("POST", url, {"properties": self.switch_body(name, vm, region, group)})
        assert answer.status == 202, answer.body
        self.lab.follow(answer)
        return self.job(answer)

    def points(self, name: str, region: str = "eastasia") -> list[Body]:
        rows = self.lab.get(f"{self.item(name, region)}/recoveryPoints")["value"]
        return sorted(rows, key=lambda row: str(row["properties"]["recoveryPointTime"]))

    def used(self, scenario: str) -> Body:
        """The recovery point that the last job of a scenario used, with checksums."""
        rows = self.lab.ask("GET", "/_lab/recovery-points?used=true&sha256=true").body["value"]
        found = [(use, row) for row in rows for use in row["used_by"] if use["scenario"] == scenario]
        use, row = max(found, key=lambda pair: str(pair[0]["time"]))
        return {**row, "use": use}

    def sha256(self, disk: str, sequence: int | None = None) -> str:
        more = "" if sequence is None else f"&sequence={sequence}"
        answer = self.lab.ask("GET", f"/_lab/disks?disk={disk}{more}")
        assert answer.ok, answer.body
        return str(answer.body["sha256"])

    def written(self, disk: str, after: int) -> int:
        """Bytes written to a disk after a sequence number, counted as anyone would."""
        total, since = 0, after
        while True:
            answer = self.lab.ask("GET", f"/_lab/writes?disk={disk}&since={since}").body
            total += sum(row["length"] for row in answer["value"])
            if answer["next"] is None:
                return total
            since = answer["next"]


def recovery_lab(**settings: Any) -> Vault:
    """The example's estate with everything that protection needs, in both directions (S11)."""
    lab = example_lab(**settings)
    lab.put(VAULT, {"location": "southeastasia", "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}})
    for region, fabric in FABRICS.items():
        custom = {"instanceType": "Azure", "location": region}
        lab.put(fabric, {"properties": {"customDetails": custom}})
        lab.put(CONTAINERS[region], {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}})
        lab.put(CACHES[region], account(region))
    lab.put(DISKS_THERE, account("southeastasia"))
    history = {"instanceType": "A2A", "multiVmSyncStatus": "Enable", "recoveryPointHistory": 1440}
    lab.put(POLICY, {"properties": {"providerSpecificInput": history}})
    lab.put(THERE, network("10.1.0.0/24", subnet_of(lab), "southeastasia"))
    lab.put(DRILL, network("10.1.0.0/24", subnet_of(lab), "southeastasia"))
    home = spoke(lab)
    for region, other in OTHER.items():
        lab.put(
            f"{CONTAINERS[region]}/replicationProtectionContainerMappings/to-{other}",
            {
                "properties": {
                    "targetProtectionContainerId": CONTAINERS[other],
                    "policyId": POLICY,
                    "providerSpecificInput": {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"},
                }
            },
        )
        ends = (home, THERE) if region == "eastasia" else (THERE, home)
        lab.put(
            f"{FABRICS[region]}/replicationNetworks/azureNetwork/replicationNetworkMappings/spoke1",
            {
                "properties": {
                    "recoveryFabricName": other,
                    "recoveryNetworkId": ends[1],
                    "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": ends[0]},
                }
            },
        )
    return Vault(lab)


def account(location: str) -> Body:
    return {"location": location, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}


def nic_of(lab: Lab, vm: str) -> str:
    return str(lab.get(vm)["properties"]["networkProfile"]["networkInterfaces"][0]["id"])


def spoke(lab: Lab) -> str:
    """The network of web1."""
    nic = lab.get(nic_of(lab, f"{SOURCE}{COMPUTE}virtualMachines/web1"))
    subnet = nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    return str(subnet.rsplit("/", 2)[0])


def subnet_of(lab: Lab) -> dict[str, str]:
    """Name and range of web1's subnet."""
    subnets = lab.get(spoke(lab))["properties"]["subnets"]
    return {each["name"]: each["properties"]["addressPrefix"] for each in subnets}
