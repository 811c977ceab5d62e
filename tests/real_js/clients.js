// Azure's JavaScript clients on a served lab, and the names of the article's example.
//
// The lab is known by what `farshore lab env` prints. Requests and checks are counted, and said at the end.

import assert from "node:assert/strict";
import { ComputeManagementClient } from "@azure/arm-compute";
import { NetworkManagementClient } from "@azure/arm-network";
import { RecoveryServicesClient } from "@azure/arm-recoveryservices";
import { SiteRecoveryManagementClient } from "@azure/arm-recoveryservices-siterecovery";
import { ResourceManagementClient } from "@azure/arm-resources";
import { StorageManagementClient } from "@azure/arm-storage";
import { DefaultAzureCredential } from "@azure/identity";

const { FARSHORE_LAB_URL: endpoint, AZURE_SUBSCRIPTION_ID: subscription } = process.env;

export const HOME = "rg-source";
export const AWAY = "rg-farshore-dr";
export const CIRCUITS = "rg-expressroute";
export const NEAR = "eastasia";
export const FAR = "southeastasia";
export const VAULT = "vault";
export const PRIVATE = "AzurePrivatePeering";
export const MACHINES = {
  web1: { spoke: "Source-vNet1", prefix: "10.1.0", address: "10.1.0.4" },
  app1: { spoke: "Source-vNet2", prefix: "10.2.0", address: "10.2.0.4" },
};

export const counted = { calls: 0, checks: 0 };

export function equal(found, expected, why) {
  counted.checks += 1;
  assert.deepEqual(found, expected, why);
}

export function ok(found, why) {
  counted.checks += 1;
  assert.ok(found, why);
}

const counting = {
  policy: {
    name: "counting",
    sendRequest(request, next) {
      counted.calls += 1;
      return next(request);
    },
  },
  position: "perRetry",
};

function client(Kind) {
  const options = { endpoint, credentialScopes: [`${endpoint}/.default`], additionalPolicies: [counting] };
  // Clients of the newer make have their scopes in `credentials`.
  const scopes = { credentials: { scopes: [`${endpoint}/.default`] } };
  return new Kind(new DefaultAzureCredential(), subscription, { ...options, ...scopes });
}

export const resources = client(ResourceManagementClient);
export const network = client(NetworkManagementClient);
export const compute = client(ComputeManagementClient);
export const storage = client(StorageManagementClient);
export const vaults = client(RecoveryServicesClient);
export const recovery = client(SiteRecoveryManagementClient);

// How often a poller asks: the lab's clock jumps to the operation's end when it does.
export const QUICK = { updateIntervalInMs: 20 };

export const groupId = (group) => `/subscriptions/${subscription}/resourceGroups/${group}`;
export const rid = (group, kind, name) => `${groupId(group)}/providers/${kind}/${name}`;
export const ref = (group, kind, name) => ({ id: rid(group, kind, name) });

export async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

// Ask again until it is so. At the lab's pace `jump` an unchanged answer takes its clock to what comes next.
export async function until(isSo) {
  for (let turn = 0; turn < 400; turn += 1) if (await isSo()) return;
  assert.fail("it never came to that");
}

// How a packet to port 443 ends, by the lab's own handle beside ARM.
export async function verdict(from, to) {
  const headers = { authorization: `Bearer ${process.env.FARSHORE_LAB_TOKEN}`, "content-type": "application/json" };
  const body = JSON.stringify({ from, to, port: 443 });
  const answer = await fetch(`${endpoint}/_lab/packets`, { method: "POST", headers, body });
  return (await answer.json()).verdict;
}
