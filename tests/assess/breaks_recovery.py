"""The drill, Site Recovery's own objects, objectives and appliances: broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .bench import BOTH, SOURCE_GROUP, SUBSCRIPTION, TARGET_GROUP, Bench
from .broken import ALL, HUB, MAPPED, SHIPPED, SPOKE1, SPOKE2, TARGETS, At, Break, Ground, bind, made, path, project

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
HERE: tuple[Ground, ...] = (SHIPPED,)


def _drill() -> Iterator[Break]:
    network, space = path("drill/network"), path("drill/address_space")
    for of in (SPOKE1, SPOKE2, HUB):
        yield Break(
            f"drill in {of}'s counterpart",
            bind(lambda at, o: at.bench.project.update(drill={"network": at.id(o)}), of),
            network,
            TARGETS,
        )
        yield Break(
            f"drill in {of}'s counterpart, in other case",
            bind(lambda at, o: at.bench.project.update(drill={"network": at.id(o).lower()}), of),
            network,
            TARGETS,
        )
        yield Break(
            f"drill in {of} itself",
            bind(lambda at, o: at.bench.project.update(drill={"network": at.id(o)}), of),
            network,
            HERE,
        )
        yield Break(
            f"drill in {of}'s counterpart to be",
            bind(
                lambda at, o: at.bench.project.update(
                    drill={"network": f"{GROUPS}/{TARGET_GROUP}/providers/Microsoft.Network/virtualNetworks/{o}-asr"}
                ),
                of,
            ),
            network,
            HERE,
        )
    yield Break(
        "drill in a network that is not there",
        lambda at: at.bench.project.update(
            drill={"network": f"{GROUPS}/{TARGET_GROUP}/providers/Microsoft.Network/virtualNetworks/none"}
        ),
        network,
        HERE,
    )
    for prefix in ("10.1.0.0/24", "10.2.0.0/25", "10.0.0.0/8", "10.10.10.0/24", "192.168.77.0/24"):
        yield Break(f"drill with {prefix}", project(drill={"address_space": [prefix]}), space, HERE)
    for prefix in ("10.101.0.0/24", "10.110.10.0/25"):
        yield Break(f"drill with {prefix}", project(drill={"address_space": [prefix]}), space, HERE, MAPPED)
    for of in (SPOKE1, HUB):
        yield Break(
            f"drill's network peered with {of}",
            bind(lambda at, o: _joined_drill(at, o), of),
            made("drill"),
            (SHIPPED, *TARGETS),
        )


def _recovery() -> Iterator[Break]:
    yield Break("vault in the source region", lambda at: _vault(at.bench, location="eastasia"), made("vault-dr"), HERE)
    yield Break("vault in the source's group", lambda at: _vault(at.bench, group=SOURCE_GROUP), made("vault-dr"), HERE)
    yield Break(
        "vault in a group of its own in the source region",
        lambda at: _vault_group(at.bench),
        lambda at: f"{GROUPS}/rg-vault",
        HERE,
    )
    yield Break("cache account beside the target", lambda at: _cache(at.bench, "southeastasia"), made("stcache"), HERE)
    yield Break(
        "mapped to another network",
        lambda at: _mapping(at, f"{GROUPS}/{TARGET_GROUP}/providers/Microsoft.Network/virtualNetworks/elsewhere"),
        lambda at: str(at.bench.resources[-1]["id"]),
        TARGETS,
    )
    yield Break(
        "replication critical",
        lambda at: _item(at.bench, replicationHealth="Critical"),
        lambda at: str(at.bench.resources[-1]["id"]),
        HERE,
    )


def _objectives() -> Iterator[Break]:
    single = tuple(example for example in ALL if example != BOTH)
    for name, examples, fields in (
        ("of nobody", ALL, {"to": "10.99.0.0/24"}),
        ("that survives its circuit", single, {"survive": ["circuit"]}),
        ("that survives its location", single, {"survive": ["peering-location"]}),
        ("that survives its appliance", ALL, {"survive": ["appliance"]}),
    ):
        yield Break(
            f"objective {name}",
            bind(
                lambda at, f: at.bench.project["objectives"].append(
                    {"name": "extra", "from": "datacenter", "to": "machines", **f}
                ),
                fields,
            ),
            path("objectives/extra"),
            HERE,
            examples,
        )
    yield Break("appliance that is not there", lambda at: _gone_appliance(at.bench), path("appliances/0/source"), HERE)
    yield Break(
        "target's appliance that is not there",
        lambda at: at.bench.project["appliances"][0].update(
            target={"existing": f"{GROUPS}/{TARGET_GROUP}/providers/Microsoft.Network/networkInterfaces/ghost"}
        ),
        path("appliances/0/target/existing"),
        HERE,
    )
    yield Break("no appliance named", lambda at: _no_appliances(at.bench), path("appliances"), HERE)


def _joined_drill(at: At, network: str) -> None:
    at.bench.add(
        "Microsoft.Network/virtualNetworks",
        "drill",
        group=TARGET_GROUP,
        location="southeastasia",
        properties={
            "addressSpace": {"addressPrefixes": ["10.201.0.0/24"]},
            "subnets": [{"name": "app", "properties": {"addressPrefix": "10.201.0.0/25"}}],
            "virtualNetworkPeerings": [
                {
                    "name": "p",
                    "properties": {"peeringState": "Connected", "remoteVirtualNetwork": {"id": at.id(network)}},
                }
            ],
        },
    )
    at.bench.project["drill"] = {"network": at.bench["drill"]["id"]}


def _vault(bench: Bench, *, group: str = TARGET_GROUP, location: str = "southeastasia") -> str:
    return str(
        bench.add(
            "Microsoft.RecoveryServices/vaults",
            "vault-dr",
            group=group,
            location=location,
            sku={"name": "RS0"},
            properties={},
        )["id"]
    )


def _vault_group(bench: Bench) -> None:
    bench.resources.append(
        {
            "id": f"{GROUPS}/rg-vault",
            "name": "rg-vault",
            "type": "Microsoft.Resources/resourceGroups",
            "location": "eastasia",
            "properties": {},
        }
    )
    _vault(bench, group="rg-vault")


def _item(bench: Bench, replicationHealth: str = "Normal", **details: Any) -> None:  # noqa: N803
    vault = _vault(bench)
    vm = f"{GROUPS}/{SOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/web1"
    bench.resources.append(
        {
            "id": f"{vault}/replicationFabrics/f/replicationProtectionContainers/c/replicationProtectedItems/web1",
            "name": "web1",
            "properties": {
                "protectionState": "Protected",
                "replicationHealth": replicationHealth,
                "providerSpecificDetails": {"instanceType": "A2A", "fabricObjectId": vm, **details},
            },
        }
    )


def _cache(bench: Bench, location: str) -> None:
    account = bench.add("Microsoft.Storage/storageAccounts", "stcache", location=location)["id"]
    _item(bench, protectedManagedDisks=[{"diskId": "d", "primaryStagingAzureStorageAccountId": account}])


def _mapping(at: At, to: str) -> None:
    vault = _vault(at.bench)
    home = at.bench[SPOKE1]["id"]
    at.bench.resources.append(
        {
            "id": f"{vault}/replicationFabrics/f/replicationNetworks/azureNetwork/replicationNetworkMappings/m",
            "properties": {
                "recoveryNetworkId": to,
                "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": home},
            },
        }
    )


def _no_appliances(bench: Bench) -> None:
    bench.project.pop("appliances")
    for objective in bench.project["objectives"]:
        objective.pop("through")


def _gone_appliance(bench: Bench) -> None:
    bench.project["appliances"][0]["source"] = bench["rg-source/nva-nic"]["id"].replace("nva-nic", "gone-nic")
    for objective in bench.project["objectives"]:
        objective.pop("through")


BREAKS = (*_drill(), *_recovery(), *_objectives())
