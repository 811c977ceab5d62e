"""The NICs of a protected item: where each would go (S13, S34, S35).

`nics_of` reads a machine's NICs with Site Recovery's defaults; `homeward` what would bring a machine back to its very
NICs and addresses; `nic_settings` takes what a client says later (PATCH). The misspelt `isSeletedForFailover` is
Azure's.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import bad_request
from farshore.lab.compute import attached
from farshore.lab.recovery.addresses import pick_subnet
from farshore.lab.recovery.objects import objects

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


def nics_of(cloud: Cloud, item: ResourceId, vm: Body, network: str | None, subnet: str | None) -> list[Body]:
    """The NICs of a machine as an item shows them, going to `network`, with defaults of S34 and S35."""
    found = []
    for nic in attached.nics(vm):
        body = cloud.body(nic)
        if body is None:
            continue
        configs = []
        home = None
        for config in body["properties"].get("ipConfigurations") or []:
            properties = config.get("properties") or {}
            subnet_id = (properties.get("subnet") or {}).get("id")
            if not subnet_id:
                continue
            inside = resource_id(str(subnet_id))
            home = inside.parent
            # S35: an address of version 6 is not carried by itself.
            first = bool(properties.get("primary", True)) and ":" not in str(properties.get("privateIPAddress"))
            static = str(properties.get("privateIPAllocationMethod")) == "Static"
            configs.append(
                {
                    "name": config["name"],
                    "isPrimary": first,
                    "subnetName": inside.name,
                    "staticIPAddress": properties.get("privateIPAddress"),
                    "ipAddressType": "Static" if static else "Dynamic",
                    "isSeletedForFailover": first,
                    "recoverySubnetName": _subnet_there(cloud, network, subnet, inside.name),
                    "recoveryStaticIPAddress": properties.get("privateIPAddress") if static else "",
                    "recoveryIPAddressType": "Static" if static else "Dynamic",
                    "recoveryPublicIPAddressId": None,
                    "recoveryLBBackendAddressPoolIds": None,
                    "tfoSubnetName": None,
                    "tfoStaticIPAddress": None,
                    "tfoPublicIPAddressId": None,
                    "tfoLBBackendAddressPoolIds": None,
                }
            )
        found.append(
            {
                "nicId": cloud.guid("nic", item.key, nic.key),
                "replicaNicId": None,
                "sourceNicArmId": nic.text,
                "vMNetworkName": None if home is None else home.text,
                "recoveryVMNetworkId": network,
                "ipConfigs": configs,
                "selectionType": "SelectedByUserOverride",
                "recoveryNetworkSecurityGroupId": None,
                "enableAcceleratedNetworkingOnRecovery": bool(body["properties"].get("enableAcceleratedNetworking")),
                "tfoVMNetworkId": None,
                "tfoNetworkSecurityGroupId": None,
                "enableAcceleratedNetworkingOnTfo": None,
                "recoveryNicName": None,
                "recoveryNicResourceGroupName": None,
                "reuseExistingNic": False,
                "tfoRecoveryNicName": None,
                "tfoRecoveryNicResourceGroupName": None,
                "tfoReuseExistingNic": False,
                "targetNicName": None,
            }
        )
    return found


def remembered(fresh: list[Body], before: list[Body]) -> list[Body]:
    """The NICs of a switched item: as they are now, going back to where they came from (recorded).

    `before` are the old machine's own settings, taken when reprotection began (`homeward`), in the same order.
    """
    if len(fresh) != len(before):
        return fresh
    kept = []
    for nic, home in zip(fresh, before, strict=True):
        names = (
            "recoveryVMNetworkId",
            "recoveryNetworkSecurityGroupId",
            "enableAcceleratedNetworkingOnRecovery",
            "recoveryNicName",
            "recoveryNicResourceGroupName",
        )
        there = ("recoverySubnetName", "recoveryStaticIPAddress", "recoveryIPAddressType", "isSeletedForFailover")
        by_name = {config["name"]: config for config in home["ipConfigs"]}
        configs = [
            {**config, **{key: by_name[config["name"]][key] for key in there}} if config["name"] in by_name else config
            for config in nic["ipConfigs"]
        ]
        kept.append({**nic, **{name: home[name] for name in names}, "ipConfigs": configs})
    return kept


def homeward(cloud: Cloud, item: ResourceId, vm: Body) -> list[Body]:
    """Settings that would bring a machine's successor back to its very NICs and addresses."""
    found = []
    for nic in nics_of(cloud, item, vm, None, None):
        source = resource_id(str(nic["sourceNicArmId"]))
        body = cloud.body(source) or {}
        secured = ((body.get("properties") or {}).get("networkSecurityGroup") or {}).get("id")
        configs = [{**config, "recoverySubnetName": config["subnetName"]} for config in nic["ipConfigs"]]
        found.append(
            {
                **nic,
                "recoveryVMNetworkId": nic["vMNetworkName"],
                "recoveryNetworkSecurityGroupId": secured,
                "recoveryNicName": source.name,
                "recoveryNicResourceGroupName": source.resource_group,
                "ipConfigs": configs,
            }
        )
    return found


def nic_settings(cloud: Cloud, kept: list[Body], sent: list[Body]) -> list[Body]:
    """The NICs after a PATCH that says something about some of them (S13)."""
    result = [dict(nic) for nic in kept]
    for given in sent:
        nic = _named(result, str(given.get("nicId") or ""))
        taken = {
            "selectionType": "selectionType",
            "recoveryNetworkSecurityGroupId": "recoveryNetworkSecurityGroupId",
            "enableAcceleratedNetworkingOnRecovery": "enableAcceleratedNetworkingOnRecovery",
            "tfoNetworkSecurityGroupId": "tfoNetworkSecurityGroupId",
            "enableAcceleratedNetworkingOnTfo": "enableAcceleratedNetworkingOnTfo",
            "recoveryNicName": "recoveryNicName",
            "recoveryNicResourceGroupName": "recoveryNicResourceGroupName",
            "reuseExistingNic": "reuseExistingNic",
            "tfoNicName": "tfoRecoveryNicName",
            "tfoNicResourceGroupName": "tfoRecoveryNicResourceGroupName",
            "tfoReuseExistingNic": "tfoReuseExistingNic",
        }
        nic.update({name: given[key] for key, name in taken.items() if key in given})
        for key in ("recoveryNetworkSecurityGroupId", "tfoNetworkSecurityGroupId"):
            if given.get(key) and cloud.body(str(given[key])) is None:
                raise bad_request("InvalidParameter", f"The network security group {given[key]} was not found.", key)
        nic["ipConfigs"] = _config_settings(nic["ipConfigs"], objects(given.get("ipConfigs"), "ipConfigs"))
    return result


def _config_settings(kept: list[Body], sent: list[Body]) -> list[Body]:
    result = [dict(config) for config in kept]
    for given in sent:
        name = given.get("ipConfigName")
        found = [config for config in result if config["name"] == name] or (result if len(result) == 1 else [])
        if not found:
            raise bad_request("InvalidParameter", f"The NIC has no IP configuration named {name}.", "ipConfigName")
        config = found[0]
        if "recoveryStaticIPAddress" in given:
            config["recoveryIPAddressType"] = "Static" if given["recoveryStaticIPAddress"] else "Dynamic"
        for key in ("recoveryStaticIPAddress", "tfoStaticIPAddress"):
            if given.get(key):
                _must_be_address(given[key], key)
        keys = (
            "isSeletedForFailover",
            "recoverySubnetName",
            "recoveryStaticIPAddress",
            "recoveryPublicIPAddressId",
            "recoveryLBBackendAddressPoolIds",
            "tfoSubnetName",
            "tfoStaticIPAddress",
            "tfoPublicIPAddressId",
            "tfoLBBackendAddressPoolIds",
        )
        config.update({key: given[key] for key in keys if key in given})
        for key in ("recoverySubnetName", "tfoSubnetName"):
            config[key] = last_segment(config.get(key))
    return result


def _must_be_address(text: Any, key: str) -> None:
    try:
        IPv4Address(str(text))
    except ValueError:
        raise bad_request("InvalidParameter", f"'{text}' is no IP address of version 4.", key) from None


def last_segment(text: Any) -> str | None:
    """A subnet's name, from its name or from its id (the recorded client sends the id)."""
    return str(text).rstrip("/").rsplit("/", 1)[-1] if text else None


def _named(nics: list[Body], wanted: str) -> Body:
    """The NIC that a client means by the item's own `nicId` or by the NIC's id in Azure."""
    for nic in nics:
        if wanted.lower() in (str(nic["nicId"]).lower(), str(nic["sourceNicArmId"]).lower()):
            return nic
    raise bad_request("InvalidParameter", f"The machine has no NIC {wanted}.", "nicId")


def _subnet_there(cloud: Cloud, network: str | None, configured: str | None, source: str) -> str | None:
    if network is None:
        return None
    body = cloud.body(network)
    names = (
        [] if body is None else [str(each["name"]) for each in cloud.children(resource_id(str(body["id"])), "subnets")]
    )
    return pick_subnet(names, configured=configured, source=source)
