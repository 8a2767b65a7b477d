import random
import socket


def free_port(following: int = 0) -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on, nor on so many that follow.

    It is below the range from which the system takes the ports of outgoing connections, so that none of
    those can take it before the program under test does.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        if all(map(_is_free, range(port, port + 1 + following))):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
