"""The Python of the pages on losses and on encoders runs from top to bottom as written, with fewer steps."""

import re
import tomllib
from pathlib import Path

import torch

import clipdraw
from clipdraw.encoders import Encoder

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "article.md"


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


def test_the_encoder_of_a_package_is_found_by_its_name(tmp_path, monkeypatch):
    page = (DOCS / "encoders.md").read_text(encoding="utf-8")
    (code,), (table,) = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("python", "toml"))
    ((group, points),) = tomllib.loads(table)["project"]["entry-points"].items()
    (tmp_path / "color_judge.py").write_text(code)
    installed = tmp_path / "color_judge-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: color_judge\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("\n".join([f"[{group}]", *map(" = ".join, points.items())]))
    monkeypatch.syspath_prepend(tmp_path)
    encoder = clipdraw.load_encoder("colors")
    assert isinstance(encoder, Encoder)
    start = clipdraw.RandomStrokes(4)(clipdraw.Canvas(32, 32), torch.Generator().manual_seed(0))
    *_, last = clipdraw.optimize(start, [clipdraw.Prompt("red")], encoder=encoder, recipe=clipdraw.Recipe(2))
    assert (last.index, last.dropped) == (2, False)
