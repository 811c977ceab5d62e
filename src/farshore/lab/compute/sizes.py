"""Sizes of machines: what a region offers, what a machine may become, and all that the provider sells.

    GET locations/{region}/vmSizes, virtualMachines/{vm}/vmSizes     some of each family, with the numbers of its page
    GET Microsoft.Compute/skus                                       the same by region, with zones and restrictions

A machine of this lab may have any size; the lists are for clients that look before they ask. What is not in the table
is known by its name: cores are the number in it, the family the letters around it. Every region of the lab has three
zones. A size that a region does not sell to this subscription is a fault (`restriction`): the list says
`NotAvailableForSubscription`, and a machine of it is refused with `SkuNotAvailable` (L15).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.arm.network import normal_location
from farshore.arm.regions import REGIONS, find_region
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.compute.attached import VIRTUAL_MACHINES
from farshore.lab.fault_kinds import Wanted, fault_kind, kept_in, mark
from farshore.lab.paging import page
from farshore.lab.registry import provider_list, view

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

SIZES = (
    ("Standard_B1s", 1, 1024, 4096, 2),
    ("Standard_B2s", 2, 4096, 8192, 4),
    ("Standard_B2ms", 2, 8192, 16384, 4),
    ("Standard_DS1_v2", 1, 3584, 7168, 4),
    ("Standard_DS2_v2", 2, 7168, 14336, 8),
    ("Standard_DS3_v2", 4, 14336, 28672, 16),
    ("Standard_D2s_v3", 2, 8192, 16384, 4),
    ("Standard_D4s_v3", 4, 16384, 32768, 8),
    ("Standard_D8s_v3", 8, 32768, 65536, 16),
    ("Standard_D2s_v5", 2, 8192, 0, 4),
    ("Standard_D4s_v5", 4, 16384, 0, 8),
    ("Standard_D8s_v5", 8, 32768, 0, 16),
    ("Standard_E2s_v5", 2, 16384, 0, 4),
    ("Standard_E4s_v5", 4, 32768, 0, 8),
    ("Standard_F2s_v2", 2, 4096, 16384, 4),
    ("Standard_F4s_v2", 4, 8192, 32768, 8),
)
"""Name, cores, memory in MB, temporary disk in MB, most data disks."""
OS_DISK_SIZE_IN_MB = 1047552
"""Of every size, in Azure's lists."""
ZONES = ["1", "2", "3"]
TABLE = "restrictions"
_CORES = {name.lower(): cores for name, cores, *_ in SIZES}
_NAME = re.compile(r"(?:Standard|Basic)_([A-Z]+)(\d+)(?:-\d+)?([A-Z]*)((?:_[A-Z0-9]+)*)", re.IGNORECASE)
_OLD = re.compile(r"(?:Standard_)(DS?)(\d+)_v2", re.IGNORECASE)
_OF_OLD = (1, 2, 4, 8, 16)
"""Cores of D1_v2 to D5_v2; D11_v2 and on begin with two."""


def cores_of(size: str) -> int:
    """The cores of a size; of one that the table does not have, as its name says. A name without a number has one."""
    known = _CORES.get(size.lower())
    if known is not None:
        return known
    old = _OLD.fullmatch(size)
    if old is not None:
        number = int(old[2])
        return _OF_OLD[number - 1] if number <= len(_OF_OLD) else 2 ** max(1, number - 10)
    match = _NAME.fullmatch(size)
    return int(match[2]) if match is not None else 1


def family_of(size: str) -> str:
    """The family that a quota counts a size in: `standardDSv3Family` of `Standard_D2s_v3`."""
    match = _NAME.fullmatch(size)
    if match is None:
        return "standardOtherFamily"
    added = "".join(letter for letter in match[3].upper() if letter not in "MILT")
    version = match[4].rsplit("_", 1)[-1].lower()
    return f"standard{match[1].upper()}{added}{version if version.startswith('v') else ''}Family"


def family_shown(family: str) -> str:
    """`Standard DSv3 Family vCPUs`."""
    return f"Standard {family.removeprefix('standard').removesuffix('Family')} Family vCPUs"


# Lists. --------------------------------------------------------------------------------------------------------------


@view("Microsoft.Compute/locations", "vmSizes")
def sizes(call: Call) -> Response:
    region_of_path(call)
    return page(call, list(_rows()))


@view(VIRTUAL_MACHINES, "vmSizes")
def sizes_of_machine(call: Call) -> Response:
    """What a machine may be changed to: all that its region has room for and sells."""
    body = call.must_exist()
    held = _withheld(call.cloud, normal_location(body.get("location")))
    return page(call, [row for row in _rows() if row["name"].lower() not in held])


def _rows() -> Iterator[Body]:
    for name, cores, memory, temporary, disks in SIZES:
        yield {
            "name": name,
            "numberOfCores": cores,
            "osDiskSizeInMB": OS_DISK_SIZE_IN_MB,
            "resourceDiskSizeInMB": temporary,
            "memoryInMB": memory,
            "maxDataDiskCount": disks,
        }


@provider_list("Microsoft.Compute/skus")
def skus(call: Call) -> Response:
    """A row for each size in each region; `$filter=location eq '...'` is the one filter that Azure has here."""
    wanted = _filtered(call.query.get("$filter", ""))
    regions = [name for name in sorted(REGIONS) if wanted in (None, name)]
    return page(call, [_sku(call.cloud, region, row) for region in regions for row in SIZES])


def _filtered(text: str) -> str | None:
    if not text:
        return None
    match = re.fullmatch(r"\s*location\s+eq\s+'([^']*)'\s*", text, re.IGNORECASE)
    if match is None:
        raise bad_request("InvalidParameter", f"The filter {text} is no filter by location.", "$filter")
    return normal_location(match[1])


def _sku(cloud: Cloud, region: str, row: tuple[str, int, int, int, int]) -> Body:
    name, cores, memory, temporary, disks = row
    held = name.lower() in _withheld(cloud, region)
    shown = {
        "MaxResourceVolumeMB": temporary,
        "OSVhdSizeMB": OS_DISK_SIZE_IN_MB,
        "vCPUs": cores,
        "MemoryGB": memory / 1024,
        "MaxDataDiskCount": disks,
        "PremiumIO": "s" in name.split("_")[1] or name.startswith("Standard_DS"),
        "CapacityReservationSupported": not name.startswith("Standard_B"),
    }
    restriction = {
        "type": "Location",
        "values": [region],
        "restrictionInfo": {"locations": [region]},
        "reasonCode": "NotAvailableForSubscription",
    }
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "size": name.split("_", 1)[1],
        "family": family_of(name),
        "locations": [region],
        "locationInfo": [{"location": region, "zones": ZONES, "zoneDetails": []}],
        "capabilities": [{"name": key, "value": _text(value)} for key, value in shown.items()],
        "restrictions": [restriction] if held else [],
    }


def _text(value: float | bool) -> str:
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def region_of_path(call: Call) -> str:
    """The region of `locations/{region}`. Raises `Refused` for one that Azure does not have."""
    found = find_region(call.id.name)
    if found is None:
        raise bad_request("InvalidLocation", f"Azure has no region '{call.id.name}'.", "location")
    return found.name


# What is not sold. ---------------------------------------------------------------------------------------------------


def must_be_sold(cloud: Cloud, region: str, size: str) -> None:
    """Raise where a region does not sell this size."""
    if size.lower() in _withheld(cloud, region):
        raise Refused(
            409,
            "SkuNotAvailable",
            f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {size}' is "
            f"currently not available in location '{region}'. Please try another size or deploy to a different "
            "location or different zone.",
        )


def _withheld(cloud: Cloud, region: str) -> set[str]:
    rows = cloud.table(TABLE).values()
    return {row["size"].lower() for row in rows if row["region"] == region} if rows else set()


@fault_kind("restriction", needs=("region", "size"))
def restriction(cloud: Cloud, wanted: Wanted, up: bool) -> None:
    region, size = normal_location(str(wanted["region"])), str(wanted["size"])
    mark(cloud, TABLE, f"{region}|{size.lower()}", up, region=region, size=size)


kept_in(TABLE)
