"""The libraries that read stores, and what they are told beside their own variables."""

import logging
import os
from typing import Any

from serving.errors import StoreFailed

_CONNECT_SECONDS, _READ_SECONDS = 5, 20
"""How long an answer may take to begin, and to go on."""


def check_installed(address: str) -> None:
    """Raises StoreFailed where no library is there that reads `address`."""
    # Google's newer ways ask over gRPC what kind a bucket is before each file is read, and need a right of their own.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    try:
        import fsspec

        fsspec.get_filesystem_class(_scheme(address))
    except (ImportError, ValueError) as error:
        raise StoreFailed(
            f"Models in {address} need a library that reads it ({error}). Install it (pip install "
            '"tencrop[stores]" for s3://, "tencrop[gs]" for gs://), or name a directory.'
        ) from error


def connected(address: str) -> tuple[Any, str]:
    """A file system of fsspec, and where in it `address` is.

    Some look for credentials now, over the network too, and raise what they like where there are none.
    """
    import fsspec
    from fsspec.config import apply_config

    scheme = _scheme(address)
    # Options go before its variables, which have as many spellings as the scheme: those of them all go before ours.
    options = {**_told(scheme), **apply_config(fsspec.get_filesystem_class(scheme), {})}
    files, prefix = fsspec.url_to_fs(address, skip_instance_cache=True, use_listings_cache=False, **options)
    return files, prefix.rstrip("/")


def _told(scheme: str) -> dict[str, Any]:
    if scheme == "s3":
        # botocore's own retries, with backoff and jitter.
        retries = {"mode": "standard", "max_attempts": 3}
        waits = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}
        return {"config_kwargs": {**waits, "retries": retries}}
    if scheme in ("gs", "gcs"):
        import aiohttp

        logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs what it raises, at each look
        patience = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)
        # By itself it goes on as nobody where credentials fail, and is refused as nobody: that would hide why.
        return {"access": "read_only", "token": "google_default", "session_kwargs": {"timeout": patience}}
    return {}


def _scheme(address: str) -> str:
    return address.partition("://")[0]
