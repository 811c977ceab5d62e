"""What a vault holds before a machine is protected: fabrics, containers, mappings, policies (S1 to S5, S10, S17)."""

from __future__ import annotations

import pytest

from lab.core.bench import Lab, rid
from lab.recovery.estate import (
    AWAY,
    HOME,
    POLICY,
    VAULT,
    container,
    fabric,
    item_id,
    mapping,
    mapping_body,
    network_id,
    network_mapping,
    network_mapping_body,
)
from lab.recovery.world import World, job_id, refusal


@pytest.fixture
def world() -> World:
    return World("web1")


def fabric_body(region: str) -> dict[str, object]:
    return {"properties": {"customDetails": {"instanceType": "Azure", "location": region}}}


def test_every_write_answers_202_without_a_body_and_with_both_headers(world: World) -> None:
    """S17: the job is the last part of the Location; the status document lies at the vault."""
    answer = world.send("PUT", fabric("japaneast"), fabric_body("japaneast"))
    assert (answer.status, answer.body) == (202, None)
    assert "/replicationOperationStatus/" in answer.headers["azure-asyncoperation"]
    assert "/operationresults/" in answer.headers["location"]
    assert not world.exists(fabric("japaneast")), "it is there when the job is done, not before"
    result = answer.headers["location"].split("?")[0]
    assert world.send("GET", result).status == 202
    job = world.succeeds(answer)
    assert job["endTime"] > job["startTime"]
    assert world.exists(fabric("japaneast"))
    status = world.get(answer.headers["azure-asyncoperation"].split("?")[0])
    assert status["status"] == "Succeeded"


def test_one_fabric_for_a_region(world: World) -> None:
    assert refusal(world.send("PUT", f"{fabric(HOME)}-2", fabric_body(HOME))) == (409, "FabricExists")
    assert refusal(world.send("PUT", f"{fabric(HOME)}-2", fabric_body("atlantis"))) == (400, "InvalidParameter")


def test_of_two_fabrics_for_a_region_asked_for_at_once_one_is_made(world: World) -> None:
    first, second = (world.send("PUT", f"{fabric('japaneast')}{n}", fabric_body("japaneast")) for n in (1, 2))
    ended = sorted(world.done(answer)["state"] for answer in (first, second))
    assert ended == ["Failed", "Succeeded"]
    regions = [row["properties"]["customDetails"]["location"] for row in world.rows(f"{VAULT}/replicationFabrics")]
    assert regions.count("japaneast") == 1


def test_a_child_needs_its_parent(world: World) -> None:
    answer = world.send("PUT", container("japaneast"), {"properties": {}})
    assert refusal(answer) == (404, "ParentResourceNotFound")


def test_a_parent_that_goes_while_its_child_is_made_fails_the_child() -> None:
    world = World(bare=True)
    world.put(VAULT, {"location": AWAY, "sku": {"name": "RS0"}, "properties": {}})
    answer = world.send("PUT", fabric(HOME), fabric_body(HOME))
    assert world.send("DELETE", VAULT).ok
    world.wait(minutes=5)
    assert not world.exists(VAULT)
    assert not world.exists(fabric(HOME))
    job = world.cloud.table("recovery.jobs")[job_id(answer)]["properties"]
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "ParentResourceNotFound"


def test_containers_show_whether_they_are_paired_and_what_they_hold(world: World) -> None:
    shown = world.get(container(HOME))["properties"]
    assert (shown["pairingStatus"], shown["protectedItemCount"]) == ("Paired", 0)
    world.protect("web1")
    assert world.get(container(HOME))["properties"]["protectedItemCount"] == 1
    assert world.get(container(AWAY))["properties"]["protectedItemCount"] == 0


def test_a_pair_and_policy_is_mapped_once(world: World) -> None:
    again = f"{container(HOME)}/replicationProtectionContainerMappings/again"
    assert refusal(world.send("PUT", again, mapping_body(AWAY))) == (409, "ContainerMappingExists")
    body = mapping_body(HOME)
    assert refusal(world.send("PUT", f"{mapping(HOME)}-x", body)) == (400, "InvalidParameter")


def test_a_mapping_is_changed_by_patch_without_saying_all_of_it(world: World) -> None:
    given = {"instanceType": "A2A", "agentAutoUpdateStatus": "Enabled", "automationAccountArmId": "/x"}
    world.succeeds(world.send("PATCH", mapping(HOME), {"properties": {"providerSpecificInput": given}}))
    shown = world.get(mapping(HOME))["properties"]
    assert shown["providerSpecificDetails"]["agentAutoUpdateStatus"] == "Enabled"
    assert shown["targetProtectionContainerId"].lower() == container(AWAY).lower()


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"recoveryPointHistory": 15 * 24 * 60}, 202),
        ({"recoveryPointHistory": 15 * 24 * 60 + 1}, 400),
        ({"recoveryPointHistory": "a day"}, 400),
        ({"recoveryPointHistory": -1}, 400),
        ({"appConsistentFrequencyInMinutes": 30}, 400),
        ({"appConsistentFrequencyInMinutes": 60}, 202),
        ({"instanceType": "HyperVReplicaAzure"}, 202),  # shape only
        ({"instanceType": "Courier"}, 400),
    ],
)
def test_what_a_policy_may_say(world: World, given: dict[str, object], status: int) -> None:
    """S25: at most 15 days of points, application-consistent ones an hour apart or none."""
    body = {"properties": {"providerSpecificInput": {"instanceType": "A2A", **given}}}
    assert world.send("PUT", f"{VAULT}/replicationPolicies/other", body).status == status
    changed = {"properties": {"replicationProviderSettings": {"instanceType": "A2A", **given}}}
    assert world.send("PATCH", POLICY, changed).status == status


def test_a_policy_keeps_what_a_patch_does_not_say(world: World) -> None:
    given = {"instanceType": "A2A", "appConsistentFrequencyInMinutes": 240}
    world.succeeds(world.send("PATCH", POLICY, {"properties": {"replicationProviderSettings": given}}))
    details = world.get(POLICY)["properties"]["providerSpecificDetails"]
    assert (details["recoveryPointHistory"], details["appConsistentFrequencyInMinutes"]) == (1440, 240)


def test_a_network_is_mapped_once_and_to_the_right_regions(world: World) -> None:
    again = network_mapping(HOME) + "-2"
    assert refusal(world.send("PUT", again, network_mapping_body(HOME))) == (409, "NetworkMappingExists")
    wrong = network_mapping_body(HOME)
    wrong["properties"]["fabricSpecificDetails"]["primaryNetworkId"] = network_id("vnet-target")
    assert refusal(world.send("PUT", again, wrong)) == (400, "InvalidParameter")
    wrong = network_mapping_body(HOME)
    wrong["properties"]["recoveryNetworkId"] = network_id("vnet-source")
    assert refusal(world.send("PUT", again, wrong)) == (400, "InvalidParameter")
    changed = network_mapping_body(HOME)
    changed["properties"]["recoveryNetworkId"] = network_id("vnet-drill")
    world.succeeds(world.send("PATCH", network_mapping(HOME), changed))
    assert world.get(network_mapping(HOME))["properties"]["recoveryNetworkId"].endswith("vnet-drill")


# What is in use stays. -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "verb", "refused"),
    [
        (VAULT, "DELETE", "ServiceResourceNotEmptyWithContainerDetails"),
        (fabric(HOME), "DELETE", "FabricInUse"),
        (fabric(AWAY), "remove", "FabricInUse"),
        (container(HOME), "remove", "ContainerInUse"),
        (container(AWAY), "remove", "ContainerInUse"),
        (mapping(HOME), "DELETE", "ContainerMappingInUse"),
        (mapping(HOME), "remove", "ContainerMappingInUse"),
        (POLICY, "DELETE", "PolicyInUse"),
    ],
)
def test_what_a_protected_machine_needs_is_not_deleted(world: World, path: str, verb: str, refused: str) -> None:
    world.protect("web1")
    answer = world.send("DELETE", path) if verb == "DELETE" else world.send("POST", f"{path}/{verb}")
    assert refusal(answer) == (409, refused)
    world.wait(minutes=5)
    assert world.exists(path)


def test_a_container_that_a_mapping_leads_to_is_not_removed(world: World) -> None:
    world.succeeds(world.send("DELETE", mapping(AWAY)))
    world.protect("web1")
    assert refusal(world.send("POST", f"{container(AWAY)}/remove")) == (409, "ContainerInUse")


def test_the_mapping_home_is_free_until_a_machine_goes_home(world: World) -> None:
    """S3: one for each direction; without the reverse one nothing is reprotected."""
    world.protect("web1")
    world.succeeds(world.send("DELETE", mapping(AWAY)))
    world.fail_over("web1")
    assert refusal(world.switch("web1")) == (400, "ContainersNotPaired")
    world.succeeds(world.send("PUT", mapping(AWAY), mapping_body(HOME)))
    world.succeeds(world.switch("web1"))
    assert refusal(world.send("DELETE", mapping(AWAY))) == (409, "ContainerMappingInUse")
    world.succeeds(world.send("DELETE", mapping(HOME)))


def test_a_mapping_whose_deletion_is_under_way_stays_if_a_machine_takes_it(world: World) -> None:
    deletion = world.send("DELETE", mapping(HOME))
    enabling = world.enable("web1")
    assert world.fails(deletion) == "ContainerMappingInUse"
    world.succeeds(enabling)
    assert world.exists(mapping(HOME))


def test_all_of_it_is_taken_down_in_the_recorded_order(world: World) -> None:
    world.protect("web1")
    world.succeeds(world.send("DELETE", item_id("web1")))
    for region in (HOME, AWAY):
        world.succeeds(world.send("DELETE", mapping(region)))
    for region in (HOME, AWAY):
        world.succeeds(world.send("POST", f"{container(region)}/remove"))
    world.succeeds(world.send("DELETE", POLICY))
    for region in (HOME, AWAY):
        world.succeeds(world.send("DELETE", fabric(region)))
    world.delete(VAULT)
    assert not world.exists(VAULT)
    assert not [body for body in world.cloud.bodies.under("/") if "/vaults/" in str(body["id"])], (
        "nothing is left of it"
    )
    assert world.send("DELETE", fabric(HOME)).status == 204


def test_a_vault_of_an_unknown_sku_is_refused() -> None:
    world = World(bare=True)
    body = {"location": AWAY, "sku": {"name": "Gold"}, "properties": {}}
    assert refusal(world.send("PUT", VAULT, body)) == (400, "InvalidParameter")


def test_to_an_early_version_a_vault_is_there_at_once_and_gone_at_once() -> None:
    """Recorded at 2016-06-01: 201 and 200, with nothing to poll."""
    lab = Lab()
    url = f"{rid('Microsoft.RecoveryServices/vaults', 'early')}?api-version=2016-06-01"
    sent = {"location": "eastasia", "sku": {"name": "Standard"}, "properties": {}}
    answer = lab.send("PUT", url, sent)
    assert answer.status == 201 and not {"azure-asyncoperation", "location"} & set(answer.headers)
    assert set(answer.body["properties"]) == {
        "provisioningState",
        "privateEndpointStateForBackup",
        "privateEndpointStateForSiteRecovery",
    }
    assert answer.body["properties"]["provisioningState"] == "Succeeded"
    assert lab.send("DELETE", url).status == 200
    assert lab.send("GET", url).status == 404


def test_a_list_of_fabrics_tells_neither_containers_nor_zones(world: World) -> None:
    """Recorded: the fabric itself tells both."""
    [listed] = [row for row in world.rows(f"{VAULT}/replicationFabrics") if row["name"] == fabric(HOME).rsplit("/")[-1]]
    assert listed["properties"]["customDetails"] == {"instanceType": "Azure", "location": HOME, "containerIds": None}
    shown = world.get(fabric(HOME))["properties"]["customDetails"]
    assert [id_.lower() for id_ in shown["containerIds"]] == [container(HOME).lower()] and shown["zones"] == []


def test_a_containers_mappings_are_those_from_it_and_those_to_it(world: World) -> None:
    """Recorded: two containers that are mapped to each other both list both mappings."""
    kind = "replicationProtectionContainerMappings"
    listed = [{row["id"].lower() for row in world.rows(f"{container(region)}/{kind}")} for region in (HOME, AWAY)]
    assert listed[0] == listed[1] == {mapping(HOME).lower(), mapping(AWAY).lower()}
    assert world.get(container(HOME))["properties"]["role"] == "Primary", "recorded, of one that is mapped"
    everywhere = [row["id"].lower() for row in world.rows(f"{VAULT}/{kind}")]
    assert len(everywhere) == len(set(everywhere)) == 2


def test_the_jobs_that_make_a_fabric_and_a_container_are_a_site_and_a_cloud(world: World) -> None:
    """Recorded: of both, the job tells of the fabric that it was in."""
    site = world.succeeds(world.send("PUT", fabric("japaneast"), fabric_body("japaneast")))
    assert (site["scenarioName"], site["friendlyName"], site["targetInstanceType"]) == (
        "CreateSite",
        "Create a site",
        "Server",
    )
    fabric_id = world.get(fabric("japaneast"))["properties"]["internalIdentifier"]
    assert site["targetObjectId"] == site["customDetails"]["affectedObjectDetails"]["primaryVmmId"] == fabric_id
    body = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}
    cloud = world.succeeds(world.send("PUT", container("japaneast"), body))
    assert cloud["scenarioName"] == "CreateCloud" and len(cloud["tasks"]) == 2
    assert cloud["customDetails"]["affectedObjectDetails"] == {
        "primaryVmmId": fabric_id,
        "primaryVmmName": "Japan East",
        "primaryFabricProviderId": "Azure",
    }
