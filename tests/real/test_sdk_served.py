"""A lab served over HTTPS, and clients that come with nothing but its address: a login, a session, a blob's key."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farshore.lab.server import serve_until
from lab.authorization.callers import READER, grant
from lab.core.bench import GROUP, SUBSCRIPTION, Lab, example_lab, network_body
from lab.core.kinds import GATEWAY
from real.clients import done

blob = pytest.importorskip("azure.storage.blob", reason="azure-storage-blob is not installed: make real installs it")
identity = pytest.importorskip("azure.identity", reason="azure-identity is not installed")


class Served:
    """A lab in a thread of its own; `url` and `ca` are what a client needs."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.lab, self.folder, self.url = lab, folder, ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._open: list[Any] = []

    def opened(self, client: Any) -> Any:
        """The client, closed before the server is."""
        self._open.append(client)
        return client

    @property
    def ca(self) -> str:
        return str(self.folder / json.loads((self.folder / "lab.json").read_text())["ca"])

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *error: object) -> None:
        for client in self._open:
            client.close()
        assert self._loop is not None and self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self._open.clear()
        # The clients' pools are theirs to close, and some of them don't: what is left is let go here, in silence.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def _run(self) -> None:
        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await serve_until(self.folder, self.lab.cloud, self._stop, ready=self._is_ready)

        asyncio.run(serve())

    def _is_ready(self, url: str) -> None:
        self.url = url
        self._ready.set()

    def options(self) -> dict[str, Any]:
        return {
            "base_url": self.url,
            "credential_scopes": [self.url + "/.default"],
            "connection_verify": self.ca,
            "polling_interval": 1,
        }

    def credential(self, secret: str = "lab", who: str | None = None) -> Any:
        tenant = self.lab.cloud.guid("tenant")
        found = identity.ClientSecretCredential(
            tenant,
            who or tenant,
            secret,
            authority=self.url,
            disable_instance_discovery=True,
            connection_verify=self.ca,
        )
        return self.opened(found)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    lab = example_lab()
    lab.must(lab.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", {"location": "eastasia"}))
    with Served(tmp_path, lab) as found:
        yield found


def test_a_client_logs_in_and_builds(served: Served) -> None:
    from azure.mgmt.network import NetworkManagementClient

    network = served.opened(NetworkManagementClient(served.credential(), SUBSCRIPTION, **served.options()))
    body = network_body("10.77.0.0/24", GatewaySubnet="10.77.0.0/25")
    made = done(network.virtual_networks.begin_create_or_update(GROUP, "hub", body))
    assert made.provisioning_state == "Succeeded"
    gateway = {**GATEWAY, "properties": dict(GATEWAY["properties"])}
    inside = {"subnet": {"id": made.subnets[0].id}}
    gateway["properties"]["ipConfigurations"] = [{"name": "default", "properties": inside}]
    # Lab time jumps while a client polls: 38 minutes are over in a second.
    assert done(network.virtual_network_gateways.begin_create_or_update(GROUP, "gw", gateway)).sku.name == "ErGw1AZ"
    assert {item.name for item in network.virtual_networks.list_all()} >= {"hub", "Source-Hub-vNet"}
    done(network.virtual_network_gateways.begin_delete(GROUP, "gw"))


def test_who_logs_in_has_the_roles_of_its_client_id(served: Served) -> None:
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.network import NetworkManagementClient

    grant(served.lab, READER, "Reader")
    body = network_body("10.77.0.0/24")
    for who, allowed in ((READER, False), (None, True)):
        client = NetworkManagementClient(served.credential(who=who), SUBSCRIPTION, **served.options())
        network = served.opened(client)
        assert {item.name for item in network.virtual_networks.list_all()} >= {"Source-Hub-vNet"}
        if allowed:
            done(network.virtual_networks.begin_create_or_update(GROUP, "mine", body))
            continue
        with pytest.raises(HttpResponseError) as caught:
            network.virtual_networks.begin_create_or_update(GROUP, "mine", body)
        assert caught.value.status_code == 403 and READER in str(caught.value)


def test_a_wrong_secret_and_no_token_are_told_apart(served: Served) -> None:
    import requests
    from azure.core.exceptions import ClientAuthenticationError

    with pytest.raises(ClientAuthenticationError):
        served.credential("wrong").get_token(served.url + "/.default")
    answer = requests.get(served.url + "/subscriptions?api-version=2022-12-01", verify=served.ca, timeout=20)
    assert answer.status_code == 401 and "www-authenticate" in answer.headers


def test_a_blob_is_read_with_the_accounts_key(served: Served) -> None:
    """azure-storage-blob signs every request itself."""
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.storage import StorageManagementClient

    storage = served.opened(StorageManagementClient(served.credential(), SUBSCRIPTION, **served.options()))
    key = storage.storage_accounts.list_keys("rg-source", "stsourcevhds").keys_property[0].value
    machine = served.lab.cloud.body(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-source/providers/Microsoft.Compute/virtualMachines/file1"
    )
    assert machine is not None
    uri = str(machine["properties"]["storageProfile"]["osDisk"]["vhd"]["uri"])
    container, name = uri.split("/", 3)[3].split("/", 1)
    place = f"{served.url}/_blob/stsourcevhds"

    def client(account_key: str) -> Any:
        service = blob.BlobServiceClient(
            place,
            credential={"account_name": "stsourcevhds", "account_key": account_key},
            connection_verify=served.ca,
            max_single_get_size=4096,
            max_chunk_get_size=4096,
            retry_total=0,
        )
        return served.opened(service).get_blob_client(container, name)

    reader = client(key)
    properties = reader.get_blob_properties()
    assert properties.size % (1 << 30) == 0 and str(properties.blob_type) == "BlobType.PAGEBLOB"
    first = reader.download_blob(offset=0, length=4096).readall()
    assert len(first) == 4096 and first.strip(b"\0")
    with pytest.raises(HttpResponseError) as refused:
        client("A" * 86 + "==").download_blob(offset=0, length=512).readall()
    assert refused.value.status_code == 403
