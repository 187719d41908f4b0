"""Which calls fall to a version on trial. Pure."""

from hashlib import blake2b


def place_of(key: str, model: str, version: int) -> float:
    """Where a caller's key lies for this trial, from 0 to below 1, the same at every call and on every replica.

    BLAKE2b (RFC 7693), over model and version too: another trial tries other callers.
    """
    digest = blake2b(f"{model}/{version}/{key}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48  # 48 bits: every quotient is a float, and none rounds up to 1


def falls_to_trial(place: float, percent: float) -> bool:
    """Whether a place from 0 to below 1 is within the share. As the share grows, those within it stay."""
    return place * 100 < percent
