"""A model's id to its files, against a hub that runs on this machine."""

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from zipfile import ZipFile

import pytest

from clipdraw import weights
from clipdraw.encoders.checkpoint import ENCODER, missing_file
from clipdraw.errors import MissingExtraError, WeightsError
from clipdraw.weights import Kind, content_of, fetch, how_to_convert, is_model_id, locate, one_line, unreachable

pytest.importorskip("huggingface_hub")

COMMIT = "a" * 40
CONVERTED = "b" * 40
FILES = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": b"weights", "README.md": b"unwanted"}
OPEN_CLIP = {"open_clip_config.json": b"{}", "open_clip_model.safetensors": b"open"}
PICKLED = {"config.json": b"{}", "tokenizer.json": b"{}", "pytorch_model.bin": b"code"}
REVISIONS = {
    "owner/good": {"main": FILES},
    "owner/pickled": {"main": PICKLED},
    "owner/generator": {"main": {"config.json": b"{}", "pytorch_model.bin": b"tensors"}},
    "owner/converted": {"main": PICKLED, "refs/pr/7": {**PICKLED, "model.safetensors": b"converted"}},
    "owner/both": {"main": {**FILES, **OPEN_CLIP, "config.json": b'{"model_type": "clip"}'}},
    "owner/timm": {"main": {**FILES, **OPEN_CLIP, "config.json": b'{"architecture": "vit"}'}},
    "owner/open": {"main": {**PICKLED, **OPEN_CLIP, "open_clip_pytorch_model.bin": b"code"}},
}


def discussion(number, author):
    return {
        "num": number,
        "title": "Adding `safetensors` variant of this model",
        "author": {"name": author},
        "status": "open",
        "isPullRequest": True,
        "createdAt": "2023-01-01T00:00:00.000Z",
        "repo": {"name": "owner/converted", "type": "model"},
    }


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as its client asks for."""

    def log_message(self, *_):
        pass

    def reply(self, body=b"", status=200, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        self.server.asked.append(self.path)
        path = self.path.split("?")[0].replace("%2F", "/")
        kind, _, rest = path.lstrip("/").partition("/")
        if kind == "api":
            return self.reply_api(rest.removeprefix("models/"))
        if "/resolve/" in path:
            name, _, rest = path.lstrip("/").partition("/resolve/")
            return self.reply_file(name, rest)
        return self.reply(b"a hub")

    do_HEAD = do_GET

    def reply_api(self, rest):
        name = "/".join(rest.split("/")[:2])
        what = rest.removeprefix(name).strip("/")
        if name not in REVISIONS:
            code = "GatedRepo" if name == "owner/gated" else "RepoNotFound"
            return self.reply(b"{}", 403 if code == "GatedRepo" else 404, X_Error_Code=code)
        if what == "discussions":
            found = [discussion(3, "mallory"), discussion(7, "SFconvertbot")] if name == "owner/converted" else []
            return self.reply(json.dumps({"discussions": found, "count": len(found), "start": 0}).encode())
        revision = what.removeprefix("revision/").removeprefix("tree/") or "main"
        revision = {COMMIT: "main", CONVERTED: "refs/pr/7"}.get(revision, revision)
        files = REVISIONS[name][revision]
        if what.startswith("tree/"):
            tree = [{"type": "file", "path": file, "size": len(data), "oid": file} for file, data in files.items()]
            return self.reply(json.dumps(tree).encode())
        commit = COMMIT if revision == "main" else CONVERTED
        siblings = [{"rfilename": file} for file in files]
        return self.reply(json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode())

    def reply_file(self, name, rest):
        commit, _, file = rest.partition("/")
        data = REVISIONS[name]["main" if commit == COMMIT else "refs/pr/7"][file]
        return self.reply(data, ETag=f'"{commit[0]}-{file}"', X_Repo_Commit=commit)


@contextmanager
def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.asked = []
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty local cache, and a hub's address where nothing listens."""
    from huggingface_hub import constants

    folder = tmp_path / "cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed}")
    return folder


@pytest.fixture
def server(cache, monkeypatch):
    with serve(Hub) as running:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{running.server_port}/")
        yield running


@pytest.mark.parametrize("name", ["openai/clip-vit-base-patch32", "a/b", "laion/CLIP-ViT-B-32_x.y"])
def test_ids_are_recognized(name):
    assert is_model_id(name)


@pytest.mark.parametrize("name", ["builtin", "./clip", "../a/b", "/tmp/clip", "a/b/c", "~/clip", "a/", "", "a b/c"])
def test_paths_are_no_ids(name):
    assert not is_model_id(name)


def test_a_folder_goes_before_a_hub_id_of_that_name(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "owner" / "good"
    folder.mkdir(parents=True)
    with pytest.raises(WeightsError, match=r"the encoder folder 'owner/good' has no config\.json; it needs all files"):
        locate("owner/good", ENCODER)
    for name in FILES:
        (folder / name).touch()
    assert locate("owner/good", ENCODER).samefile(folder)
    assert server.asked == []


def test_without_the_hubs_client_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"needs an optional part: .*pip install .*\[clip\]'$"):
        locate("owner/good", ENCODER)


def test_a_closed_port_fails_at_once_with_one_line(cache):
    start = time.perf_counter()
    with pytest.raises(
        WeightsError, match=r"'owner/good': the hub .* cannot be reached \(.*--encoder builtin"
    ) as caught:
        fetch("owner/good", ENCODER)
    assert time.perf_counter() - start < 1.0
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_a_hub_that_never_answers_is_given_up_in_time():
    assert weights.PROBE_SECONDS < 2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.perf_counter()
        assert unreachable(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.2)
        assert time.perf_counter() - start < 1.0


def test_a_name_look_up_that_hangs_is_given_up_in_time(monkeypatch):
    end = Event()

    def hang(request, timeout):
        end.wait(10)
        raise OSError

    monkeypatch.setattr(weights, "urlopen", hang)
    start = time.perf_counter()
    assert unreachable("http://hangs", seconds=0.2) == "no answer within 0.2 s"
    assert time.perf_counter() - start < 1.0
    end.set()


def test_an_unreachable_hub_is_found_out_before_transformers_or_torch_models_load(cache):
    """The whole failure, in a fresh process: fast because nothing slow is imported for it."""
    code = (
        "import sys; from clipdraw.encoders.clip import load\n"
        "from clipdraw.errors import WeightsError\n"
        "try: load('owner/nowhere-to-be-found', precision='float32')\n"
        "except WeightsError as error: print(str(error).count(chr(10)), 'transformers' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["0", "False"], done.stderr


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_asks_nobody(server, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WeightsError, match=f"not in the local cache \\({variable} is set\\)"):
        fetch("owner/good", ENCODER)
    assert server.asked == []


def test_any_answer_means_reachable():
    class Broken(Hub):
        def do_HEAD(self):
            self.reply(status=500)

    with serve(Broken) as running:
        assert unreachable(f"http://127.0.0.1:{running.server_port}") == ""


def test_a_malformed_address_is_a_reason_and_no_crash():
    assert unreachable("htp:/nowhere")


def test_a_wrong_id_is_one_line(server):
    with pytest.raises(WeightsError, match=r"no model 'owner/nope' at .*, or it is private") as caught:
        fetch("owner/nope", ENCODER)
    assert "\n" not in str(caught.value)


def test_a_gated_model_says_what_to_do(server):
    with pytest.raises(WeightsError, match=r"'owner/gated' .* accept its terms"):
        fetch("owner/gated", ENCODER)


def test_a_model_is_downloaded_once_and_then_read_without_network(server, cache, monkeypatch, caplog):
    with caplog.at_level("INFO", logger="clipdraw"):
        folder = locate("owner/good", ENCODER)
    assert [message.partition(" from ")[0] for message in caplog.messages] == ["downloading the encoder owner/good"]
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert not (folder / "README.md").exists()
    server.asked.clear()
    assert fetch("owner/good", ENCODER) == folder
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch("owner/good", ENCODER) == folder
    assert server.asked == []


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("owner/both", "model.safetensors"),
        ("owner/timm", "open_clip_model.safetensors"),  # model.safetensors is an image side by itself
        ("owner/open", "open_clip_model.safetensors"),
    ],
)
def test_weights_are_fetched_in_the_one_form_that_is_read(server, name, weights):
    folder = fetch(name, ENCODER)
    assert [path.name for path in folder.iterdir() if path.suffix not in (".json", ".txt")] == [weights]
    server.asked.clear()
    assert fetch(name, ENCODER) == folder
    assert server.asked == []


def test_a_name_of_openai_is_fetched_from_its_place_at_the_hub(server):
    with pytest.raises(WeightsError, match="no model 'openai/clip-vit-base-patch32' at "):
        locate("ViT-B/32", ENCODER)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "nothing"])
def test_pickled_weights_in_the_cache_are_said_to_be_there(cache, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    copy = cache / "models--owner--pickled" / "snapshots" / COMMIT
    copy.mkdir(parents=True)
    reference = cache / "models--owner--pickled" / "refs" / "main"
    reference.parent.mkdir()
    reference.write_text(COMMIT)
    for file, content in PICKLED.items():
        (copy / file).write_bytes(content)
    with pytest.raises(
        WeightsError, match=f"is in the local cache, but only as pickled .*: clipdraw .* {copy} "
    ) as told:
        fetch("owner/pickled", ENCODER)
    assert "\n" not in str(told.value)


def zipped(*names):
    content = BytesIO()
    with ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return content.getvalue()


CONTENTS = {
    "a.safetensors": ("safetensors", len(b"{}").to_bytes(8, "little") + b"{}"),
    "a.pt": ("torchscript", zipped("a/data.pkl", "a/constants.pkl")),
    "a.bin": ("pickle", zipped("archive/data.pkl", "archive/data/0")),
    "old.bin": ("pickle", b"\x80\x02more"),
    "a.docx": ("", zipped("word/document.xml")),
    "a.png": ("", b"\x89PNG\r\n"),
    "a.txt": ("", b"notes, longer than a header is"),
    "empty": ("", b""),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_in_the_place_of_a_model_is_told_by_its_content(name, tmp_path):
    content, data = CONTENTS[name]
    (tmp_path / name).write_bytes(data)
    assert content_of(tmp_path / name) == content
    messages = {
        "safetensors": f"is one file of the encoder; pass the folder that has all of them: {tmp_path}$",
        "": "is a file that holds no weights; pass a folder, a hub id",
    }
    pickled = f"holds pickled weights, .*: clipdraw convert-weights {tmp_path / name} NEW_FOLDER"
    with pytest.raises(WeightsError, match=messages.get(content, pickled)):
        locate(str(tmp_path / name), ENCODER)


def test_a_file_of_a_kind_that_may_be_pickled_is_in_its_folder(tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENTS["a.bin"][1])
    kind = Kind("the generator", "name a folder", "leave it out", (), lambda folder: "", pickles=True)
    with pytest.raises(WeightsError, match=f"is one file of the generator; pass the folder .*: {tmp_path}$"):
        locate(str(tmp_path / "a.bin"), kind)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "ViT-B-32.pt", "epoch 3.pth"])
def test_a_folder_of_pickled_weights_alone_says_how_to_convert_them(file, tmp_path):
    (tmp_path / file).touch()
    with pytest.raises(WeightsError, match=f"has only pickled weights, .*: clipdraw convert-weights {tmp_path} NEW"):
        locate(str(tmp_path), ENCODER)


def test_commands_in_advice_can_be_pasted():
    assert "convert-weights '/my models/a.pt' NEW_FOLDER," in how_to_convert(Path("/my models/a.pt"))


def test_an_incomplete_copy_in_the_cache_is_completed(server):
    folder = fetch("owner/good", ENCODER)
    (folder / "model.safetensors").unlink()
    assert (fetch("owner/good", ENCODER) / "model.safetensors").read_bytes() == b"weights"


def test_only_the_hubs_own_conversion_of_pickled_weights_is_taken(server):
    folder = fetch("owner/converted", ENCODER)
    assert (folder / "model.safetensors").read_bytes() == b"converted"
    assert not (folder / "pytorch_model.bin").exists()
    assert not any("pr/3" in path.replace("%2F", "/") for path in server.asked)
    server.asked.clear()
    assert fetch("owner/converted", ENCODER) == folder
    assert server.asked == []


def test_pickled_weights_alone_are_refused(server, cache):
    with pytest.raises(WeightsError, match="'owner/pickled' has no weights as safetensors"):
        fetch("owner/pickled", ENCODER)
    assert not list(cache.rglob("*.bin"))


def test_what_a_folder_lacks(tmp_path):
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert missing_file(tmp_path) == name
        (tmp_path / name).touch()
    assert missing_file(tmp_path) == ""


def test_what_a_folder_of_shards_lacks(tmp_path):
    (tmp_path / "config.json").touch()
    (tmp_path / "vocab.json").touch()
    index = tmp_path / "model.safetensors.index.json"
    index.write_text("not json")
    assert missing_file(tmp_path) == "a readable model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"x": "model-1.safetensors", "y": "model-2.safetensors"}}))
    (tmp_path / "model-1.safetensors").touch()
    assert missing_file(tmp_path) == "model-2.safetensors"
    (tmp_path / "model-2.safetensors").touch()
    assert missing_file(tmp_path) == ""


@pytest.mark.parametrize(("error", "line"), [("one.\ntwo", "one"), ("x" * 300, "x" * 200), (OSError(), "OSError")])
def test_errors_fit_on_one_line(error, line):
    assert one_line(error) == line


def test_another_kind_of_model_has_files_and_words_of_its_own(server, cache, monkeypatch):
    def missing(folder):
        return "" if (folder / "pytorch_model.bin").is_file() else "pytorch_model.bin"

    kind = Kind("the generator", "name a folder", "leave it out", ("config.json", "*.bin"), missing, pickles=True)
    folder = fetch("owner/generator", kind)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "pytorch_model.bin"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fetch("owner/generator", kind) == folder
    with pytest.raises(WeightsError, match=r"cannot fetch the generator 'owner/other': .*; leave it out, or"):
        fetch("owner/other", kind)
