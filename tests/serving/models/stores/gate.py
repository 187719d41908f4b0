"""What S3 looks at before it answers, and Moto does not: whose key it is, and when the call was signed."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

_SKEW = timedelta(minutes=15)
"""S3 refuses what was signed at another time than that around its own."""


class Gate:
    """Stands before a WSGI application."""

    def __init__(self) -> None:
        self.expired: set[str] = set()
        """Access keys whose time is over."""
        self.clock_ahead = timedelta()
        self.listings = 0
        """Pages that were asked for."""

    def before(self, application: Callable) -> Callable:
        def answer(environ: dict, start_response: Callable) -> Iterable[bytes]:
            self.listings += "list-type=2" in environ["QUERY_STRING"]
            if refusal := self._refusal(environ):
                status, code, message = refusal
                start_response(status, [("Content-Type", "application/xml")])
                return [f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()]
            return application(environ, start_response)

        return answer

    def _refusal(self, environ: dict) -> tuple[str, str, str] | None:
        key = re.search(r"Credential=(\w+)/", environ["HTTP_AUTHORIZATION"])[1]
        if key in self.expired:
            return "400 Bad Request", "ExpiredToken", "The provided token has expired."
        signed = datetime.strptime(environ["HTTP_X_AMZ_DATE"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        if abs(datetime.now(timezone.utc) + self.clock_ahead - signed) > _SKEW:
            message = "The difference between the request time and the current time is too large."
            return "403 Forbidden", "RequestTimeTooSkewed", message
        return None
