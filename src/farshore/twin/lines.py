"""JSON over a socket, one value a line."""

from __future__ import annotations

import json
import socket
from typing import Any


class Lines:
    """One end of the conversation; waits for what it reads."""

    def __init__(self, held: socket.socket) -> None:
        self._socket = held
        self._rest = b""

    def write(self, value: Any) -> None:
        self._socket.sendall(json.dumps(value).encode() + b"\n")

    def read(self) -> Any:
        """The next value. Raises `EOFError` when the other end is gone."""
        while b"\n" not in self._rest:
            more = self._socket.recv(1 << 16)
            if not more:
                raise EOFError("the host has ended")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def close(self) -> None:
        self._socket.close()
