"""How a client is let in: what it trusts, and what it shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Union

import grpc
import grpc.aio

from serving.errors import InvalidRequest

PemFile = Union[str, "PathLike[str]"]


@dataclass(frozen=True)
class Access:
    """Nothing given: no TLS and no token."""

    token: str = field(default="", repr=False)
    tls_ca: PemFile | None = None
    """Authorities that the server's certificate is of; TLS is spoken where this is given."""
    tls_certificate: PemFile | None = None
    """A chain to show, where the server asks for one."""
    tls_key: PemFile | None = None

    def channel(self, server: str) -> grpc.Channel:
        """A channel to `server`, HOST:PORT. Raises OSError where a file cannot be read, and InvalidRequest where one
        is lacking.
        """
        credentials = self._credentials()
        return grpc.secure_channel(server, credentials) if credentials else grpc.insecure_channel(server)

    def aio_channel(self, server: str) -> grpc.aio.Channel:
        """The same for asyncio."""
        credentials = self._credentials()
        return grpc.aio.secure_channel(server, credentials) if credentials else grpc.aio.insecure_channel(server)

    @property
    def metadata(self) -> Sequence[tuple[str, str]]:
        """What every call carries."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def _credentials(self) -> grpc.ChannelCredentials | None:
        shown = (self.tls_certificate, self.tls_key)
        if (shown[0] is None) != (shown[1] is None) or (shown[0] and not self.tls_ca):
            raise InvalidRequest(
                "A certificate is shown with its key, over TLS; one came alone or without tls_ca. Give all three."
            )
        if not self.tls_ca:
            return None
        chain, key = (Path(path).read_bytes() if path else None for path in shown)
        return grpc.ssl_channel_credentials(Path(self.tls_ca).read_bytes(), key, chain)
