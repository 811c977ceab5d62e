"""replicationRecoveryServicesProviders: who speaks for a fabric. One of Azure has one, which nobody made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId, resource_id
from farshore.arm.json import Body
from farshore.lab.answers import child_not_found, not_implemented
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.recovery.names import FABRICS, PROVIDERS, VAULTS, shown_id
from farshore.lab.recovery.objects import RecoveryType, fabric_of
from farshore.lab.registry import resource_type, view

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud


@resource_type(PROVIDERS)
class Providers(RecoveryType):
    noun = "recovery services provider"
    kind = "Server"

    def get(self, call: Call) -> Response:
        fabric = call.cloud.body(fabric_of(call.id))
        found = None if fabric is None else _provider(call.cloud, fabric)
        if found is None or found["name"].lower() != call.id.name.lower():
            raise child_not_found(call.id)
        return Response(status=200, body=found)

    def put(self, call: Call) -> Response:
        raise not_implemented(f"writing {self.type}")

    patch = put
    delete = put


@view(VAULTS, "replicationRecoveryServicesProviders")
def of_a_vault(call: Call) -> Response:
    call.must_exist()
    return page(call, [_provider(call.cloud, fabric) for fabric in call.cloud.children(call.id, "replicationFabrics")])


@view(FABRICS, "replicationRecoveryServicesProviders")
def of_a_fabric(call: Call) -> Response:
    return page(call, [_provider(call.cloud, call.must_exist())])


def provider_id(cloud: Cloud, fabric: ResourceId) -> ResourceId:
    return fabric.child("replicationRecoveryServicesProviders", cloud.guid("provider", fabric.key))


def _provider(cloud: Cloud, fabric: Body) -> Body:
    id_ = provider_id(cloud, resource_id(str(fabric["id"])))
    name = fabric["properties"]["friendlyName"]
    properties = {
        "fabricType": "Azure",
        "friendlyName": name,
        "fabricFriendlyName": name,
        "connectionStatus": "Connected",
    }
    return {"id": shown_id(id_), "name": id_.name, "type": PROVIDERS, "properties": properties}
