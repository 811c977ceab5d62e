"""An embedded Azure: ARM's wire contract, ExpressRoute, Site Recovery, a clock that can be turned, and faults."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from farshore.estate.outside import Site
from farshore.lab.automation import queue
from farshore.lab.cloud import Cloud
from farshore.lab.settings import Settings
from farshore.lab.sites import keep
from farshore.lab.store import Store

__all__ = ["Cloud", "Settings", "open_lab"]


def open_lab(
    path: Path | None,
    *,
    now: datetime,
    seed: int = 1,
    sites: tuple[Site, ...] = (),
    settings: Settings | None = None,
) -> Cloud:
    """The lab of that file, or a new one; in memory only where there is no path.

    A lab that is there already goes on from its own clock, seed, sites and settings; `now` must not be before it.
    """
    cloud = Cloud(Store(path), now=now, seed=seed, settings=settings)
    if sites and not cloud.table("sites"):
        keep(cloud, sites)
        cloud.store.commit()
    # A lab has one process: what another one ran for it runs nowhere any more.
    queue.abandon(cloud)
    cloud.store.commit()
    return cloud
