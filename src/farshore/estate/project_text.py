"""A farshore.yaml to begin with: what an estate shows, and every default written out with a comment.

What ARM cannot know (sites, their prefixes) is given an example that a person must set right; the comment says so.
What the estate shows is taken from it: where machines run, the circuits, the appliances that forward.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from farshore.arm.connectivity import ExpressRouteCircuit
from farshore.arm.regions import REGIONS, geopolitical_region_of
from farshore.estate.project import PROVISIONABLE, SURVIVABLE, Topology
from farshore.estate.project_reading import DEFAULT_NAMES, DEFAULT_RESOURCE_GROUP, default_link
from farshore.estate.project_yaml import yaml_text
from farshore.estate.resolving import free_ranges

if TYPE_CHECKING:
    from farshore.estate.estate import Estate


def project_text(estate: Estate | None, name: str) -> str:
    """See `farshore.estate.project.new_project_yaml`."""
    source = _source_region(estate)
    target = _target_region(source)
    circuits = () if estate is None else estate.express_route_circuits
    topology = _topology(circuits)
    appliances = _appliances(estate, source)
    through = "" if len(appliances) != 1 else "\n    through: " + yaml_text(appliances[0].rsplit("/", 1)[-1])
    drill = ", ".join(str(network) for network in ([] if estate is None else free_ranges(None, estate)))
    return f"""\
version: 1
name: {yaml_text(name)}
# lab, azure, or the URL of an ARM endpoint
cloud: lab

source: {{region: {source}}}
# resourceGroup holds the target network and the vault; it must not be located in the source region (L36).
# names: {{name}} stands for the source's name. Site Recovery's own suffix is -asr (S31).
# of: the pattern that the source's names have, where it is another than {{name}}.
target: {{region: {target}, resourceGroup: {DEFAULT_RESOURCE_GROUP}, names: "{DEFAULT_NAMES}"}}

# {", ".join(topology.value for topology in Topology)}
topology: {topology.value}
# The target hub's connection before a disaster. cold: none yet; silent: up, spokes not announced; armed: up, announced.
# Default: cold where a single circuit keeps addresses (D60), else armed.
link: {default_link(topology, keep=True).value}
# keep, or new ones: {{map: [{{from: 10.1.0.0/24, to: 10.101.0.0/24}}]}}
addresses: keep

# What ARM cannot know: set name, asn, prefixes and routers right.
sites:
  - name: datacenter
    asn: {_asn(circuits)}
    prefixes: [192.168.0.0/16]
    routers:
{_routers(circuits)}
    # An asymmetric path through a stateful firewall is a broken one (R39).
    stateful_firewall: true
    # load_mbps: what was measured between the site and the machines, in Mbit/s; a circuit or gateway that is smaller is
    # found (FS319, FS320).
    # How a preference or filter is changed there: manual, or {{command: [program, argument]}}
    change: manual

# How appliances get to the target, since they can't be replicated (S32):
# existing ID, {{template: FILE}}, or manual
{_appliance_rows(appliances)}

machines:
  # names, ids or patterns; exclude wins
  include: ["*"]
  exclude: []
  # lists of names that start one after the other, at most 7 (S52); the rest starts with the last
  boot_order: []
  # lists of machines whose recovery points are of one moment, at most 16 each (S58); never split over boot groups
  consistency_groups: []
  # where a machine stands in the target: {{NAME: {{zone: 1}}}}, or availabilitySet, proximityPlacementGroup,
  # capacityReservationGroup with an id (S12)
  placement: {{}}

# Disks of customer-managed keys: the source's disk encryption sets to the target's, ids both (S63).
disk_encryption_sets: {{}}

# How the records that a failover makes wrong are changed: manual, or {{command: [program, argument]}}, which gets the
# list as JSON on its standard input.
dns: manual

# Who must reach whom, through what, within what time, despite which failures:
# {", ".join(SURVIVABLE)}
# deny: true means that it must not be possible; asymmetry: none, that a reply never comes another way (stateless: it
# may, where nothing stateful sees only one direction).
objectives:
  - name: datacenter to machines
    from: datacenter
    to: machines
    ports: [tcp/443]{through}
    deny: false
    recovery_time_minutes: 60
    recovery_point_minutes: 15
    survive: [circuit-link, gateway-instance]
    asymmetry: stateless

# What is asked of machines once they have moved; a wave goes on only when its checks hold. Nothing is asked by default:
# {{name: web answers, machines: ["web*"], http: {{port: 443, https: true, path: /health, status: 200}}}}
# {{name: db listens, machines: [db1], tcp: 1433, from: web1}}      by run command; without from: where Farshore runs
# {{name: its own, wave: 1, script: {{file: check.sh}}}}            in the machine, by run command
# {{name: ours, command: [./check], within_minutes: 5}}           a program, where Farshore runs
checks: []

# Circuits that get more bandwidth in a failover, once somebody has approved it. It can't be lowered again (E6, D49):
# {{circuit: {_raised(circuits)}, mbps: 1000}}
raise_bandwidth: []

# Whether machines that a vault in the source's region protects are let go of there, and protected anew from one in the
# target (S10, FS501): they are replicated nowhere until their first copies are made.
replace_vault: false

# all, none, or some of: {", ".join(PROVISIONABLE)}
provision_ahead: all

# Where a test failover's machines stand: {{network: ID}}, or ranges that nothing else has (D16, D19).
drill: {{address_space: [{drill or "10.201.0.0/24"}]}}

# Who approves a failover, and how many of them must.
approvals: {{failover: [], quorum: 1}}

# The embedded lab: the seed of its chances, and its clock: jump, 1 or 1000.
lab: {{seed: 1, speed: jump}}
"""


def _source_region(estate: Estate | None) -> str:
    """Where most machines are; without machines, most networks."""
    if estate is not None:
        for places in (
            [vm.location for vm in estate.virtual_machines],
            [network.location for network in estate.virtual_networks],
        ):
            known = Counter(place for place in places if place in REGIONS)
            if known:
                return known.most_common(1)[0][0]
    return "eastasia"


def _target_region(source: str) -> str:
    """Another region that a Standard circuit reaches from the same place (E17), if one is known."""
    geo = geopolitical_region_of(source)
    near = [region.name for region in REGIONS.values() if region.geopolitical_region == geo and region.name != source]
    return near[0] if geo is not None and near else ("southeastasia" if source != "southeastasia" else "eastasia")


def _topology(circuits: tuple[ExpressRouteCircuit, ...]) -> Topology:
    if len(circuits) < 2:
        return Topology.SINGLE_CIRCUIT_KEPT_ADDRESSES
    if len({circuit.peering_location for circuit in circuits}) == 1:
        return Topology.TWO_CIRCUITS_ONE_LOCATION
    return Topology.TWO_CIRCUITS_TWO_LOCATIONS


def _asn(circuits: tuple[ExpressRouteCircuit, ...]) -> int:
    """What a circuit's private peering calls its peer."""
    peers = (circuit.private_peering.peer_asn for circuit in circuits if circuit.private_peering is not None)
    return next((asn for asn in peers if asn is not None and asn != 12076 and not 65515 <= asn <= 65520), 65010)


def _raised(circuits: tuple[ExpressRouteCircuit, ...]) -> str:
    return circuits[-1].id.name if circuits else "er-secondary"


def _routers(circuits: tuple[ExpressRouteCircuit, ...]) -> str:
    names = [circuit.id.name for circuit in circuits]
    twice = [name.lower() for name in names if sum(name.lower() == other.lower() for other in names) > 1]
    circuits_named = [c.id.text if c.id.name.lower() in twice else c.id.name for c in circuits] or ["er-primary"]
    return "\n".join(
        f"""\
      - name: ce{number}
        # a circuit of the estate, by id or name
        circuit: {yaml_text(circuit)}
        links: [primary, secondary]
        # the highest wins (E42)
        local_preference: 100
        prepend: 0
        # circuits whose routes it passes on to this one: transit between regions, an error (E48)
        readvertise: []
        # {{direction: in|out, prefix: 10.1.0.0/24, action: deny|allow}}
        filters: []"""
        for number, circuit in enumerate(circuits_named, 1)
    )


def _appliances(estate: Estate | None, source: str) -> list[str]:
    """NICs that forward what is not addressed to them (R24)."""
    if estate is None:
        return []
    return [nic.id.text for nic in estate.network_interfaces if nic.enable_ip_forwarding and nic.location == source]


def _appliance_rows(appliances: list[str]) -> str:
    if not appliances:
        return "appliances: []"
    rows = (f"  - source: {yaml_text(appliance)}\n    target: manual\n    stateful: true" for appliance in appliances)
    return "appliances:\n" + "\n".join(rows)
