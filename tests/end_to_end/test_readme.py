"""The README's Python runs as written, with fewer steps."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_of_the_readme(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = BLOCKS[number].replace("steps=250", "steps=3")
    assert code != BLOCKS[number]
    exec(compile(code, f"README block {number}", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out
    assert list(tmp_path.rglob("*.svg"))


def test_the_test_command_is_the_one_of_ci():
    assert "make test" in README.read_text(encoding="utf-8")
    assert "make test" in (README.parent / ".ci" / "run").read_text(encoding="utf-8").splitlines()
