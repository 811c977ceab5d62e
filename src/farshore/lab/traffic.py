"""`GET|POST /_lab/traffic`: flows that somebody sends every second, and what became of every packet.

    POST {"flows": [{"name": ..., "from": ..., "to": ..., "protocol": "tcp", "port": 443}, ...], "go_on": false}
    GET  {"since": time, "now": time, "packets": n,
          "value": [{"name", "spells": [{"disposition", "since", "until", "packets"}, ...]}, ...]}

A packet of each flow leaves at every whole second since the flows were told. The way of a packet changes only with what
the data plane is made of, so nothing is sent twice between two changes: the seconds are counted, and the ways asked for
once (`dataplane.py`). With `go_on` the flows are others from now on, and what has been counted stays.

Traffic is the process's, not the lab's state: it ends with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from farshore.arm.http import Response
from farshore.errors import InputError
from farshore.lab import dataplane
from farshore.lab.answers import Refused, bad_request
from farshore.lab.call import Call
from farshore.lab.packets import checked_packet
from farshore.lab.registry import handle
from farshore.times import stamp

if TYPE_CHECKING:
    from farshore.lab.cloud import Cloud

SECOND = timedelta(seconds=1)
UNSENT = "Unsent"
"""Nobody is there to send it."""


@dataclass(slots=True)
class Spell:
    """A while in which one thing became of a flow's packets."""

    disposition: str
    since: datetime
    until: datetime
    packets: int

    def as_json(self) -> dict[str, Any]:
        return {
            "disposition": self.disposition,
            "since": stamp(self.since),
            "until": stamp(self.until),
            "packets": self.packets,
        }


class Traffic:
    """Flows with what has become of them so far."""

    def __init__(self, now: datetime) -> None:
        self.since = now
        self.packets = 0
        self._flows: Sequence[Mapping[str, Any]] = ()
        self._spells: dict[str, list[Spell]] = {}
        self._epoch = -1
        self._ways: list[str] = []

    def send(self, flows: Sequence[Mapping[str, Any]]) -> None:
        """These flows from now on, and no others."""
        self._flows, self._epoch = tuple(flows), -1

    def until(self, cloud: Cloud, now: datetime) -> None:
        """Time is about to move to `now`: the packets of the seconds until then, through what there is until then."""
        sent = (now - self.since) // SECOND - (cloud.now - self.since) // SECOND
        if not sent or not self._flows:
            return
        if self._epoch != cloud.epoch:
            self._ways = [_disposition(cloud, flow) for flow in self._flows]
            self._epoch = cloud.epoch
        for flow, way in zip(self._flows, self._ways, strict=True):
            self._count(str(flow["name"]), way, cloud.now, now, sent)

    def _count(self, name: str, way: str, since: datetime, until: datetime, packets: int) -> None:
        self.packets += packets
        spells = self._spells.setdefault(name, [])
        if spells and spells[-1].disposition == way and spells[-1].until == since:
            spells[-1].until = until
            spells[-1].packets += packets
        else:
            spells.append(Spell(disposition=way, since=since, until=until, packets=packets))

    def as_json(self, now: datetime) -> dict[str, Any]:
        value = [{"name": name, "spells": [s.as_json() for s in spells]} for name, spells in self._spells.items()]
        return {"since": stamp(self.since), "now": stamp(now), "packets": self.packets, "value": value}


@handle("POST", "_lab/traffic")
def begin(call: Call) -> Response:
    wanted = call.object()
    flows = wanted.get("flows")
    if not isinstance(flows, list):
        raise bad_request("InvalidTraffic", "Traffic is a list of flows, each with name, from and to.")
    told = []
    for flow in flows:
        checked = checked_packet(flow)
        if not isinstance(flow.get("name"), str):
            raise bad_request("InvalidTraffic", "A flow of traffic has a name.")
        told.append({"name": flow["name"], **checked})
    cloud = call.cloud
    if cloud.traffic is None or not wanted.get("go_on"):
        cloud.traffic = Traffic(cloud.now)
    cloud.traffic.send(told)
    return Response(status=200, body=cloud.traffic.as_json(cloud.now))


@handle("GET", "_lab/traffic")
def seen(call: Call) -> Response:
    traffic = call.cloud.traffic or Traffic(call.cloud.now)
    return Response(status=200, body=traffic.as_json(call.cloud.now))


def _disposition(cloud: Cloud, flow: Mapping[str, Any]) -> str:
    try:
        found = dataplane.send(cloud, flow["from"], flow["to"], flow["protocol"], flow["port"])
    except (InputError, Refused):
        # The sender is not there: nothing leaves, and time goes on.
        return UNSENT
    return str(found["disposition"])
