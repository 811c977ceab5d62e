"""Machines, addresses, disks, who goes: broken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from .bench import SOURCE_GROUP, SUBSCRIPTION, TARGET_GROUP, Bench
from .broken import (
    BARE,
    HANDMADE,
    MAPPED,
    SHIPPED,
    SPOKE1,
    SPOKE2,
    TARGETS,
    At,
    Break,
    Ground,
    bind,
    made,
    own,
    path,
    put,
    subnet_of,
)

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
HERE: tuple[Ground, ...] = (SHIPPED,)
MACHINES = ("web1", "db1", "app2", "file1")


def _nics() -> Iterator[Break]:
    for name in MACHINES:
        nic = own(f"{name}-nic")
        yield Break(
            f"{name} with a dynamic address",
            bind(lambda at, n: at.bench.ip(f"{n}-nic").update(privateIPAllocationMethod="Dynamic"), name),
            nic,
            HERE,
        )
        yield Break(
            f"{name} without an allocation method",
            bind(lambda at, n: at.bench.ip(f"{n}-nic").pop("privateIPAllocationMethod"), name),
            nic,
            HERE,
        )
    for address in ("10.1.0.3", "10.1.0.0", "10.1.0.127", "10.1.0.200", "10.2.0.4"):
        yield Break(
            f"web1 with {address}",
            bind(lambda at, a: at.bench.ip("web1-nic").update(privateIPAddress=a), address),
            own("web1-nic"),
            HERE,
        )
    yield Break(
        "web2 with web1's address",
        lambda at: at.bench.ip("web2-nic").update(privateIPAddress=at.bench.ip("web1-nic")["privateIPAddress"]),
        own("web2-nic"),
        HERE,
    )
    yield Break(
        "web1's NIC in no subnet that is",
        lambda at: at.bench.ip("web1-nic")["subnet"].update(id=at.bench.ip("web1-nic")["subnet"]["id"] + "x"),
        own("web1-nic"),
        HERE,
    )
    yield Break(
        "web1's NIC elsewhere", lambda at: at.bench["web1-nic"].update(location="japaneast"), own("web1-nic"), HERE
    )
    yield Break(
        "web1's NIC without addresses",
        put(lambda at: at.bench.properties("web1-nic"), ipConfigurations=[]),
        own("web1-nic"),
        HERE,
    )
    yield Break("web1 without its NIC", lambda at: at.bench.remove("web1-nic"), own("web1"), HERE)


def _taken() -> Iterator[Break]:
    for spoke, address in ((SPOKE1, "10.1.0.4"), (SPOKE2, "10.2.0.4")):
        yield Break(
            f"{address} held by a NIC",
            bind(lambda at, s, a: nic_in(at, s, "app", a), spoke, address),
            made("taken-nic"),
            TARGETS,
        )
        yield Break(
            f"{address} held by a balancer",
            bind(lambda at, s, a: _balancer(at, s, a), spoke, address),
            made("lb-taken"),
            TARGETS,
        )
        yield Break(
            f"{address} held by a NIC's second address",
            bind(lambda at, s, a: _second(at, s, a), spoke, address),
            made("taken-nic"),
            TARGETS,
        )
        yield Break(
            f"{address} held by an endpoint's NIC",
            bind(lambda at, s, a: nic_in(at, s, "app", a, method="Dynamic"), spoke, address),
            made("taken-nic"),
            TARGETS,
        )
    yield Break(
        "the appliance's place held",
        _squatter,
        made("squatter-nic"),
        (HANDMADE, BARE),
    )
    for cut in ("10.1.0.64/26", "10.1.0.8/29", "10.1.0.4/30"):
        yield Break(
            f"the target's subnet is {cut}",
            bind(lambda at, c: at.subnet(SPOKE1, "app").update(addressPrefix=at.address(c)), cut),
            subnet_of(SPOKE1, "app"),
            TARGETS,
            # Nothing is in it: the plan gives it the range that it needs, and says so before.
            severity="warning",
        )


def _machines() -> Iterator[Break]:
    yield Break("web1 elsewhere", lambda at: at.bench["web1"].update(location="southeastasia"), own("web1"), HERE)
    yield Break(
        "app1 deallocated",
        lambda at: at.bench.properties("app1")["instanceView"].update(statuses=[{"code": "PowerState/deallocated"}]),
        own("app1"),
        HERE,
    )
    yield Break(
        "app1 stopped",
        lambda at: at.bench.properties("app1")["instanceView"].update(statuses=[{"code": "PowerState/stopped"}]),
        own("app1"),
        HERE,
    )
    yield Break(
        "app1 failed", put(lambda at: at.bench.properties("app1"), provisioningState="Failed"), own("app1"), HERE
    )
    yield Break(
        "ultra disk",
        lambda at: at.bench["db1-data0"].update(sku={"name": "UltraSSD_LRS", "tier": "Ultra"}),
        own("db1-data0"),
        HERE,
    )
    yield Break(
        "disk of 40 TiB", lambda at: at.bench.properties("db1-data0").update(diskSizeGB=40960), own("db1-data0"), HERE
    )
    yield Break("shared disk", lambda at: at.bench.properties("db1-data0").update(maxShares=2), own("db1-data0"), HERE)
    yield Break(
        "a name that stands there",
        lambda at: _stands_there(at.bench),
        lambda at: at.bench[f"{TARGET_GROUP}/web1"]["id"],
        HERE,
    )
    for key, value in (("zones", ["1"]), ("identity", {"type": "SystemAssigned"})):
        if key == "zones":
            yield Break(
                "db1 in a zone",
                bind(lambda at, k, v: at.bench["db1"].update({k: v}), key, value),
                own("db1"),
                HERE,
                severity="warning",
            )
    yield Break(
        "a disk with keys of its own",
        lambda at: at.bench.properties("web1-os").update(
            encryption={
                "type": "EncryptionAtRestWithCustomerKey",
                "diskEncryptionSetId": f"{GROUPS}/{SOURCE_GROUP}/providers/Microsoft.Compute/diskEncryptionSets/des",
            }
        ),
        own("web1-os"),
        HERE,
        severity="warning",
    )
    yield Break("a second NIC", lambda at: _second_nic(at.bench), own("file1"), HERE, severity="warning")


def _who_goes() -> Iterator[Break]:
    of = path("machines")
    for name, fields in (
        ("vNet2 left", {"exclude": ["app*", "file1"]}),
        ("only vNet1", {"include": ["web1", "web2", "db1"]}),
        ("one machine left", {"exclude": ["db1"]}),
        ("only one machine", {"include": ["web1"]}),
        (
            "one machine left, by its id",
            {"exclude": [f"{GROUPS}/{SOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/app2"]},
        ),
    ):
        yield Break(
            f"who goes: {name}",
            bind(lambda at, f: at.bench.project["machines"].update(boot_order=[], **f), fields),
            of,
            HERE,
        )
    yield Break("nobody goes", lambda at: at.bench.project["machines"].update(exclude=["*"], boot_order=[]), of, HERE)


def _map() -> Iterator[Break]:
    rows = "addresses/map"
    for row in (0, 1):
        yield Break(
            f"row {row} of the map left out",
            bind(lambda at, r: at.bench.project["addresses"]["map"].pop(r), row),
            path(rows),
            HERE,
            MAPPED,
        )
    yield Break(
        "a row for half a subnet",
        lambda at: at.bench.project["addresses"]["map"].__setitem__(
            0, {"from": "10.1.0.128/25", "to": "10.101.0.128/25"}
        ),
        path(rows),
        HERE,
        MAPPED,
    )
    yield Break(
        "a row for a part of a subnet",
        lambda at: at.bench.project["addresses"]["map"].__setitem__(0, {"from": "10.1.0.0/29", "to": "10.101.0.0/29"}),
        path(rows),
        HERE,
        MAPPED,
    )
    yield Break(
        "only the hub in the map",
        lambda at: at.bench.project.update(addresses={"map": [{"from": "10.10.10.0/24", "to": "10.110.10.0/24"}]}),
        path(rows),
        HERE,
        MAPPED,
    )


def nic_in(at: At, network: str, subnet: str, address: str, *, method: str = "Static") -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"{GROUPS}/{TARGET_GROUP}/providers/Microsoft.Network/networkInterfaces/taken-nic",
        "name": "taken-nic",
        "type": "Microsoft.Network/networkInterfaces",
        "location": "southeastasia",
        "properties": {
            "provisioningState": "Succeeded",
            "ipConfigurations": [
                {
                    "name": "ipconfig1",
                    "properties": {
                        "primary": True,
                        "privateIPAddress": at.address(address),
                        "privateIPAllocationMethod": method,
                        "subnet": {"id": f"{at.id(network)}/subnets/{subnet}"},
                    },
                }
            ],
        },
    }
    at.bench.resources.append(made)
    return made


def _second(at: At, network: str, address: str) -> None:
    nic = nic_in(at, network, "app", address.rsplit(".", 1)[0] + ".90")
    more = copy.deepcopy(nic["properties"]["ipConfigurations"][0])
    more["name"] = "second"
    more["properties"].update(primary=False, privateIPAddress=at.address(address))
    nic["properties"]["ipConfigurations"].append(more)


def _balancer(at: At, network: str, address: str) -> None:
    front = {
        "privateIPAddress": at.address(address),
        "privateIPAllocationMethod": "Static",
        "subnet": {"id": f"{at.id(network)}/subnets/app"},
    }
    at.bench.add(
        "Microsoft.Network/loadBalancers",
        "lb-taken",
        group=TARGET_GROUP,
        location="southeastasia",
        sku={"name": "Standard"},
        properties={"frontendIPConfigurations": [{"name": "front", "properties": front}]},
    )


def _squatter(at: At) -> None:
    """Somebody else's NIC where the target's appliance will stand."""
    body = at.bench[at.name("nva-nic")]
    body["name"], body["id"] = "squatter-nic", str(body["id"]).replace("nva-nic", "squatter-nic")
    body["properties"]["enableIPForwarding"] = False


def _stands_there(bench: Bench) -> None:
    made = copy.deepcopy(bench["web1"])
    made["id"] = made["id"].replace(SOURCE_GROUP, TARGET_GROUP)
    made["location"] = "southeastasia"
    made["properties"]["networkProfile"]["networkInterfaces"] = []
    bench.resources.append(made)


def _second_nic(bench: Bench) -> None:
    """web1 has a second NIC in its subnet: in order."""
    made = bench.copy_of("web1-nic", "web1-nic2")
    made["properties"]["primary"] = False
    bench.ip("web1-nic2")["privateIPAddress"] = "10.1.0.40"
    bench.properties("web1")["networkProfile"]["networkInterfaces"].append(
        {"id": made["id"], "properties": {"primary": False}}
    )


BREAKS = (*_nics(), *_taken(), *_machines(), *_who_goes(), *_map())
