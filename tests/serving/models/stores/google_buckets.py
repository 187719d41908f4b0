"""A bucket of a server that speaks the protocol of Google Cloud Storage, and hands out the tokens that open it."""

import base64
import json
import sys
import threading
from collections.abc import Mapping
from functools import partial
from http.server import HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gcp_storage_emulator.handlers.buckets import create_bucket
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

_BUCKET = "models"
_PAGE_OBJECTS = 2
"""A store may give fewer than it is asked for, so that a listing of any test has several pages."""


class _Answers(RequestHandler):
    """The emulator's answers, for those who bring a token of ours."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if self.headers["Authorization"] not in self.server.tokens:
            self._answer(401, {"error": {"code": 401, "message": "Invalid Credentials"}})
        elif "alt=media" in query and path.endswith(tuple(self.server.forbidden)):
            self._answer(403, {"error": {"code": 403, "message": "does not have storage.objects.get access"}})
        elif path.endswith("/o"):
            self._answer(200, self._page(dict(parse_qsl(query))))
        else:
            super().do_GET()

    def do_POST(self) -> None:
        if self.path != "/token":
            super().do_POST()
            return
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        head, claims = (_decoded(part) for part in form["assertion"][0].split(".")[:2])
        if head["kid"] in self.server.revoked:
            self._answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
            return
        token = f"{head['kid']} {claims['scope']}"
        self.server.tokens.add(f"Bearer {token}")
        self._answer(200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    def _page(self, asked: Mapping[str, str]) -> dict:
        """The emulator itself gives all objects at once."""
        objects, prefixes = self.storage.get_file_list(_BUCKET, asked.get("prefix"), asked.get("delimiter"))
        start = int(asked.get("pageToken", 0))
        end = start + min(_PAGE_OBJECTS, int(asked["maxResults"]))
        page = {"kind": "storage#objects", "prefixes": [] if start else prefixes, "items": objects[start:end]}
        return {**page, "nextPageToken": str(end)} if end < len(objects) else page

    def _answer(self, status: int, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(HTTPServer):
    """Answers one call after the other: the emulator keeps its objects without locks."""

    def __init__(self, port: int, storage: Storage) -> None:
        super().__init__(("127.0.0.1", port), partial(_Answers, storage))
        self.tokens: set[str | None] = set()
        self.revoked: set[str] = set()
        self.forbidden: set[str] = set()

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # gcsfs hangs up on the slower of two questions
            super().handle_error(request, client_address)


class GoogleBucket:
    """Close it once no test needs it."""

    def __init__(self, key_file: Path) -> None:
        """A service account's key is written to `key_file`."""
        self.address = f"gs://{_BUCKET}/tencrop"
        self._storage = Storage(use_memory_fs=True)
        create_bucket(_BUCKET, self._storage)
        self._key_file, self._port = key_file, 0
        self._private_key = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.start()
        self._port = self._server.server_port
        self._url = f"http://127.0.0.1:{self._port}"
        self.variables = {"STORAGE_EMULATOR_HOST": self._url, "GOOGLE_APPLICATION_CREDENTIALS": str(key_file)}
        self.renew("first")

    @property
    def tokens(self) -> set[str | None]:
        """What opens the bucket, as callers show it; None for those who show nothing."""
        return self._server.tokens

    def put(self, where: str, files: Mapping[str, bytes]) -> None:
        """Uploads `files` below `where`, "shades/1"."""
        for path, content in files.items():
            about = json.dumps({"name": f"tencrop/{where}/{path}"}).encode()
            parts = (b"application/json\r\n\r\n" + about, b"application/octet-stream\r\n\r\n" + content)
            body = b"".join(b"--part\r\nContent-Type: " + part + b"\r\n" for part in parts) + b"--part--\r\n"
            requests.post(
                f"{self._url}/upload/storage/v1/b/{_BUCKET}/o?uploadType=multipart",
                data=body,
                headers={"Content-Type": "multipart/related; boundary=part"},
            ).raise_for_status()

    def put_directory(self, where: str, directory: Path) -> None:
        """Uploads every file below `directory`."""
        paths = [path for path in directory.rglob("*") if path.is_file()]
        self.put(where, {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths})

    def forbid(self, key: str) -> None:
        """The file is listed, and not to be read."""
        self._server.forbidden.add(quote(f"tencrop/{key}", safe=""))

    def renew(self, key: str) -> None:
        """Writes another key into the file, of this name."""
        account = {
            "type": "service_account",
            "project_id": "tencrop",
            "private_key_id": key,
            "private_key": self._private_key.decode(),
            "client_email": "server@tencrop.iam.gserviceaccount.com",
            "token_uri": f"{self._url}/token",
        }
        self._key_file.write_text(json.dumps(account))

    def revoke(self, key: str) -> None:
        """What the key gave is worth nothing any more, and neither is the key."""
        self._server.revoked.add(key)
        self._server.tokens.clear()

    def stop(self) -> None:
        """Whoever asks now finds nobody."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def start(self) -> None:
        """On the same port, with what was there."""
        self._server = _Server(self._port, self._storage)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    close = stop


def _decoded(part: str) -> dict:
    """A part of a JWT."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
