"""What can be taken away and given back.  (Regions first; the rest is below.)"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.ids import ResourceId
from farshore.arm.network import normal_location
from farshore.lab.answers import NoAnswer, Refused
from farshore.lab.call import Call

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud, Delivery


def must_reach(cloud: Cloud, region: str | None) -> None:
    """Raise where a region's control plane is out of reach: refused, or no answer at all."""
    if region is None or not cloud.is_lost(region):
        return
    if cloud.settings.lost_region_answers:
        raise Refused(503, "ServiceUnavailable", f"The service in region {region} is unavailable.")
    raise NoAnswer(region)


def must_serve(cloud: Cloud, id_: ResourceId, method: str, body: Any) -> None:
    """A call on a resource: its own region must answer, and for a write its group's too (L36)."""
    region = cloud.region_of(id_)
    if region is None and isinstance(body, dict) and body.get("location"):
        region = normal_location(str(body["location"]))
    must_reach(cloud, region)
    group = id_.group_id
    if method not in ("GET", "HEAD") and group is not None:
        must_reach(cloud, cloud.region_of(group))


def on_the_way_back(call: Call, method: str) -> Delivery:
    from farshore.arm.http import Response
    from farshore.lab.cloud import Delivery

    return Delivery(response=Response(status=0), delay=timedelta(0))
