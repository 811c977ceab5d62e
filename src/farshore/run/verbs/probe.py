"""`probe`: from where Farshore runs a machine takes a TCP connection, or answers a GET as the check says."""

from __future__ import annotations

from farshore.run.verbs.base import Connect, Get, Looked, Probed, Situation, Talk, Verb
from farshore.run.verbs.trying import Answer, until_it_holds


class Probe(Verb):
    name = "probe"

    def look(self, situation: Situation) -> Talk[Looked]:
        told = situation.arguments
        http = told["http"]
        get = None
        if http is not None:
            get = Get(path=http["path"], host=http["host"], https=http["https"], verify=http["verify"])
        order = Connect(
            address=str(told["address"]),
            port=int(told["port"]),
            timeout_seconds=float(told["timeout_seconds"]),
            get=get,
        )
        wanted = [0] if http is None else [int(status) for status in http["status"]]

        def once() -> Talk[Answer]:
            probed: Probed = yield order
            good = probed.status in wanted
            known = http is None or good or probed.status is None
            said = probed.said if known else f"{probed.said}, not {' or '.join(map(str, wanted))}"
            return Answer(good=good, said=said, asked_from=probed.asked_from)

        return (yield from until_it_holds(situation, asked_for(order), once))


def asked_for(order: Connect) -> str:
    """What a probe asks, in words: `tcp/443`, `GET https://10.1.0.4/health as www.example.com`."""
    if order.get is None:
        return f"tcp/{order.port}"
    scheme, usual = ("https", 443) if order.get.https else ("http", 80)
    address = f"[{order.address}]" if ":" in order.address else order.address
    port = "" if order.port == usual else f":{order.port}"
    name = "" if order.get.host is None else f" as {order.get.host}"
    return f"GET {scheme}://{address}{port}{order.get.path}{name}"
