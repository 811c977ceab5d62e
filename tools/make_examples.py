"""Write the examples that come in the package: `python tools/make_examples.py [--check]`.

One estate, the article's (D33 to D44), and five ways to reach its far shore. What the article does not give (the
on-premises range, machines, names, link addresses) is ours.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import example_bodies as azure
import example_machines as compute
from example_bodies import Body

FOLDER = Path(__file__).parent.parent / "src" / "farshore" / "examples"
ACCOUNT = "stsourcevhds"
SPOKES = {
    "Source-vNet1": ("10.1.0.0/24", "10.1.0.0/25", {"web1": 1, "web2": 1, "db1": 2}),
    "Source-vNet2": ("10.2.0.0/24", "10.2.0.0/25", {"app1": 1, "app2": 1, "file1": 1}),
}
"""Address space, range of the subnet `app`, and its machines with how many data disks each has."""

UNMANAGED = "file1"
HUB = "Source-Hub-vNet"
GATEWAY = "ergw-source-hub"
NVA = "nva"


@dataclass(frozen=True)
class Circuit:
    name: str
    location: str
    bandwidth: int
    links: tuple[str, str]
    vlan: int
    router: str


HONG_KONG = Circuit("er-hongkong", "Hong Kong", 1000, ("172.16.0.0/30", "172.16.0.4/30"), 100, "ce1")
SINGAPORE = Circuit("er-singapore", "Singapore", 200, ("172.16.0.8/30", "172.16.0.12/30"), 200, "ce2")
HONG_KONG_SECOND = Circuit("er-hongkong-second", "Hong Kong", 200, ("172.16.0.8/30", "172.16.0.12/30"), 200, "ce2")


@dataclass(frozen=True)
class Example:
    name: str
    theory: str
    circuits: tuple[Circuit, ...]
    link: str
    link_because: str
    map: tuple[tuple[str, str], ...] = ()
    nva_there: str = azure.NVA
    both: bool = False
    """Whether the source's hub is on every circuit, the first preferred: by the gateway and by the site (E41, E42)."""

    @property
    def survive(self) -> str:
        more = ["circuit", "peering-location"] if self.both else []
        return ", ".join(["circuit-link", *more, "gateway-instance"])


NEW_RANGES = (
    ("10.1.0.0/24", "10.101.0.0/24"),
    ("10.2.0.0/24", "10.102.0.0/24"),
    ("10.10.10.0/24", "10.110.10.0/24"),
)
NVA_IN_NEW_RANGE = "10.110.10.10"
PREFERRED, WEIGHT = 200, 100
"""Above the defaults of 100 for a router's local preference and 0 for a connection's routing weight."""


EXAMPLES = (
    Example(
        name="two-circuits-two-locations",
        theory=(
            "The article's own example: a hub and two spokes in East Asia, reached over a circuit in Hong Kong; the"
            " far shore is Southeast Asia, reached over a second, smaller circuit in Singapore (D48 to D52, D67 to"
            " D70). Private addresses are kept (D68)."
        ),
        circuits=(HONG_KONG, SINGAPORE),
        link="armed",
        link_because=(
            "two circuits can hold both networks at once (D52); the site decides between them, so its routers are set"
            " before the connection is made (D51, D90)"
        ),
    ),
    Example(
        name="two-circuits-one-location",
        theory=(
            "Two circuits at one peering location, Hong Kong: it survives the loss of a circuit, not of the location"
            " (D53 to D56). Addresses are kept."
        ),
        circuits=(HONG_KONG, HONG_KONG_SECOND),
        link="armed",
        link_because="both networks can be connected at once, each by its own circuit (D54); the site decides (D55)",
    ),
    Example(
        name="two-circuits-new-addresses",
        theory=(
            "Two circuits and new addresses on the far shore: both hubs are connected to both circuits ahead (D52, D66,"
            " D91), so that either region outlives the loss of a circuit and of its peering location. Everything that"
            " names an address changes with the machines (D79), the hub's own range too."
        ),
        circuits=(HONG_KONG, SINGAPORE),
        link="armed",
        link_because="different ranges can share a circuit (D66), and both hubs are on both (D91)",
        map=NEW_RANGES,
        nva_there=NVA_IN_NEW_RANGE,
        both=True,
    ),
    Example(
        name="single-circuit-kept-addresses",
        theory=(
            "One circuit and the same addresses on both shores: source and target can't be connected to it at the same"
            " time, and the disconnect may fail in the disaster itself (D57 to D65, D71)."
        ),
        circuits=(HONG_KONG,),
        link="cold",
        link_because="one circuit can't hold two networks with the same addresses (D20, D60)",
    ),
    Example(
        name="single-circuit-new-addresses",
        theory=(
            "One circuit and new addresses on the far shore: both networks are connected to it at once (D17, D66), and"
            " everything that names an address changes with the machines (D79), the hub's own range too."
        ),
        circuits=(HONG_KONG,),
        link="armed",
        link_because="different ranges can share one circuit (D66)",
        map=NEW_RANGES,
        nva_there=NVA_IN_NEW_RANGE,
    ),
)


def files(example: Example) -> dict[str, str]:
    """Every file of an example's folder, by name."""
    return {
        "estate.json": json.dumps(estate(example), indent=2) + "\n",
        "farshore.yaml": project(example),
        "nva.json": json.dumps(nva_template(example), indent=2) + "\n",
    }


# The estate. ---------------------------------------------------------------------------------------------------------


def estate(example: Example) -> list[Body]:
    bodies = [
        azure.resource_group(azure.SOURCE_GROUP, azure.REGION),
        # Writes to what a group holds may be refused while the group's own location is down (L36).
        azure.resource_group(azure.CIRCUIT_GROUP, azure.ELSEWHERE),
        azure.resource_group(azure.TARGET_GROUP, azure.ELSEWHERE),
        *hub(),
    ]
    for spoke in SPOKES:
        bodies += spoke_bodies(spoke)
    bodies += [azure.circuit(c.name, c.location, c.bandwidth, c.links, c.vlan) for c in example.circuits]
    primary, *others = example.circuits
    weight = WEIGHT if example.both else 0
    bodies.append(azure.connection("cn-source-hub", GATEWAY, azure.circuit_id(primary.name), weight))
    for circuit in others if example.both else ():
        name = circuit.name.replace("er-", "cn-source-hub-")
        bodies.append(azure.connection(name, GATEWAY, azure.circuit_id(circuit.name)))
    return bodies


def hub() -> list[Body]:
    gateway_type = "Microsoft.Network/virtualNetworkGateways"
    configuration = f"{azure.id_of(gateway_type, GATEWAY)}/ipConfigurations/default"
    subnets = [
        # The NVA's subnet has no table: it learns the site by BGP and the spokes by peering (R36).
        azure.subnet(HUB, "nva", azure.NVA_SUBNET, used_by=(compute.nic_configuration(NVA),)),
        azure.subnet(HUB, "GatewaySubnet", azure.GATEWAY_SUBNET, table="rt-source-gateway", used_by=(configuration,)),
    ]
    peerings = [
        azure.peering(HUB, spoke, prefix, f"hub-to-{spoke}", transit=True, remote_gateways=False)
        for spoke, (prefix, _, _) in SPOKES.items()
    ]
    gateway_routes = {f"to-{spoke}": prefix for spoke, (prefix, _, _) in SPOKES.items()}
    return [
        azure.virtual_network(HUB, azure.HUB, subnets, peerings),
        azure.route_table(
            "rt-source-gateway", gateway_routes, [azure.subnet_id(HUB, "GatewaySubnet")], propagation=True
        ),
        azure.public_ip("pip-ergw-source-hub", "203.0.113.10", configuration),
        azure.gateway(GATEWAY, HUB, "pip-ergw-source-hub", ("10.10.10.140", "10.10.10.141")),
        compute.network_interface(NVA, azure.subnet_id(HUB, "nva"), azure.NVA, forwarding=True),
        compute.managed_disk(NVA, None),
        compute.virtual_machine(NVA, 0, size="Standard_F2s_v2"),
    ]


def spoke_bodies(spoke: str) -> list[Body]:
    prefix, app, machines = SPOKES[spoke]
    short = spoke.lower().removeprefix("source-")
    table, group = f"rt-source-{short}", f"nsg-source-{short}-app"
    own = azure.subnet_id(spoke, "app")
    bodies = [
        azure.virtual_network(
            spoke,
            prefix,
            [
                azure.subnet(
                    spoke,
                    "app",
                    app,
                    table=table,
                    security_group=group,
                    storage=True,
                    used_by=tuple(compute.nic_configuration(machine) for machine in machines),
                )
            ],
            [azure.peering(spoke, HUB, azure.HUB, f"{spoke}-to-hub", transit=False, remote_gateways=True)],
        ),
        azure.route_table(table, {"everything": "0.0.0.0/0"}, [own], propagation=False),
        azure.security_group(group, security_rules(spoke), [own]),
    ]
    for index, (machine, data_disks) in enumerate(machines.items()):
        address = f"{prefix.rsplit('.', 1)[0]}.{4 + index}"
        bodies.append(compute.network_interface(machine, own, address))
        if machine == UNMANAGED:
            bodies.append(compute.storage_account(ACCOUNT))
            bodies.append(compute.virtual_machine(machine, data_disks, size="Standard_D2_v3", account=ACCOUNT))
        else:
            bodies += [compute.managed_disk(machine, lun) for lun in (None, *range(data_disks))]
            bodies.append(compute.virtual_machine(machine, data_disks))
    return bodies


def security_rules(spoke: str) -> list[tuple[str, int, str, str, str, str, str]]:
    """With a 0/0 route the VirtualNetwork tag may cover everything (R44), so that what may come in is written out and
    the rest refused before the default rules are asked."""
    prefix = SPOKES[spoke][0]
    rules = [("allow-datacenter-https", 100, "Allow", "Tcp", azure.DATACENTER, prefix, "443")]
    for other, (other_prefix, _, _) in SPOKES.items():
        if other != spoke:
            rules.append((f"allow-{other}-https", 110, "Allow", "Tcp", other_prefix, prefix, "443"))
    rules.append(("allow-own-network", 120, "Allow", "*", prefix, prefix, "*"))
    rules.append(("allow-load-balancer-probes", 130, "Allow", "*", "AzureLoadBalancer", "*", "*"))
    rules.append(("deny-the-rest", 4096, "Deny", "*", "*", "*", "*"))
    return rules


# The project. --------------------------------------------------------------------------------------------------------


def project(example: Example) -> str:
    topology = example.name
    routers = "\n".join(
        f"""\
      - name: {c.router}
        circuit: {c.name}
        links: [primary, secondary]
        local_preference: {PREFERRED if example.both and c is example.circuits[0] else 100}
        prepend: 0
        readvertise: []
        filters: []"""
        for c in example.circuits
    )
    if example.map:
        rows = "\n".join(f"    - {{from: {here}, to: {there}}}" for here, there in example.map)
        addresses = f"addresses:\n  map:\n{rows}"
    else:
        addresses = "addresses: keep"
    decided = ""
    if example.both:
        decided = (
            "    # The site prefers the circuit that the hub's connections prefer by weight (E41, E42): a flow's two"
            " directions go\n    # one way, as the firewall here wants.\n"
        )
    elif len(example.circuits) > 1:
        decided = (
            "    # Nothing at the site decides between the two circuits yet: the plan's first steps there do"
            " (D51, D90).\n"
        )
    return f"""\
{comment(example.theory)}
version: 1
name: {example.name}
cloud: lab

source: {{region: eastasia}}
# The group is located where the disaster is not (L36). Networks get Site Recovery's own suffix (S31).
target: {{region: southeastasia, resourceGroup: {azure.TARGET_GROUP}, names: "{{name}}-asr"}}

topology: {topology}
{comment("The target hub's connection before a disaster: " + example.link_because + ".")}
link: {example.link}
{addresses}

sites:
  - name: datacenter
    asn: 65010
    # The article gives no on-premises range: this one is ours.
    prefixes: [{azure.DATACENTER}]
{decided}    routers:
{routers}
    stateful_firewall: true
    change: manual

# A vendor's appliance can't be replicated (S32): the target has its own, deployed from the template beside this file.
appliances:
  - source: {azure.id_of("Microsoft.Network/networkInterfaces", "nva-nic")}
    target: {{template: nva.json}}
    stateful: true

machines:
  include: ["*"]
  exclude: []
  # Databases and files first, then what asks them.
  boot_order: [[db1, file1], [web1, web2, app1, app2]]

# No disk has a customer-managed key (S63), and no record of the estate's zones changes by a program.
disk_encryption_sets: {{}}
dns: manual

{comment(promised(example))}
objectives:
  - name: datacenter to machines
    from: datacenter
    to: machines
    ports: [tcp/443]
    through: nva-nic
    recovery_time_minutes: 60
    recovery_point_minutes: 15
    survive: [{example.survive}]
  - name: vNet1 to vNet2
    from: 10.1.0.0/24
    to: 10.2.0.0/24
    ports: [tcp/443]
    through: nva-nic
    recovery_time_minutes: 60
    recovery_point_minutes: 15
    survive: [{example.survive}]
  - name: vNet2 to vNet1
    from: 10.2.0.0/24
    to: 10.1.0.0/24
    ports: [tcp/443]
    through: nva-nic
    recovery_time_minutes: 60
    recovery_point_minutes: 15
    survive: [{example.survive}]

# What is asked of machines once they have moved, and circuits that get more bandwidth then: nothing here.
# {{name: web answers, machines: ["web*"], http: {{port: 443, https: true, path: /health}}}}
checks: []
raise_bandwidth: []
# No vault of the estate is where it must not be (S10).
replace_vault: false

# A gateway alone takes up to 45 minutes (E24): what can be built before a disaster is (D13).
provision_ahead: all

# A test failover gets a network of its own, with addresses that nothing else has (D16, D19).
drill: {{address_space: [10.201.0.0/24, 10.202.0.0/24]}}

approvals: {{failover: [], quorum: 1}}
lab: {{seed: 1, speed: jump}}
"""


def promised(example: Example) -> str:
    text = "A circuit is two links (E4) and a gateway two instances (E26): losing one of either must not be felt."
    if example.both:
        return (
            f"{text} Nor must the loss of a circuit or of its peering location: both hubs are on both circuits (D91)."
        )
    text += " With these circuits no objective can promise to survive the loss of a circuit or a peering location"
    return f"{text} ({'D91' if len(example.circuits) > 1 else 'D57'})."


def comment(text: str) -> str:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + len(word) > 117:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return "\n".join([*lines, line])


# The appliance's template. -------------------------------------------------------------------------------------------


def nva_template(example: Example) -> Body:
    nic = "Microsoft.Network/networkInterfaces"
    vm = "Microsoft.Compute/virtualMachines"
    subnet = "Microsoft.Network/virtualNetworks/subnets"
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "location": {"type": "string", "defaultValue": "southeastasia"},
            "name": {"type": "string", "defaultValue": "nva-nic"},
            "machineName": {"type": "string", "defaultValue": "nva"},
            "subnetId": {"type": "string", "defaultValue": f"[resourceId('{subnet}', '{HUB}-asr', 'nva')]"},
            "privateIPAddress": {"type": "string", "defaultValue": example.nva_there},
        },
        "resources": [
            {
                "type": nic,
                "apiVersion": "2024-05-01",
                "name": "[parameters('name')]",
                "location": "[parameters('location')]",
                "properties": {
                    "enableIPForwarding": True,
                    "ipConfigurations": [
                        {
                            "name": "ipconfig1",
                            "properties": {
                                "primary": True,
                                "privateIPAddress": "[parameters('privateIPAddress')]",
                                "privateIPAllocationMethod": "Static",
                                "subnet": {"id": "[parameters('subnetId')]"},
                            },
                        }
                    ],
                },
            },
            {
                "type": vm,
                "apiVersion": "2024-07-01",
                "name": "[parameters('machineName')]",
                "location": "[parameters('location')]",
                "dependsOn": [f"[resourceId('{nic}', parameters('name'))]"],
                "properties": {
                    "hardwareProfile": {"vmSize": "Standard_F2s_v2"},
                    "storageProfile": {
                        "imageReference": {
                            "publisher": "Canonical",
                            "offer": "ubuntu-24_04-lts",
                            "sku": "server",
                            "version": "latest",
                        },
                        "osDisk": {
                            "name": "[concat(parameters('machineName'), '-os')]",
                            "createOption": "FromImage",
                            "diskSizeGB": 1,
                            "osType": "Linux",
                            "managedDisk": {"storageAccountType": "StandardSSD_LRS"},
                        },
                        "dataDisks": [],
                    },
                    "osProfile": {
                        "computerName": "[parameters('machineName')]",
                        "adminUsername": "operator",
                        "linuxConfiguration": {"disablePasswordAuthentication": True, "provisionVMAgent": True},
                    },
                    "networkProfile": {
                        "networkInterfaces": [
                            {
                                "id": f"[resourceId('{nic}', parameters('name'))]",
                                "properties": {"primary": True},
                            }
                        ]
                    },
                },
            },
        ],
    }


def main(arguments: list[str]) -> int:
    wrong = []
    for example in EXAMPLES:
        folder = FOLDER / example.name
        folder.mkdir(exist_ok=True)
        for name, text in files(example).items():
            path = folder / name
            if arguments != ["--check"]:
                path.write_text(text, encoding="utf-8")
            elif not path.is_file() or path.read_text(encoding="utf-8") != text:
                wrong.append(f"{example.name}/{name}")
    if wrong:
        print("not as tools/make_examples.py makes them:", ", ".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
