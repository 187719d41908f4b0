"""A server of its own, killed while it keeps calls, and what the next one and `tencrop replay` make of its log."""

import signal

import numpy as np
from click.testing import CliRunner

from protos import classification_pb2 as pb
from serving.client import Client
from serving.commands.replay import replay_command
from serving.request_log import names
from serving.request_log.reading import recorded_in
from tests.serving.loops import eventually
from tests.serving.picture_files import file_of
from tests.serving.processes import PATIENCE, tencrop_serve
from tests.serving.tiny import TinyModel


def test_what_a_killed_server_kept_is_replayed_completed_and_warms_up_the_next(tmp_path):
    models, kept = tmp_path / "models", tmp_path / "log"
    TinyModel("shades", 1, seed=1).publish(models)
    keeping = {"request_log": kept, "request_log_percent": 100, "request_log_pictures": "bytes", "warm_up_log": kept}
    written = 'tencrop_request_log_records_total{outcome="written"}'

    with tencrop_serve(models, **keeping) as server:
        with Client(f"127.0.0.1:{server.grpc_port}", timeout=PATIENCE) as client:
            for level in (0, 100, 200):
                client.send(pb.ClassifyRequest(encoded=file_of(np.full((16, 16, 3), level, np.uint8))))
        eventually(lambda: server.metric(written) == 3)
        server.signal(signal.SIGKILL)
        server.exit_code()
    assert len(names.parts(kept)) == 1

    with tencrop_serve(models, **keeping) as server:
        assert any("shades version 1: warmed up with 3 calls" in line for line in server.printed)
        eventually(lambda: not names.parts(kept))
        assert len(list(recorded_in(kept))) == 3
        address = f"127.0.0.1:{server.grpc_port}"
        result = CliRunner().invoke(replay_command, [str(kept), "--server", address, "--timeout", str(PATIENCE)])
        assert result.exit_code == 0, result.output
        assert "0 of 3 winners changed" in result.stdout
