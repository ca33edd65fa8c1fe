"""Quality of the shipped text tower: `python -m training.measure_text --texts FOLDER --tensors text.safetensors`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from clipdraw.encoders.builtin.text_tower import TextTower
from training import distill, teacher

SYNONYMS = (
    ("kitty", "cat"), ("automobile", "car"), ("bunny", "rabbit"), ("boat", "ship"), ("mom", "mother"),
    ("happy", "joyful"), ("puppy", "dog"), ("couch", "sofa"), ("house", "home"), ("bicycle", "bike"),
    ("stone", "rock"), ("spectacles", "glasses"), ("aeroplane", "airplane"), ("blossom", "flower"),
    ("campfire", "bonfire"), ("child", "kid"), ("telephone", "phone"), ("doctor", "physician"), ("forest", "woods"),
    ("street", "road"), ("sad", "unhappy"), ("big", "large"), ("cup", "mug"), ("snake", "serpent"), ("pig", "hog"),
    ("present", "gift"), ("hat", "cap"), ("gun", "pistol"), ("lady", "woman"), ("sea", "ocean"),
)  # fmt: skip
# Captions of the paper's figures and prompts like them; none is in the training texts as such.
PROMPTS = (
    "A drawing of a cat.", "Horse eating a cupcake.", "A 3D rendering of a temple.", "Self.", "Happiness.",
    "Family vacation to Walt Disney World.", "Enlightenment.", "Translation.", "Yin-Yang", "Hashtag.",
    "A painting of a starry night sky.", "Watercolor painting of a fire hydrant in San Francisco", "The Eiffel Tower",
    "a bonfire", "a red heart", "Mona Lisa", "Dropping a bomb on the internet", "an astronaut riding a horse on Mars",
    "two green apples on a blue plate", "the quick brown fox jumps over the lazy dog", "Godzilla attacking Tokyo",
    "a robot that dreams of sheep", "logo of a coffee shop called Bean There", "kitty with a ball of yarn",
    "Albert Einstein sticking his tongue out", "a grumpy old wizard with a long white beard", "spaghetti and meatballs",
    "a house on fire, children's drawing", "sadness in blue", "loneliness", "a bicycle made of fruit",
    "Darth Vader drinking tea", "Beethoven's fifth symphony",
)  # fmt: skip
ADJECTIVES = (
    ("a green apple", "a red apple", "an apple"), ("a big dog", "a small dog", "a dog"),
    ("a sad face", "a happy face", "a face"), ("one star", "three stars", "a star"),
    ("a cat on the left", "a cat on the right", "a cat"), ("an old house", "a new house", "a house"),
    ("a line drawing of a fish", "a watercolor painting of a fish", "a fish"),
)  # fmt: skip


def synonyms(tower: TextTower) -> dict[str, float]:
    """Mean cosine of synonyms and of other pairs, and how often a synonym is nearest among all second words."""
    one, two = (tower.embed([pair[i] for pair in SYNONYMS]) for i in (0, 1))
    similar = (one @ two.T).numpy()
    own = np.eye(len(SYNONYMS), dtype=bool)
    nearest = float((similar.argmax(1) == np.arange(len(SYNONYMS))).mean())
    return {"synonyms": float(similar[own].mean()), "others": float(similar[~own].mean()), "nearest": nearest}


def adjectives(tower: TextTower) -> list[tuple[str, str, str, float, float, float]]:
    """For each triple the cosines of one and two, one and the bare noun, two and the bare noun."""
    found = []
    for triple in ADJECTIVES:
        a, b, noun = tower.embed(triple)
        found.append((*triple, round(float(a @ b), 3), round(float(a @ noun), 3), round(float(b @ noun), 3)))
    return found


def speed_s(tensors: Path) -> dict[str, float]:
    """Median time to load the tower and to embed one prompt."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        tower = distill.loaded(load_file(tensors))
        times.append(time.perf_counter() - started)
    single = []
    for prompt in PROMPTS * 3:
        started = time.perf_counter()
        tower.embed([prompt])
        single.append(time.perf_counter() - started)
    return {"load_s": float(np.median(times)), "prompt_s": float(np.median(single)), "load_best_s": min(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=Path("corpus/texts"))
    parser.add_argument("--tensors", type=Path, default=Path("corpus/text/text.safetensors"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    tower = distill.loaded(load_file(options.tensors))
    texts = distill.Texts(tower.words, options.texts)
    texts.read(only_held_out=True)
    theirs = teacher.embed(list(PROMPTS), precise=True)
    ours = tower.embed(PROMPTS).numpy()
    about = {"bytes": options.tensors.stat().st_size, "held_out": distill.measured(tower, texts, most=1000)}
    about |= {"prompts": float((ours * theirs).sum(1).mean()), "worst_prompts": _worst(ours, theirs)}
    about |= {"words": synonyms(tower), "adjectives": adjectives(tower), "speed": speed_s(options.tensors)}
    print(json.dumps(about, indent=1))


def _worst(ours: np.ndarray, theirs: np.ndarray) -> list[tuple[str, float]]:
    cosines = (ours * theirs).sum(1)
    return [(PROMPTS[i], round(float(cosines[i]), 3)) for i in cosines.argsort()[:5]]


if __name__ == "__main__":
    main()
