"""Members of a list that only their whole ids tell apart: each is the same member in both readings."""

from __future__ import annotations

from farshore.arm.json import Body
from farshore.estate.differences import differences
from farshore.estate.estate import Estate

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network"


def network(*nics: str) -> Estate:
    """A network whose subnet lists the configurations of NICs, all of one name, as Azure does."""
    listed = [{"id": f"{GROUP}/networkInterfaces/{nic}/ipConfigurations/ipconfig1"} for nic in nics]
    body: Body = {
        "id": f"{GROUP}/virtualNetworks/net",
        "name": "net",
        "type": "Microsoft.Network/virtualNetworks",
        "location": "eastasia",
        "properties": {"subnets": [{"name": "app", "properties": {"ipConfigurations": listed}}]},
    }
    return Estate.from_resources([body])


def gone(before: Estate, after: Estate) -> list[str]:
    rows = differences(before, after)
    assert all(row.after is None for row in rows), [row.path for row in rows]
    return [row.path.split("networkinterfaces/")[1].split("/")[0] for row in rows]


def test_the_one_that_is_left_of_several_is_no_other() -> None:
    assert gone(network("app1", "app2", "file1"), network("file1")) == ["app1", "app2"]
    assert gone(network("app1", "app2", "file1"), network("app2", "file1")) == ["app1"]
    assert gone(network("app1", "file1"), network("file1", "app1")) == []
