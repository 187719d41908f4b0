#!/bin/sh
# Writes the generated Python code beside the .proto files. Run from anywhere, with the [dev] extra installed.
set -eu
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-.venv/bin/python}"
COMMON=$("$PYTHON" -c 'import google.rpc, os; print(os.path.dirname(list(google.rpc.__path__)[0] + "/x") + "/../..")')
"$PYTHON" -m grpc_tools.protoc -I. -I"$COMMON" \
  --python_out=. --pyi_out=. --grpc_python_out=. protos/classification.proto protos/administration.proto \
  protos/open_inference.proto
"$PYTHON" -m grpc_tools.protoc -I. -I"$COMMON" \
  --python_out=. --pyi_out=. protos/model_card.proto
"$PYTHON" -m grpc_tools.protoc -I. -I"$COMMON" \
  --python_out=. --pyi_out=. protos/request_log.proto
