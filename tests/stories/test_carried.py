"""The published example with an application security group, a load balancer and a public address before its machines:
what a failover leaves off is put back, there and at home (S13, S35)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from farshore import examples
from farshore.arm.json import Body
from farshore.arm.network import NETWORK_INTERFACES, PUBLIC_IP_ADDRESSES
from farshore.estate.estate import Change
from outside import answer
from plan.estates import TWO, edited, example, source_id
from plan.test_plan_carried import balanced, grouped

PUBLIC = source_id(PUBLIC_IP_ADDRESSES, "pip-web2")
NICS = {"web1-nic": ("applicationSecurityGroups", "loadBalancerBackendAddressPools"), "web2-nic": ("publicIPAddress",)}


def test_what_a_failover_leaves_off_is_put_back(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(examples.path(TWO), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    public: Body = {
        "id": PUBLIC.text,
        "name": PUBLIC.name,
        "type": PUBLIC.type,
        "location": "eastasia",
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {"publicIPAllocationMethod": "Static", "ipAddress": "203.0.113.9"},
    }
    estate = balanced(grouped(example(TWO))).with_changes([Change(put=public)])
    estate = edited(estate, source_id(NETWORK_INTERFACES, "web2-nic"), _published)
    (folder / "estate.json").write_text(json.dumps(list(estate.resources.values())))
    told = answer(folder, "exercise")
    assert told["ok"], told["halted"]
    differing = {(row["id"].rsplit("/", 1)[-1], row["path"]) for row in told["residue"]}
    for nic, properties in NICS.items():
        assert not [path for name, path in differing if name == nic and any(part in path for part in properties)]
    report = Path(told["report"]).read_text()
    assert "What hangs on the machines" in report and "nothing is left to do by hand" in report


def _published(body: Body) -> None:
    body["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {"id": PUBLIC.text}
