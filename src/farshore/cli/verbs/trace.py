"""`farshore trace`: a flow's way, both directions, hop by hop, and how it ended."""

from __future__ import annotations

from typing import Any

import click

from farshore.cli.app import BAD_ANSWER, GOOD, App, common
from farshore.cli.failing import fail_option, failed
from farshore.cli.views.routes import choice_as_json


@click.command("trace")
@click.argument("source")
@click.argument("destination")
@click.option("--port", default="tcp/443", show_default=True, help="tcp/443, udp/53, icmp.")
@click.option("--through", default=None, help="The appliance that both ways must pass: name, id or address.")
@fail_option
@common
def command(app: App, source: str, destination: str, port: str, through: str | None, names: tuple[str, ...]) -> int:
    """Follow a flow from SOURCE to DESTINATION and back: a site, a machine, a NIC or an address each."""
    from farshore.cli.endpoints import appliance_named, flow_of
    from farshore.cli.readings import as_seen
    from farshore.cli.views.lines import shown
    from farshore.routing import describe, judge, trace

    estate, said = as_seen(app)
    app.view.progress(said)
    estate = failed(estate, names)
    flow = flow_of(estate, source, destination, port)
    appliance = None
    if through is not None:
        appliance = appliance_named(estate, through)
    forward, back = trace(estate, flow)
    verdict = judge(forward, back, through=appliance)
    document = {
        "flow": str(flow),
        "failed": list(names),
        "verdict": str(verdict.kind),
        "because": verdict.because,
        "forward": _as_json(forward),
        "back": None if back is None else _as_json(back),
    }
    text = [f"with {', '.join(names)} failed", ""] if names else []
    text += [describe(forward)]
    if back is not None:
        text += ["", "and back", describe(back)]
    text += ["", f"{verdict.kind}: {verdict.because}"]
    app.view.answer(document, shown("\n".join(text)))
    return GOOD if verdict.good else BAD_ANSWER


def _as_json(trace: Any) -> dict[str, Any]:
    return {
        "disposition": str(trace.disposition),
        "because": trace.because,
        "deliveredTo": None if trace.delivered_to is None else str(trace.delivered_to),
        "missing": list(trace.missing),
        "hops": [
            {
                "kind": hop.kind,
                "name": hop.name,
                "id": None if hop.id is None else str(hop.id),
                "because": hop.because,
                "choice": None if hop.choice is None else choice_as_json(hop.choice),
            }
            for hop in trace.hops
        ],
    }
