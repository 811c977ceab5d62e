"""The same lab over HTTPS on loopback, for any client of ARM.

`serve` runs until it is told to stop and leaves `.farshore/lab.json` behind for as long as it runs: url, ca, token,
clock, process. All answers come from `Cloud.deliver`, one at a time, in one event loop; what this file adds is the
wall: TLS, a token's form, the pace of the clock, and how silence sounds here. A region that does not answer is, for a
client of the served lab, ARM's own front door saying after a while that nobody answered it (504 GatewayTimeout).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import signal
import socket
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import DecodeError

from farshore.arm.http import Request, Response
from farshore.arm.json import dumps, loads, pretty
from farshore.arm.jsonc import RelaxedJsonError, loads_relaxed, must_not_be_deep
from farshore.errors import InputError
from farshore.holder import me
from farshore.lab import identity, operations
from farshore.lab.carrying import carry_over
from farshore.lab.certificates import certificates
from farshore.lab.cloud import Cloud, Delivery
from farshore.lab.collecting import Collecting
from farshore.lab.programs import STRIDE, Programs
from farshore.lab.served_clock import JUMP, ServedClock
from farshore.lab.store import Recent
from farshore.times import moment, stamp

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

SILENCE = 20.0
"""Seconds of wall time, at pace 1, until the front door gives up on a region."""
TICK = 1.0
POLLED = 1_000
"""URLs whose last answer is remembered: nobody polls more of them."""
STATE = "lab.json"
LAB_TIME = {"x-farshore-time": "lab"}
"""Said by a client whose own clock runs at the lab's pace: it is told the pauses that Azure would ask for."""
LOOKING = {"x-farshore-look": "only"}
"""Said by who looks and waits for nothing: time does not jump because of it, however often it asks the same."""


def serve(
    folder: Path,
    cloud: Cloud,
    *,
    speed: str = JUMP,
    host: str = "127.0.0.1",
    port: int = 0,
    runbooks: bool = False,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve `cloud` until SIGTERM or SIGINT; `folder` is the project's `.farshore`.
    `runbooks`: run the programs of Automation jobs, with the rights of this process (`lab/programs.py`)."""
    # uvicorn ends orderly on SIGTERM and then raises it once more for whoever was there before: that is us, done.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    asyncio.run(serve_until(folder, cloud, None, speed=speed, host=host, port=port, runbooks=runbooks, ready=ready))


async def serve_until(
    folder: Path,
    cloud: Cloud,
    stop: asyncio.Event | None,
    *,
    speed: str = JUMP,
    host: str = "127.0.0.1",
    port: int = 0,
    runbooks: bool = False,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until `stop` is set, or a signal comes; `ready` hears the URL when the lab can be asked."""
    # uvicorn takes a while to import, and only a served lab needs it.
    import uvicorn

    files = certificates(folder)
    listening = _listening(cloud, host, port)
    # Accepted connections inherit it; asyncio sets it by itself only on sockets that name their protocol.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"https://{host}:{listening.getsockname()[1]}"
    cloud.base_url = url
    clock = ServedClock(cloud.now, speed)
    state = folder / STATE

    def known() -> dict[str, Any]:
        return {**_known(url, files.ca.name, cloud, clock), "runbooks": runbooks}

    programs = Programs(cloud, clock.now, lambda: {**known(), "folder": str(folder.resolve())}) if runbooks else None
    collecting = Collecting()
    app = LabApp(
        cloud, clock, url, paced=lambda: _write_state(state, known()), programs=programs, collecting=collecting
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="off",
        ssl_certfile=str(files.certificate),
        ssl_keyfile=str(files.key),
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config, stop)

    def answers() -> None:
        _write_state(state, known())
        if ready is not None:
            ready(url)

    watcher = asyncio.create_task(app.keep_time())
    carrier = asyncio.create_task(carry_over(cloud.store))
    told = asyncio.create_task(server.tell_when_ready(answers))
    try:
        await server.serve(sockets=[listening])
    finally:
        for task in (watcher, carrier, told):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        state.unlink(missing_ok=True)
        collecting.stop()
        if programs is not None:
            await programs.close()
        cloud.advance(max(cloud.now, clock.now()))
        cloud.store.close()
        # uvicorn raises a SIGINT once more when it is done: whoever ran us shall hear that it was an interrupt.
        own = asyncio.current_task()
        if own is not None and own.cancelling():
            raise asyncio.CancelledError


class LabApp:
    """The ASGI application."""

    def __init__(
        self,
        cloud: Cloud,
        clock: ServedClock,
        url: str,
        paced: Callable[[], None] | None = None,
        programs: Programs | None = None,
        collecting: Collecting | None = None,
    ) -> None:
        self._programs = programs
        self._cloud = cloud
        self._collecting = collecting
        self._keeping: asyncio.Future[None] | None = None
        """Done when what has happened so far is kept; None where all is."""
        self._paced = paced
        self._clock = clock
        self._url = url
        self._tenant = cloud.guid("tenant")
        self._asked: Recent[bytes] = Recent(POLLED)
        """What was answered to each GET of late, as a digest: the same again is a poll (jump)."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        query = scope["query_string"].decode("latin-1")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        content = await _content(receive)
        response = self._login(method, path, content, headers.get("x-identity-header", ""))
        if response is None:
            response = identity.refusal(headers, path, self._url)
        if response is None:
            # As it came: an escape that is taken off here would be taken off twice. Two slashes at its beginning would
            # make a host of what follows.
            sent = "/" + scope.get("raw_path", path.encode()).decode("latin-1").lstrip("/")
            response = await self._answered(method, sent, query, headers, content)
        if not _holds(headers, LAB_TIME):
            response = replace(response, headers=self._clock.pauses(dict(response.headers)))
        await _answer(send, response, method)
        if self._collecting is not None:
            self._collecting.answered()

    async def keep_time(self) -> None:
        """A clock that runs by itself lets happen what is due though nobody asks."""
        while True:
            await asyncio.sleep(TICK)
            if self._clock.factor is not None:
                self._cloud.advance(self._clock.now())
            self._run_programs()
            if self._collecting is not None:
                self._collecting.look()

    def _run_programs(self) -> None:
        if self._programs is not None:
            self._programs.look()

    async def _before_a_jump(self) -> None:
        """A program that works has some of our time before the lab's jumps."""
        if self._programs is not None:
            await self._programs.quiet()

    def _login(self, method: str, path: str, content: bytes, identity_header: str) -> Response | None:
        form = dict(parse_qsl(content.decode("latin-1"))) if method == "POST" and path.endswith("token") else {}
        return identity.answer(method, path, form, self._url, self._tenant, int(time.time()), identity_header)

    async def _answered(
        self, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes
    ) -> Response:
        """What goes wrong inside the lab is told to the client as ARM would, and to the log in full."""
        try:
            try:
                return await self._lab(method, path, query, headers, content)
            finally:
                self._run_programs()
                await self._kept()
        except Exception as error:
            traceback.print_exc()
            said = f"The lab failed at this request: {type(error).__name__}: {error}"
            return Response(status=500, body={"error": {"code": "InternalServerError", "message": said}})

    async def _lab(self, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes) -> Response:
        body: Any = content or None
        if content and not path.startswith(("/_blob", "/_disk")) and not _TEXT.search(path):
            try:
                body = _parsed(content)
            except RelaxedJsonError as error:
                said = f"The request content was invalid and could not be deserialized: '{error}'."
                return Response(status=400, body={"error": {"code": "InvalidRequestContent", "message": said}})
        if path.rstrip("/") == "/_lab/clock":
            if method == "POST":
                await self._before_a_jump()
            return self._turn(method, body)
        asked = Request(method=method, url=path + (f"?{query}" if query else ""), body=body, headers=headers)
        found = self._asked_of_the_cloud(asked)
        if (
            self._clock.speed == JUMP
            and method == "GET"
            and not path.startswith("/_")
            and not _holds(headers, LOOKING)
            and await self._jumped(asked, found.response)
        ):
            found = self._asked_of_the_cloud(asked)
        if self._clock.speed == JUMP and found.response is not None:
            # Whoever is told to wait waits on the wall; here that much time has passed.
            pause = _pause(found.response, looking=_holds(headers, LOOKING))
            self._clock.move_to(self._clock.now() + timedelta(seconds=pause))
        pace = self._clock.factor or 100.0
        if found.response is None:
            await asyncio.sleep(SILENCE / pace)
            said = "The gateway did not receive a response within the specified time period."
            return Response(status=504, body={"error": {"code": "GatewayTimeout", "message": said}})
        if found.delay:
            await asyncio.sleep(found.delay.total_seconds() / pace)
        return found.response

    def _asked_of_the_cloud(self, request: Request) -> Delivery:
        """What the cloud answers; nobody may have it before it is kept."""
        try:
            return self._cloud.deliver(request, self._clock.now(), commit=False)
        finally:
            if self._keeping is None:
                loop = asyncio.get_running_loop()
                self._keeping = loop.create_future()
                # One turn more: meanwhile those are heard whose requests came while this one was answered.
                loop.call_soon(loop.call_soon, self._keep)

    def _keep(self) -> None:
        """One commit for all that came in one turn of the loop: each alone would write the same pages again."""
        keeping, self._keeping = self._keeping, None
        assert keeping is not None
        try:
            self._cloud.store.commit()
        except Exception as error:
            keeping.set_exception(error)
        else:
            keeping.set_result(None)

    async def _kept(self) -> None:
        """Until what this request saw and did is in the file. Raises what the commit raised."""
        if self._keeping is not None:
            await asyncio.shield(self._keeping)

    async def _jumped(self, request: Request, response: Response | None) -> bool:
        """Whether time has jumped because of this question."""
        if response is None:
            return self._jump_to(self._cloud.next_due())
        operation = operations.find(self._cloud, urlsplit(request.url).path.rsplit("/", 1)[-1])
        if operation is not None and operation.running:
            await self._before_a_jump()
            operation = operations.find(self._cloud, operation.id)
            if operation is None or not operation.running:
                return True
            # One that ends with a job of the service's is due at no time of its own: on to what happens next.
            return self._jump_to(min(filter(None, (moment(operation.due), self._cloud.next_due()))))
        body = response.body if not isinstance(response.body, bytes) else None
        said = blake2b(dumps([response.status, body]), digest_size=16).digest()
        same = self._asked.get(request.url) == said
        self._asked.put(request.url, said)
        if same:
            await self._before_a_jump()
        return same and self._jump_to(self._cloud.next_due())

    def _jump_to(self, due: datetime | None) -> bool:
        if due is None:
            return False
        if self._programs is not None and self._programs.busy:
            due = min(due, self._clock.now() + STRIDE)
        self._clock.move_to(due)
        return True

    def _turn(self, method: str, body: Any) -> Response:
        """`GET|POST /_lab/clock`: also the pace, which only a served lab has."""
        cloud, clock = self._cloud, self._clock
        cloud.advance(clock.now())
        if method == "POST":
            if not isinstance(body, dict) or not body:
                return _wrong_clock("Say speed, advance_seconds, to, or to_next.")
            if "speed" in body:
                try:
                    clock.set_speed(str(body["speed"]))
                except InputError as error:
                    return _wrong_clock(f"{error.message}: {error.value!r}; it is {error.expected}.")
                if self._paced is not None:
                    self._paced()
            if set(body) - {"speed"}:
                # The pure handle turns it; then this clock goes on from there.
                found = cloud.handle(Request(method="POST", url="/_lab/clock", body=body), cloud.now)
                if not found.ok:
                    return found
                clock.move_to(cloud.now)
        due = cloud.next_due()
        shown = {"now": stamp(cloud.now), "next_due": None if due is None else stamp(due), "speed": clock.speed}
        return Response(status=200, body=shown)


def _pause(response: Response, *, looking: bool) -> float:
    """Seconds that a client who was refused waits before it asks again: throttled (L3), or because another operation is
    under way (L16), which whoever only looks leaves to those who act."""
    if response.status == 429:
        return float(response.headers.get("retry-after", 1))
    return float(response.headers.get("retry-after", 0)) if response.status == 409 and not looking else 0.0


_TEXT = re.compile(r"/providers/Microsoft\.Automation/.*/draft/content/?$", re.IGNORECASE)
"""Where what is sent is a text and no JSON."""


def _holds(headers: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(headers.get(name) == value for name, value in wanted.items())


def _wrong_clock(said: str) -> Response:
    return Response(status=400, body={"error": {"code": "InvalidClock", "message": said}})


def _listening(cloud: Cloud, host: str, port: int) -> socket.socket:
    """At the port that is asked for; else where this lab was before, so that clients and the addresses that they poll
    outlive a restart; else at any that is free."""
    table = cloud.table("served")
    try:
        found = _listen(host, port or table.get("port", 0))
    except InputError:
        if port:
            raise
        found = _listen(host, 0)
    if table.get("port") != found.getsockname()[1]:
        table["port"] = found.getsockname()[1]
        cloud.store.commit()
    return found


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except PermissionError:
        raise InputError(
            f"This user may not serve on port {port}",
            value=port,
            expected="a port from 1024, or 0 for any that is free",
        ) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise InputError(
            f"Port {port} is taken by another program",
            value=port,
            expected="a free port",
            remedy="leave --port out for any that is free",
        ) from None


class _Server:
    """uvicorn, stopped by an event of ours as well as by a signal."""

    def __init__(self, config: Any, stop: asyncio.Event | None) -> None:
        import uvicorn

        self._server = uvicorn.Server(config)
        self._stop = stop

    async def serve(self, sockets: list[socket.socket]) -> None:
        if self._stop is None:
            await self._server.serve(sockets=sockets)
            return
        running = asyncio.create_task(self._server.serve(sockets=sockets))
        await self._stop.wait()
        self._server.should_exit = True
        await running

    async def tell_when_ready(self, tell: Callable[[], object]) -> None:
        while not self._server.started:
            await asyncio.sleep(0.01)
        tell()


def _known(url: str, ca: str, cloud: Cloud, clock: ServedClock) -> dict[str, Any]:
    """What `.farshore/lab.json` says."""
    tenant = cloud.guid("tenant")
    holder = me()
    return {
        "url": url,
        "ca": ca,
        "token": identity.token(tenant, int(time.time()), audience=url),
        "tenant": tenant,
        "clock": {"speed": clock.speed, "started_at": stamp(cloud.now)},
        "pid": holder.pid,
        "began": holder.began,
        "started_at": holder.since,
    }


def _write_state(path: Path, known: Mapping[str, Any]) -> None:
    # In one move, and nobody else's to read: it holds the token.
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(pretty(known))
    draft.replace(path)


def _parsed(content: bytes) -> Any:
    """A request's body; `az deployment` sends what is JSON only to ARM. Raises `RelaxedJsonError`."""
    try:
        body = loads(content)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return loads_relaxed(content)
    must_not_be_deep(body)
    return body


async def _content(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def _answer(send: Send, response: Response, method: str) -> None:
    body = response.body
    content = body if isinstance(body, bytes) else b"" if body is None else dumps(body)
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json; charset=utf-8"
    headers = {"content-type": kind, "content-length": str(len(content)), **response.headers}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})
