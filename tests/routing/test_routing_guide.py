"""The library's guide is run as it stands, from its first block to its last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from farshore import examples

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "library.md"


@pytest.mark.parametrize("example", examples.names())
def test_the_guide_s_code_runs(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    code = "\n".join(blocks).replace('Path("dr")', f"Path({str(examples.path(example))!r})")
    held: dict[str, object] = {}
    exec(compile(code, str(GUIDE), "exec"), held)
    assert "delivered" in capsys.readouterr().out
