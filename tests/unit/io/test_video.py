import sys

import numpy as np
import pytest
from PIL import Image

from clipdraw.errors import InputError, MissingExtraError
from clipdraw.io.video import write_gif, write_mp4, write_numbered, write_webp


def ramp(count, height=12, width=18):
    """Frames that grow from black to white."""
    for level in np.linspace(0, 255, count).astype(np.uint8):
        yield np.full((height, width, 3), level, np.uint8)


def test_numbered_pictures_are_the_frames_in_a_new_folder(tmp_path):
    write_numbered(ramp(3), tmp_path / "not" / "there")
    files = sorted((tmp_path / "not" / "there").iterdir())
    assert [file.name for file in files] == ["00001.png", "00002.png", "00003.png"]
    for file, frame in zip(files, ramp(3), strict=True):
        with Image.open(file) as picture:
            assert np.array_equal(np.asarray(picture), frame)


def test_numbered_pictures_are_not_mixed_with_other_files(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for folder, message in ((tmp_path, "is not empty"), (tmp_path / "mine.txt", "cannot make the folder")):
        with pytest.raises(InputError, match=message):
            write_numbered(ramp(3), folder)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


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


@pytest.mark.parametrize(("fps", "count"), [(30.0, 7), (120.0, 3)])
def test_gif_keeps_the_time_and_the_last_frame(tmp_path, fps, count):
    write_gif(ramp(7), tmp_path / "a.gif", fps=fps, hold_s=1.5)
    with Image.open(tmp_path / "a.gif") as film:
        assert (film.size, film.n_frames, film.info["loop"]) == ((18, 12), count, 0)
        times = []
        for index in range(count):
            film.seek(index)
            film.load()
            times.append(film.info["duration"])
        assert film.convert("RGB").getpixel((5, 5)) == (255, 255, 255)
    assert sum(times) == pytest.approx(1500 + 7000 / fps, abs=10)
    assert min(times) >= 20


@pytest.mark.parametrize("write", [write_gif, write_webp])
def test_a_film_of_one_frame(tmp_path, write):
    write(ramp(1), tmp_path / "a", fps=10.0, hold_s=0.0)
    with Image.open(tmp_path / "a") as film:
        assert film.size == (18, 12)


def decoded(path):
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert stream.codec_context.colorspace == 6  # smpte170m, by which PyAV converts
        return stream.codec_context.name, stream.codec_context.pix_fmt, float(stream.average_rate), frames


@pytest.mark.parametrize(("size", "stored"), [((12, 18), (12, 18)), ((13, 17), (14, 18))])
def test_mp4_has_every_frame_the_hold_and_even_sizes(tmp_path, size, stored):
    pytest.importorskip("av")
    write_mp4(ramp(6, *size), tmp_path / "a.mp4", fps=10.0, hold_s=0.5)
    codec, pixels, rate, frames = decoded(tmp_path / "a.mp4")
    assert (codec, pixels, rate) == ("h264", "yuv420p", 10.0)
    assert len(frames) == 6 + 5
    assert {frame.shape for frame in frames} == {(*stored, 3)}
    levels = [float(frame.mean()) for frame in frames]
    assert np.abs(np.array(levels) - [*np.linspace(0, 255, 6), *[255] * 5]).max() <= 4
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_the_index_comes_first_so_that_browsers_start_at_once(tmp_path):
    pytest.importorskip("av")
    write_mp4(ramp(3), tmp_path / "a.mp4")
    data = (tmp_path / "a.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("write", [write_webp, write_gif, write_mp4])
@pytest.mark.parametrize(
    ("frames", "timing", "reason"),
    [
        ([], {}, "at least one frame"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)], {}, "frame 1 of the film"),
        ([np.zeros((0, 4, 3), np.uint8)], {}, "frame 0 of the film"),
        (list(ramp(1)), {"fps": 0.0}, "frames a second"),
        (list(ramp(1)), {"fps": float("nan")}, "frames a second"),
        (list(ramp(1)), {"hold_s": -1.0}, "hold its last frame"),
    ],
)
def test_impossible_films_leave_no_file(tmp_path, write, frames, timing, reason):
    if write is write_mp4:
        pytest.importorskip("av")
    with pytest.raises(InputError, match=reason):
        write(frames, tmp_path / "a.film", **timing)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_fail_midway_leave_the_former_file(tmp_path):
    def failing():
        yield from ramp(2)
        raise RuntimeError("the run failed")

    (tmp_path / "a.webp").write_text("former")
    with pytest.raises(RuntimeError, match="the run failed"):
        write_webp(failing(), tmp_path / "a.webp")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["former"]


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"mp4 films.*\[video\]'"):
        write_mp4(ramp(1), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []
