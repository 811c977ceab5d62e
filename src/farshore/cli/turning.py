"""A served lab whose clock stands still (hand, jump), turned by whoever acts in it.

Our side has the same clock as in process: it stands still while anyone is busy and moves when all of them wait. Each
move is one `POST /_lab/clock`, so the lab's time is ours, and what becomes due happens before anyone wakes. Somebody
else may turn the lab's clock meanwhile; then ours follows it.
"""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime

from farshore.arm.json import dumps, loads
from farshore.azure.clouds import lab_file
from farshore.cli.projects import Folder
from farshore.errors import TransportError
from farshore.times import moment, stamp

PATIENCE_SECONDS = 120
"""For what may become due in one move: a day of replication is computed in seconds."""


def turner(folder: Folder) -> Callable[[datetime], datetime]:
    """What moves the clock of the project's served lab to a moment, and says what it shows then. It blocks: nobody is
    busy when a clock moves. Raises `TransportError`."""
    lab = lab_file(folder.path)
    assert lab is not None, "a lab that is served has its file"
    context = ssl.create_default_context(cafile=lab.get("ca"))
    # A proxy of the environment's never stands before a lab on loopback.
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    headers = {"authorization": f"Bearer {lab.get('token')}", "content-type": "application/json"}

    def ask(body: dict[str, str] | None) -> datetime:
        data = None if body is None else dumps(body)
        request = urllib.request.Request(f"{lab['url']}/_lab/clock", data=data, headers=headers)
        with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
            return moment(str(loads(answer.read())["now"]))

    def turn(to: datetime) -> datetime:
        try:
            try:
                return ask({"to": stamp(to)})
            except urllib.error.HTTPError:
                # Somebody has turned it further, and time does not go back: ours goes there.
                return max(to, ask(None))
        except OSError as error:
            raise TransportError(f"the clock of the lab can't be turned: {error}") from None

    return turn
