"""Pictures with captions, made as they are asked for: single things, scenes, media, and captions that are wrong.

What a seed gives is always the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from training import composing, media, scenes
from training.scenes import Group, Scene
from training.things import COLOR_NAMES, Drawn, Things

KINDS = {"one": 0.42, "painted": 0.2, "several": 0.1, "related": 0.22, "three": 0.06}
"""Shares of the kinds of scenes."""
MEDIA_SHARE = 0.22
"""Share of the pictures that are made in a medium."""
_PHRASES = (
    "a picture of {}",
    "a drawing of {}",
    "an icon of {}",
    "an emoji of {}",
    "a painting of {}",
    "clipart of {}",
)


@dataclass(frozen=True)
class Made:
    """Pictures in [0, 1], what each shows, what it does not show, and in which medium it is made."""

    views: Float[Tensor, "batch 3 64 64"]
    captions: list[str]
    rivals: list[str]
    media: list[str]


@dataclass(frozen=True)
class _Layered:
    """A scene with a picture of each of its groups' members, its medium, and whether it needs a darker background."""

    scene: Scene
    members: tuple[tuple[np.ndarray, ...], ...]
    medium: str
    pale: bool


def make(things: Things, count: int, generator: np.random.Generator, *, media_share: float = MEDIA_SHARE) -> Made:
    """`count` pictures with their captions."""
    names = list(media.MEDIA)
    chosen = [str(generator.choice(names)) if generator.random() < media_share else "" for _ in range(count)]
    layered = [_layered(things, medium, generator) for medium in chosen]
    return _in_media(_composited(layered, generator), layered, generator)


def layers_of(things: Things, count: int, generator: np.random.Generator) -> Float[Tensor, "count 4 64 64"]:
    """Premultiplied pictures of `count` scenes, without background or medium."""
    return _composited([_layered(things, "", generator) for _ in range(count)], generator)


def _composited(layered: list[_Layered], generator: np.random.Generator) -> Tensor:
    pictures, boxes, owners = [], [], []
    for owner, one in enumerate(layered):
        for members, places in zip(one.members, one.scene.boxes, strict=True):
            pictures += members
            boxes += places
            owners += [owner] * len(places)
    flips = generator.random(len(layered))[owners] < 0.35
    layers = composing.placed(np.stack(pictures), boxes, flips, generator)
    return composing.composited(layers, owners, len(layered))


def _in_media(rgba: Tensor, layered: list[_Layered], generator: np.random.Generator) -> Made:
    """The pictures on backgrounds or in their media, with captions that say so."""
    views = composing.on_backgrounds(rgba, generator)
    captions, rivals = [], []
    for place, one in enumerate(layered):
        caption, rival = _phrased(one, generator)
        captions.append(caption)
        rivals.append(rival)
        if one.pale:
            behind = torch.from_numpy(generator.uniform(0.45, 0.8, (3, 1, 1))).float()
            views[place] = rgba[place, :3] + (1 - rgba[place, 3:]) * behind
    chosen = [one.medium for one in layered]
    for medium, (procedure, _) in media.MEDIA.items():
        where = [i for i, name in enumerate(chosen) if name == medium]
        if where:
            views[where] = procedure(rgba[where], generator)
    return Made(views, captions, rivals, chosen)


def _phrased(one: _Layered, generator: np.random.Generator) -> tuple[str, str]:
    """The caption and its rival, with the words for the medium."""
    phrases = media.MEDIA[one.medium][1] if one.medium else _PHRASES if generator.random() < 0.1 else ("{}",)
    phrase = phrases[int(generator.integers(len(phrases)))]
    bare = phrase.startswith(("a neon {", "a pixelated {"))
    told = (one.scene.caption, one.scene.rival)
    caption, rival = (phrase.format(_without_article(words) if bare else words) for words in told)
    return caption, rival


def _without_article(words: str) -> str:
    first, _, rest = words.partition(" ")
    return rest if first in ("a", "an", "the") else words


def _layered(things: Things, medium: str, generator: np.random.Generator) -> _Layered:
    kind = str(generator.choice(list(KINDS), p=list(KINDS.values())))
    count = {"related": 2, "three": 3}.get(kind, 1)
    drawings = [things.pick(generator, colored=0.7 if count == 1 else 0.9) for _ in range(count)]
    number = int(generator.choice([2, 3, 4, 5], p=[0.45, 0.3, 0.15, 0.1])) if kind == "several" else 1
    paint_share = {"one": 0.0, "painted": 1.0, "several": 0.3, "related": 0.5, "three": 0.2}[kind]
    both = generator.random() < paint_share
    colors = COLOR_NAMES[:-1] if medium else COLOR_NAMES  # white is not seen on the paper of most media
    groups, members = [], []
    for drawn in drawings:
        group, pictures = _group(things, drawn, generator, number=number, paint=both, colors=colors)
        groups.append(group)
        members.append(pictures)
    if medium in media.COLORLESS:
        groups = [replace(group, color="") for group in groups]
    scene = _scene(kind, groups, generator)
    order = [groups.index(g) for g in scene.groups]
    pale = not medium and any(group.color == "white" for group in groups)
    return _Layered(scene, tuple(members[i] for i in order), medium, pale)


def _scene(kind: str, groups: list[Group], generator: np.random.Generator) -> Scene:
    if kind in ("one", "painted"):
        return scenes.one_thing(groups[0], generator)
    if kind == "several":
        return scenes.several(groups[0], generator)
    if kind == "three":
        return scenes.three((groups[0], groups[1], groups[2]), generator)
    names = list(scenes.RELATIONS)
    relation = str(generator.choice(names, p=[0.38, 0.17, 0.17, 0.17, 0.11]))
    return scenes.related(groups[0], groups[1], relation, generator)


def _group(
    things: Things, drawn: Drawn, generator: np.random.Generator, *, number: int, paint: bool, colors: list[str]
) -> tuple[Group, tuple[np.ndarray, ...]]:
    """A group of a drawing's thing, and a picture for each of its members."""
    name = drawn.names[0]
    if len(drawn.names) > 1 and generator.random() < 0.15:
        name = drawn.names[int(generator.integers(1, len(drawn.names)))]
    picture = things.picture(drawn)
    about_color = {*name.split()} & {*COLOR_NAMES}
    if paint and not about_color:
        color = str(generator.choice(colors))
        picture = composing.painted(picture, color, generator)
        return Group(name, number, color), (picture,) * number
    named = drawn.color if drawn.color and not about_color and generator.random() < 0.35 else ""
    if drawn.kind == "mono" and generator.random() < 0.5:
        color = str(generator.choice(COLOR_NAMES[:-1]))
        picture = composing.painted(picture, color, generator)
        named = color if not about_color and generator.random() < 0.6 else ""
    return Group(name, number, named), (picture,) * number
