import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from clipdraw.errors import FormatError, InputError
from clipdraw.io import images
from clipdraw.io.images import read_image, to_bytes, write_png, write_png_bands


def test_every_level_survives(tmp_path):
    image = (torch.arange(256) / 255).reshape(1, 16, 16).repeat(3, 1, 1)
    write_png(image, tmp_path / "a.png")
    assert torch.equal(read_image(tmp_path / "a.png"), image)


def test_rounding_is_to_the_nearest_level_and_values_are_limited():
    image = torch.tensor([0.0, 0.49 / 255, 0.51 / 255, 254.49 / 255, 254.51 / 255, 1.0, -3.0, 7.0, float("inf")])
    assert to_bytes(image.expand(3, 1, -1))[0, :, 0].tolist() == [0, 0, 1, 254, 255, 255, 0, 255, 255]


def test_metadata_in_any_script(tmp_path):
    told = {"prompt": "ein Feuer \N{FIRE} <&> 火\nzwei", "seed": "3", "bad": "a\0b\ud800"}
    write_png(torch.zeros(3, 2, 4), tmp_path / "a.png", metadata=told)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (4, 2)
        assert picture.mode == "RGB"
        assert picture.text == {**told, "bad": "a\ufffdb\ufffd"}


@pytest.mark.parametrize("key", ["", "é", "a" * 80, " a", "a\n"])
def test_keywords_that_png_forbids(tmp_path, key):
    with pytest.raises(InputError, match="PNG keyword"):
        write_png(torch.zeros(3, 2, 4), tmp_path / "a.png", metadata={key: "x"})
    assert list(tmp_path.iterdir()) == []


def test_nan_is_refused_and_leaves_the_former_file(tmp_path):
    (tmp_path / "a.png").write_text("former")
    with pytest.raises(InputError, match="NaN"):
        write_png(torch.full((3, 2, 2), torch.nan), tmp_path / "a.png")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["former"]


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("RGBA", (255, 0, 0, 51), (1.0, 0.8, 0.8)),
        ("RGBA", (9, 9, 9, 0), (1.0, 1.0, 1.0)),
        ("LA", (0, 51), (0.8, 0.8, 0.8)),
        ("L", 51, (0.2, 0.2, 0.2)),
        ("1", 1, (1.0, 1.0, 1.0)),
        ("I;16", 13107, (0.2, 0.2, 0.2)),
        ("P", 0, (0.0, 0.0, 0.0)),
    ],
)
def test_other_kinds_of_pixels(tmp_path, mode, color, expected):
    Image.new(mode, (3, 2), color).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.shape == (3, 2, 3)
    assert image.dtype == torch.float32
    assert image[:, 1, 1].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("ending", ["jpg", "webp", "gif", "bmp", "tiff"])
def test_other_files(tmp_path, ending):
    Image.new("RGB", (8, 4), (255, 0, 0)).save(tmp_path / f"a.{ending}")
    assert read_image(tmp_path / f"a.{ending}").shape == (3, 4, 8)


def test_a_photograph_is_turned_upright(tmp_path):
    picture = Image.new("RGB", (8, 4))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (3, 8, 4)


def bomb(width, height):
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000, 2**31 - 1])
def test_decompression_bombs(tmp_path, side):
    (tmp_path / "a.png").write_bytes(bomb(side, side))
    with pytest.raises(FormatError, match=r"pixels"):
        read_image(tmp_path / "a.png")


def test_damaged_missing_and_foreign_files(tmp_path):
    write_png(torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)), tmp_path / "good.png")
    data = (tmp_path / "good.png").read_bytes()
    (tmp_path / "text.png").write_text("<svg/>")
    (tmp_path / "half.png").write_bytes(data[: len(data) // 2])
    (tmp_path / "zero.png").write_bytes(bomb(0, 5))
    for name, reason in [
        ("text", "known kind"),
        ("half", "cannot be read"),
        ("none", "no such file"),
        ("zero", r"zero\.png"),
    ]:
        with pytest.raises(FormatError, match=reason):
            read_image(tmp_path / f"{name}.png")
    with pytest.raises(FormatError, match="cannot be read"):
        read_image(tmp_path)


def test_only_format_errors_come_out_of_damaged_files(tmp_path):
    write_png(torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0)), tmp_path / "a.png", metadata={"a": "é"})
    data = np.frombuffer((tmp_path / "a.png").read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(200):
        damaged = data.copy()
        damaged[random.integers(8, len(data), 3)] = random.integers(0, 256, 3)
        (tmp_path / "b.png").write_bytes(damaged.tobytes())
        try:
            assert read_image(tmp_path / "b.png").isfinite().all()
        except FormatError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is fine


def test_the_warning_filters_stay_as_they_were(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 4)
    before = list(warnings.filters)
    write_png(torch.zeros(3, 2, 4), tmp_path / "a.png")
    with pytest.raises(FormatError, match="4 x 2 pixels"):
        read_image(tmp_path / "a.png")
    assert warnings.filters == before


@pytest.mark.parametrize("rows", [1, 3, 8])
def test_bands_of_rows_make_the_same_picture(tmp_path, rows):
    image = torch.rand(3, 8, 5, generator=torch.Generator().manual_seed(0))
    about = {"prompt": "a cat", "title": "猫"}
    write_png(image, tmp_path / "whole.png", metadata=about)
    write_png_bands(image.split(rows, dim=1), tmp_path / "bands.png", size=(8, 5), metadata=about)
    assert torch.equal(read_image(tmp_path / "whole.png"), read_image(tmp_path / "bands.png"))
    with Image.open(tmp_path / "bands.png") as picture:
        assert picture.info == about


def test_bands_with_an_error_leave_no_file(tmp_path):
    def bands():
        yield torch.zeros(3, 2, 5)
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        write_png_bands(bands(), tmp_path / "bands.png", size=(8, 5))
    assert not list(tmp_path.iterdir())


def test_a_fourth_channel_is_alpha(tmp_path):
    image = torch.rand(4, 3, 5)
    write_png(image, tmp_path / "alpha.png")
    with Image.open(tmp_path / "alpha.png") as picture:
        assert picture.mode == "RGBA"
        assert picture.getpixel((2, 1)) == tuple((image[:, 1, 2] * 255 + 0.5).int().tolist())
