"""JSON as ARM reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farshore.arm.jsonc import RelaxedJsonError, loads_relaxed

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 53), 1 << 53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES, st.booleans())
def test_what_is_json_is_read_as_json(value: Any, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=1)
    if "\\ud" not in text.lower():
        assert loads_relaxed(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, template:{"b": [1, 2,],}}', {"a": 1, "template": {"b": [1, 2]}}),
        ("// why\n{/* what */'a': 'it\\'s', $b: null}", {"a": "it's", "$b": None}),
        ('"two\nlines"', "two\nlines"),
        ('"\\u00e9\\ud83d\\ude00\\n"', "\u00e9\U0001f600\n"),
        (b"\xef\xbb\xbf[true]", [True]),
        ('["http://x/*y*/"]', ["http://x/*y*/"]),
        ("-1.5e3", -1500.0),
    ],
)
def test_what_is_more_than_json(text: str, value: Any) -> None:
    assert loads_relaxed(text) == value


NONE = [
    "",
    "{",
    "[1",
    "{a}",
    "{1: 2}",
    '"x',
    '"\\u12"',
    '"\\',
    "yes",
    "[1 2]",
    "{} {}",
    "[" * 300,
    b"\xff",
    "{a:}",
    "/* x",
]


@pytest.mark.parametrize("text", NONE)
def test_what_is_none_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(RelaxedJsonError, match=r"line|UTF-8"):
        loads_relaxed(text)
