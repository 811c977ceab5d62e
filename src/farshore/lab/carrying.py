"""A served lab's write-ahead log, carried over into its file beside the answers.

SQLite does it inside some commit, and whoever made that waits for the disk. Here a thread does it, once a second, with
little right to the core that answers need too. While commits come without a pause it is never done with all of the log,
which then only grows: once it is long the thread goes over it again, each time with less to carry and less to wait for,
then one commit does wait, for the little that is left, and the next one begins the log anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from farshore.lab.store import Store

PAUSE = 1.0
"""Seconds from one time to the next."""
LONGEST_LOG = 256 << 20
"""Bytes."""
AGAIN = 3
"""Times over a long log: of some 130 ms of commits at first to some 5 ms of them, as measured under full load."""
NICER = 5
"""Than the answers: about a quarter of a core that they want too. Much less, and the log would outgrow the thread."""


async def carry_over(store: Store) -> None:
    """Until it is cancelled."""
    carry, apart = store.carried_over_apart(), asyncio.get_running_loop().run_in_executor
    with ThreadPoolExecutor(max_workers=1, initializer=_give_way) as carrier:
        while True:
            await asyncio.sleep(PAUSE)
            # A full disk, say: whoever writes is told, and what is not carried over now is carried over later.
            with contextlib.suppress(sqlite3.OperationalError):
                if await apart(carrier, carry) > LONGEST_LOG:
                    for _ in range(AGAIN):
                        await apart(carrier, carry)
                    store.begin_log_anew()


def _give_way() -> None:
    """Only Linux has a niceness a thread; elsewhere it is the process's, and is left alone."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            own = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, 0) + NICER)
