"""Plans: what is done in a phase, in which order, and what a site meets on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import ip_address

from farshore.errors import InputError
from farshore.estate.project import Link, Project
from farshore.plan import Plan, World, apply, make_plan, start
from farshore.plan.model import Event, Step, order
from farshore.routing import Flow, trace
from scenarios.session import Session


def project(session: Session, words: list[str]) -> str:
    """`project link=cold ahead=none`: change the project."""
    found = _project(session)
    for word in words:
        key, _, value = word.partition("=")
        if key == "link":
            found = replace(found, link=Link(value))
        elif key == "ahead":
            found = replace(found, provision_ahead=tuple(value.split(",")))
        else:
            raise InputError(f"project does not know {key}")
    session.estate = replace(session.estate, project=found)
    return f"link {found.link.value}, ahead {', '.join(found.provision_ahead)}"


def steps(session: Session, words: list[str]) -> str:
    """`steps PHASE`: each step with its letter, and what it comes after, within the phase by name alone."""
    plan = make_plan(session.estate)
    phase = words[0]
    lines = []
    for step in plan.steps:
        if step.phase.value == phase:
            after = ", ".join(id_.removeprefix(f"{phase}/") for id_ in step.after)
            name = step.id.removeprefix(f"{phase}/")
            lines.append(f"{step.letter or ' '} {step.kind.value:<6} {name}" + (f"  <- {after}" if after else ""))
    return "\n".join(lines)


def story(session: Session, words: list[str]) -> str:
    """`story`: the plan's one order walked from end to end, and how machines are reached after each change."""
    plan = make_plan(session.estate)
    nodes = {node.id: node for nodes in (plan.steps, plan.events) for node in nodes}
    world = start(session.estate, plan)
    before = _reached(plan, world)
    lines = [f"{'at first':<45} {before}"]
    for id_ in order(plan.steps, plan.events):
        node: Step | Event = nodes[id_]
        world = apply(world, node.effects)
        now = _reached(plan, world)
        if node.effects and (now != before or isinstance(node, Event)):
            lines.append(f"{id_:<45} {now}")
        before = now
    return "\n".join(lines)


def recovery(session: Session, words: list[str]) -> str:
    """`recovery`: the predicted seconds of each machine."""
    plan = make_plan(session.estate)
    names = {machine.id.key: machine.id.name for machine in plan.machines}
    return "\n".join(f"{names[key]:<6} {seconds:g} s" for key, seconds in plan.predicted_recovery_seconds.items())


def _reached(plan: Plan, world: World) -> str:
    """How the first site's flows to each machine's promised address end, there and back."""
    site = world.estate.sites[0]
    found: Counter[str] = Counter()
    for machine in plan.machines:
        nic = world.promises[machine.id.key]
        address = ip_address(machine.address if nic == machine.nic else machine.target_address)
        flow = Flow(source=site.name, source_address=site.prefixes[0][10], destination_address=address)
        forward, back = trace(world.estate, flow)
        end = forward.disposition.value
        if end == "Delivered" and forward.delivered_to != nic:
            end = "Elsewhere"
        if end == "Delivered" and back.disposition.value != "Delivered":
            end = f"OneWay({back.disposition.value})"
        found[end] += 1
    return ", ".join(f"{count} {end}" for end, count in sorted(found.items()))


def _project(session: Session) -> Project:
    if session.estate.project is None:
        raise InputError("there is no project")
    return session.estate.project
