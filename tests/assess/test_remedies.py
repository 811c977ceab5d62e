"""What a finding says to do is about the family that it found something wrong in."""

from __future__ import annotations

from assess.bench import bench
from farshore.assess import Finding, assess


def found(appliance: str | None) -> list[Finding]:
    """Of an estate whose spoke and site have IPv6, and its tables none; the appliance's own address of that family."""
    here = bench()
    here.project["sites"][0]["prefixes"].append("fd00:1::/48")
    for name, space, subnet in (
        ("Source-Hub-vNet", "fd00:a::/56", None),
        ("Source-vNet1", "fd00:b::/56", "fd00:b::/64"),
    ):
        network = here.properties(name)
        network["addressSpace"]["addressPrefixes"].append(space)
        if subnet is not None:
            own = network["subnets"][0]["properties"]
            own["addressPrefixes"] = [own.pop("addressPrefix"), subnet]
    if appliance is not None:
        configurations = here.properties("nva-nic")["ipConfigurations"]
        own = dict(configurations[0]["properties"], privateIPAddress=appliance, primary=False)
        own["privateIPAddressVersion"] = "IPv6"
        configurations.append({"name": "six", "properties": own})
    return [finding for finding in assess(here.estate()).findings if finding.code in ("FS201", "FS205")]


def test_a_range_of_ipv6_wants_a_route_of_ipv6() -> None:
    told = found(None)
    assert {finding.code for finding in told} == {"FS201", "FS205"}
    for finding in told:
        assert "0.0.0.0/0" not in finding.remedy and "10.10.10.10" not in finding.remedy
        assert "fd00:b::/56" in finding.remedy or "::/0" in finding.remedy
        assert "(an IPv6 address, which the appliance needs first)" in finding.remedy


def test_its_next_hop_is_the_appliance_s_address_of_that_family() -> None:
    told = found("fd00:a::10")
    assert {finding.code for finding in told} == {"FS201", "FS205"}
    assert all("VirtualAppliance fd00:a::10" in finding.remedy for finding in told)
