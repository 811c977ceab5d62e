// Site Recovery of the article's machines, by Azure's JavaScript client.

import * as az from "./clients.js";
import { AWAY, FAR, HOME, MACHINES, NEAR, QUICK, VAULT, compute, equal, groupId, network, ok, recovery, rid } from "./clients.js";

const NETWORKS = "Microsoft.Network/virtualNetworks";
const VAULTS = "Microsoft.RecoveryServices/vaults";
const POLICY = rid(AWAY, VAULTS, `${VAULT}/replicationPolicies/policy`);
const A2A = { instanceType: "A2A" };
const container = (side) => rid(AWAY, VAULTS, `${VAULT}/replicationFabrics/${side}/replicationProtectionContainers/${side}-c`);
const place = (name, side) => [VAULT, AWAY, side, `${side}-c`, name];
const itemOf = (name, side) => recovery.replicationProtectedItems.get(...place(name, side));

// Vault, cache accounts, fabrics, containers, policy, and mappings both ways.
export async function vault() {
  const made = await az.vaults.vaults.createOrUpdate(AWAY, VAULT, { location: FAR, sku: { name: "RS0", tier: "Standard" }, properties: {} }, QUICK);
  equal(made.properties.provisioningState, "Succeeded");
  for (const [side, location, group] of [["near", NEAR, HOME], ["far", FAR, AWAY]]) {
    const account = { location, sku: { name: "Standard_LRS" }, kind: "StorageV2" };
    equal((await az.storage.storageAccounts.create(group, `stcache${side}`, account, QUICK)).name, `stcache${side}`);
    const fabric = { properties: { customDetails: { instanceType: "Azure", location } } };
    equal((await recovery.replicationFabrics.beginCreateAndWait(VAULT, AWAY, side, fabric, QUICK)).name, side);
    const inside = { properties: { providerSpecificInput: [A2A] } };
    const pool = await recovery.replicationProtectionContainers.beginCreateAndWait(VAULT, AWAY, side, `${side}-c`, inside, QUICK);
    equal(pool.name, `${side}-c`);
  }
  const details = { ...A2A, multiVmSyncStatus: "Enable", recoveryPointHistory: 1440, appConsistentFrequencyInMinutes: 60, crashConsistentFrequencyInMinutes: 5 };
  const policy = { properties: { providerSpecificInput: details } };
  equal((await recovery.replicationPolicies.beginCreateAndWait(VAULT, AWAY, "policy", policy, QUICK)).name, "policy");
  for (const [one, other] of [["near", "far"], ["far", "near"]]) {
    const mapping = { properties: { targetProtectionContainerId: container(other), policyId: POLICY, providerSpecificInput: A2A } };
    const paired = await recovery.replicationProtectionContainerMappings.beginCreateAndWait(VAULT, AWAY, one, `${one}-c`, `${one}-to-${other}`, mapping, QUICK);
    equal(paired.properties.state, "Paired");
    for (const { spoke } of Object.values(MACHINES)) {
      const ends = { near: rid(HOME, NETWORKS, spoke), far: rid(AWAY, NETWORKS, `${spoke}-asr`) };
      const body = {
        properties: {
          recoveryFabricName: other,
          recoveryNetworkId: ends[other],
          fabricSpecificDetails: { instanceType: "AzureToAzure", primaryNetworkId: ends[one] },
        },
      };
      const mapped = await recovery.replicationNetworkMappings.beginCreateAndWait(VAULT, AWAY, one, "azureNetwork", `${spoke}-map`, body, QUICK);
      equal(mapped.properties.state, "Paired");
    }
  }
}

// A machine's disks as Site Recovery wants them told.
async function disks(name, group, side, target) {
  const { osDisk, dataDisks } = (await compute.virtualMachines.get(group, name)).storageProfile;
  const cache = rid(side === "near" ? HOME : AWAY, "Microsoft.Storage/storageAccounts", `stcache${side}`);
  return [osDisk, ...dataDisks].map((disk) => ({
    diskId: disk.managedDisk.id,
    primaryStagingAzureStorageAccountId: cache,
    recoveryResourceGroupId: groupId(target),
    recoveryReplicaDiskAccountType: "StandardSSD_LRS",
    recoveryTargetDiskAccountType: "StandardSSD_LRS",
  }));
}

export async function protect(name) {
  const details = {
    ...A2A,
    fabricObjectId: rid(HOME, "Microsoft.Compute/virtualMachines", name),
    recoveryContainerId: container("far"),
    recoveryResourceGroupId: groupId(AWAY),
    recoveryAzureNetworkId: rid(AWAY, NETWORKS, `${MACHINES[name].spoke}-asr`),
    recoverySubnetName: "app",
    vmManagedDisks: await disks(name, HOME, "near", AWAY),
  };
  const body = { properties: { policyId: POLICY, providerSpecificDetails: details } };
  const made = await recovery.replicationProtectedItems.beginCreateAndWait(...place(name, "near"), body, QUICK);
  equal(made.name, name);
}

export async function isProtected(name, side) {
  await az.until(async () => (await itemOf(name, side)).properties.protectionState === "Protected");
  ok((await itemOf(name, side)).properties.allowedOperations.includes("UnplannedFailover"));
  const points = () => az.all(recovery.recoveryPoints.listByReplicationProtectedItems(...place(name, side)));
  await az.until(async () => (await points()).length > 0);
}

export async function drill(name, side) {
  const body = { location: FAR, addressSpace: { addressPrefixes: ["10.201.0.0/24"] }, subnets: [{ name: "app", addressPrefix: "10.201.0.0/25" }] };
  const apart = await network.virtualNetworks.beginCreateOrUpdateAndWait(AWAY, "drill", body, QUICK);
  const test = { failoverDirection: "PrimaryToRecovery", networkType: "VmNetworkAsInput", networkId: apart.id, providerSpecificDetails: A2A };
  const items = recovery.replicationProtectedItems;
  await items.beginTestFailoverAndWait(...place(name, side), { properties: test }, QUICK);
  equal((await compute.virtualMachines.instanceView(AWAY, `${name}-test`)).statuses[1].code, "PowerState/running");
  ok((await itemOf(name, side)).properties.allowedOperations.includes("TestFailoverCleanup"));
  await items.beginTestFailoverCleanupAndWait(...place(name, side), { properties: { comments: "the drill is over" } }, QUICK);
  ok(!(await az.all(compute.virtualMachines.list(AWAY))).some((item) => item.name === `${name}-test`));
  await network.virtualNetworks.beginDeleteAndWait(AWAY, "drill", QUICK);
}

// With the old machine shut down first: nothing is lost. Committed at once.
export async function failOver(name, side, group) {
  const items = recovery.replicationProtectedItems;
  const failover = { failoverDirection: "PrimaryToRecovery", sourceSiteOperations: "Required", providerSpecificDetails: A2A };
  await items.beginUnplannedFailoverAndWait(...place(name, side), { properties: failover }, QUICK);
  const machine = await compute.virtualMachines.get(group, name);
  const nic = machine.networkProfile.networkInterfaces[0].id.split("/").at(-1);
  const { ipConfigurations } = await network.networkInterfaces.get(group, nic);
  equal(ipConfigurations[0].privateIPAddress, MACHINES[name].address);
  ok((await itemOf(name, side)).properties.allowedOperations.includes("Commit"));
  await items.beginFailoverCommitAndWait(...place(name, side), QUICK);
  ok((await itemOf(name, side)).properties.allowedOperations.includes("ReverseReplicate"));
}

// The machine that runs in `group` is protected towards `target` (S45).
export async function switchProtection(name, old, side, group, target) {
  const details = {
    ...A2A,
    policyId: POLICY,
    recoveryContainerId: container(old),
    recoveryResourceGroupId: groupId(target),
    vmManagedDisks: await disks(name, group, side, target),
  };
  const body = { properties: { replicationProtectedItemName: name, providerSpecificDetails: details } };
  await recovery.replicationProtectionContainers.beginSwitchProtectionAndWait(VAULT, AWAY, old, `${old}-c`, body, QUICK);
  equal((await itemOf(name, side)).properties.providerSpecificDetails.instanceType, "A2A");
}

export async function jobs() {
  const ran = await az.all(recovery.replicationJobs.list(VAULT, AWAY));
  equal(new Set(ran.map((job) => job.properties.state)), new Set(["Succeeded"]));
  const counts = ["TestFailover", "UnplannedFailover", "CommitFailover"].map((name) => ran.filter((job) => job.properties.scenarioName === name).length);
  equal(counts, [1, 4, 4]);
}

export async function disable() {
  const items = recovery.replicationProtectedItems;
  for (const name of Object.keys(MACHINES)) await items.beginPurgeAndWait(...place(name, "near"), QUICK);
  equal(await az.all(items.list(VAULT, AWAY)), []);
}
