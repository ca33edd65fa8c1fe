import numpy as np
import pytest
from PIL import Image

from clipdraw.errors import InputError
from clipdraw.formats.film import write_webp


def ramp(count, height=12, width=18):
    """Frames that grow from black to white."""
    for level in np.linspace(0, 255, count).astype(np.uint8):
        yield np.full((height, width, 3), level, np.uint8)


def test_webp_has_every_frame_and_holds_the_last(tmp_path):
    write_webp(ramp(7), tmp_path / "a.webp", fps=30.0, hold_s=1.5)
    with Image.open(tmp_path / "a.webp") as film:
        assert (film.size, film.n_frames, film.info["loop"]) == ((18, 12), 7, 0)
        times, levels = [], []
        for index in range(7):
            film.seek(index)
            levels.append(film.convert("RGB").getpixel((5, 5))[0])
            times.append(film.info["duration"])
    assert times == [33, 34, 33, 33, 34, 33, 1533]
    assert np.abs(np.array(levels) - np.linspace(0, 255, 7)).max() <= 4


def test_a_film_of_one_frame(tmp_path):
    write_webp(ramp(1), tmp_path / "a.webp", fps=10.0, hold_s=0.0)
    with Image.open(tmp_path / "a.webp") as film:
        assert film.size == (18, 12)


@pytest.mark.parametrize(
    ("frames", "timing", "reason"),
    [
        ([], {}, "at least one frame"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)], {}, "frame 1 of the film"),
        ([np.zeros((0, 4, 3), np.uint8)], {}, "frame 0 of the film"),
        (list(ramp(1)), {"fps": 0.0}, "frames a second"),
        (list(ramp(1)), {"fps": float("nan")}, "frames a second"),
        (list(ramp(1)), {"hold_s": -1.0}, "hold its last frame"),
    ],
)
def test_impossible_films_leave_no_file(tmp_path, frames, timing, reason):
    with pytest.raises(InputError, match=reason):
        write_webp(frames, tmp_path / "a.webp", **timing)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_fail_midway_leave_the_former_file(tmp_path):
    def failing():
        yield from ramp(2)
        raise RuntimeError("the run failed")

    (tmp_path / "a.webp").write_text("former")
    with pytest.raises(RuntimeError, match="the run failed"):
        write_webp(failing(), tmp_path / "a.webp")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["former"]
