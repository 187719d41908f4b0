"""What gRPC itself bounds, as options of its server."""

from serving.settings import Settings

# Beside the picture, a request holds names and numbers.
ROOM_AROUND_A_PICTURE = 2**20

# A caller's machine that is gone is noticed in 80 seconds; callers may ask every 10 whether we are there.
_PING_SECONDS, _PONG_SECONDS, _FASTEST_PING_SECONDS = 60, 20, 10


def longest_message(settings: Settings) -> int:
    """Bytes of a gRPC message, compressed or not."""
    return settings.max_picture_bytes + ROOM_AROUND_A_PICTURE


def grpc_bounds(settings: Settings) -> list[tuple[str, int]]:
    """Options for grpc.aio.server."""
    options = [
        ("grpc.max_receive_message_length", longest_message(settings)),
        ("grpc.per_message_decompression", 0),  # which knows no bound; inflation.py does
        ("grpc.max_allowed_incoming_connections", settings.max_connections),
        ("grpc.max_concurrent_streams", settings.max_streams_per_connection),
        ("grpc.max_metadata_size", settings.max_header_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_header_bytes),
        ("grpc.max_connection_idle_ms", _ms(settings.idle_seconds)),
        ("grpc.keepalive_time_ms", _ms(_PING_SECONDS)),
        ("grpc.keepalive_timeout_ms", _ms(_PONG_SECONDS)),
        ("grpc.http2.min_ping_interval_without_data_ms", _ms(_FASTEST_PING_SECONDS)),
    ]
    if settings.max_connection_age_seconds:
        options += [
            ("grpc.max_connection_age_ms", _ms(settings.max_connection_age_seconds)),
            ("grpc.max_connection_age_grace_ms", _ms(settings.drain_seconds)),
        ]
    return options


def _ms(seconds: float) -> int:
    return min(2**31 - 1, int(seconds * 1000))
