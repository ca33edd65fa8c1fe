"""Scenes: which things stand where, in which colors and numbers, and what to call that.

A scene is made before a picture is: every box is known, and so is what would be wrong to say of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.things import COLOR_NAMES

NUMBERS = ("a", "two", "three", "four", "five")
PLURALS = {"mouse": "mice", "man": "men", "woman": "women", "child": "children", "person": "people"}
PLURALS |= {"sheep": "sheep", "fish": "fish", "deer": "deer", "knife": "knives", "leaf": "leaves", "wolf": "wolves"}
PLURALS |= {"scissors": "pairs of scissors", "glasses": "pairs of glasses", "tooth": "teeth", "foot": "feet"}
_MOUNTS = frozenset("horse bicycle bike motorcycle elephant camel skateboard scooter boat sled surfboard".split())


@dataclass(frozen=True)
class Box:
    """Where a thing stands: its center and its size, as shares of the canvas; y is down."""

    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Group:
    """Some of one thing.

    Args:
        name: what it is called, without an article.
        number: how many, from 1 to 5.
        color: the color it is painted in; empty for its own.
    """

    name: str
    number: int = 1
    color: str = ""


@dataclass(frozen=True)
class Scene:
    """Groups, where their members stand, and what to call it.

    Args:
        groups: one, two or three.
        boxes: for each group one box a member, back to front.
        caption: right.
        rival: wrong, but made of the same words.
    """

    groups: tuple[Group, ...]
    boxes: tuple[tuple[Box, ...], ...]
    caption: str
    rival: str


# How two groups may stand: offset of the first from the second, in x and y, in units of half a canvas; how far both
# shrink; and what to call it, with {a} for the first and {b} for the second.
_SIDE, _UPON, _FRONT = 0.5, 0.46, 0.22
RELATIONS = {
    "beside": (
        "{a} and {b}", "{a} and {b}", "{b} and {a}", "{a} with {b}", "{a} next to {b}", "{a} beside {b}",
        "{b} near {a}",
    ),
    "left": (
        "{a} to the left of {b}", "{b} to the right of {a}", "{a} on the left and {b} on the right",
        "{a} left of {b}",
    ),
    "above": ("{a} above {b}", "{a} over {b}", "{b} below {a}", "{b} under {a}", "{a} at the top, {b} at the bottom"),
    "on": ("{a} on {b}", "{a} on top of {b}", "{a} standing on {b}", "{a} sitting on {b}", "{b} under {a}"),
    "front": ("{a} in front of {b}", "{b} behind {a}"),
}  # fmt: skip
_SWAPS = frozenset({"left", "above", "on", "front"})  # what is wrong the other way round


def article(words: str) -> str:
    """`words` with the indefinite article."""
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def plural(name: str) -> str:
    """`name` for several, by the common rules of English."""
    *before, last = name.split()
    if last in PLURALS:
        last = PLURALS[last]
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    elif last.endswith(("s", "x", "ch", "sh", "z")):
        last += "es"
    else:
        last += "s"
    return " ".join([*before, last])


def told(group: Group, generator: np.random.Generator) -> str:
    """The words for a group: "a red cat", "three cats", "the cat"."""
    if group.number > 1:
        name = plural(group.name)
        number = NUMBERS[group.number - 1]
        return f"{number} {group.color} {name}" if group.color else f"{number} {name}"
    words = f"{group.color} {group.name}".strip()
    kind = generator.random()
    if group.name.endswith("s") and not group.name.endswith(("ss", "us")):  # scissors, glasses
        return words
    return article(words) if kind < 0.75 else words if kind < 0.9 else f"the {words}"


def one_thing(group: Group, generator: np.random.Generator) -> Scene:
    """One thing alone, nearly as large as the canvas."""
    size = generator.uniform(0.72, 1.0)
    room = (1 - size) / 2 + 0.03
    box = Box(0.5 + generator.uniform(-room, room), 0.5 + generator.uniform(-room, room), size)
    other = generator.choice([c for c in COLOR_NAMES if c != group.color])
    rival = replace(group, color=str(other)) if group.color else replace(group, number=int(generator.integers(2, 6)))
    return Scene((group,), ((box,),), told(group, generator), told(rival, generator))


def several(group: Group, generator: np.random.Generator) -> Scene:
    """Two to five of one thing, in a row, or as the spots of a die."""
    boxes = _spots(group.number, generator)
    other = int(generator.choice([n for n in range(1, 6) if n != group.number]))
    return Scene((group,), (boxes,), told(group, generator), told(replace(group, number=other), generator))


def related(first: Group, second: Group, relation: str, generator: np.random.Generator) -> Scene:
    """Two groups in a relation; the second is painted first where they overlap."""
    boxes_first, boxes_second = _placed(relation, generator)
    phrases = [*RELATIONS[relation]]
    if relation == "on" and second.name in _MOUNTS:
        phrases += ["{a} riding {b}"] * 3
    template = phrases[int(generator.integers(len(phrases)))]
    state = generator.integers(2**32)
    a, b = (told(g, np.random.default_rng([state, i])) for i, g in enumerate((first, second)))
    caption = template.format(a=a, b=b)
    if first.color and second.color and first.color != second.color and generator.random() < 0.6:
        wrong = replace(first, color=second.color), replace(second, color=first.color)
        a, b = (told(g, np.random.default_rng([state, i])) for i, g in enumerate(wrong))
        rival = template.format(a=a, b=b)
    elif relation in _SWAPS:
        rival = template.format(a=b, b=a)
    else:
        rival = told(first, generator)
    groups = second, first
    return Scene(groups, ((boxes_second,), (boxes_first,)), caption, rival)


def three(groups: tuple[Group, Group, Group], generator: np.random.Generator) -> Scene:
    """Three things in a row or a triangle, left to right."""
    boxes = tuple((box,) for box in _spots(3, generator))
    names = [told(group, generator) for group in groups]
    caption = f"{names[0]}, {names[1]} and {names[2]}"
    rival = f"{names[0]} and {names[1]}"
    return Scene(groups, boxes, caption, rival)


def _placed(relation: str, generator: np.random.Generator) -> tuple[Box, Box]:
    """The boxes of the first and the second thing."""
    shift, size = generator.uniform(-0.05, 0.05, 2), generator.uniform(0.4, 0.5, 2)
    if relation in ("beside", "left"):
        side = -1.0 if relation == "left" or generator.random() < 0.5 else 1.0
        return Box(0.5 + side * 0.25, 0.5 + shift[0], size[0]), Box(0.5 - side * 0.25, 0.5 + shift[1], size[1])
    if relation == "above":
        return Box(0.5 + shift[0], 0.25, size[0]), Box(0.5 + shift[1], 0.75, size[1])
    if relation == "on":
        lower = generator.uniform(0.56, 0.68)
        upper = generator.uniform(0.36, 0.48)
        top = 0.98 - lower  # of the thing below
        return Box(0.5 + 2 * shift[0], top - 0.36 * upper + 0.06, upper), Box(0.5 + shift[1], 0.98 - lower / 2, lower)
    side = 1.0 if generator.random() < 0.5 else -1.0
    return Box(0.5 + side * 0.17, 0.66, size[0]), Box(0.5 - side * 0.14, 0.4, size[1] + 0.2)


_SPOTS = {
    2: ((0.27, 0.5), (0.73, 0.5)),
    3: ((0.26, 0.7), (0.5, 0.28), (0.74, 0.7)),
    4: ((0.27, 0.27), (0.73, 0.27), (0.27, 0.73), (0.73, 0.73)),
    5: ((0.22, 0.22), (0.78, 0.22), (0.5, 0.5), (0.22, 0.78), (0.78, 0.78)),
}


def _spots(number: int, generator: np.random.Generator) -> tuple[Box, ...]:
    """Boxes for so many things, left to right, with a little disorder."""
    places, size = np.array(_SPOTS[number]), {2: 0.47, 3: 0.42, 4: 0.42, 5: 0.35}[number]
    if number == 2 and generator.random() < 0.25:
        places = places[:, ::-1]
    if number == 3 and generator.random() < 0.5:
        places, size = np.array([(0.18, 0.5), (0.5, 0.5), (0.82, 0.5)]), 0.34
    places = places + generator.uniform(-0.03, 0.03, places.shape)
    sizes = size * generator.uniform(0.9, 1.08, number)
    return tuple(Box(float(x), float(y), float(s)) for (x, y), s in zip(places, sizes, strict=True))
