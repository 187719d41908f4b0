"""A gRPC channel to a server of this machine, which may still be loading."""

import grpc.aio


def dial(port: int) -> grpc.aio.Channel:
    """Tries again every half a second; by itself gRPC would wait for up to two minutes between its trials."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_reconnect_backoff_ms", 500)])
