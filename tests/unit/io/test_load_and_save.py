"""The door for drawings: formats by the ending of a name, plug-ins of other packages among them."""

import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.io import load_drawing, save_drawing
from tests.svg_samples import same, wild_drawing


def test_drawings_are_saved_and_loaded_by_their_ending(tmp_path):
    drawing = wild_drawing()
    drawing.save(tmp_path / "a.SVG")
    save_drawing(drawing, str(tmp_path / "b.svg"))
    assert same(Drawing.load(str(tmp_path / "a.SVG")), drawing)
    assert (tmp_path / "a.SVG").read_bytes() == (tmp_path / "b.svg").read_bytes()
    drawing.save(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text().startswith("{")
    assert len(load_drawing(tmp_path / "a.json")) == len(drawing)


@pytest.mark.parametrize("act", [load_drawing, lambda path: wild_drawing(2).save(path)])
def test_an_unknown_ending_names_those_that_are_known(tmp_path, act):
    for name in ("a.pdf", "svg"):
        with pytest.raises(FormatError, match=f"{name}: a drawing is stored as json, svg, not"):
            act(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_other_packages_add_formats(tmp_path, monkeypatch):
    written = []
    plugin = SimpleNamespace(read=lambda path: wild_drawing(3), write=lambda drawing, path: written.append(path))
    monkeypatch.setitem(sys.modules, "plugin_of_another_package", plugin)

    def entry_points(*, group):
        attribute = {"clipdraw.readers": "read", "clipdraw.writers": "write"}[group]
        return [EntryPoint("plt", f"plugin_of_another_package:{attribute}", group)]

    monkeypatch.setattr("clipdraw.registry.entry_points", entry_points)
    assert len(Drawing.load(tmp_path / "a.plt")) == 3
    wild_drawing(1).save(tmp_path / "b.plt")
    assert written == [tmp_path / "b.plt"]
