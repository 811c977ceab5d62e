"""How an answer that says no is read: the object inside it, the answer itself, or nothing but its status."""

from __future__ import annotations

from typing import Any

import pytest

from farshore.arm.http import Response, fault_of


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"code": "NotFound", "message": "gone"}}, "NotFound", "gone"),
        ({"code": "PreconditionFailed", "message": "changed"}, "PreconditionFailed", "changed"),  # record sets of DNS
        ({"error": {"code": "Inner"}, "code": "Outer"}, "Inner", ""),
        ({"code": 4}, "HTTP404", "the answer holds no error object"),
        ("no", "HTTP404", "the answer holds no error object"),
        (None, "HTTP404", "the answer holds no error object"),
    ],
)
def test_a_fault_is_found_wherever_it_stands(body: Any, code: str, message: str) -> None:
    fault = fault_of(Response(status=404, headers={}, body=body))
    assert (fault.code, fault.message, fault.status) == (code, message, 404)
