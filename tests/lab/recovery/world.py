"""A small estate under Site Recovery, and short verbs to act on it as an ARM client would.

Machines run in East Asia, in the subnet `app` of `vnet-source`; `vnet-target` in Southeast Asia has the same range,
`vnet-drill` beside it is for tests. Each machine has an OS disk and a data disk, managed ones unless its name begins
with `file`. Everything goes through `Cloud.handle` and the lab's own handles; only `World.cloud` looks inside.

    world = World("web1")
    world.protect("web1")
    world.fault("eastasia", "lost")
    job = world.done(world.failover("web1"))      # waits on the lab's clock until the job has ended
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from farshore.arm.http import Request, Response
from farshore.arm.ids import resource_id
from farshore.arm.json import Body
from farshore.lab import open_lab
from farshore.lab.cloud import Cloud
from farshore.lab.settings import Settings
from farshore.lab.storage import volumes
from farshore.times import moment
from lab.recovery.estate import (
    AWAY,
    BLOBS,
    CACHES,
    GROUPS,
    HOME,
    POLICY,
    SOURCE,
    TARGET,
    VAULT,
    container,
    estate,
    fabric,
    group_body,
    item_id,
    mapping,
    mapping_body,
    network_id,
    network_mapping,
    network_mapping_body,
    vm_id,
)

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VERSION = "2025-08-01"
ENDED = ("Succeeded", "Failed", "Cancelled")


def refusal(answer: Response) -> tuple[int, str]:
    """Status and code of an answer that says no."""
    return answer.status, str(answer.body["error"]["code"])


def job_id(answer: Response) -> str:
    """S17: the last part of the Location's path."""
    return str(answer.headers["location"]).split("?")[0].rsplit("/", 1)[1]


class World:
    """A lab with this estate; a vault, unless `bare`, paired both ways."""

    def __init__(
        self,
        *names: str,
        seed: int = 1,
        bare: bool = False,
        vault_in: str = AWAY,
        dynamic: bool = False,
        path: Path | None = None,
        **settings: Any,
    ) -> None:
        given = {"throttling": False, "lost_region_answers": True, **settings}
        self.path = path
        self.cloud: Cloud = open_lab(path, now=BEGIN, seed=seed, settings=Settings(**given))
        self.now = BEGIN
        self.cloud.seed([*estate(names, dynamic), group_body(f"{GROUPS}/rg-vault", vault_in)])
        self.vault_in = vault_in
        if not bare:
            self._vault()

    def reopen(self) -> None:
        """Close the lab and open it again from its file."""
        self.cloud.store.close()
        self.cloud = open_lab(self.path, now=self.now)

    # Requests. -------------------------------------------------------------------------------------------------------

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Response:
        words = "&".join(f"{key}={value}" for key, value in {"api-version": VERSION, **query}.items())
        return self.cloud.handle(Request(method=method, url=f"{path}?{words}", body=body), self.now)

    def get(self, path: str) -> Body:
        answer = self.send("GET", path)
        assert answer.status == 200, (path, answer)
        found: Body = answer.body
        return found

    def result(self, asked: Response) -> Body:
        """What an action that was accepted has found."""
        answer = self.cloud.handle(Request(method="GET", url=asked.headers["location"]), self.now)
        assert answer.status == 200, answer
        found: Body = answer.body
        return found

    def handle(self, path: str, **query: str) -> Body:
        words = "&".join(f"{key}={value}" for key, value in query.items())
        answer = self.cloud.handle(Request(method="GET", url=f"/_lab/{path}?{words}"), self.now)
        assert answer.status == 200, answer
        found: Body = answer.body
        return found

    def rows(self, path: str) -> list[Body]:
        found: list[Body] = self.get(path)["value"]
        return found

    def exists(self, path: str) -> bool:
        return self.send("GET", path).status == 200

    # Time. -----------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0) -> None:
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours)
        self.cloud.advance(self.now)

    def until(self, true: Callable[[], bool], *, step: float = 10, hours: float = 12) -> None:
        limit = self.now + timedelta(hours=hours)
        while not true():
            assert self.now < limit, "it did not come true"
            self.wait(step)

    def done(self, answer: Response, *, hours: float = 12) -> Body:
        """The job's properties once it has ended."""
        assert answer.status == 202, answer
        job = job_id(answer)
        self.until(lambda: self.job(job)["state"] in ENDED, hours=hours)
        return self.job(job)

    def succeeds(self, answer: Response) -> Body:
        job = self.done(answer)
        assert job["state"] == "Succeeded", (job["scenarioName"], job["errors"])
        return job

    def fails(self, answer: Response) -> str:
        """The code of the error with which a job failed; its operation must say the same (S17)."""
        job = self.done(answer)
        assert job["state"] == "Failed", job
        assert job["endTime"] is not None
        assert job["errors"] and job["errors"][0]["serviceErrorDetails"]["message"]
        assert all(task["endTime"] is not None for task in job["tasks"])
        status = self.get(str(answer.headers["azure-asyncoperation"]).split("?")[0])
        assert status["status"] == "Failed", status
        return str(job["errors"][0]["serviceErrorDetails"]["code"])

    def put(self, path: str, body: Body) -> None:
        """A resource of another provider, waited for."""
        answer = self.send("PUT", path, body)
        assert answer.ok, answer
        self.wait(minutes=3)

    def delete(self, path: str) -> None:
        answer = self.send("DELETE", path)
        assert answer.ok, answer
        self.wait(minutes=3)

    # Site Recovery. --------------------------------------------------------------------------------------------------

    def job(self, name: str) -> Body:
        found: Body = self.get(f"{VAULT}/replicationJobs/{name}")["properties"]
        return found

    def item(self, name: str, region: str = HOME) -> Body:
        found: Body = self.get(item_id(name, region))["properties"]
        return found

    def state(self, name: str, region: str = HOME) -> str:
        return str(self.item(name, region)["protectionState"])

    def allowed(self, name: str, region: str = HOME) -> set[str]:
        return set(self.item(name, region)["allowedOperations"])

    def enable(self, name: str, **details: Any) -> Response:
        return self.send("PUT", item_id(name), self.enabling(name, **details))

    def enabling(self, name: str, **details: Any) -> Body:
        given = {
            "instanceType": "A2A",
            "fabricObjectId": vm_id(name),
            "recoveryContainerId": container(AWAY),
            "recoveryResourceGroupId": TARGET,
            **self.disks_of(vm_id(name), HOME, AWAY),
            **details,
        }
        return {"properties": {"policyId": POLICY, "protectableItemId": "", "providerSpecificDetails": given}}

    def disks_of(self, vm: str, here: str, there: str) -> Body:
        """`vmManagedDisks` or `vmDisks` of a machine as it is."""
        profile = self.get(vm)["properties"]["storageProfile"]
        entries = [profile["osDisk"], *profile["dataDisks"]]
        group = TARGET if there == AWAY else SOURCE
        managed = [
            {
                "diskId": entry["managedDisk"]["id"],
                "primaryStagingAzureStorageAccountId": CACHES[here],
                "recoveryResourceGroupId": group,
            }
            for entry in entries
            if entry.get("managedDisk")
        ]
        blobs = [
            {
                "diskUri": entry["vhd"]["uri"],
                "primaryStagingAzureStorageAccountId": CACHES[here],
                "recoveryAzureStorageAccountId": BLOBS[there],
            }
            for entry in entries
            if entry.get("vhd")
        ]
        return {"vmManagedDisks": managed} if managed else {"vmDisks": blobs}

    def protect(self, *names: str) -> None:
        """Until all are Protected."""
        for answer in [self.enable(name) for name in names]:
            self.succeeds(answer)
        for name in names:
            self.until(lambda name=name: self.state(name) == "Protected")  # type: ignore[misc]

    def verb(self, name: str, verb: str, properties: Body | None = None, region: str = HOME) -> Response:
        return self.send("POST", f"{item_id(name, region)}/{verb}", {"properties": properties or {}})

    def patch(self, name: str, properties: Body, region: str = HOME) -> Response:
        return self.send("PATCH", item_id(name, region), {"properties": properties})

    def test(self, name: str, network: str = "vnet-drill", point: str | None = None, region: str = HOME) -> Response:
        details = {"instanceType": "A2A", "recoveryPointId": point}
        body = {"failoverDirection": "PrimaryToRecovery", "networkType": "VmNetworkAsInput"}
        return self.verb(
            name,
            "testFailover",
            {**body, "networkId": network_id(network), "providerSpecificDetails": details},
            region,
        )

    def failover(
        self,
        name: str,
        *,
        shutdown: bool = False,
        point: str | None = None,
        region: str = HOME,
        direction: str = "PrimaryToRecovery",
    ) -> Response:
        body = {
            "failoverDirection": direction,
            "sourceSiteOperations": "Required" if shutdown else "NotRequired",
            "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointId": point},
        }
        return self.verb(name, "unplannedFailover", body, region)

    def commit(self, name: str, region: str = HOME) -> Response:
        return self.verb(name, "failoverCommit", None, region)

    def switch(self, name: str, here: str = AWAY, there: str = HOME) -> Response:
        """S50: on the container where the item lives now; the machine runs in `here` and is to be safe in `there`."""
        details = {
            "instanceType": "A2A",
            "recoveryContainerId": container(there),
            "policyId": POLICY,
            "recoveryResourceGroupId": SOURCE if there == HOME else TARGET,
            **self.disks_of(vm_id(name, TARGET if here == AWAY else SOURCE), here, there),
        }
        body = {"replicationProtectedItemName": name, "providerSpecificDetails": details}
        return self.send("POST", f"{container(there)}/switchprotection", {"properties": body})

    def reprotect(self, name: str, here: str = AWAY, there: str = HOME) -> Response:
        """`reProtect` of an item with unmanaged disks; it stays under its container at home."""
        details = {
            "instanceType": "A2A",
            "recoveryContainerId": container(there),
            "policyId": POLICY,
            "recoveryResourceGroupId": SOURCE if there == HOME else TARGET,
            **self.disks_of(vm_id(name, TARGET if here == AWAY else SOURCE), here, there),
        }
        return self.verb(
            name, "reProtect", {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": details}
        )

    def fail_over(self, name: str, region: str = HOME, **options: Any) -> Body:
        """Failover and commit."""
        job = self.succeeds(self.failover(name, region=region, **options))
        self.succeeds(self.commit(name, region))
        return job

    def points(self, name: str, region: str = HOME) -> list[Body]:
        """Recovery points as a client sees them, oldest first: the list has no order (S25)."""
        found = self.rows(f"{item_id(name, region)}/recoveryPoints")
        return sorted(found, key=lambda body: str(body["properties"]["recoveryPointTime"]))

    # Faults, machines and bytes. -------------------------------------------------------------------------------------

    def fault(self, region: str, state: str) -> None:
        self._make({"kind": "region", "region": region, "state": state})

    def element(self, kind: str, id_: str, state: str) -> None:
        """One thing is taken away, or given back."""
        self._make({"kind": kind, "id": id_, "state": state})

    def _make(self, body: Body) -> None:
        answer = self.cloud.handle(Request(method="POST", url="/_lab/faults", body=body), self.now)
        assert answer.ok, answer

    def power(self, vm: str) -> str:
        statuses = self.get(f"{vm}/instanceView")["statuses"]
        return next(str(each["code"]).split("/")[1] for each in statuses if each["code"].startswith("PowerState/"))

    def addresses(self, nic: str) -> list[str]:
        configs = self.get(nic)["properties"]["ipConfigurations"]
        return [str(config["properties"]["privateIPAddress"]) for config in configs]

    def sha256(self, disk: str, sequence: int | None = None) -> str:
        query = {} if sequence is None else {"sequence": str(sequence)}
        return str(self.handle("disks", disk=disk, **query)["sha256"])

    def holds_all(self, point: Body, used: Body, *, whole: bool = False) -> bool:
        """Whether each disk that was made of a point holds, write by write, what its source held at the point, or
        (`whole`) all that its source holds now. The same as comparing checksums of the disks, without reading GiBs."""
        log = volumes.log(self.cloud)
        return all(
            log.content(made["volume"], point["sequence"])
            == log.content(source["volume"], None if whole else point["sequence"])
            for source, made in zip(point["disks"], used["disks"], strict=True)
        )

    def pages(self, disk: str) -> str:
        """A hash of what a client reads: the written pages of a managed disk, by beginGetAccess and ranges."""
        asked = self.send("POST", f"{disk}/beginGetAccess", {"access": "Read", "durationInSeconds": 600})
        self.wait(seconds=30)
        url = self.result(asked)["accessSAS"]
        listing = self.cloud.handle(Request(method="GET", url=f"{url}&comp=pagelist"), self.now)
        found = hashlib.sha256()
        for part in bytes(listing.body).decode().split("<PageRange>")[1:]:
            first, last = part.split("<Start>")[1].split("<")[0], part.split("<End>")[1].split("<")[0]
            bytes_ = {"x-ms-range": f"bytes={first}-{last}"}
            page = self.cloud.handle(Request(method="GET", url=url, headers=bytes_), self.now)
            assert page.status == 206, page
            found.update(first.encode())
            found.update(page.body)
        self.send("POST", f"{disk}/endGetAccess")
        self.wait(seconds=30)
        return found.hexdigest()

    def lend(self, disk: str, seconds: int = 36000) -> None:
        """Somebody holds a SAS for this disk."""
        assert self.send("POST", f"{disk}/beginGetAccess", {"access": "Read", "durationInSeconds": seconds}).ok
        self.wait(seconds=30)

    def used(self, name: str, region: str = HOME, *, sha256: bool = False) -> list[Body]:
        """The recovery points of an item that were used, from the lab's own handle."""
        query = {"item": item_id(name, region), "used": "true", **({"sha256": "true"} if sha256 else {})}
        found: list[Body] = self.handle("recovery-points", **query)["value"]
        return found

    def writes(self, disk: str | None = None) -> list[Body]:
        """Every write there ever was."""
        found: list[Body] = []
        since: int | None = 0
        while since is not None:
            query = {} if disk is None else {"disk": disk}
            page = self.handle("writes", since=str(since), limit="100000", **query)
            found += page["value"]
            since = page["next"]
        return found

    # What is never to be otherwise. ----------------------------------------------------------------------------------

    def _vault(self) -> None:
        place = {"location": self.vault_in, "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}}
        self.put(VAULT, place)
        for region in (HOME, AWAY):
            details = {"instanceType": "Azure", "location": region}
            self.succeeds(self.send("PUT", fabric(region), {"properties": {"customDetails": details}}))
            given = {"providerSpecificInput": [{"instanceType": "A2A"}]}
            self.succeeds(self.send("PUT", container(region), {"properties": given}))
        self.policy()
        for here, there in ((HOME, AWAY), (AWAY, HOME)):
            self.succeeds(self.send("PUT", mapping(here), mapping_body(there)))
            answer = self.send("PUT", network_mapping(here), network_mapping_body(here))
            self.succeeds(answer)

    def policy(self, history_minutes: int = 1440, app_minutes: int = 0) -> None:
        given = {
            "instanceType": "A2A",
            "recoveryPointHistory": history_minutes,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": app_minutes,
            "multiVmSyncStatus": "Enable",
        }
        self.succeeds(self.send("PUT", POLICY, {"properties": {"providerSpecificInput": given}}))


def when(text: object) -> datetime:
    return moment(str(text))


def key(text: str) -> str:
    return resource_id(text).key
