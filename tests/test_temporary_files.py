"""Tests leave nothing in the system's temporary directory."""

import subprocess
import sys
import tempfile
from pathlib import Path


def test_temporary_files_of_tests_and_of_processes_that_they_start_are_pytests(tmp_path_factory):
    code = "import tempfile; print(tempfile.gettempdir())"
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    for directory in (tempfile.gettempdir(), there):
        assert Path(directory).is_relative_to(tmp_path_factory.getbasetemp())
