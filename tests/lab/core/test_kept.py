"""Every type that is shape only, through its life as any client asks for it: made, shown, listed, changed, gone."""

from __future__ import annotations

import pytest

from farshore.arm.json import Body
from farshore.lab import catalog, registry
from farshore.lab.kept import Kept
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, machine_body, net, network_body, nic_body, refusal, subnet, vnet

catalog.load()
PLACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
KEPT = sorted(kind.type for kind in registry.TYPES.values() if isinstance(kind, Kept))
ACCOUNT = f"{PLACE}/providers/Microsoft.Storage/storageAccounts/account1"


def _body(type_: str) -> Body:
    tracked = type_.count("/") == 1
    return {
        "properties": {"mine": {"deep": [1, "two"]}},
        **({"location": "eastasia", "tags": {"a": "b"}} if tracked else {}),
    }


def _made(lab: Lab, type_: str) -> str:
    """The id of one of the type, and all that it lies in."""
    namespace, *kinds = type_.split("/")
    id_ = f"{PLACE}/providers/{namespace}"
    for depth, kind in enumerate(kinds, 1):
        own = "/".join([namespace, *kinds[:depth]])
        known = registry.TYPES[own.lower()]
        born = isinstance(known, Kept) and known.kind.born is not None
        id_ += f"/{kind}/{'default' if born else 'account1' if kind == 'storageAccounts' else 'one'}"
        if born:
            continue
        body = _body(own)
        if kind == "storageAccounts":
            body = {"location": "eastasia", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
        elif kind == "virtualMachines" and depth == 1:
            lab.made(vnet("hub"), network_body("10.0.0.0/24", inner="10.0.0.0/25"))
            lab.made(net("nic", kind="networkInterfaces"), nic_body(subnet("hub", "inner")))
            body = machine_body(net("nic", kind="networkInterfaces"))
        lab.made(id_, body)
    return id_


@pytest.mark.parametrize("type_", KEPT)
def test_its_whole_life(type_: str) -> None:
    lab = Lab()
    id_ = _made(lab, type_)
    known = registry.TYPES[type_.lower()]
    assert isinstance(known, Kept)
    if known.kind.born is None:
        shown = lab.body(id_)
        assert shown["properties"]["mine"] == {"deep": [1, "two"]} and shown["type"] == type_
        assert ("provisioningState" in shown["properties"]) == known.kind.states
        listed = lab.body(id_.rsplit("/", 1)[0])["value"]
        assert [row["id"] for row in listed] == [id_]
    else:
        assert known.kind.born.items() <= lab.properties(id_).items(), "it is there with its parent"
    changed = lab.patch(id_, {"properties": {"more": 1}})
    if known.kind.patches:
        lab.follow(changed)
        assert lab.properties(id_)["more"] == 1
    else:
        assert refusal(changed, 405) == "MethodNotAllowed"
    if known.kind.gone is None:
        assert refusal(lab.delete(id_), 405) == "MethodNotAllowed"
        return
    lab.gone(id_)
    assert lab.get(id_).status == 404


def test_a_container_needs_no_service_to_be_made_first() -> None:
    """Clients make containers in an account that they have just made, and nobody makes its blob service."""
    lab = Lab()
    lab.made(ACCOUNT, {"location": "eastasia", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}})
    container = f"{ACCOUNT}/blobServices/default/containers/vhds"
    assert lab.put(container, {"properties": {}}).status == 201
    assert lab.properties(container)["publicAccess"] == "None"
    assert lab.put(container.replace("account1", "account2"), {"properties": {}}).status == 404


def test_secrets_of_an_automation_account_are_kept_to_itself() -> None:
    lab = Lab()
    account = f"{PLACE}/providers/Microsoft.Automation/automationAccounts/auto"
    lab.made(account, {"location": "eastasia", "properties": {"sku": {"name": "Basic"}}})
    certificate = f"{account}/certificates/one"
    answer = lab.put(certificate, {"properties": {"base64Value": "c2VjcmV0", "isExportable": False}})
    assert answer.status == 201
    assert "c2VjcmV0" not in str(answer.body) + str(lab.body(certificate)) + str(lab.journal())


@pytest.mark.parametrize("kind", ["networkSecurityPerimeters/profiles", "networkManagers/scopeConnections"])
def test_what_takes_no_time_of_microsoft_network_takes_none(kind: str) -> None:
    lab = Lab()
    parent, child = kind.split("/")
    lab.made(net("one", kind=parent), {"location": "eastasia", "properties": {}})
    id_ = f"{net('one', kind=parent)}/{child}/two"
    answer = lab.put(id_, {"properties": {"mine": 1}})
    assert answer.status == 201 and "azure-asyncoperation" not in answer.headers
    assert answer.body["properties"]["provisioningState"] == "Succeeded"
    assert lab.delete(id_).status == 200 and lab.get(id_).status == 404
