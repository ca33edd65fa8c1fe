import json

import pytest
import torch

from clipdraw.errors import FormatError, InputError
from clipdraw.runs.folder import (
    Metrics,
    make_folder,
    read_checkpoint,
    read_record,
    slug,
    write_checkpoint,
    write_record,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A Bonfire!", "a-bonfire"),
        ("  ../../etc/passwd ", "etc-passwd"),
        ("自転車", "自転車"),
        ("!!!", "drawing"),
        ("a" * 200, "a" * 60),
        ("CON\x00\n", "con"),
    ],
)
def test_a_slug_is_a_plain_file_name(text, name):
    assert slug(text) == name


def test_a_taken_folder_gets_a_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [make_folder("a cat", 3, None).as_posix() for _ in range(3)]
    assert names == ["drawings/a-cat-s3", "drawings/a-cat-s3-2", "drawings/a-cat-s3-3"]


def test_a_named_folder_must_be_new_or_empty(tmp_path):
    assert make_folder("a", 0, tmp_path / "new" / "deep").is_dir()
    (tmp_path / "empty").mkdir()
    assert make_folder("a", 0, tmp_path / "empty").is_dir()
    (tmp_path / "file").write_text("")
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(InputError, match="not empty"):
            make_folder("a", 0, taken)


def test_a_record_has_no_numbers_that_json_does_not_know(tmp_path):
    write_record(tmp_path, {"a": float("nan"), "b": [float("inf"), 1.5], "c": torch.tensor(2.0)})
    assert json.loads((tmp_path / "run.json").read_text()) == {"a": None, "b": [None, 1.5], "c": 2.0}


def test_damaged_files_are_named(tmp_path):
    with pytest.raises(FormatError, match=r"no run\.json"):
        read_record(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(FormatError, match="damaged"):
        read_record(tmp_path)
    assert read_checkpoint(tmp_path) == {}
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nonsense")
    with pytest.raises(FormatError, match="damaged"):
        read_checkpoint(tmp_path)


def test_a_checkpoint_comes_back(tmp_path):
    tensors = {"a": torch.rand(3, 2), "n": torch.tensor([1, 2])}
    write_checkpoint(tmp_path, tensors)
    back = read_checkpoint(tmp_path)
    assert all(torch.equal(back[name], value) for name, value in tensors.items())


def test_metrics_after_the_checkpoint_are_made_again(tmp_path):
    first = Metrics(tmp_path)
    for step in range(1, 6):
        first.add({"step": step})
    first.close()
    second = Metrics(tmp_path, keep=3)
    second.add({"step": 4, "similarity": float("nan")})
    second.close()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert lines[-1]["similarity"] is None


def test_whoever_may_read_the_other_files_may_read_the_checkpoint(tmp_path):
    write_checkpoint(tmp_path, {"a": torch.zeros(2)})
    Metrics(tmp_path).close()
    assert (tmp_path / "checkpoint.safetensors").stat().st_mode == (tmp_path / "metrics.jsonl").stat().st_mode
