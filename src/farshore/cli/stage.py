"""Where a verb acts: a client, a clock that goes with it, the journal, and, in a lab, the handles beside it.

    lab, served        `.farshore/lab.json` of a living process: HTTPS, at the lab's own pace; one that stands still
                       (hand, jump) is turned by whoever acts in it (`turning.py`)
    lab, in process    `.farshore/lab.db`: the lab's clock, which stands still while anyone is busy; begun from
                       estate.json and farshore.yaml where there is no such file yet
    azure, or a URL    real time, azure-identity

    async with open_stage(folder, estate, cloud=app.cloud, wait=app.wait) as stage:

Whoever acts holds the project for as long (two processes never work on one project at once); who only reads or
turns a lab's clock does not. In process the caller is an actor of the clock: a wait for anything else than the clock
is `async with stage.clock.idle()`.

A lab that is served scales its pauses (Retry-After) for clients that live on the wall's time. Our clock runs at the
lab's pace by itself, so the client says that it lives in lab time, and is told pauses as Azure would tell them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farshore.azure.clouds import open_cloud
from farshore.cli.handles import Handles, LabNames, LabProber, LabSite
from farshore.cli.projects import Folder
from farshore.clock import LabClock, WallClock
from farshore.errors import HeldError, InputError
from farshore.holder import ProjectLock

if TYPE_CHECKING:
    from farshore.azure.client import ArmClient
    from farshore.estate.estate import Estate
    from farshore.estate.outside import Site
    from farshore.estate.project import Project
    from farshore.lab.cloud import Cloud
    from farshore.run.journal import Journal

BEGINNING = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
"""When a fresh lab's time begins: one seed, one story, on whatever day it is told."""

STANDING = 500.0
"""How fast our clock runs beside a lab whose own clock stands still (hand, jump): waits are for its sake only."""


@dataclass(slots=True)
class Stage:
    """See the theory above."""

    client: ArmClient
    clock: LabClock | WallClock
    handles: Handles
    folder: Folder
    lab: bool
    """Whether the handles answer."""
    cloud: Cloud | None = None
    """The lab itself, where it is in this process."""
    actuators: dict[str, LabSite] = field(default_factory=dict)
    """Who does site steps by itself, by site: in a lab the lab; elsewhere a command of the user's, or a person."""
    names: LabNames | None = None
    """Who changes records of DNS zones in place of the user's program: in a lab the lab."""
    prober: LabProber | None = None
    """Who probes machines: in a lab its first site; elsewhere a socket from here."""
    _journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """The project's journal, opened when it is first asked for."""
        if self._journal is None:
            from farshore.cli.runs import open_journal

            self._journal = open_journal(self.folder)
        return self._journal

    async def sites(self, declared: tuple[Site, ...]) -> tuple[Site, ...]:
        """The sites as they are now, as far as that can be asked; else as they are declared."""
        if not self.lab:
            return declared
        from farshore.lab.sites import from_row

        found = {row["name"]: from_row(row) for row in (await self.handles.get("sites"))["value"]}
        return tuple(found.get(site.name, site) for site in declared)

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None


@asynccontextmanager
async def open_stage(
    folder: Folder,
    estate: Estate | None,
    *,
    cloud: str | None = None,
    acting: bool = True,
    wait: bool = False,
    fresh: bool = False,
    seed: int | None = None,
) -> AsyncIterator[Stage]:
    """The stage that `cloud` names (default: the project's own, else the lab). `estate`, under its project, is what a
    lab begins from and whose sites it plays. `fresh`: a new lab in process, the old one's state deleted."""
    project = None if estate is None else estate.project
    where = cloud or ("lab" if project is None else project.cloud)
    if fresh and where != "lab":
        raise InputError("A story is told in the lab only", value=where, expected="lab", remedy="leave --cloud out")
    async with AsyncExitStack() as stack:
        if acting:
            stack.enter_context(ProjectLock(folder.state, wait=wait))
        if where == "lab":
            if fresh or not _is_served(folder):
                stage = await _in_process(stack, folder, estate, seed, fresh)
            else:
                stage = await _served(stack, folder, acting)
            stage.names = LabNames(stage.client)
            if estate is not None:
                stage.actuators = {
                    site.name: LabSite(stage.handles, stage.clock, person=_by_people(project, site.name))
                    for site in estate.sites
                }
                if estate.sites:
                    stage.prober = LabProber(stage.handles, estate.sites[0].name)
        else:
            client = await stack.enter_async_context(open_cloud(where, project=folder.path))
            stage = Stage(client=client, clock=WallClock(), handles=Handles(client), folder=folder, lab=False)
        stack.callback(stage.close)
        yield stage


def lab_of(folder: Folder, estate: Estate | None, *, seed: int | None = None, now: datetime | None = None) -> Cloud:
    """The project's lab on its `.farshore/lab.db`; a new one is given the estate, and the project's sites and settings.
    Raises `HeldError` where another process has it open."""
    from farshore.lab import open_lab

    is_new = not folder.lab_db.exists()
    if is_new and (estate is None or estate.project is None):
        raise InputError(
            "There is no lab here yet, and no estate to begin one from",
            value=str(folder.path),
            expected="estate.json and farshore.yaml",
            remedy="farshore new NAME --example two-circuits-two-locations begins a project",
        )
    given = _given(estate, seed)
    cloud = open_lab(folder.lab_db, now=now or datetime.now(UTC).replace(microsecond=0), **given)
    begun_empty = bool(cloud.settings.subscriptions)
    try:
        if estate is not None and not begun_empty and not cloud.bodies and not cloud.store.shelf("requests"):
            cloud.seed(list(estate.resources.values()))
    except BaseException:
        cloud.store.close()
        if is_new:
            forget_lab(folder)
        raise
    return cloud


def empty_lab(folder: Folder, estate: Estate | None, subscriptions: tuple[str, ...]) -> Cloud:
    """A lab with these subscriptions and nothing in them, in any folder; one that is there goes on as it is. An estate
    gives its project's settings and sites, and nothing of itself. Raises `HeldError` where another process has it."""
    from farshore.lab import Settings, open_lab

    given = _given(estate, None)
    given["settings"] = replace(given.get("settings") or Settings(), subscriptions=subscriptions)
    folder.state.mkdir(parents=True, exist_ok=True)
    return open_lab(folder.lab_db, now=datetime.now(UTC).replace(microsecond=0), **given)


def _given(estate: Estate | None, seed: int | None) -> dict[str, Any]:
    """What a project says of its lab: seed, sites, settings."""
    from farshore.lab import Settings

    if estate is None or estate.project is None:
        return {}
    lab = estate.project.lab
    settings: dict[str, Any] = {"throttling": lab.throttling}
    if lab.write_rate_bytes_per_second is not None:
        settings["write_rate_bytes_per_second"] = lab.write_rate_bytes_per_second
    if lab.durations:
        from farshore.lab.durations import rows_of

        settings["durations"] = rows_of(lab.durations)
    return {"seed": lab.seed if seed is None else seed, "sites": estate.sites, "settings": Settings(**settings)}


def forget_lab(folder: Folder) -> None:
    """Delete a lab's state. Raises `HeldError` where a process has it open."""
    from farshore.lab.holding import Hold

    if not folder.lab_db.exists():
        return
    hold = Hold(folder.lab_db)
    for suffix in ("-wal", "-shm", ""):
        Path(f"{folder.lab_db}{suffix}").unlink(missing_ok=True)
    hold.release()


def _is_served(folder: Folder) -> bool:
    from farshore.lab import processes

    return processes.status(folder.path) is not None


def _by_people(project: Project | None, site: str) -> bool:
    return project is not None and project.change_of(site).command is None


async def _in_process(
    stack: AsyncExitStack, folder: Folder, estate: Estate | None, seed: int | None, fresh: bool
) -> Stage:
    from farshore.lab.transport import lab_client, lab_clock

    if fresh:
        if _is_served(folder):
            raise HeldError("The lab of this project is being served; farshore lab down stops it")
        forget_lab(folder)
    lab = lab_of(folder, estate, seed=seed, now=BEGINNING if fresh else None)
    stack.callback(lab.store.close)
    clock = lab_clock(lab)
    await stack.enter_async_context(clock.actor("stage"))
    client = await stack.enter_async_context(lab_client(lab, clock))
    return Stage(client=client, clock=clock, handles=Handles(client), folder=folder, lab=True, cloud=lab)


async def _served(stack: AsyncExitStack, folder: Folder, acting: bool) -> Stage:
    from farshore.lab.server import LAB_TIME, LOOKING
    from farshore.times import moment

    # What we ask moves the lab's time in no case: either it runs, or we turn it.
    headers = {**LAB_TIME, **LOOKING}
    client = await stack.enter_async_context(open_cloud("lab", project=folder.path, headers=headers))
    handles = Handles(client)
    shown = await handles.get("clock")
    now = moment(shown["now"])
    clock: LabClock | WallClock
    if shown["speed"] not in ("hand", "jump"):
        clock = WallClock(float(shown["speed"]), now)
    elif acting:
        from farshore.cli.turning import turner

        clock = LabClock(now, turner(folder))
        client.wait_on(clock)
        await stack.enter_async_context(clock.actor("stage"))
    else:
        clock = WallClock(STANDING, now)
    return Stage(client=client, clock=clock, handles=handles, folder=folder, lab=True)
