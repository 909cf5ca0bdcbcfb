"""Free TCP ports on 127.0.0.1."""

import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: without it, connections of an earlier server that linger would make its port look
        # taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def pick(preferred: int | None = None, *, avoid: frozenset[int] = frozenset()) -> int:
    """The preferred port where it is free, else one that the operating system picks, none of `avoid`."""
    if preferred is not None and preferred not in avoid and is_free(preferred):
        return preferred
    held: list[socket.socket] = []
    try:
        while True:
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.append(probe)
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
            if port not in avoid:
                return port
    finally:
        for probe in held:
            probe.close()
