"""Every command of the README and of docs/ runs as written, but small and with a tiny judge.

What the real judges do is for other tests: here commands, options, presets and files have to fit each other.
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

import clipdraw
from clipdraw import encoders
from clipdraw.cli import app
from clipdraw.runs import session
from clipdraw.runs.folder import write_record
from tests import tiny_biggan, tiny_clip
from tests.conftest import TinyEncoder

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


class Judge(TinyEncoder):
    """The tiny judge, which reads any text to its end and shows a layer."""

    def truncated_tail(self, text):
        return ""

    def layers(self, views):
        return [views]


FOLDERS = ("drawings/a-bonfire-s0", "drawings/a-sailboat-s0", "submarine", "rocket")
"""Runs that the pages speak of."""
SMALLER = {
    "draw": "--strokes 4 --steps 2 --views 1 --canvas 32 --film-size 16",
    "compare": "--strokes 4 --steps 1 --views 1 --canvas 32",
    "sweep": "--steps 1 --set views=1 --set canvas=[32,32] --set film_kinds=[] --processes 1",
    "film": "--size 32 --fps 2",
    "trace": "--steps 1 --size 8",
}
PLACEHOLDERS = {
    "PROMPT": "'a cat'", "TEXT": "text", "FILE": "run/drawing.svg", "FILE.svg": "run/drawing.svg",
    "FILE.png": "picture.png", "paths.json": "run/paths.json", "FILE.toml": "plan.toml", "ENCODER": "clip",
    "GENERATOR": "biggan", "openai/clip-vit-base-patch32": "clip", "openai/clip-vit-base-patch16": "clip",
    "mps": "cpu", "cuda": "cpu",
}  # fmt: skip


def documented():
    """The commands of all pages, each once."""
    found = {}
    for page in PAGES:
        text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
        blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        lines = [line.lstrip("!") for block in blocks for line in block.splitlines()]
        inline = re.findall(r"`(clipdraw [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        for line in (*lines, *(" ".join(code.split()) for code in inline)):
            if re.match(r"clipdraw [a-z-]+ \S", line):
                found.setdefault(line.partition(" | ")[0].removesuffix(" and"), page.name)
    return [pytest.param(command, id=f"{page}: {command}") for command, page in found.items()]


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A folder with all that the commands speak of."""
    folder = tmp_path_factory.mktemp("there")
    tiny = {"strokes": 4, "steps": 2, "views": 1, "canvas": [32.0, 32.0], "film_kinds": []}
    run = clipdraw.draw("a cat", out=folder / "run", **tiny)
    run.drawing.save(folder / "run" / "paths.json")
    for name in FOLDERS:
        shutil.copytree(run.folder, folder / name)
    clipdraw.sweep(["a cat"], out=folder / "sweep", **tiny)
    tiny_biggan.save(folder / "biggan")
    weights = tiny_clip.open_clip_weights(tiny_clip.save_open_clip(folder / "unused"))
    tiny_clip.save_archive(weights, folder / "ViT-B-32.pt")
    for picture in ("photo.jpg", "painting.jpg", "horse.png", "PICTURE"):
        file = folder / picture
        Image.new("RGB", (24, 24), "tan").save(file, format="JPEG" if file.suffix == ".jpg" else "PNG")
    shutil.copy(run.folder / "drawing.svg", folder / "lines.svg")
    shutil.copy(run.folder / "drawing.svg", folder / "sketch.svg")
    (folder / "plan.toml").write_text('prompts = ["a cat"]\n')
    return folder


def arguments(command):
    """The words of a command, with something in the place of each placeholder, and smaller at the end."""
    words = shlex.split(command)[1:]
    folder = {"sweep": "sweep", "resume": "begun"}.get(words[0], "run")
    values = {**PLACEHOLDERS, "FOLDER": folder, "ViT-B/32": "clip"}
    filled = []
    for word in words:
        filled += shlex.split(values[word]) if word in values else [re.sub(r"\bTEXT\b", "text", word)]
    prompts = [at for at, word in enumerate(filled) if word == "a cat" and words[0] in ("sweep", "compare")]
    for number, at in enumerate(prompts[1:], 2):
        filled[at] = f"cat {number}"  # no drawing twice
    return filled + shlex.split(SMALLER.get(words[0], ""))


@pytest.mark.filterwarnings("ignore:sheet.png. no font here has")  # where there is none with Japanese
@pytest.mark.parametrize("command", documented())
def test_a_documented_command_runs(command, there, tmp_path, monkeypatch):
    shutil.copytree(there, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "_load", lambda *names: Judge())
    monkeypatch.setattr(encoders, "find_encoder", lambda name: None)
    for module in (clipdraw, encoders):
        monkeypatch.setattr(module, "load_encoder", lambda *names, **settings: Judge())
    words = arguments(command)
    if words[0] == "plot":
        pytest.importorskip("vpype")
    for at in [at for at, word in enumerate(words) if word == "--out"]:
        if words[0] in ("draw", "compare"):
            shutil.rmtree(words[at + 1], ignore_errors=True)  # it exists because another page speaks of it
    if words[0] == "resume":
        config = clipdraw.config.resolve("a cat", {"strokes": 2, "steps": 1, "film_kinds": []})
        Path("begun").mkdir()
        write_record(Path("begun"), {"status": "interrupted", "config": config.to_dict()})
    assert not app(words, standalone_mode=False)


def test_the_table_of_sources_names_tests_and_pictures_that_there_are():
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) > 50
    for row in rows:
        assert len(row) == 4
        assert all(row), row
    for test in re.findall(r"`((?:unit|parity|property|golden|end_to_end)/[\w.]+)`", page):
        assert (ROOT / "tests" / test).is_file(), test
    for link in re.findall(r"\]\(([^)#]+)", page):
        assert link.startswith("https://") or (ROOT / "docs" / link).exists(), link
    headings = {}
    for other in (ROOT / "docs").glob("*.md"):
        titles = re.findall(r"^#+ (.*)", other.read_text(encoding="utf-8"), re.MULTILINE)
        headings[other.name] = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    for name, anchor in re.findall(r"\]\(([\w-]+\.md)#([^)]+)\)", page):
        assert anchor in headings[name], (name, anchor)


def test_contributing_names_files_and_code_that_there_are():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = page.partition("## Where would I add")[2].partition("## ")[0]
    package = ROOT / "src" / "clipdraw"
    sources = {path for kind in ("*.py", "*.c", "*.h", "*.toml") for path in package.rglob(kind)}
    words = {word for path in sources for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    names = re.findall(r"`([^`]+)`", table)
    assert len(names) > 50
    for name in names:
        if name.endswith((".py", ".c", ".h", ".toml")):
            assert (package / name).is_file() or (ROOT / name).is_file() or name in {p.name for p in sources}, name
        elif re.fullmatch(r"[\w.]+(\(.*\))?", name):
            assert name.partition("(")[0].rpartition(".")[2] in words, name
