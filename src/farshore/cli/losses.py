"""What each failure costs, by unit; and the same as columns on disk, a row for each machine that loses something.

    today.u32      by machine: its cells that are delivered with nothing failed
    failure.u32    a row each: the number of the failure,
    machine.u32    the machine that it costs something,
    lost.u32       and how many of its cells
    names.json     what the numbers of failures and machines mean

All are little-endian. A failure that costs nothing has a name and no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from farshore.arm.json import pretty
from farshore.routing.scale.outcomes import GOOD
from farshore.routing.scale.peerings import Peerings, without

if TYPE_CHECKING:
    from farshore.routing import Element
    from farshore.routing.scale import Reach, Standing

MOST_TAKEN_OUT = 50
"""So many peerings are looked at by taking each out of the estate, which costs as much as the estate did."""
FILES = ("today.u32", "failure.u32", "machine.u32", "lost.u32", "names.json")
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What one failure costs: cells by unit, of those that lose or gain any."""

    kind: str
    name: str
    units: Longs
    cells: Longs

    def machines_cut_off(self, reach: Reach, today: Longs) -> int:
        """Machines that lose all they had."""
        before = today[self.units]
        return int(reach.model.units.count[self.units][(before > 0) & (self.cells >= before)].sum())


def today_of(reach: Reach) -> Longs:
    """By unit the cells that are delivered with nothing failed."""
    return reach.counts_cold()[:, GOOD]


def losses(
    reach: Reach, elements: Sequence[Element], standings: Sequence[Standing], peerings: Peerings
) -> Iterator[Loss]:
    """Of every failure: elements, then peerings."""
    today = today_of(reach)

    def against(kind: str, name: str, after: Longs) -> Loss:
        lost = today - after
        units = np.flatnonzero(lost)
        return Loss(kind=kind, name=name, units=units, cells=lost[units])

    for element, standing in zip(elements, standings, strict=True):
        yield against(element.kind, element.name, reach.counts(standing)[:, GOOD])
    for spoke in peerings.spokes:
        yield Loss(kind="peering", name=_named(reach, spoke.pair), units=spoke.units, cells=today[spoke.units])
    for link in peerings.others[:MOST_TAKEN_OUT]:
        yield against("peering", _named(reach, link), without(reach, link)[:, GOOD])
    none = np.zeros(0, dtype=np.int64)
    for link in peerings.idle:
        yield Loss(kind="peering", name=_named(reach, link), units=none, cells=none)


def write_columns(folder: Path, reach: Reach, found: Sequence[Loss]) -> dict[str, Any]:
    """The columns in a new or empty folder; says how many rows there are."""
    folder.mkdir(parents=True, exist_ok=True)
    units = reach.model.units
    by_unit = np.argsort(units.of_machine, kind="stable")
    begin = np.concatenate([[0], np.cumsum(units.count.astype(np.int64))])
    today_of(reach)[units.of_machine].astype("<u4").tofile(folder / "today.u32")
    rows = 0
    with ExitStack() as open_:
        first, second, third = (open_.enter_context((folder / name).open("wb")) for name in FILES[1:4])
        for number, loss in enumerate(found):
            worse = loss.cells > 0
            held, counts = loss.units[worse], units.count[loss.units[worse]].astype(np.int64)
            # The machines of a unit stand side by side in `by_unit`.
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            machines = by_unit[np.repeat(begin[held], counts) + within]
            order = np.argsort(machines)
            np.full(len(order), number, dtype="<u4").tofile(first)
            machines[order].astype("<u4").tofile(second)
            np.repeat(loss.cells[worse], counts)[order].astype("<u4").tofile(third)
            rows += len(order)
    names = {
        "failures": [f"{loss.kind} {loss.name}" for loss in found],
        "machines": reach.model.columns.machines.nics,
    }
    (folder / "names.json").write_text(pretty(names))
    return {"folder": str(folder), "rows": rows, "files": list(FILES)}


def _named(reach: Reach, link: tuple[int, int]) -> str:
    return " and ".join(reach.model.networks.all[number].name for number in link)
