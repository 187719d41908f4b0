"""Opening the server's ports; one that is taken is told which, and how to name another."""

import grpc
import grpc.aio

from serving.doors.http_server import HttpServer


def bind(server: grpc.aio.Server, door: str, host: str, port: int, credentials: grpc.ServerCredentials | None) -> int:
    """The port of `host` that `server` is bound to; 0 takes a free one. Raises OSError where it is taken."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if credentials:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise _taken(door, host, port, error) from error


async def listen(http: HttpServer, host: str, port: int) -> int:
    """The same for HTTP, which answers from here on."""
    try:
        await http.start(host, port)
    except OSError as error:
        raise _taken("HTTP", host, port, error) from error
    return http.port


def _taken(door: str, host: str, port: int, error: Exception) -> OSError:
    return OSError(
        f"The {door} port has to be free; {host}:{port} is not ({error}). Name another with --{door.lower()}-port."
    )
