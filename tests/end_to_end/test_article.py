"""The Python of the page on constraints runs from top to bottom as written, with fewer steps."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "article.md"


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    assert code.count("steps=250") == 2
    exec(compile(code.replace("steps=250", "steps=3"), PAGE.name, "exec"), {"__name__": "page"})
    told = capsys.readouterr().out
    assert "tensor(203.2017)" in told
    assert "does not require grad" in told
    assert "tensor([ 0.,  0., 10., 50.])" in told
    assert "'symmetry': " in told
    assert (tmp_path / "butterfly.svg").is_file()
