"""How the corpus is written, and what an interruption leaves of it."""

import json
from multiprocessing.pool import ThreadPool

import numpy as np
import pytest

from training import corpus, sources
from training.files import whole, write_arrays

PAINTS = {"red": True, "black": False, "#00f": True, "#333": False}


def drawing(name, paint, *, icon_set="a", colored=True):
    shape = f'<path d="M1 1h7v{len(name)}H1z" fill="{paint}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{shape}</svg>'
    return sources.Source(icon_set, name, (name,), "MIT", colored, svg)


def drawings():
    """Eight, of which two are the same, one is empty and one of a set that is held out."""
    found = [drawing(f"thing{'s' * i}", paint, colored=c) for i, (paint, c) in enumerate(PAINTS.items())]
    return [*found[:2], found[0], *found[2:], drawing("nothing", "none"), drawing("ring", "red", icon_set="openmoji")]


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(corpus, "Pool", ThreadPool)
    monkeypatch.setattr(corpus, "_PART", 2)


def built(monkeypatch, tmp_path, name, found=drawings):
    monkeypatch.setattr(sources, "all_sources", lambda folder: iter(found()))
    return corpus.build(tmp_path, tmp_path / name, processes=1)


def test_pictures_and_lines_belong_together_and_the_same_picture_comes_once(monkeypatch, tmp_path):
    report = built(monkeypatch, tmp_path, "out")
    assert report["colored"] == {"True": 3, "False": 2}
    assert report["split"] == {"train": 4, "test": 1}
    for kind in ("color", "mono"):
        pictures = np.load(tmp_path / "out" / f"{kind}.npy")
        lines = [json.loads(line) for line in (tmp_path / "out" / f"{kind}.jsonl").read_text().splitlines()]
        wanted = {s.name: corpus.render(s.svg) for s in drawings()}
        assert len(pictures) == len(lines)
        for picture, line in zip(pictures, lines, strict=True):
            assert (picture == (wanted[line["name"]] if kind == "color" else wanted[line["name"]][..., 3])).all()
    assert not (tmp_path / "out" / "parts").exists()


def test_an_interrupted_rendering_goes_on_and_gives_the_same(monkeypatch, tmp_path):
    def until(stop):
        yield from drawings()[:stop]
        raise KeyboardInterrupt

    built(monkeypatch, tmp_path, "unbroken")
    with pytest.raises(KeyboardInterrupt):
        built(monkeypatch, tmp_path, "broken", lambda: until(5))
    parts = sorted((tmp_path / "broken" / "parts").iterdir())
    assert [path.name for path in parts] == ["0000.npz", "0001.npz"]
    rendered = []
    monkeypatch.setattr(corpus, "render", lambda svg, render=corpus.render: rendered.append(svg) or render(svg))
    built(monkeypatch, tmp_path, "broken")
    assert rendered == [s.svg for s in drawings()[4:]]
    for path in (tmp_path / "unbroken").iterdir():
        assert (tmp_path / "broken" / path.name).read_bytes() == path.read_bytes()


def test_a_corpus_that_is_there_is_kept(monkeypatch, tmp_path):
    report = built(monkeypatch, tmp_path, "out")
    assert built(monkeypatch, tmp_path, "out", list) == report


def test_a_tool_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="npm is missing"):
        sources.fetch(tmp_path / "packages")


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "numbers.npz"
    write_arrays(path, one=np.ones(3))
    with pytest.raises(TypeError), whole(path) as partial, partial.open("w") as file:
        file.writelines(["half", None])
    assert np.load(path)["one"].tolist() == [1, 1, 1]
    path.chmod(0o640)
    write_arrays(path, one=np.zeros(2))
    assert path.stat().st_mode & 0o777 == 0o640
    assert [found.name for found in tmp_path.iterdir()] == ["numbers.npz"]
