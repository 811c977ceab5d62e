"""Whole stories of whole examples, each half a minute of a core: `make stories`, and in CI."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("FARSHORE_STORIES"):
        return
    for item in items:
        if "/stories/" in item.path.as_posix():
            item.add_marker(pytest.mark.skip(reason="make stories tells whole stories"))
