"""Who changes a preference or a filter at a site: the user's own command, or a person.

A lab's sites have an actuator of their own, which the command line brings. What any of them says is not believed: the
step is done when the circuits' own tables show it (`verbs/site_change.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from farshore.arm.json import dumps
from farshore.errors import ArmError, Fault

PATIENCE_SECONDS = 120


class SiteActuator(Protocol):
    """Carries an order out, or raises. Routers hold whole settings, so that an order given twice is harmless."""

    async def apply(self, site: str, routers: Sequence[Mapping[str, Any]]) -> None: ...


class CommandActuator:
    """The user's command: the order as JSON on its standard input; status 0 within two minutes means done."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    async def apply(self, site: str, routers: Sequence[Mapping[str, Any]]) -> None:
        order = {"site": site, "routers": [dict(router) for router in routers]}
        await _give(self._command, order, f"site {site}", "SiteCommandFailed")


class NameActuator(Protocol):
    """Changes records of DNS zones as an order says, or raises. An order given twice is harmless."""

    async def rename(self, order: Mapping[str, Any]) -> None: ...


class NameCommand:
    """The user's command for records: the list as JSON on its standard input, as a site's command gets its order."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    async def rename(self, order: Mapping[str, Any]) -> None:
        await _give(self._command, order, "dns", "NameCommandFailed")


async def _give(command: Sequence[str], order: Mapping[str, Any], whose: str, code: str) -> None:
    """Run a command with an order on its standard input. Raises `ArmError` where it does not end well in time."""

    def fault(message: str) -> Fault:
        return Fault(code=code, message=f"{whose}: {message}")

    process: asyncio.subprocess.Process | None = None
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(process.communicate(dumps(order)), PATIENCE_SECONDS)
    except TimeoutError:
        raise ArmError(fault(f"{command[0]} did not end within {PATIENCE_SECONDS} s")) from None
    except OSError as error:
        raise ArmError(fault(f"{command[0]} can't be run: {error}")) from None
    finally:
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise ArmError(fault(f"{command[0]} ended with status {process.returncode}: {last[0]}"))


def instruction(site: str, routers: Sequence[Mapping[str, Any]]) -> str:
    """What a person at the site is asked to do, router by router."""
    lines = [f"At site {site}:"]
    for router in routers:
        filters = ", ".join(f"{f['direction']} {f['action']} {f['prefix']}" for f in router.get("filters") or ())
        lines.append(
            f"router {router['name']}: local preference {router.get('local_preference')}, "
            f"prepend {router.get('prepend')}, filters {filters or 'none'}"
        )
    return "\n".join(lines)
