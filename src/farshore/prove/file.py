"""proof.json: a proof as JSON and back, exactly.

A proof is kept beside the plan that it proves, so that a run's journal can be checked against the moments that were
looked at, and a report can show what was shown. Traces keep each hop's choice, because an answer carries its reasons.
Keys of moments are grouped by the shape of their slice.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, TypeVar

from farshore.arm.decode import Address
from farshore.arm.ids import ResourceId, resource_id
from farshore.plan.place import Place
from farshore.prove.values import Counterexample, Cut, Exposure, Proof, Repaired, Verdict
from farshore.routing.values import Choice, Disposition, EffectiveRoute, Flow, Hop, PassedOver, Trace

FORMAT = 1

Kind = TypeVar("Kind")


def proof_as_json(proof: Proof) -> dict[str, Any]:
    """The proof as a JSON value."""
    enumerated: dict[str, list[str]] = {}
    for key in sorted(proof.enumerated):
        shape, _, rest = key.partition(":")
        enumerated.setdefault(shape, []).append(rest)
    return {
        "format": FORMAT,
        "ok": proof.ok,
        "cuts": proof.cuts,
        "states": proof.states,
        "evaluations": proof.evaluations,
        "exhaustive": proof.exhaustive,
        "failures": list(proof.failures),
        "double_failures": proof.double_failures,
        "double_failures_traced": proof.double_failures_traced,
        "counterexamples": [_counterexample_as_json(item) for item in proof.counterexamples],
        "verdicts": [
            {
                "objective": item.objective,
                "phase": item.phase,
                "proven": item.proven,
                "flows": item.flows,
                "trace": item.trace,
            }
            for item in proof.verdicts
        ],
        "exposures": [
            {
                "failed": list(item.failed),
                "phase": item.phase,
                "machines": list(item.machines),
                "noticed": item.noticed,
                "cure": item.cure,
            }
            for item in proof.exposures
        ],
        **({"repair": [{"subject": item.subject, "text": item.text} for item in proof.repair]} if proof.repair else {}),
        "enumerated": enumerated,
    }


def proof_from_json(document: Any, *, file: str = "proof.json") -> Proof:
    """The proof of a JSON value; raises `InputError` that names the place."""
    root = Place(document, "", file)
    form = root.at("format")
    if form.value != FORMAT or isinstance(form.value, bool):
        form.fail("this format is not known", str(FORMAT), "prove the plan again with this version's `farshore prove`")
    shapes = root.at("enumerated").mapping()
    return Proof(
        ok=root.at("ok").flag(),
        cuts=root.at("cuts").whole(),
        states=root.at("states").whole(),
        evaluations=root.at("evaluations").whole(),
        exhaustive=root.at("exhaustive").flag(),
        failures=root.at("failures").texts(),
        double_failures=0 if root.maybe("double_failures") is None else root.at("double_failures").whole(),
        double_failures_traced=(
            0 if root.maybe("double_failures_traced") is None else root.at("double_failures_traced").whole()
        ),
        counterexamples=root.at("counterexamples").each(_counterexample_from),
        verdicts=root.at("verdicts").each(_verdict_from),
        exposures=root.at("exposures").each(_exposure_from),
        repair=() if root.maybe("repair") is None else root.at("repair").each(_repaired_from),
        enumerated=frozenset(f"{shape}:{rest}" for shape, rests in shapes.items() for rest in rests),
    )


# Counterexamples, verdicts, exposures. -----------------------------------------------------------------------------


def _counterexample_as_json(item: Counterexample) -> dict[str, Any]:
    return {
        "claim": item.claim,
        "kind": item.kind,
        "objective": item.objective,
        "flow": _flow_as_json(item.flow),
        "machine": item.machine,
        "cut": {"done": sorted(item.cut.done), "under_way": sorted(item.cut.under_way)},
        "after": item.after,
        "failed": list(item.failed),
        "forward": _trace_as_json(item.forward),
        "back": None if item.back is None else _trace_as_json(item.back),
        "summary": item.summary,
        "moments": item.moments,
        "exempt": item.exempt,
        "mend": item.mend,
    }


def _counterexample_from(place: Place) -> Counterexample:
    cut = place.at("cut")
    return Counterexample(
        claim=place.at("claim").text(),
        kind=place.at("kind").text(),
        objective=place.at("objective").text(),
        flow=_flow_from(place.at("flow")),
        machine=place.at("machine").text(),
        cut=Cut(done=frozenset(cut.at("done").texts()), under_way=frozenset(cut.at("under_way").texts())),
        after=place.at("after").text(),
        failed=place.at("failed").texts(),
        forward=_trace_from(place.at("forward")),
        back=_perhaps(place, "back", _trace_from),
        summary=place.at("summary").text(),
        moments=place.at("moments").whole(),
        exempt=place.at("exempt").flag(),
        mend=place.at("mend").text(),
    )


def _verdict_from(place: Place) -> Verdict:
    return Verdict(
        objective=place.at("objective").text(),
        phase=place.at("phase").text(),
        proven=place.at("proven").flag(),
        flows=place.at("flows").whole(),
        trace=place.at("trace").text(),
    )


def _exposure_from(place: Place) -> Exposure:
    return Exposure(
        failed=place.at("failed").texts(),
        phase=place.at("phase").text(),
        machines=place.at("machines").texts(),
        noticed=place.at("noticed").text(),
        cure=place.at("cure").text(),
    )


def _repaired_from(place: Place) -> Repaired:
    return Repaired(subject=place.at("subject").text(), text=place.at("text").text())


# Flows and traces. -------------------------------------------------------------------------------------------------


def _flow_as_json(flow: Flow) -> dict[str, Any]:
    return {
        "source": flow.source,
        "source_address": str(flow.source_address),
        "destination_address": str(flow.destination_address),
        "protocol": flow.protocol,
        "destination_port": flow.destination_port,
        "source_port": flow.source_port,
    }


def _flow_from(place: Place) -> Flow:
    return Flow(
        source=place.at("source").text(),
        source_address=_address(place.at("source_address")),
        destination_address=_address(place.at("destination_address")),
        protocol=place.at("protocol").text(),
        destination_port=_perhaps(place, "destination_port", Place.whole),
        source_port=_perhaps(place, "source_port", Place.whole),
    )


def _trace_as_json(trace: Trace) -> dict[str, Any]:
    return {
        "flow": _flow_as_json(trace.flow),
        "hops": [_hop_as_json(hop) for hop in trace.hops],
        "disposition": trace.disposition.value,
        "because": trace.because,
        "missing": list(trace.missing),
        "delivered_to": None if trace.delivered_to is None else trace.delivered_to.text,
    }


def _trace_from(place: Place) -> Trace:
    return Trace(
        flow=_flow_from(place.at("flow")),
        hops=place.at("hops").each(_hop_from),
        disposition=place.at("disposition").member(Disposition),
        because=place.at("because").text(),
        missing=place.at("missing").texts(),
        delivered_to=_perhaps(place, "delivered_to", _id),
    )


def _hop_as_json(hop: Hop) -> dict[str, Any]:
    """Where several share the traffic, which a packet may meet, and by what names each may be asked for: without them
    a reader can't judge a trace again. They are left out where there is one."""
    shared = {
        "hashed_by": hop.hashed_by,
        "others": [other.text for other in hop.others],
        "any_of": [sorted(names) for names in hop.any_of],
    }
    return {
        "kind": hop.kind,
        "name": hop.name,
        "id": None if hop.id is None else str(hop.id),
        "choice": None if hop.choice is None else _choice_as_json(hop.choice),
        "because": hop.because,
        "stateful": hop.stateful,
        "state_key": hop.state_key,
        "front": hop.front,
        **{name: value for name, value in shared.items() if value},
    }


def _hop_from(place: Place) -> Hop:
    return Hop(
        kind=place.at("kind").text(),
        name=place.at("name").text(),
        id=_perhaps(place, "id", _id_or_text),
        choice=_perhaps(place, "choice", _choice_from),
        because=place.at("because").text(),
        stateful=place.at("stateful").flag(),
        state_key=place.at("state_key").text(),
        front=place.at("front").text() if place.has("front") else "",
        hashed_by=place.at("hashed_by").text() if place.has("hashed_by") else "",
        others=place.at("others").each(Place.id) if place.has("others") else (),
        any_of=tuple(map(frozenset, place.at("any_of").each(Place.texts))) if place.has("any_of") else (),
    )


def _choice_as_json(choice: Choice) -> dict[str, Any]:
    return {
        "chosen": None if choice.chosen is None else _route_as_json(choice.chosen),
        "passed_over": [{"route": _route_as_json(item.route), "reason": item.reason} for item in choice.passed_over],
    }


def _choice_from(place: Place) -> Choice:
    def passed(item: Place) -> PassedOver:
        return PassedOver(route=_route_from(item.at("route")), reason=item.at("reason").text())

    return Choice(chosen=_perhaps(place, "chosen", _route_from), passed_over=place.at("passed_over").each(passed))


def _route_as_json(route: EffectiveRoute) -> dict[str, Any]:
    return {
        "source": route.source,
        "state": route.state,
        "address_prefix": str(route.address_prefix),
        "next_hop_type": route.next_hop_type,
        "next_hop_ip_addresses": [str(address) for address in route.next_hop_ip_addresses],
        "name": route.name,
        "by": route.by,
    }


def _route_from(place: Place) -> EffectiveRoute:
    return EffectiveRoute(
        source=place.at("source").text(),
        state=place.at("state").text(),
        address_prefix=place.at("address_prefix").network(),
        next_hop_type=place.at("next_hop_type").text(),
        next_hop_ip_addresses=place.at("next_hop_ip_addresses").each(_address),
        name=_perhaps(place, "name", Place.text),
        by=_perhaps(place, "by", Place.text),
    )


def _perhaps(place: Place, key: str, read: Callable[[Place], Kind]) -> Kind | None:
    found = place.maybe(key)
    return None if found is None else read(found)


def _address(place: Place) -> Address:
    try:
        return ip_address(place.text())
    except ValueError:
        place.fail("this is no address", "an address like 10.1.0.4")


def _id(place: Place) -> ResourceId:
    return resource_id(place.text())


def _id_or_text(place: Place) -> ResourceId | str:
    text = place.text()
    return resource_id(text) if text.startswith("/") else text
