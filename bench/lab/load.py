"""wrk against one server: so many requests a second, and how long the slowest hundredth of them took.

The server has one core and wrk the other. Eight connections are kept alive; each request is another resource.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8
SERVER, CLIENT = {0}, {1}
"""The cores of either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What wrk saw."""

    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int
    """Answers that were no success, and connections that failed."""


def load(
    folder: Path, url: str, method: str, path: str, *, names: int, headers: Mapping[str, str], body: str, seconds: int
) -> Load:
    """`path` has `{n}` where a resource's number goes, from 0 to `names`, by a stride that meets each of them once."""
    script = folder / f"{method.lower()}.lua"
    before, after = path.split("{n}")
    lines = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
    script.write_text(
        _SCRIPT.format(
            method=method, before=json.dumps(before), after=json.dumps(after), headers=lines, names=names, body=body
        )
    )
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=lambda: pin(0, CLIENT))
    told = json.loads(done.stdout.rsplit("FIGURES ", 1)[1])
    return Load(
        per_second=told["requests"] / (told["us"] / 1e6),
        p50_ms=told["p50"] / 1e3,
        p99_ms=told["p99"] / 1e3,
        refused=told["refused"],
    )


def pin(pid: int, cores: set[int]) -> None:
    """Keep a process on some cores, where there is more than one."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, cores)


_SCRIPT = """
local n = 0
function request()
  n = n + 1
  local name = string.format("%07d", (n * 7919) % {names})
  return wrk.format("{method}", {before} .. name .. {after}, {{{headers}}}, [[{body}]])
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('FIGURES {{"requests": %d, "us": %d, "p50": %d, "p99": %d, "refused": %d}}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""
