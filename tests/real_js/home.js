// The article's network and machines, built and asked by Azure's JavaScript clients.

import * as az from "./clients.js";
import { AWAY, CIRCUITS, FAR, HOME, MACHINES, NEAR, PRIVATE, QUICK, compute, equal, network, ok, ref, rid } from "./clients.js";

const NETWORKS = "Microsoft.Network/virtualNetworks";
const HOP = { nextHopType: "VirtualAppliance", nextHopIpAddress: "10.10.10.10" };

export async function groups() {
  for (const [name, location] of [[HOME, NEAR], [CIRCUITS, FAR]]) {
    const made = await az.resources.resourceGroups.createOrUpdate(name, { location });
    equal([made.name, made.location, made.properties.provisioningState], [name, location, "Succeeded"]);
  }
  equal(new Set((await az.all(az.resources.resourceGroups.list())).map((group) => group.name)), new Set([HOME, CIRCUITS, AWAY]));
}

export async function hubAndSpokes(group, location, hub, suffix) {
  const spokes = Object.values(MACHINES);
  const routes = spokes.map(({ spoke, prefix }) => ({ name: `to-${spoke}`, addressPrefix: `${prefix}.0/24`, ...HOP }));
  const table = await network.routeTables.beginCreateOrUpdateAndWait(group, `rt-gateway${suffix}`, { location, routes }, QUICK);
  equal(table.routes.map((route) => route.provisioningState), ["Succeeded", "Succeeded"]);
  const subnets = [
    { name: "nva", addressPrefix: "10.10.10.0/25" },
    { name: "GatewaySubnet", addressPrefix: "10.10.10.128/25", routeTable: { id: table.id } },
  ];
  const space = { addressPrefixes: ["10.10.10.0/24"] };
  const made = await network.virtualNetworks.beginCreateOrUpdateAndWait(group, hub, { location, addressSpace: space, subnets }, QUICK);
  equal(made.subnets[1].routeTable.id, table.id);
  for (const { spoke, prefix } of spokes) {
    const everything = [{ name: "everything", addressPrefix: "0.0.0.0/0", ...HOP }];
    const own = { location, disableBgpRoutePropagation: true, routes: everything };
    const { id } = await network.routeTables.beginCreateOrUpdateAndWait(group, `rt-${spoke}${suffix}`, own, QUICK);
    const body = {
      location,
      addressSpace: { addressPrefixes: [`${prefix}.0/24`] },
      subnets: [{ name: "app", addressPrefix: `${prefix}.0/25`, routeTable: { id } }],
    };
    const network1 = await network.virtualNetworks.beginCreateOrUpdateAndWait(group, `${spoke}${suffix}`, body, QUICK);
    equal(network1.provisioningState, "Succeeded");
  }
  equal((await az.all(network.virtualNetworks.list(group))).length, 3);
}

export async function appliance(group, location, hub, name) {
  const nic = await interfaceOf(group, location, `${name}-nic`, rid(group, NETWORKS, `${hub}/subnets/nva`), "10.10.10.10", true);
  equal(nic.enableIPForwarding, true);
  await machine(group, location, name, nic.id, []);
}

export async function gateway(group, location, hub, name) {
  const address = { location, sku: { name: "Standard" }, zones: ["1", "2", "3"], publicIPAllocationMethod: "Static" };
  const publicAddress = await network.publicIPAddresses.beginCreateOrUpdateAndWait(group, `pip-${name}`, address, QUICK);
  const inside = { name: "default", subnet: ref(group, NETWORKS, `${hub}/subnets/GatewaySubnet`), publicIPAddress: { id: publicAddress.id } };
  const body = { location, gatewayType: "ExpressRoute", sku: { name: "ErGw1AZ", tier: "ErGw1AZ" }, ipConfigurations: [inside] };
  const made = await network.virtualNetworkGateways.beginCreateOrUpdateAndWait(group, name, body, QUICK);
  equal([made.provisioningState, made.bgpSettings.asn], ["Succeeded", 65515]);
}

// D40 to D47: the hub lends its gateway.
export async function peerings(group, hub, suffix) {
  const common = { allowVirtualNetworkAccess: true, allowForwardedTraffic: true };
  for (const { spoke } of Object.values(MACHINES)) {
    const name = `${spoke}${suffix}`;
    const lends = { ...common, allowGatewayTransit: true, remoteVirtualNetwork: ref(group, NETWORKS, name) };
    const first = await network.virtualNetworkPeerings.beginCreateOrUpdateAndWait(group, hub, `hub-to-${name}`, lends, QUICK);
    equal(first.peeringState, "Initiated");
    const uses = { ...common, useRemoteGateways: true, remoteVirtualNetwork: ref(group, NETWORKS, hub) };
    const second = await network.virtualNetworkPeerings.beginCreateOrUpdateAndWait(group, name, `${name}-to-hub`, uses, QUICK);
    equal([second.peeringState, second.useRemoteGateways], ["Connected", true]);
  }
}

export async function circuit(name, peeringLocation, bandwidthInMbps, primary, secondary, vlanId) {
  const circuits = network.expressRouteCircuits;
  const body = {
    location: FAR,
    sku: { name: "Standard_MeteredData", tier: "Standard", family: "MeteredData" },
    serviceProviderProperties: { serviceProviderName: "Equinix", peeringLocation, bandwidthInMbps },
  };
  const ordered = await circuits.beginCreateOrUpdateAndWait(CIRCUITS, name, body, QUICK);
  equal(ordered.serviceProviderProvisioningState, "NotProvisioned");
  equal(ordered.serviceKey.length, 36);
  await az.until(async () => (await circuits.get(CIRCUITS, name)).serviceProviderProvisioningState === "Provisioned");
  const peering = { peeringType: PRIVATE, peerASN: 65010, primaryPeerAddressPrefix: primary, secondaryPeerAddressPrefix: secondary, vlanId };
  const made = await network.expressRouteCircuitPeerings.beginCreateOrUpdateAndWait(CIRCUITS, name, PRIVATE, peering, QUICK);
  equal([made.azureASN, made.state], [12076, "Enabled"]);
}

export async function connection(group, location, name, gatewayName, circuitName) {
  const body = {
    location,
    connectionType: "ExpressRoute",
    virtualNetworkGateway1: ref(group, "Microsoft.Network/virtualNetworkGateways", gatewayName),
    peer: ref(CIRCUITS, "Microsoft.Network/expressRouteCircuits", circuitName),
  };
  const connections = network.virtualNetworkGatewayConnections;
  equal((await connections.beginCreateOrUpdateAndWait(group, name, body, QUICK)).provisioningState, "Succeeded");
  await az.until(async () => (await connections.get(group, name)).connectionStatus === "Connected");
}

export async function disconnect(group, name) {
  await network.virtualNetworkGatewayConnections.beginDeleteAndWait(group, name, QUICK);
  equal(await az.all(network.virtualNetworkGatewayConnections.list(group)), []);
}

export async function machines() {
  for (const [name, { spoke, address }] of Object.entries(MACHINES)) {
    const nic = await interfaceOf(HOME, NEAR, `${name}-nic`, rid(HOME, NETWORKS, `${spoke}/subnets/app`), address, false);
    await machine(HOME, NEAR, name, nic.id, [{ lun: 0, name: `${name}-data0`, createOption: "Empty", diskSizeGB: 1 }]);
  }
  const names = (await az.all(compute.virtualMachines.list(HOME))).map((item) => item.name);
  equal(new Set(names), new Set(["nva", ...Object.keys(MACHINES)]));
}

// What the network says of itself.
export async function routes() {
  const effective = await network.networkInterfaces.beginGetEffectiveRouteTableAndWait(HOME, "web1-nic", QUICK);
  const active = effective.value.filter((row) => row.state === "Active");
  ok(active.some((row) => row.source === "User" && row.addressPrefix[0] === "0.0.0.0/0" && row.nextHopType === "VirtualAppliance"));
  const learned = await network.virtualNetworkGateways.beginGetLearnedRoutesAndWait(HOME, "ergw-source-hub", QUICK);
  ok(learned.value.some((row) => row.network === "192.168.0.0/16"));
}

// The datacenter reaches every machine at the address it has always had, and the spokes each other.
export async function reaches() {
  const [web, app] = Object.values(MACHINES).map((item) => item.address);
  for (const [from, to] of [["datacenter", web], ["datacenter", app], [web, app], [app, web]]) {
    equal(await az.verdict(from, to), "delivered", `${from} to ${to}`);
  }
}

function interfaceOf(group, location, name, subnet, privateIPAddress, enableIPForwarding) {
  const inside = { name: "ipconfig1", subnet: { id: subnet }, privateIPAllocationMethod: "Static", privateIPAddress };
  return network.networkInterfaces.beginCreateOrUpdateAndWait(group, name, { location, enableIPForwarding, ipConfigurations: [inside] }, QUICK);
}

async function machine(group, location, name, nic, dataDisks) {
  const body = {
    location,
    hardwareProfile: { vmSize: "Standard_D2s_v3" },
    storageProfile: {
      imageReference: { publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "latest" },
      osDisk: { name: `${name}-os`, createOption: "FromImage", diskSizeGB: 1 },
      dataDisks,
    },
    osProfile: { computerName: name, adminUsername: "operator", adminPassword: "Secret-of-the-lab-1" },
    networkProfile: { networkInterfaces: [{ id: nic }] },
  };
  equal((await compute.virtualMachines.createOrUpdate(group, name, body, QUICK)).provisioningState, "Succeeded");
  equal((await compute.virtualMachines.instanceView(group, name)).statuses[1].code, "PowerState/running");
}
