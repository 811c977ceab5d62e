"""The examples of Azure's own description against the lab. Runs where `FARSHORE_REAL_DATA` names their folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance import examples, report
from conformance.__main__ import DATA

FOLDERS = list(examples.folders(DATA / "rest-examples")) if (DATA / "rest-examples").is_dir() else []
pytestmark = pytest.mark.skipif(not FOLDERS, reason=f"no examples in {DATA}: FARSHORE_REAL_DATA")

NOT_AS_WRITTEN = {
    "ClusterRecoveryPoints_ListByReplicationProtectionCluster": "nobody shows the cluster",
    "ReplicationProtectedItems_AddDisks": "nobody shows the item",
    "ReplicationProtectedItems_ResolveHealthErrors": "nobody shows the item",
    "ReplicationProtectionClusters_Create": "nobody shows the policy and the containers that it names",
    "ExpressRouteCircuitRouteTableList": "asks for a peering and a device named after their placeholders",
    "NetworkInterfaceEffectiveRouteTableList": "nobody shows the NIC's machine, and without one Azure refuses (R10)",
    "RecoveryPoints_ListByReplicationProtectedItems": "nobody shows the item",
    "ReplicationJobs_Restart": "nobody shows the job",
    "ReplicationProtectionContainerMappings_Create": "maps to 'Microsoft Azure', as Hyper-V does",
    "ReplicationProtectionContainers_SwitchProtection": "nobody shows the item",
}
PATHS = 0.93


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_examples_of_operations_that_the_lab_has_are_accepted(folder: Path) -> None:
    scores = {name: score for name, score in examples.run(folder).items() if score is not None}
    refused = {name for name, score in scores.items() if score.statuses.share < 1}
    assert refused == {name for name in NOT_AS_WRITTEN if name in scores}


def test_answers_have_the_shape_of_the_examples() -> None:
    network = next(folder for folder in FOLDERS if folder.name.startswith("network"))
    scores = {name: score for name, score in examples.run(network).items() if score is not None}
    assert report.total(scores).paths.share >= PATHS, "\n".join(report.table(scores))
