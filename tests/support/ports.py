"""Ports for programs that open their own socket."""

import itertools
import os
import socket

HOST = "127.0.0.1"
FIRST, COUNT = 15_000, 17_000
"""Below what Linux (32768) and macOS (49152) give to outgoing connections: nobody is handed such a port by chance while
a program is on its way to it."""
STEP = 613
"""Prime to COUNT: every port comes once in a round, and two processes do not walk beside each other."""
_turns = itertools.count()


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on now, and that this process has not given out lately."""
    for turn in itertools.islice(_turns, COUNT):
        port = FIRST + (os.getpid() * 7_919 + turn * STEP) % COUNT
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")
