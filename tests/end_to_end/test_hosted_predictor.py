"""The hosted predictor on Cog's own HTTP server, without Docker."""

import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from inspect import signature
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("cog", reason="the extra cog is not installed; it has no package for Windows")

import predict
from clipdraw.errors import InputError
from clipdraw.io.paths_json import from_json

ROOT = Path(__file__).parents[2]
QUICK = {"num_paths": 4, "num_iterations": 3, "display_frequency": 1, "output_size": 32}
SCHEMA = {"openapi": "3.0.2", "info": {"title": "Cog", "version": "0"}, "paths": {"/predictions": {"post": {}}}}
SCHEMA["paths"]["/predictions"]["post"]["x-cog-streaming"] = True  # as `cog build` writes it for @cog.streaming


class Server:
    def __init__(self, port, process):
        self.url, self.process = f"http://127.0.0.1:{port}", process

    def open(self, path, **body):
        """The response to a request; one that comes before the last prediction is put away is repeated."""
        accept = body.pop("accept", "application/json")
        headers = {"content-type": "application/json", "accept": accept}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None, headers)
        for _ in range(50):
            try:
                return urllib.request.urlopen(request, timeout=120)
            except urllib.error.HTTPError as error:
                if error.code != 409:
                    raise
                time.sleep(0.1)
        raise AssertionError("the server stays busy")

    def predict(self, **inputs):
        with self.open("/predictions", input=inputs) as response:
            return json.load(response)

    def ready(self):
        try:
            with self.open("/health-check") as response:
                return json.load(response)["status"] == "READY"
        except OSError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / ".cog").mkdir()
    (folder / ".cog" / "openapi_schema.json").write_text(json.dumps(SCHEMA))
    (folder / "files").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    reference = f"{ROOT / 'predict.py'}:Runner"
    settings = os.environ | {"COG_PREDICT_TYPE_STUB": reference, "PORT": str(port), "TMPDIR": str(folder / "files")}
    settings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{settings['PATH']}"  # the worker is `python` there
    command = [sys.executable, "-m", "cog.server.http", "--host", "127.0.0.1"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=log, stderr=log)
    running, until = Server(port, process), time.monotonic() + 300
    running.files = folder / "files"
    try:
        while not running.ready():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.2)
        yield running
    finally:
        process.terminate()
        process.wait(30)


def decoded(uri):
    head, _, data = uri.partition(",")
    return head, base64.b64decode(data)


def test_a_prediction_is_every_drawing_as_png(server):
    answer = server.predict(prompt="a red heart", **QUICK)
    assert answer["status"] == "succeeded", answer
    assert len(answer["output"]) == 3
    assert -1 <= answer["metrics"]["similarity"] <= 1
    head, data = decoded(answer["output"][-1])
    assert head == "data:image/png;base64"
    assert Image.open(io.BytesIO(data)).size == (32, 32)
    assert len(set(answer["output"])) == 3


def test_the_same_seed_gives_the_same_svg(server):
    wanted = {**QUICK, "display_frequency": 3, "output_format": "svg", "width": 64, "height": 32}
    first, second, other = (server.predict(seed=seed, **wanted)["output"] for seed in (5, 5, 6))
    assert first == second != other
    assert re.search(rb'viewBox="0 0 64 32"', decoded(first[0])[1])


def test_a_drawing_goes_on_from_what_was_handed_back(server):
    wanted = {**QUICK, "display_frequency": 3, "output_format": "json"}
    first = decoded(server.predict(**wanted)["output"][0])[1].decode()
    answer = server.predict(starting_paths=first, prompt="a fish", **{**wanted, "num_iterations": 1})
    before, after = (from_json(text) for text in (first, decoded(answer["output"][0])[1].decode()))
    assert len(before) == len(after) == 4
    assert 0 < (before.points - after.points).abs().max() < 3
    answer = server.predict(starting_paths="[]", **wanted)
    assert "starting_paths must have from 1 to 4096 paths, got 0" in answer["error"]


def test_drawings_are_streamed_as_they_come(server):
    body = {"input": {**QUICK, "num_iterations": 40, "num_paths": 64, "display_frequency": 10}}
    with server.open("/predictions", accept="text/event-stream", **body) as response:
        came = [(time.monotonic(), line.split()[1]) for line in response if line.startswith(b"event: ")]
    assert [kind for _, kind in came if kind != b"metric"] == [b"start", *[b"output"] * 4, b"completed"]
    drawn = [at for at, kind in came if kind == b"output"]
    assert drawn[-1] - drawn[0] > 0.3 * (came[-1][0] - came[0][0]), "all came at the end"


BAD = {
    "num_paths must be from 1 to 4096, got 0": {"num_paths": 0},
    "prompt must have at most 1000 characters, got 10000": {"prompt": "x" * 10_000},
    "prompt must not be empty": {"prompt": "  \n"},
    "seed must be a whole number, got 'one'": {"seed": "one"},
    "num_paths must be a whole number, got True": {"num_paths": True},
    "distance_from_centre_power must be from 1 to 8, got 0.0": {"distance_from_centre_power": 0},
    "preset is one of default, notebook, predictor, article, got 'oil'": {"preset": "oil"},
    "display_frequency must be at least 20 for 10000 updates, got 1": {
        "num_iterations": 10_000,
        "display_frequency": 1,
    },
    "unexpected keyword argument 'paths'": {"paths": 3},
}


@pytest.mark.parametrize("message", ["num_paths must be from", "prompt must have", "unexpected keyword"])
def test_the_server_says_what_is_wrong(server, message):
    wanted, inputs = next((whole, inputs) for whole, inputs in BAD.items() if whole.startswith(message))
    answer = server.predict(**inputs)
    assert answer["status"] == "failed"
    assert wanted in answer["error"]


def test_the_server_goes_on_after_errors_and_keeps_no_files(server):
    for seed in range(4):
        assert server.predict(seed=seed, **QUICK)["status"] == "succeeded"
    assert len(list(server.files.glob("clipdraw-*"))) == 1, "only those of the last prediction are kept"


@pytest.mark.parametrize("wanted", [message for message in BAD if not message.startswith("unexpected")])
def test_inputs_are_checked_without_a_schema(wanted, monkeypatch):
    runner = predict.Runner()
    runner._encoder, runner._files = "builtin", None
    with pytest.raises(InputError, match=re.escape(wanted)):
        next(runner.run(**BAD[wanted]))


def test_the_published_inputs_and_defaults():
    defaults = {
        name: value for name, value in predict.checked({}).items() if not name.startswith(("output", "starting"))
    }
    published = {
        "prompt": "Watercolor painting of an underwater submarine.",
        "num_paths": 256,
        "num_iterations": 600,
        "display_frequency": 10,
        "distance_from_centre_threshold": 75.0,
        "distance_from_centre_power": 2.0,
        "distance_from_centre_weight": 0.001,
    }
    assert defaults.items() >= published.items()
    assert list(signature(predict.Runner.run).parameters)[1:8] == list(published)


def test_inputs_become_settings():
    wanted = {"prompt": "a cat:2", "negative_prompt": "text: 3", "width": 320, "distance_from_centre_weight": 0}
    settings = predict._settings(predict.checked(wanted), "builtin")
    assert settings.canvas == (320.0, 224.0)
    assert settings.center.weight == 0
    assert [(prompt.text, prompt.weight) for prompt in settings.prompts()] == [("a cat", 2.0), ("text: 3", -0.3)]


def test_the_recipe_goes_with_the_encoder_unless_one_is_asked_for():
    given = predict.checked({})
    assert predict._settings(given, "builtin").preset == "default"
    assert predict._settings(given, "openai/clip-vit-base-patch32").preset == "clip"
    assert predict._settings(given | {"preset": "article"}, "openai/clip-vit-base-patch32").preset == "article"


def test_the_image_installs_what_is_pinned():
    installed = {line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[0] != "#"}
    pinned = set((ROOT / "constraints.txt").read_text().splitlines())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["clip"]
    assert installed <= pinned
    assert {line.split("==")[0] for line in installed} == {re.split(r"[^\w-]", line)[0] for line in needed}
