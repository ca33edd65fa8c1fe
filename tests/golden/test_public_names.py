"""The names and commands that others rely on. A change here is a change of contract."""

import clipdraw
from tests.command_line import clipdraw as command


def test_public_names():
    assert sorted(clipdraw.__all__) == [
        "Canvas", "Change", "ClipdrawError", "Config", "Drawing", "Optimization", "Problem", "Prompt", "RandomStrokes",
        "Rates", "Recipe", "Run", "Step", "Views", "__version__", "compare", "draw", "explain", "film",
        "load_encoder", "optimize", "rasterize", "resume", "score", "sweep",
    ]  # fmt: skip
    for name in clipdraw.__all__:
        assert getattr(clipdraw, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(clipdraw, "render")


def test_commands_and_options(tmp_path):
    told = " ".join(command("--help", cwd=tmp_path).stdout.split())
    for name in (
        "draw", "resume", "compare", "sweep", "film", "score", "explain", "rasterize", "plot", "convert", "views",
        "presets", "models", "doctor", "convert-weights",
    ):  # fmt: skip
        assert f"│ {name} " in told
    told = command("draw", "--help", cwd=tmp_path).stdout
    for option in (
        "strokes", "steps", "views", "seed", "canvas", "encoder", "negative", "preset", "out", "device", "threads",
        "region", "scene", "config", "set", "explain", "json", "quiet",
        "medium", "palette", "palette-from", "background", "shape", "like", "style",
        "center-radius", "center-weight", "center-power", "center-kind", "center-on",
        "film-kind", "film-format", "film-length", "film-hold", "film-size",
        "frames",
    ):  # fmt: skip
        assert f"--{option} " in told
