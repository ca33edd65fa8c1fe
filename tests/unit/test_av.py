import sys
from pathlib import Path

import numpy as np
import pytest
from test_film import ramp

from clipdraw.errors import InputError, MissingExtraError
from clipdraw.io.video import write_mp4


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


@pytest.mark.parametrize(
    ("frames", "timing", "reason"),
    [
        ([], {}, "at least one frame"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)], {}, "frame 1 of the film"),
        (list(ramp(1)), {"fps": -1.0}, "frames a second"),
    ],
)
def test_impossible_films_leave_no_file(tmp_path, frames, timing, reason):
    pytest.importorskip("av")
    with pytest.raises(InputError, match=reason):
        write_mp4(frames, tmp_path / "a.mp4", **timing)
    assert list(tmp_path.iterdir()) == []


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"mp4 films.*clipdraw\[video\]"):
        write_mp4(ramp(1), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_only_the_module_named_after_it_imports_pyav():
    folder = Path(sys.modules["clipdraw.io.video"].__file__).parent
    users = [file.name for file in folder.glob("*.py") if "import av\n" in file.read_text()]
    assert users == ["av.py"]
