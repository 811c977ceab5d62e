"""What is taken away for a while by tests that Azure itself makes, beside the lab's faults (`lab/faults.py`).

    simulated    a name of `Outside.down` -> since when, by which test

Tests of ExpressRoute are told in `lab/network/failover_tests.py`. `{"kind": "clear"}` of the faults leaves them: they
are the user's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

TABLE = "simulated"


def down(cloud: Cloud) -> frozenset[str]:
    return frozenset(cloud.table(TABLE))
