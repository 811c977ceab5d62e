"""`farshore generate`: a big honest estate, by seed."""

from __future__ import annotations

from pathlib import Path

import click

from farshore.cli.app import App, common
from farshore.cli.words import many


@click.command("generate")
@click.option("--spokes", type=int, default=20, show_default=True, help="Virtual networks beside the hubs.")
@click.option("--machines", type=int, default=100, show_default=True, help="Machines, spread over the spokes.")
@click.option("--prefixes", type=int, default=50, show_default=True, help="Prefixes of all sites together.")
@click.option("--seed", type=int, default=1, show_default=True, help="One seed is one estate, to the byte.")
@click.option(
    "--shape",
    type=click.Choice(["shared", "adversarial"]),
    default="shared",
    show_default=True,
    help="Few tables for all, or one for every subnet and a policy for every prefix.",
)
@click.option("--hubs", type=int, default=0, help="Hubs; by default as many as the spokes need, two at least.")
@click.option("--circuits", type=int, default=0, help="Circuits; by default four to sixteen, with the hubs.")
@click.option("--routes-per-table", type=int, default=0, help="Routes in each spoke's table beside its default.")
@click.option("--no-drift", is_flag=True, help="Leave out what has drifted: unsynced peerings, dead appliances.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder for it.")
@common
def command(
    app: App,
    spokes: int,
    machines: int,
    prefixes: int,
    seed: int,
    shape: str,
    hubs: int,
    circuits: int,
    routes_per_table: int,
    no_drift: bool,
    out: Path,
) -> None:
    """Write a project folder with a generated estate: estate.json and farshore.yaml.

    For trying Farshore on more than anybody would write by hand, and for benchmarks. The resources are streamed to the
    file: a million machines need no more memory than a hundred.
    """
    from farshore.arm.json import dumps
    from farshore.cli.options import check_new_folder
    from farshore.generate import Shape, generate, project

    check_new_folder(out)
    asked = Shape(
        spokes=spokes,
        machines=machines,
        prefixes=prefixes,
        seed=seed,
        shape=shape,
        hubs=hubs,
        circuits=circuits,
        routes_per_table=routes_per_table,
        drift=not no_drift,
    )
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with (out / "estate.json").open("wb") as file:
        file.write(b"[")
        for body in generate(asked):
            file.write((b",\n" if count else b"\n") + dumps(body))
            count += 1
        file.write(b"\n]\n")
    import yaml

    text = yaml.safe_dump(project(asked), sort_keys=False, default_flow_style=None, width=120)
    (out / "farshore.yaml").write_text(text)
    size = (out / "estate.json").stat().st_size
    answer = {
        "project": str(out),
        "resources": count,
        "bytes": size,
        "hubs": asked.hub_count,
        "spokes": spokes,
        "circuits": asked.circuit_count,
        "sites": asked.site_count,
        "machines": machines,
        "prefixes": prefixes,
        "seed": seed,
        "shape": shape,
    }
    lines = [
        f"{out}: {many(count, 'resource')}, {size / 1e6:,.1f} MB",
        f"{many(asked.hub_count, 'hub')}, {many(spokes, 'spoke')}, {many(machines, 'machine')},"
        f" {many(asked.circuit_count, 'circuit')}, {many(asked.site_count, 'site')}"
        f" with {many(prefixes, 'prefix', 'prefixes')}",
        f"next: farshore assess --project {out}",
    ]
    app.view.answer(answer, "\n".join(lines))
