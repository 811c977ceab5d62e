"""Sizes of machines that a region offers: some of each family, with the numbers of Azure's pages on sizes.

A machine of this lab may have any size; the list is for clients that look before they ask.
"""

from __future__ import annotations

from farshore.arm.http import Response
from farshore.arm.regions import find_region
from farshore.lab.answers import bad_request
from farshore.lab.call import Call
from farshore.lab.paging import page
from farshore.lab.registry import view

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


@view("Microsoft.Compute/locations", "vmSizes")
def sizes(call: Call) -> Response:
    region = call.id.name
    if find_region(region) is None:
        raise bad_request("InvalidLocation", f"Azure has no region '{region}'.", "location")
    rows = [
        {
            "name": name,
            "numberOfCores": cores,
            "osDiskSizeInMB": OS_DISK_SIZE_IN_MB,
            "resourceDiskSizeInMB": temporary,
            "memoryInMB": memory,
            "maxDataDiskCount": disks,
        }
        for name, cores, memory, temporary, disks in SIZES
    ]
    return page(call, rows)
