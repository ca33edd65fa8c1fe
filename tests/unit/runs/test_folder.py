import json
import warnings

import pytest
import torch
from safetensors.torch import save_file

from clipdraw.config import Config, from_dict
from clipdraw.errors import FormatError, InputError
from clipdraw.runs.folder import (
    Metrics,
    config_of,
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


def test_names_that_are_not_utf8_come_back(tmp_path):
    write_record(tmp_path, {"config": {"judge": "models/\udcff", "prompt": "自転車"}})
    assert read_record(tmp_path)["config"] == {"judge": "models/\udcff", "prompt": "自転車"}
    assert "自転車" in (tmp_path / "run.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe\xfd", b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}",
        b'{"status": 5}', b'{"config": []}', b'{"words": {}}', b'{"words": [["a"]]}',
        b'{"words": ["ab"]}', b'{"similarity": "high"}', b'{"seconds": [1]}',
    ],
)  # fmt: skip
def test_a_damaged_record_is_named_in_one_line(content, tmp_path):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(FormatError) as error:
        read_record(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'run.json'}: damaged: ")
    assert str(error.value).endswith("; delete the folder or name another one, and draw again")
    assert "\n" not in str(error.value)


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(FormatError, match=r"not the folder of a run: it has no run\.json"):
        read_record(tmp_path)


def test_a_record_without_a_configuration_is_told(tmp_path):
    for record, message in (
        ({}, r"run\.json: has no configuration"),
        ({"config": {"strokes": 3}}, r"run\.json: no prompt"),
        ({"config": {"prompt": "a", "strokes": -1}}, r"run\.json: strokes must be from 1"),
        ({"config": {"prompt": " "}}, r"run\.json: the prompt is empty"),
        ({"configs": []}, "a comparison does not go on"),
    ):
        with pytest.raises(FormatError, match=message):
            config_of(record, tmp_path)


TENSORS = {"a": torch.arange(6.0).reshape(3, 2), "n": torch.tensor([1, 2]), "t": torch.tensor(0.5)}


def test_a_checkpoint_comes_back(tmp_path):
    assert read_checkpoint(tmp_path) == {}
    write_checkpoint(tmp_path, TENSORS, Config("a cat"))
    for config in (None, Config("a cat"), Config("a cat", threads=3, device="cpu", explain=True)):
        back = read_checkpoint(tmp_path, config)
        assert all(torch.equal(back[name], value) for name, value in TENSORS.items())


def test_a_checkpoint_of_the_time_before_it_named_its_settings_is_read(tmp_path):
    save_file(TENSORS, tmp_path / "checkpoint.safetensors")
    assert set(read_checkpoint(tmp_path, Config("a cat"))) == set(TENSORS)


def test_a_damaged_checkpoint_is_named_in_one_line(tmp_path):
    file = tmp_path / "checkpoint.safetensors"
    write_checkpoint(tmp_path, TENSORS, Config("a cat"))
    whole = file.read_bytes()
    at = whole.index(TENSORS["a"].numpy().tobytes()) + 9
    flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    for content in (b"", b"nonsense" * 50, flipped, *(whole[:cut] for cut in (1, 8, 100, len(whole) - 1))):
        file.write_bytes(content)
        with pytest.raises(FormatError) as error:
            read_checkpoint(tmp_path)
        assert str(error.value).startswith(f"{file}: damaged: ")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 3}, "steps is 3, but the checkpoint was made with 250: undo the change"),
        ({"prompt": "a dog"}, "prompt is a dog, but the checkpoint was made with a cat"),
        ({"canvas": (64.0, 32.0)}, r"canvas is \[64.0, 32.0\], but the checkpoint was made with \[224.0, 224.0\]"),
        ({"views": {"count": 3}}, "views.count is 3"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(changed, message, tmp_path):
    write_checkpoint(tmp_path, TENSORS, Config("a cat"))
    with pytest.raises(FormatError, match=rf"run\.json: {message}"):
        read_checkpoint(tmp_path, from_dict({"prompt": "a cat", **changed}))


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


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"", []),
        (b"\xff\xfe\x00" * 5, []),
        (b'{"step": 1}\n{"step": 2}\n{"step": 3}\n', [1, 2, 3]),
        (b'{"step": 1}\n{"step": \xff}\n{"step": 3}\n', [1, 3]),
        (b'{"step": 1}\n{"step": 2}\n{"st', [1, 2]),
        (b'[1]\n3\n{"step": "2"}\n{"step": 2, "a": "\xc3\xa4"}\n{"step": 2}\n', [2]),
        (b"[" * 100_000, []),
    ],
)
def test_damaged_lines_of_metrics_are_left_out_with_a_note(content, kept, tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(content)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        metrics = Metrics(tmp_path, keep=3)
    metrics.add({"step": 4})
    metrics.close()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines] == [*kept, 4]
    missing = [f"{3 - len(kept)} of 3 lines are damaged or missing and are left out"] if len(kept) < 3 else []
    assert [str(note.message).split(": ")[-1] for note in told] == missing


def test_a_folder_that_holds_only_what_a_killed_process_left_is_free(tmp_path):
    (tmp_path / ".0123456789ab.json").write_text('{"status": "run')
    assert make_folder("a", 0, tmp_path) == tmp_path
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match=r"is not empty: name another folder$"):
        make_folder("a", 0, tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match=r"name another folder, or continue it with resume$"):
        make_folder("a", 0, tmp_path)


def test_whoever_may_read_the_other_files_may_read_the_checkpoint(tmp_path):
    write_checkpoint(tmp_path, {"a": torch.zeros(2)}, Config("a"))
    Metrics(tmp_path).close()
    assert (tmp_path / "checkpoint.safetensors").stat().st_mode == (tmp_path / "metrics.jsonl").stat().st_mode
