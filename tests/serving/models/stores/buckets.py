"""A bucket of a server that speaks S3's protocol, which a test fills, stops and starts again."""

import uuid
from collections.abc import Mapping
from pathlib import Path

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from tests.serving.models.stores.gate import Gate

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class Bucket:
    """Close it once no test needs it."""

    def __init__(self) -> None:
        self.gate = Gate()
        self._port = 0
        self.start()
        _, self._port = self._server.get_host_and_port()
        self._bucket = f"models-{uuid.uuid4().hex}"  # what was in a bucket outlives its server
        self.address = f"s3://{self._bucket}/tencrop"
        self.variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}"}
        self._client = boto3.client(
            "s3",
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._client.create_bucket(Bucket=self._bucket)

    def put(self, where: str, files: Mapping[str, bytes]) -> None:
        """Uploads `files` below `where`, "shades/1"."""
        for path, content in files.items():
            self._client.put_object(Bucket=self._bucket, Key=f"tencrop/{where}/{path}", Body=content)

    def put_many(self, files: Mapping[str, bytes]) -> None:
        """As if `files`, by their keys, had been uploaded, without a call for each."""
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for path, content in files.items():
            backend.put_object(self._bucket, f"tencrop/{path}", content)

    def put_directory(self, where: str, directory: Path) -> None:
        """Uploads every file below `directory`."""
        paths = [path for path in directory.rglob("*") if path.is_file()]
        self.put(where, {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths})

    def stop(self) -> None:
        """Whoever asks now finds nobody."""
        self._server.stop()

    def start(self) -> None:
        """On the same port, with what was there."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        application = self._server._server
        application.app = self.gate.before(application.app)

    def close(self) -> None:
        self.stop()
        self._client.close()
