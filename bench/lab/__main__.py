"""`python -m bench.lab`: the served lab under load, its start, and a million resources; 1 where a limit is passed."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.lab import peers
from bench.lab.load import SERVER, Load, load
from bench.lab.serving import SUBSCRIPTION, TABLES, VERSION, Served, fill, serving, table
from farshore.lab.certificates import certificates

LIMITS = {"start_seconds": 1.0, "get_per_second": 1_500.0, "put_per_second": 500.0, "p99_ms": 25.0}
GROWTH_MIB = 64.0
"""That listing everything may add to the lab's memory: what is kept at hand, however much there is."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.lab", description=__doc__)
    parser.add_argument("--resources", type=int, default=10_000, help="in the lab while it is under load")
    parser.add_argument("--seconds", type=int, default=20, help="of load, for reads and for writes each")
    parser.add_argument("--listed", type=int, default=1_000_000, help="resources listed page by page; 0 for none")
    parser.add_argument("--peers", type=Path, help="where moto and azurite are installed; without, none is measured")
    parser.add_argument("--no-limits", action="store_true", help="a limit passed is said, and the status is 0")
    parser.add_argument("--out", type=Path, default=Path("build/bench-lab"))
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is not installed; on Debian: apt-get install wrk")
    asked.out.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {"cores": os.cpu_count(), "resources": asked.resources}
    print(f"{'':<22}{'GET/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'PUT/s':>8}{'p50 ms':>9}{'p99 ms':>9}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        tables = fill(folder, asked.resources)
        served = stack.enter_context(serving(folder, cores=SERVER))
        told["start_seconds"] = served.seconds_to_first_answer
        told["lab"] = _loaded("the lab", folder, served, tables, asked.seconds)
        told["memory_mib"] = served.memory()
        if asked.peers is not None:
            told["peers"] = _peers(asked.peers, folder, served, asked.seconds)
    print(f"start to first answer  {told['start_seconds']:.2f} s with {asked.resources:,} resources")
    if asked.listed:
        told["listing"] = _listed(asked.listed)
    (asked.out / "bench-lab.json").write_text(json.dumps(told, indent=2) + "\n")
    over = _over(told)
    for text in over:
        print(f"over its limit: {text}")
    return 1 if over and not asked.no_limits else 0


def _loaded(name: str, folder: Path, served: Served, tables: int, seconds: int) -> dict[str, Any]:
    path, body = f"{TABLES}/rt-{{n}}?{VERSION}", json.dumps(table(1))
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    reads = load(folder, served.url, "GET", path, names=tables, headers=headers, body="", seconds=seconds)
    new = f"{TABLES}/new-{{n}}?{VERSION}"
    writes = load(folder, served.url, "PUT", new, names=9_999_991, headers=headers, body=body, seconds=seconds)
    return _row(name, reads, writes)


def _peers(tools: Path, folder: Path, served: Served, seconds: int) -> list[dict[str, Any]]:
    body, rows = json.dumps(table(1)), []
    found = certificates(served.ca.parent)
    for started in (peers.moto(tools, folder), peers.azurite(tools, folder, found.certificate, found.key)):
        with started as peer:
            names, headers = 5_000, peer.headers
            writes = load(folder, peer.url, "PUT", peer.path, names=names, headers=headers, body=body, seconds=seconds)
            reads = load(folder, peer.url, "GET", peer.path, names=names, headers={}, body="", seconds=seconds)
            rows.append(_row(peer.name, reads, writes))
    return rows


def _row(name: str, reads: Load, writes: Load) -> dict[str, Any]:
    figures = "".join(f"{one.per_second:>8,.0f}{one.p50_ms:>9.1f}{one.p99_ms:>9.1f}" for one in (reads, writes))
    print(f"{name:<22}{figures}")
    return {"name": name, "get": asdict(reads), "put": asdict(writes)}


def _listed(resources: int) -> dict[str, Any]:
    """Every page of a list of so many resources: memory before and after, and how long the first and last took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        fill(folder, resources, routes=0)
        filled = time.perf_counter() - began
        with serving(folder) as served:
            url: str | None = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/routeTables?{VERSION}"
            before, highest, found, took = served.memory(), 0.0, 0, []
            while url is not None:
                asked = time.perf_counter()
                body = served.get(url)
                took.append(time.perf_counter() - asked)
                found += len(body["value"])
                highest = max(highest, served.memory()) if len(took) % 50 == 0 else highest
                url = body.get("nextLink")
            highest = max(highest, served.memory())
            start = served.seconds_to_first_answer
    first, last = (sum(part) / len(part) * 1e3 for part in (took[:100], took[-100:]))
    print(
        f"{found:,} listed          {len(took):,} pages, the first hundred {first:.1f} ms each, the last {last:.1f}; "
        f"{before:.0f} MiB before, {highest:.0f} at most; up in {start:.2f} s, filled in {filled:.0f} s"
    )
    return {
        "resources": found,
        "pages": len(took),
        "first_ms": first,
        "last_ms": last,
        "before_mib": before,
        "highest_mib": highest,
        "start_seconds": start,
    }


def _over(told: dict[str, Any]) -> list[str]:
    lab, found = told["lab"], []
    for name, got, least in (("GET/s", lab["get"], "get_per_second"), ("PUT/s", lab["put"], "put_per_second")):
        if got["per_second"] < LIMITS[least]:
            found.append(f"{got['per_second']:,.0f} {name}, at least {LIMITS[least]:,.0f} wanted")
        if got["p99_ms"] > LIMITS["p99_ms"]:
            found.append(f"p99 of {name} {got['p99_ms']:.1f} ms, at most {LIMITS['p99_ms']:.0f} wanted")
        if got["refused"]:
            found.append(f"{got['refused']} requests of {name} were no success")
    if told["start_seconds"] > LIMITS["start_seconds"]:
        found.append(f"{told['start_seconds']:.2f} s to the first answer, at most {LIMITS['start_seconds']:.0f} wanted")
    listing = told.get("listing")
    if listing is not None and listing["highest_mib"] - listing["before_mib"] > GROWTH_MIB:
        found.append(
            f"listing added {listing['highest_mib'] - listing['before_mib']:.0f} MiB, {GROWTH_MIB:.0f} at most"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
