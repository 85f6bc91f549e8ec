"""Whether the ports that the processes will listen on can be had."""

import errno
import socket
from collections.abc import Mapping
from contextlib import ExitStack

PORT_MAX = 65535


class PortTaken(Exception):
    """A port cannot be listened on; the message names it and its setting, in zh and en, in one line."""


def require_ports(host: str, ports: Mapping[str, int]) -> None:
    """Raises PortTaken for the first port (by its setting, such as DOUDI_PAYMENTS_PORT) that cannot be had on `host`.

    Call it once Processes has ended the leftovers of a killed run: they hold that run's ports.
    """
    with ExitStack() as held:  # all at once, so that two settings with one port are found out too
        for setting, port in ports.items():
            try:
                held.enter_context(_listening(host, port))
            except OSError as error:
                reason = error.strerror
                raise PortTaken(
                    f"端口 {port} 不可用（{host}，{reason}）：请释放它，或用 {setting} 换一个端口 / "
                    f"port {port} cannot be had ({host}, {reason}): free it, or choose another with {setting}"
                ) from None


def _listening(host: str, port: int) -> socket.socket:
    if not 0 < port <= PORT_MAX:  # the system would take the number modulo 65536
        raise OSError(errno.ERANGE, f"1-{PORT_MAX}")
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # As the servers do: a connection of the last run that is still closing is no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener
