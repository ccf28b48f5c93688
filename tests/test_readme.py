"""The README's Python runs as written."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
SNIPPETS = re.findall(r"## ([^\n]+)\n\n```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_every_snippet_is_found():
    assert README.read_text().count("```python") == len(SNIPPETS) > 0


@pytest.mark.parametrize("code", [pytest.param(code, id=title) for title, code in SNIPPETS])
def test_snippet_runs(code, capsys):
    exec(compile(code, str(README), "exec"), {})
