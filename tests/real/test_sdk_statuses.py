"""What the lab answers to recorded requests, beside the statuses that Azure's SDKs take for each operation.

An `azure-mgmt` operation raises `HttpResponseError` for any other status. The SDK's own polls are not looked at: for
them every path is a resource of `{resourceId}`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conformance import accepted
from conformance.__main__ import DATA, files
from conformance.replay import replay

mgmt = pytest.importorskip("azure.mgmt.network", reason="Azure's SDKs are not installed: make real installs them")
RECORDINGS = files([DATA / "recordings"])
POLL = re.compile(r"/\w*operation\w*/[^/]+$", re.IGNORECASE)


@pytest.mark.skipif(not RECORDINGS, reason=f"no recordings in {DATA}: FARSHORE_REAL_DATA")
def test_every_success_is_of_a_status_that_the_sdk_takes() -> None:
    table = accepted.Table(accepted.of_package(Path(mgmt.__file__).parents[1]))
    heard: list[tuple[str, str, int]] = []
    for path in RECORDINGS:
        replay(path, lambda *said: heard.append(said))
    sent = [said for said in heard if not POLL.search(said[1].split("?")[0])]
    assert sum(table.of(method, url) is not None for method, url, _ in sent) > 600
    assert accepted.refused(table, sent) == {}
