"""Whoever calls, by the claims of a token."""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab import identity
from lab.core.bench import SUBSCRIPTION, Lab

AT_SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION}"
READER, WRITER, NOBODY = (f"0000000{n}-0000-4000-8000-000000000000" for n in (1, 2, 3))
ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Site Recovery Contributor": "6670b86e-a3f7-4917-ac9b-5d6ab1be4567",
    "Site Recovery Operator": "494ae006-db33-4328-bf46-533a6560a3ca",
}


def as_(who: str) -> dict[str, str]:
    """Headers of a request of that object id."""
    return {"authorization": "Bearer " + identity.token("tenant", 0, audience="https://x", who=who)}


def role_id(role: str) -> str:
    return f"{AT_SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}"


def assignment(scope: str, number: int = 1) -> str:
    name = f"aaaaaaa{number}-0000-4000-8000-000000000000"
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def granted(who: str, role: str) -> Body:
    return {"properties": {"roleDefinitionId": role_id(role), "principalId": who}}


def grant(lab: Lab, who: str, role: str, scope: str = AT_SUBSCRIPTION, number: int = 1) -> Response:
    return lab.must(lab.put(assignment(scope, number), granted(who, role)))
