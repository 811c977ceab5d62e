"""`change_names`: the records of DNS zones that a failover makes wrong lead elsewhere, and then they are read.

The user's program gets the whole list at once and is asked again after a crash: the list says what each record must
say, not how it differs, so that a second time does no harm. What the program says of itself is not believed where ARM
can show the record: it has to show the new address, and the old one no more. A zone that ARM does not have is told as
not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from farshore.arm.http import Wait
from farshore.arm.ids import resource_id
from farshore.arm.versions import api_version
from farshore.azure.conversation import pause
from farshore.errors import ArmError, Fault
from farshore.run.verbs.base import BEAT, Accepted, Acted, Rename, Situation, Talk, Verb, get, get_url, properties

PATIENCE = timedelta(minutes=10)
ABSENT = frozenset({404, 405, 501})
"""Answers of a cloud that does not have the record, or not its type."""


class ChangeNames(Verb):
    name = "change_names"

    def grace(self, situation: Situation) -> Wait:
        return Wait(duration=timedelta(0))

    def act(self, situation: Situation) -> Talk[Acted]:
        order = yield from _order(situation)
        yield Rename(order=order, command=tuple(situation.arguments["command"]))
        return Accepted()

    def follow(self, situation: Situation) -> Talk[Mapping[str, Any]]:
        order = yield from _order(situation)
        until = situation.since + PATIENCE
        while True:
            shown, unseen, wrong = [], [], []
            for row in order["records"]:
                response = yield from get_url(_url(row["record"]), refused=ABSENT)
                if response.status in ABSENT:
                    unseen.append(row["record"])
                    continue
                found = addresses(response.body)
                shown.append({"record": row["record"], "addresses": found})
                if row["to"] not in found or row["from"] in found:
                    wrong.append(f"{row['record'].rsplit('/', 1)[-1]} shows {', '.join(found) or 'nothing'}")
            if not wrong:
                return {"records": shown, "not_looked_at": unseen}
            now = yield from pause(BEAT, situation.since)
            if now >= until:
                late = f"the command ended well, and {PATIENCE.total_seconds():.0f} s later {'; '.join(wrong)}"
                raise ArmError(Fault(code="NamesNotChanged", message=late))


def addresses(body: Mapping[str, Any]) -> list[str]:
    """The addresses of a record set: private zones write `aRecords`, public ones `ARecords`."""
    said = body.get("properties") or {}
    rows = said.get("aRecords") or said.get("ARecords") or ()
    return [str(row.get("ipv4Address")) for row in rows if isinstance(row, Mapping)]


def _order(situation: Situation) -> Talk[dict[str, Any]]:
    """What the program is given. An address that nobody knew when the plan was made is read now, on either side."""
    rows = []
    for row in situation.arguments["records"]:
        ends = {}
        for end in ("from", "to"):
            ends[end] = str(row[end])
            if row.get(f"{end}_of"):
                response = yield from get(resource_id(str(row[f"{end}_of"])))
                address = None if response.status == 404 else properties(response).get("ipAddress")
                if not address:
                    name = str(row[f"{end}_of"]).rsplit("/", 1)[-1]
                    raise ArmError(Fault(code="NoAddressYet", message=f"{name} has no address to write in a record"))
                ends[end] = str(address)
        rows.append({"record": str(row["record"]), "type": str(row["type"]), **ends})
    return {"region": str(situation.arguments["region"]), "records": rows}


def _url(record: str) -> str:
    id_ = resource_id(record)
    return f"{id_.text}?api-version={api_version(id_.type)}"
