"""Reading an estate: plain lists and reads, as any ARM client would make them; no Resource Graph (L14: its data lags).

The scope is a set of subscriptions. Resource types that ARM lists by subscription are listed so; gateways and
connections exist only in lists of their resource group. A machine's power state is not in a list: each is read with
its instance view. Of a vault its Site Recovery children are read too, of a DNS zone its A records. A type that the
cloud does not have is left out: an estate without it is as good as one whose cloud can't hold it.

Whatever else lies in a subscription is read as the cloud says it can be, so that a reading drops nothing: we list it as
not understood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

from farshore.arm.http import Request, checked
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.arm.versions import RESOURCES, SITE_RECOVERY, api_version
from farshore.azure.client import ArmClient
from farshore.azure.lro import NO_ANSWER_YET
from farshore.errors import ArmError, TransportError

BY_SUBSCRIPTION = (
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/routeTables",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/expressRouteCircuits",
    "Microsoft.Network/virtualHubs",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/privateEndpoints",
    "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/dnsZones",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/snapshots",
    "Microsoft.Compute/availabilitySets",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.RecoveryServices/vaults",
)
BY_GROUP = (
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Network/localNetworkGateways",
    "Microsoft.Network/connections",
)
RECOVERY_PLANS = "replicationRecoveryPlans"
OF_A_VAULT = (
    "replicationFabrics",
    "replicationPolicies",
    "replicationProtectionContainers",
    "replicationProtectionContainerMappings",
    "replicationNetworkMappings",
    "replicationProtectedItems",
    "replicationProtectionClusters",
    RECOVERY_PLANS,
)
SHORT = timedelta(seconds=10)
"""How long a single machine is waited for: in a disaster there are many that nobody answers for."""
ABSENT = frozenset({404, 405, 501})
"""Answers of a cloud that does not have a type, or not there."""


async def read_estate(
    client: ArmClient, subscriptions: Iterable[str], *, unanswered: Callable[[str], None] | None = None
) -> list[Body]:
    """Every body in scope, for `Estate.from_resources`. `unanswered` is told the ids of what is kept as it was listed,
    without its properties, or of a vault without what is in it, because nobody answered for it. Raises `ArmError` and
    `TransportError`."""
    bodies: list[Body] = []
    for subscription in subscriptions:
        understood = await _understood(client, subscription, unanswered or _nobody)
        known = {resource_id(str(body["id"])).key for body in understood}
        bodies += understood + await _others(client, subscription, known, unanswered or _nobody)
    return _once(bodies)


def _nobody(id_: str) -> None:
    """Nobody is told."""


async def _understood(client: ArmClient, subscription: str, unanswered: Callable[[str], None]) -> list[Body]:
    """What lies in a subscription of the types that we know."""
    bodies: list[Body] = []
    scope = f"/subscriptions/{subscription}"
    groups = await client.list_all(f"{scope}/resourcegroups?api-version={RESOURCES}")
    bodies += groups
    for type_ in BY_SUBSCRIPTION:
        listed = await _listed(client, f"{scope}/providers/{type_}?api-version={api_version(type_)}")
        if type_ == "Microsoft.Compute/virtualMachines":
            listed = [await _with_power(client, body) for body in listed]
        bodies += listed
        if type_.endswith("DnsZones") or type_.endswith("dnsZones"):
            for zone in listed:
                bodies += await _listed(client, f"{zone['id']}/A?api-version={api_version(type_)}")
        if type_ == "Microsoft.RecoveryServices/vaults":
            for vault in listed:
                bodies += await _of_vault(client, str(vault["id"]), unanswered)
    for group in groups:
        for type_ in BY_GROUP:
            bodies += await _listed(client, f"{group['id']}/providers/{type_}?api-version={api_version(type_)}")
    return bodies


async def _others(
    client: ArmClient, subscription: str, known: set[str], unanswered: Callable[[str], None]
) -> list[Body]:
    """What lies in the subscription besides: whole where the cloud says how to ask for it, else as it is listed."""
    rows = await _listed(client, f"/subscriptions/{subscription}/resources?api-version={RESOURCES}")
    versions: dict[str, dict[str, str]] = {}
    bodies: list[Body] = []
    for row in rows:
        id_ = resource_id(str(row["id"]))
        if id_.key in known:
            continue
        namespace, _, kind = id_.type.partition("/")
        if namespace.lower() not in versions:
            versions[namespace.lower()] = await _versions(client, subscription, namespace)
        version = versions[namespace.lower()].get(kind.lower()) or RESOURCES
        request = Request(method="GET", url=f"{id_.text}?api-version={version}", timeout=SHORT, repeatable=False)
        try:
            bodies.append(checked(await client.send(request), request).body)
        except (ArmError, TransportError):
            bodies.append(row)
            unanswered(id_.text)
    return bodies


async def _versions(client: ArmClient, subscription: str, namespace: str) -> dict[str, str]:
    """The newest api-version of each type of a provider, by lower-case type; a preview only where there is no other."""
    try:
        body = await client.get(f"/subscriptions/{subscription}/providers/{namespace}?api-version={RESOURCES}")
    except (ArmError, TransportError):
        return {}
    found: dict[str, str] = {}
    for row in body.get("resourceTypes") or ():
        offered = [str(text) for text in row.get("apiVersions") or ()]
        stable = [text for text in offered if "preview" not in text.lower()]
        if stable or offered:
            found[str(row["resourceType"]).lower()] = max(stable or offered)
    return found


async def _listed(client: ArmClient, url: str) -> list[Body]:
    try:
        return await client.list_all(url)
    except ArmError as error:
        if error.fault.status in ABSENT:
            return []
        raise


async def _with_power(client: ArmClient, body: Body) -> Body:
    """The machine with its instance view."""
    version = api_version("Microsoft.Compute/virtualMachines")
    return await _itself(client, body, f"$expand=instanceView&api-version={version}")


async def _itself(client: ArmClient, body: Body, query: str) -> Body:
    """What a GET shows of something listed; the listed body where it has gone meanwhile, or where its region is lost
    and nobody can tell whether it runs (a lost region makes its things unknown, not absent)."""
    url = f"{body['id']}?{query}"
    # Asked once: what the retries of a silent region cost, a thousand machines would cost a thousand times. Only
    # "too many requests" is asked again, in its own time.
    request = Request(method="GET", url=url, timeout=SHORT, repeatable=False)
    try:
        response = await client.send(request)
        if response.status == 429:
            response = await client.send(replace(request, repeatable=True))
    except TransportError:
        return body
    if response.status == 404 or response.status in NO_ANSWER_YET:
        return body
    found: Body = checked(response, request).body
    return found


async def _of_vault(client: ArmClient, vault: str, unanswered: Callable[[str], None]) -> list[Body]:
    """What is in a vault; of one whose region is lost nobody can tell."""
    bodies: list[Body] = []
    for child in OF_A_VAULT:
        try:
            listed = await _listed(client, f"{vault}/{child}?api-version={SITE_RECOVERY}")
        except (ArmError, TransportError) as error:
            if isinstance(error, ArmError) and error.fault.status not in NO_ANSWER_YET:
                raise
            unanswered(vault)
            break
        if child == RECOVERY_PLANS:
            # Recorded: a list shows plans without their groups, and so without their machines.
            listed = [await _itself(client, body, f"api-version={SITE_RECOVERY}") for body in listed]
        bodies += listed
    return bodies


def _once(bodies: list[Body]) -> list[Body]:
    """Each id once, the last reading of it: a list can change under its reader."""
    return list({resource_id(str(body["id"])).key: body for body in bodies}.values())
