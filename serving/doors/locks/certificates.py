"""TLS of both ports, with certificates that are read again when they are renewed."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import grpc

from serving.doors.locks.renewed import Renewed
from serving.errors import LockRejected


class CertificateFiles(NamedTuple):
    """PEM files: a chain, its key, and the authorities whose clients are answered, None for any client."""

    chain: Path
    key: Path
    client_ca: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """Those there are."""
        return [path for path in self if path]


def grpc_credentials(files: CertificateFiles, clock: Callable[[], float]) -> grpc.ServerCredentials:
    """For grpc.Server.add_secure_port. Raises LockRejected or OSError where the files make no certificate."""
    renewed = Renewed(files.paths, lambda: _configuration(files), clock)
    return grpc.dynamic_ssl_server_credentials(
        renewed.current, lambda: renewed.current, require_client_authentication=files.client_ca is not None
    )


def http_context(files: CertificateFiles, clock: Callable[[], float]) -> ssl.SSLContext:
    """For a server of HTTP. Raises LockRejected or OSError where the files make no certificate."""
    renewed = Renewed(files.paths, lambda: _context(files), clock)

    def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = renewed.current

    first = _context(files)
    first.sni_callback = choose  # asked at every handshake, with a name or without
    return first


def _configuration(files: CertificateFiles) -> grpc.ServerCertificateConfiguration:
    _context(files)  # gRPC would say what is wrong in its own log, at the first handshake
    authorities = files.client_ca.read_bytes() if files.client_ca else None
    return grpc.ssl_server_certificate_configuration(
        [(files.key.read_bytes(), files.chain.read_bytes())], root_certificates=authorities
    )


def _context(files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in files.paths:
        path.read_bytes()  # raises an error that names it, as those below do not
    try:
        context.load_cert_chain(files.chain, files.key)
        if files.client_ca:
            context.load_verify_locations(files.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except ssl.SSLError as error:
        names = ", ".join(map(str, files.paths))
        raise LockRejected(f"TLS needs a certificate with its key, in PEM; {names} are none: {error}.") from error
    return context
