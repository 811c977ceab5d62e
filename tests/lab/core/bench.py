"""A lab on the bench and one client of it, as plain as ARM itself: a method, a path, a body, an answer.

    lab = Lab()                                        a lab in memory with a group in East Asia
    lab.put(vnet("hub"), {...})                        one request, whatever it is answered
    lab.made(vnet("hub"), {...})                       a PUT followed until it is over; the resource as a GET shows it
    lab.follow(lab.post(...))                          an operation followed by its own headers; its result

The clock is turned by what an answer asks for (`retry-after`), as an honest client would wait.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from farshore import examples
from farshore.arm.http import Request, Response
from farshore.arm.ids import make_id
from farshore.arm.json import Body
from farshore.errors import TransportError
from farshore.estate.outside import Site
from farshore.lab import Settings, open_lab

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "rg-lab"
VERSION = "api-version=2024-05-01"
FREE = Settings(throttling=False)
NETWORK, COMPUTE = "Microsoft.Network", "Microsoft.Compute"


class Lab:
    """See above. `answer` of every method is a `Response`; a request that nobody answers gives None."""

    turn = threading.RLock()
    """A lab is one thread's, as its server is, and Azure's pollers each have a thread of their own: they take turns."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        seed: int = 1,
        settings: Settings = FREE,
        sites: tuple[Site, ...] = (),
        resources: list[Body] | None = None,
        groups: Mapping[str, str] | None = None,
    ) -> None:
        self.cloud = open_lab(path, now=NOW, seed=seed, settings=settings, sites=sites)
        self.now = self.cloud.now
        if resources is not None:
            self.cloud.seed(copy.deepcopy(resources))
        for name, region in ({GROUP: "eastasia"} if groups is None else groups).items():
            self.must(self.put(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}", {"location": region}))

    # One request. --------------------------------------------------------------------------------------------------

    def ask(self, method: str, url: str, body: Any = None, **headers: str) -> Response | None:
        """One request at this moment; headers with `_` for `-`. None where no answer comes back."""
        if "api-version" not in url and not url.startswith("/_"):
            url += ("&" if "?" in url else "?") + VERSION
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            return self.handle(Request(method=method, url=url, body=body, headers=named))
        except TransportError:
            return None

    def handle(self, request: Request) -> Response:
        """The answer at this moment; whoever asks meanwhile waits."""
        with self.turn:
            return self.cloud.handle(request, self.now)

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Response:
        found = self.ask(method, url, body, **headers)
        assert found is not None, f"no answer to {method} {url}"
        return found

    def get(self, url: str, **headers: str) -> Response:
        return self.send("GET", url, **headers)

    def put(self, url: str, body: Any, **headers: str) -> Response:
        return self.send("PUT", url, body, **headers)

    def patch(self, url: str, body: Any, **headers: str) -> Response:
        return self.send("PATCH", url, body, **headers)

    def post(self, url: str, body: Any = None, **headers: str) -> Response:
        return self.send("POST", url, body, **headers)

    def delete(self, url: str, **headers: str) -> Response:
        return self.send("DELETE", url, **headers)

    def body(self, url: str) -> Body:
        """What a GET shows."""
        return dict(self.must(self.get(url)).body)

    def properties(self, url: str) -> Body:
        return dict(self.body(url)["properties"])

    @staticmethod
    def must(response: Response) -> Response:
        assert response.ok, f"{response.status}: {response.body}"
        return response

    # Time and operations. ------------------------------------------------------------------------------------------

    def wait(self, seconds: float = 0, **more: float) -> None:
        with self.turn:
            self.now += timedelta(seconds=seconds, **more)
            self.cloud.advance(self.now)

    def follow(self, response: Response) -> Response:
        """The end of an operation: the status document where there is one, else the result at its Location."""
        self.must(response)
        url = response.headers.get("azure-asyncoperation") or response.headers.get("location")
        if url is None:
            return response
        while True:
            self.wait(float(response.headers.get("retry-after", "5")))
            response = self.get(url)
            status = response.body.get("status") if isinstance(response.body, dict) else None
            running = status not in ("Succeeded", "Failed", "Canceled") if status else response.status == 202
            if not running:
                return response

    def made(self, url: str, body: Any, **headers: str) -> Body:
        """The resource that a PUT has made, once it is over."""
        end = self.follow(self.put(url, body, **headers))
        said = end.body if isinstance(end.body, dict) else {}
        assert said.get("status", "Succeeded") == "Succeeded", said
        return self.body(url)

    def gone(self, url: str) -> None:
        """Delete it and wait until it has gone."""
        end = self.follow(self.delete(url))
        said = end.body if isinstance(end.body, dict) else {}
        assert said.get("status", "Succeeded") == "Succeeded", said
        assert self.get(url).status == 404

    # The lab's own handles. ----------------------------------------------------------------------------------------

    def fault(self, **wanted: Any) -> Body:
        return dict(self.must(self.post("/_lab/faults", wanted)).body)

    def packet(self, source: str, destination: str, **more: Any) -> Body:
        return dict(self.must(self.post("/_lab/packets", {"from": source, "to": destination, **more})).body)

    def journal(self) -> list[Body]:
        return list(self.get("/_lab/requests").body["value"])


def refusal(response: Response, status: int = 400) -> str:
    """The code of an error answer, which must have ARM's form (L9)."""
    assert response.status == status, f"{response.status}: {response.body}"
    error = response.body["error"]
    assert error["code"] and error["message"]
    return str(error["code"])


def rid(type_: str, *names: str, group: str = GROUP) -> str:
    return make_id(SUBSCRIPTION, group, type_, *names).text


def vnet(name: str, *rest: str, group: str = GROUP) -> str:
    return rid(f"{NETWORK}/virtualNetworks", name, group=group) + "".join(f"/{part}" for part in rest)


def subnet(network: str, name: str, *, group: str = GROUP) -> str:
    return vnet(network, "subnets", name, group=group)


def net(name: str, *, group: str = GROUP, kind: str) -> str:
    return rid(f"{NETWORK}/{kind}", name, group=group)


def network_body(space: str, location: str = "eastasia", **subnets: str) -> Body:
    """A network of one range; keywords are subnets by name (`_` for `-`)."""
    made = [{"name": name.replace("_", "-"), "properties": {"addressPrefix": text}} for name, text in subnets.items()]
    return {"location": location, "properties": {"addressSpace": {"addressPrefixes": [space]}, "subnets": made}}


def nic_body(subnet_id: str, address: str | None = None, location: str = "eastasia", **properties: Any) -> Body:
    inside: Body = {"subnet": {"id": subnet_id}}
    if address is not None:
        inside |= {"privateIPAddress": address, "privateIPAllocationMethod": "Static"}
    return {
        "location": location,
        "properties": {"ipConfigurations": [{"name": "a", "properties": inside}]} | properties,
    }


def machine_body(nic: str, location: str = "eastasia", data_disks: int = 0, **profile: Any) -> Body:
    """A machine with a system disk of its own and so many empty data disks of 1 GB."""
    storage: Body = {
        "osDisk": {"createOption": "FromImage", "diskSizeGB": 4, **profile},
        "dataDisks": [{"lun": lun, "createOption": "Empty", "diskSizeGB": 1} for lun in range(data_disks)],
    }
    return {
        "location": location,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
            "storageProfile": storage,
            "osProfile": {"computerName": "vm", "adminUsername": "lab", "adminPassword": "Secret-of-the-lab-1"},
            "networkProfile": {"networkInterfaces": [{"id": nic}]},
        },
    }


def example_lab(name: str = "two-circuits-two-locations", *, path: Path | None = None, **given: Any) -> Lab:
    """An example's estate and sites in steady state."""
    _, estate = examples.read(name)
    return Lab(path, sites=estate.sites, resources=list(estate.resources.values()), groups={}, **given)
