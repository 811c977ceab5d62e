"""What leads to a storage account from private endpoints, each a connection of the account's: its owner says yes or no.

GET, list   derived from the endpoints, like what the account itself shows
PUT         the owner's word, shown at the endpoint; at once
DELETE      the endpoint is Disconnected and no longer shown here
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import Body
from farshore.lab.call import Call
from farshore.lab.kept import Kept, Kind
from farshore.lab.network.private_endpoints import connections_of
from farshore.lab.network.private_link_services import DISCONNECTED, STATE, tell
from farshore.lab.patterns import STORAGE_PARTS
from farshore.lab.registry import resource_type

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

ACCOUNTS = "Microsoft.Storage/storageAccounts"


@resource_type(f"{ACCOUNTS}/privateEndpointConnections")
class EndpointConnections(Kept):
    kind = Kind(pattern=STORAGE_PARTS, patches=False)
    pattern = STORAGE_PARTS
    tracked = False
    apart = True

    def get(self, call: Call) -> Response:
        led = _led(call.cloud, call.id)
        return super().get(call) if led is None else Response(status=200, body=led)

    def rows(self, call: Call, found: list[Body]) -> list[Body]:
        return [*connections_of(call.cloud, call.id), *super().rows(call, found)]

    def put(self, call: Call) -> Response:
        led = _led(call.cloud, call.id)
        if led is None:
            return super().put(call)
        sent = (call.object().get("properties") or {}).get(STATE)
        told = {key: value or "" for key, value in sent.items()} if isinstance(sent, dict) else {}
        state = {**led["properties"][STATE], "description": "", **told}
        state["actionsRequired"] = state.pop("actionRequired", "None")
        tell(call.cloud, call.id, led, state)
        return Response(status=200, body=_led(call.cloud, call.id))

    def delete(self, call: Call) -> Response:
        led = _led(call.cloud, call.id)
        if led is None:
            return super().delete(call)
        tell(call.cloud, call.id, led, DISCONNECTED)
        return Response(status=200)


def _led(cloud: Cloud, id_: ResourceId) -> Body | None:
    """The connection of this name that an endpoint makes; None where none does."""
    parent = id_.parent
    assert parent is not None
    return next((row for row in connections_of(cloud, parent) if row["name"].lower() == id_.name.lower()), None)
