"""One process at a time on a lab's state: a lock that the operating system gives back when its holder dies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from farshore.errors import HeldError

try:
    import fcntl
except ImportError:  # there is no such lock on this system; the second process then meets SQLite's own
    fcntl = None  # type: ignore[assignment]  # absent by platform


class Hold:
    """`Hold(path)` takes the lock beside `path` or raises `HeldError`; `release` gives it back."""

    def __init__(self, path: Path) -> None:
        self._file: IO[str] | None = None
        if fcntl is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        place = path.with_name(path.name + ".lock")
        file = place.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise HeldError(f"The lab's state {path} is in use by {holder}") from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
