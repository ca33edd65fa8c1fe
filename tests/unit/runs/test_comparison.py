import json
import signal
from xml.etree import ElementTree

import pytest

from clipdraw.config import resolve
from clipdraw.drawing import Drawing
from clipdraw.errors import ConfigError, InputError, UnreadableError, WeightsError
from clipdraw.evaluate.score import score
from clipdraw.io.images import read_image
from clipdraw.runs import compare, comparison
from tests import tiny_biggan
from tests.conftest import TinyEncoder

SVG = "{http://www.w3.org/2000/svg}"
NOWHERE = "no generator here"
TINY = {"preset": "paper", "strokes": 5, "steps": 2, "views": 2}


def configs(*prompts, seeds=(0,)):
    return [resolve(prompt, {**TINY, "seed": seed, "canvas": (20.0, 16.0)}) for prompt in prompts for seed in seeds]


@pytest.fixture(autouse=True)
def optimized(monkeypatch):
    monkeypatch.setattr(comparison, "prepare", lambda config: TinyEncoder())


@pytest.fixture
def other():
    encoder = TinyEncoder()
    encoder.name, encoder.view_size = "other", 10
    return encoder


def test_each_method_draws_each_prompt_from_each_seed(tmp_path, other):
    generator = str(tiny_biggan.save(tmp_path / "biggan"))
    rows = configs("red", "blue", seeds=(0, 1))
    found = compare(rows, held_out=other, generator=generator, out=tmp_path / "out")
    assert [(r.prompt, r.seed) for r in found.results[::4]] == [("red", 0), ("red", 1), ("blue", 0), ("blue", 1)]
    assert [r.method for r in found.results[:4]] == ["clipdraw", "pixels", "biggan", "no-augment"]
    assert (found.encoder, found.held_out, found.label, found.status) == ("tiny", "other", "held out", "finished")
    names = {path.name for path in found.folder.iterdir()}
    assert names == {name for r in found.results for name in r.files} | {"comparison.svg", "comparison.png", "run.json"}
    means = found.means()
    assert list(means) == ["clipdraw", "pixels", "biggan", "no-augment"]
    mine = [r for r in found.results if r.method == "pixels"]
    assert means["pixels"][1] == pytest.approx(sum(r.held_out for r in mine) / 4)


def test_texts_that_a_judge_cannot_read_are_refused_before_anything_is_drawn(tmp_path, monkeypatch, other):
    def refuse(text):
        raise UnreadableError("cannot read it")

    for judge in ("optimized", "held out"):
        encoder, rows = TinyEncoder(), configs("red", "blue")
        (encoder if judge == "optimized" else other).unknown_words = lambda text: refuse(text) if text == "blue" else ()
        monkeypatch.setattr(comparison, "prepare", lambda config, encoder=encoder: encoder)
        with pytest.raises(UnreadableError):
            compare(rows, ["clipdraw"], held_out=other, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_both_similarities_are_of_the_picture_that_is_saved(tmp_path, other):
    found = compare(configs("red"), ["clipdraw"], held_out=other, out=tmp_path / "out")
    (result,) = found.results
    drawing = Drawing.load(found.folder / result.files[0])
    assert drawing.metadata == {"prompt": "red", "seed": "0"}
    assert result.similarity == pytest.approx(score(drawing, ["red"], TinyEncoder())[0], abs=1e-6)
    assert result.held_out == pytest.approx(score(drawing, ["red"], other)[0], abs=1e-6)
    assert read_image(found.folder / result.files[1]).shape == (3, 358, 448)


def test_negatives_have_a_number_of_their_own(tmp_path, other):
    asked = [resolve("red", {**TINY, "negative": ("blue:2", "green")})]
    found = compare(asked, ["clipdraw", "no-negative"], held_out=other, out=tmp_path / "out")
    for result in found.results:
        red, blue, green = score(Drawing.load(found.folder / result.files[0]), ["red", "blue", "green"], TinyEncoder())
        assert result.similarity == pytest.approx(red, abs=1e-5)
        assert result.unwanted == pytest.approx((2 * blue + 0.3 * green) / 2.3, abs=1e-5)
        assert f"negatives {result.unwanted:.3f}" in (found.folder / "comparison.svg").read_text()
    assert found.results[0].similarity != found.results[1].similarity


def test_the_figure_is_labeled(tmp_path, other):
    found = compare(configs("red"), ["clipdraw", "pixels"], held_out=other, out=tmp_path / "out")
    root = ElementTree.parse(found.folder / "comparison.svg").getroot()
    texts = " ".join(element.text for element in root.iter(f"{SVG}text"))
    for text in ("CLIPDraw", "Pixel optimization", "red, seed 0", "Held out: other.", "Optimized: tiny."):
        assert text in texts
    assert f"optimized {found.results[0].similarity:.3f}" in texts


def test_without_another_encoder_the_second_number_is_named_for_what_it_is(tmp_path):
    found = compare(configs("red"), ["clipdraw"], out=tmp_path / "out")
    assert found.label == "other views"
    assert found.held_out.startswith("tiny, on views that are turned")
    assert "held out" not in (found.folder / "comparison.svg").read_text()


def test_a_method_without_its_weights_is_named_and_the_others_go_on(tmp_path):
    found = compare(configs("red"), ["clipdraw", "biggan"], generator=NOWHERE, out=tmp_path / "out")
    assert list(found.means()) == ["clipdraw"]
    assert "--biggan" in found.results[1].missing
    assert "--biggan" in (found.folder / "comparison.svg").read_text()
    record = json.loads((found.folder / "run.json").read_text())
    assert NOWHERE in record["results"][1]["reason"]
    assert record["precision"] in ("float32", "bfloat16")
    assert record["means"]["clipdraw"]["similarity"] == found.results[0].similarity


def test_alone_it_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(WeightsError, match=NOWHERE):
        compare(configs("red"), ["biggan"], generator=NOWHERE, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_requests_write_nothing(tmp_path, other):
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="no method"):
        compare(configs("red"), ["nope"], out=out)
    with pytest.raises(InputError, match="at least one prompt and one method"):
        compare([], out=out)
    with pytest.raises(InputError, match="prompt is empty"):
        compare(configs("red", " "), ["clipdraw"], out=out)
    other.name = "builtin"
    with pytest.raises(ConfigError, match="cannot be held out"):
        compare(configs("red"), ["clipdraw"], held_out=other, out=out)
    assert not out.exists()


def test_configurations_of_the_same_prompt_have_a_row_each(tmp_path):
    few, many = (resolve("red", {**TINY, "strokes": strokes, "steps": 1}) for strokes in (3, 9))
    found = compare([few, many], ["clipdraw", "pixels"], out=tmp_path / "out")
    drawings = [Drawing.load(found.folder / result.files[0]) for result in found.results[::2]]
    assert [len(drawing) for drawing in drawings] == [3, 9]
    root = ElementTree.parse(found.folder / "comparison.svg").getroot()
    assert [element.text for element in root.iter(f"{SVG}text")].count("red, seed 0") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_figure_of_what_there_is(number, tmp_path):
    seen = []

    def stop(name, config, step):
        seen.append((name, step.index))
        if name == "pixels":
            signal.raise_signal(number)

    found = compare(configs("red", "blue"), ["clipdraw", "pixels"], out=tmp_path / "out", on_step=stop)
    assert seen == [("clipdraw", 1), ("clipdraw", 2), ("pixels", 1)]
    assert found.status == "interrupted"
    assert [result.method for result in found.results] == ["clipdraw"]
    assert (found.folder / "comparison.png").is_file()
    assert sorted(path.name for path in found.folder.glob("red*")) == ["red-s0-clipdraw.png", "red-s0-clipdraw.svg"]


def test_ctrl_c_at_the_last_step_of_all_comes_too_late(tmp_path):
    def stop(name, config, step):
        if step.index == step.of:
            signal.raise_signal(signal.SIGINT)

    found = compare(configs("red"), ["clipdraw"], out=tmp_path / "out", on_step=stop)
    assert (found.status, len(found.results)) == ("finished", 1)
