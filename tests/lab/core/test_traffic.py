"""Packets of every second: counted, not sent twice, and the same as sending each of them would be."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

from farshore.times import moment
from lab.core.bench import Lab, refusal
from lab.core.test_exposure import CONNECTION, taken_over

FLOW = {"name": "web", "from": "datacenter", "to": "10.1.0.4", "protocol": "tcp", "port": 443}


def told(lab: Lab) -> Any:
    return lab.get("/_lab/traffic").body


def test_every_second_has_its_packet_and_what_became_of_it() -> None:
    """The twin sends each packet itself, a second apart, through an outage and a return."""
    counted, sent = taken_over(), taken_over()
    assert counted.post("/_lab/traffic", {"flows": [FLOW]}).status == 200
    for lab in (counted, sent):
        at = lab.cloud.now + timedelta(seconds=20)
        lab.fault(kind="region", region="eastasia", state="returned", at=at.isoformat())
    one_by_one: Counter[str] = Counter()
    for _ in range(300):
        answer = sent.post("/_lab/packets", {key: FLOW[key] for key in ("from", "to", "protocol", "port")})
        one_by_one[str(answer.body["disposition"])] += 1
        sent.wait(seconds=1)
    counted.wait(seconds=300)
    seen = told(counted)
    by_disposition: Counter[str] = Counter()
    for spell in seen["value"][0]["spells"]:
        by_disposition[spell["disposition"]] += spell["packets"]
    assert seen["packets"] == sum(by_disposition.values()) == 300
    assert by_disposition.keys() == one_by_one.keys() and len(one_by_one) > 1
    # A change falls between two seconds: the packet of that second may have met either.
    assert all(abs(by_disposition[word] - count) <= 3 for word, count in one_by_one.items())
    spells = seen["value"][0]["spells"]
    assert all(moment(a["until"]) == moment(b["since"]) for a, b in pairwise(spells))


def test_flows_change_and_what_was_counted_stays() -> None:
    lab = taken_over()
    lab.post("/_lab/traffic", {"flows": [FLOW]})
    lab.wait(seconds=10)
    lab.post("/_lab/traffic", {"flows": [{**FLOW, "name": "other", "from": CONNECTION}], "go_on": True})
    lab.wait(seconds=5)
    seen = {row["name"]: sum(spell["packets"] for spell in row["spells"]) for row in told(lab)["value"]}
    assert seen == {"web": 10, "other": 5}
    assert told(lab)["value"][1]["spells"][0]["disposition"] == "Unsent"
    lab.post("/_lab/traffic", {"flows": []})
    lab.wait(seconds=5)
    assert told(lab)["packets"] == 0


def test_what_is_no_traffic() -> None:
    lab = taken_over()
    assert refusal(lab.post("/_lab/traffic", {"flows": "all"}), 400) == "InvalidTraffic"
    assert refusal(lab.post("/_lab/traffic", {"flows": [{"from": "a"}]}), 400) == "InvalidPacket"
    assert refusal(lab.post("/_lab/traffic", {"flows": [{**FLOW, "name": 3}]}), 400) == "InvalidTraffic"
