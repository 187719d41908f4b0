"""Servers and models for clients that nobody here wrote."""

from tests.serving.conftest import models_root, served

__all__ = ["models_root", "served"]
