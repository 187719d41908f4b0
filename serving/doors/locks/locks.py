"""The locks that the settings ask for."""

import logging
import ssl
from collections.abc import Callable

import grpc

from serving.doors.locks.certificates import CertificateFiles, grpc_credentials, http_context
from serving.doors.locks.doorkeeper import Doorkeeper
from serving.doors.locks.entrance import Entrance
from serving.metrics import Metrics
from serving.settings import Settings, is_loopback

log = logging.getLogger(__name__)


class Locks:
    """What the ports share; that of admin calls has an entrance of its own. Warns of what is open to other machines."""

    def __init__(self, settings: Settings, metrics: Metrics, clock: Callable[[], float]) -> None:
        """Raises LockRejected or OSError where a file that the settings name is not what they say."""
        doorkeeper = Doorkeeper.of_file(settings.tokens_file, clock) if settings.tokens_file else None
        self.entrance = Entrance(doorkeeper, settings.max_calls, metrics)
        of_admin = (
            Doorkeeper.of_one(settings.admin_token_file, "administrator", clock) if settings.admin_token_file else None
        )
        self.admin_entrance = Entrance(of_admin, settings.max_calls, metrics)
        self.grpc_credentials: grpc.ServerCredentials | None = None
        self.http_context: ssl.SSLContext | None = None
        if settings.tls_certificate and settings.tls_key:
            files = CertificateFiles(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
            self.grpc_credentials, self.http_context = grpc_credentials(files, clock), http_context(files, clock)
        _warn(settings)


def _warn(settings: Settings) -> None:
    if is_loopback(settings.host):
        return
    if not settings.tls_certificate:
        log.warning(
            "%s is open to other machines WITHOUT TLS: whoever is on the way can read and change what is sent%s. "
            "Set tls_certificate and tls_key.",
            settings.host,
            ", tokens too" if settings.tokens_file else "",
        )
    if not (settings.tokens_file or settings.tls_client_ca):
        log.warning(
            "%s is open to other machines WITHOUT TOKENS: whoever reaches it is answered. "
            "Set tokens_file, or tls_client_ca.",
            settings.host,
        )
