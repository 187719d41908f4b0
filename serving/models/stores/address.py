"""Where models are: a directory, or the URL of a store."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

SHOWN = "models"
"""In a mirror's directory, what a repository sees."""


def place(models: Path | str) -> Path | str:
    """`models` as text where it is a store's URL, and as a path where it is a directory.

    Raises ValueError where it is a URL that no store may have.
    """
    text = str(models)
    if "://" not in text:
        return Path(text)
    parts = urlsplit(text)
    if "::" in text or parts.username or parts.password or parts.query or parts.fragment or not parts.netloc:
        raise ValueError(
            "A store's URL is scheme://bucket/prefix, without credentials or options, which its library takes from "
            "its own variables (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS)"
        )
    return text.rstrip("/")


def local_models(models: Path | str, cache: Path) -> Path:
    """The directory that a repository is loaded from: `models` itself, or what a store's mirror in `cache` shows."""
    return models if isinstance(models, Path) else directory_of(models, cache) / SHOWN


def directory_of(address: str, cache: Path) -> Path:
    """Where in `cache` the mirror of `address` is: a readable name, and no other store has it."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", address)[:60].strip("-.")
    return cache.expanduser() / f"{readable}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
