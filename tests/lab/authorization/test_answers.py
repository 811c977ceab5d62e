"""What Azure answers about locks and role assignments, as recorded by its own clients."""

from __future__ import annotations

from farshore.lab.authorization.door import ASSIGNMENTS, LOCKS
from lab.core.bench import SUBSCRIPTION, Lab, rid

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-lab"
AS_ASKED = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-lab"
ROLE = "b24988ac-6180-42a0-ab88-20f7382dd24c"  # Contributor
NAME = "5f0e7c1a-0000-4000-8000-000000000001"
WHO = {"principalId": "5f0e7c1a-0000-4000-8000-000000000002"}


def test_a_lock_and_an_assignment_keep_the_scope_as_it_was_asked_for() -> None:
    lab = Lab()
    lock = f"{AS_ASKED}/providers/{LOCKS}/keep"
    assert lab.put(lock, {"properties": {"level": "CanNotDelete"}}).body["id"] == lock
    assert lab.put(f"{GROUP}/providers/{LOCKS}/keep", {"properties": {"level": "CanNotDelete"}}).body["id"] == lock
    assert lab.body(f"{GROUP}/providers/{LOCKS}")["value"][0]["id"] == lock
    made = f"{AS_ASKED}/providers/{ASSIGNMENTS}/{NAME}"
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"
    answer = lab.put(made, {"properties": {**WHO, "roleDefinitionId": role}})
    assert (answer.body["id"], answer.body["properties"]["scope"]) == (made, AS_ASKED)


def test_an_assignment_shows_to_an_early_version_what_that_knew() -> None:
    lab = Lab()
    made = f"{GROUP}/providers/{ASSIGNMENTS}/{NAME}"
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"
    answer = lab.send(
        "PUT", f"{made}?api-version=2018-09-01-preview", {"properties": {**WHO, "roleDefinitionId": role}}
    )
    assert answer.status == 201 and answer.body["properties"]["createdBy"] is None
    assert lab.properties(made)["createdBy"] == answer.body["properties"]["updatedBy"] is not None
    for shown in (answer.body, lab.send("DELETE", f"{made}?api-version=2018-09-01-preview").body):
        assert not {"condition", "description"} & set(shown["properties"]) and shown["properties"]["updatedOn"]


def test_who_made_a_role_is_shown_from_the_second_answer_on() -> None:
    lab = Lab()
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{NAME}"
    permissions = [{"actions": ["Microsoft.Network/*/read"]}]
    scopes = [f"/subscriptions/{SUBSCRIPTION}"]
    sent = {"properties": {"roleName": "looks on", "permissions": permissions, "assignableScopes": scopes}}
    for _ in range(2):
        made = lab.put(role, sent)
        assert made.status == 201 and made.body["properties"]["createdBy"] is None
    assert lab.properties(role)["createdBy"] == made.body["properties"]["updatedBy"] is not None


def test_a_set_says_which_kind_of_disks_it_takes() -> None:
    lab = Lab()
    shown = lab.put(rid("Microsoft.Compute/availabilitySets", "row"), {"location": "eastasia"}).body
    assert shown["sku"] == {"name": "Classic"} and shown["properties"]["platformUpdateDomainCount"] == 5
    aligned = {"location": "eastasia", "sku": {"name": "Aligned"}}
    assert lab.put(rid("Microsoft.Compute/availabilitySets", "tier"), aligned).body["sku"] == {"name": "Aligned"}


def test_subscriptions_are_counted_and_say_under_which_terms_they_are() -> None:
    answer = Lab().send("GET", "/subscriptions?api-version=2020-01-01").body
    assert answer["count"] == {"type": "Total", "value": len(answer["value"])}
    assert answer["value"][0]["authorizationSource"] == "RoleBased"
    assert set(answer["value"][0]["subscriptionPolicies"]) == {"locationPlacementId", "quotaId", "spendingLimit"}
