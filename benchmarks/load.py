"""Sends requests over a few connections as fast as they are answered: the load of every figure over HTTP."""

import asyncio
import itertools
import socket
import time
from collections.abc import Sequence

CONNECTIONS = 16
READY_SECONDS = 60


def send(port: int, requests: Sequence[bytes], count: int) -> list[float]:
    """Send `count` requests, going round `requests`; the seconds that each took, in order of their end.

    Raises RuntimeError at the first answer that is not a success. A server that closes its connections gets new ones.
    """
    return asyncio.run(_send(port, requests, count))


def post(path: str, body: bytes, token: str = "") -> bytes:
    """A request as it goes over the wire."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{authorization}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _send(port: int, requests: Sequence[bytes], count: int) -> list[float]:
    latencies: list[float] = []
    left = iter(itertools.islice(itertools.cycle(requests), count))

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            started = time.perf_counter()
            if writer.is_closing():
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            header = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not header.startswith(b"http/1.1 20"):
                raise RuntimeError(header.decode())
            length = int(header.split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
            if b"connection: close" in header:
                writer.close()
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return latencies


def free_port() -> int:
    """A port of this host that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_ready(port: int) -> None:
    """Return when somebody listens on the port, and a second later, so that every process of a service does."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(1)
                return
        time.sleep(0.1)
    raise RuntimeError("the service did not get ready")
