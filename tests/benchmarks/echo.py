"""A gRPC server that gives back the bytes it gets: what a unary call costs at the least.

python -m tests.benchmarks.echo PORT
"""

import asyncio
import sys

import grpc.aio

METHOD = "/echo.Echo/Echo"


async def serve(port: int) -> None:
    """Serves until it is ended; prints a line once it answers."""
    server = grpc.aio.server()
    _, service, method = METHOD.split("/")
    handler = grpc.method_handlers_generic_handler(service, {method: grpc.unary_unary_rpc_method_handler(_echo)})
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


async def _echo(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
    return request


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
