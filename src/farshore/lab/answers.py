"""How the lab says no, and how it says nothing.

A refusal is ARM's error object (L9). A handler raises `Refused` wherever it stands, before an operation starts or
while one completes: the core turns the first into the answer, the second into the operation's failure. `NoAnswer` is
what a client of a lost region meets: the connection opens and nothing comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from farshore.arm.http import Response
from farshore.arm.ids import ResourceId
from farshore.arm.json import dumps

LONGEST_QUOTED = 120
"""Characters of a value that a message shows."""
ARMS_OWN = frozenset(
    {
        *("AuthorizationFailed", "LinkedAuthorizationFailed", "ScopeLocked", "MissingSubscriptionRegistration"),
        *("SubscriptionNotFound", "ResourceGroupNotFound", "ResourceGroupBeingDeleted", "ResourceNotFound"),
        *("ParentResourceNotFound", "InvalidResourceNamespace", "LocationRequired", "InvalidResourceLocation"),
        *("LocationNotAvailableForResourceType", "LocationNotAvailableForResourceGroup"),
        *("InvalidResourceGroupLocation", "DeploymentNotFound", "DeploymentActive", "DeploymentCannotBeCancelled"),
        *("RoleAssignmentExists", "RoleDefinitionDoesNotExist", "RoleDefinitionHasAssignments"),
    }
)
"""Codes with which ARM itself refuses, or whoever it asks about rights: those errors are a code and a message, and have
no list of details unless there are some (recorded)."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a mistake of ours
    """`raise Refused(400, "SubnetIsFull", "Subnet app has no address left.")`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = tuple(dict(item) for item in details)
        self.headers = dict(headers or {})

    @property
    def error(self) -> dict[str, Any]:
        """The error object: the same in an answer and inside an operation's body."""
        found: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            found["target"] = self.target
        if self.details or self.code not in ARMS_OWN:
            found["details"] = list(self.details)
        return found

    def response(self) -> Response:
        return Response(status=self.status, headers=self.headers, body={"error": self.error})


class NoAnswer(Exception):  # noqa: N818 - likewise
    """Nothing will come back. What the request did before, if anything, stays done."""


def not_found(id_: ResourceId) -> Refused:
    """404 in ARM's own words (L9)."""
    path = "/".join([id_.namespace, *(f"{kind}/{name}" for kind, name in id_.pairs)])
    where = "" if id_.resource_group is None else f" under resource group '{id_.resource_group}'"
    return Refused(404, "ResourceNotFound", f"The Resource '{path}'{where} was not found.")


def child_not_found(id_: ResourceId) -> Refused:
    """404 of a child that Microsoft.Network nests in its parent."""
    return Refused(404, "NotFound", f"Resource {id_.text} not found.")


def group_not_found(name: str) -> Refused:
    return Refused(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def group_going(name: str) -> Refused:
    return Refused(
        409,
        "ResourceGroupBeingDeleted",
        f"The resource group '{name}' is in deprovisioning state and cannot perform this operation.",
    )


def not_implemented(what: str) -> Refused:
    """The clear no of a lab that has its limits."""
    return Refused(501, "NotImplementedByLab", f"The lab does not have {what}. docs/lab-fidelity.md lists what it has.")


def bad_request(code: str, message: str, target: str | None = None) -> Refused:
    return Refused(400, code, message, target=target)


def quoted(value: Any) -> str:
    """A value of a request as a message shows it: a text in single quotes, the rest as the JSON that it was, and of
    what is long the beginning."""
    return f"'{value[:LONGEST_QUOTED]}'" if isinstance(value, str) else dumps(value).decode()[:LONGEST_QUOTED]
