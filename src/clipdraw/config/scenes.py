"""Scenes: a prompt read into things, their numbers, colors and sizes, and how they relate, by a small grammar.

The grammar knows prepositions and verbs, numbers to six, colors, and the nouns that ship for `explain`. What follows
an article or a number is a thing even if its noun is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from clipdraw.evaluate.explain import read_words

RELATIONS = {
    "above": ("above", "over", "flying over", "flying above", "hovering over", "hovering above"),
    "under": ("under", "below", "beneath", "underneath"),
    "on": ("on top of", "on", "upon", "onto", "atop"),
    "in": ("in", "inside", "inside of", "within"),
    "left of": ("left of", "to the left of", "on the left of"),
    "right of": ("right of", "to the right of", "on the right of"),
    "beside": ("beside", "next to", "near", "by", "at", "close to", "alongside", "facing", "chasing", "looking at",
               "against"),
    "behind": ("behind", "in back of"),
    "in front of": ("in front of", "before"),
    "riding": ("riding", "riding on", "rides", "driving"),
    "holding": ("holding", "holds", "carrying", "carries", "eating", "playing", "kicking", "throwing", "reading"),
    "wearing": ("wearing", "wears"),
    "between": ("between",),
    "with": ("with",),
    "and": ("and", ",", "&", "plus"),
}  # fmt: skip
"""The relations, each with the words that mean it."""
NUMBERS = {word: number for number, words in enumerate(
    (("one", "1"), ("two", "2"), ("three", "3"), ("four", "4"), ("five", "5"), ("six", "6")), 1,
) for word in words} | {"couple": 2}  # fmt: skip
COLORS = frozenset(
    "red orange yellow golden gold green turquoise blue purple violet pink brown black gray grey white silver".split()
)
SIZES = {word: size for size, words in {
    1.4: ("big", "large", "huge", "giant", "enormous", "tall"), 0.65: ("small", "little", "tiny", "mini"),
}.items() for word in words}  # fmt: skip
"""The factor on a thing's sides by a word of size."""
SCENERY = frozenset(
    "forest woods jungle desert city sky night sea ocean space snow rain beach field meadow garden park kitchen room "
    "cave sunset sunrise lake river water grass fog storm dark rainbow galaxy underwater moonlight countryside".split()
)
"""The scenery that things are in, on or under without having a place beside it."""
PARTS = frozenset(
    "roof door doors window windows wheel wheels tail ears eyes wing wings horn horns hair beard nose legs petal "
    "petals leaf leaves spots stripes handle sail sails chimney teeth mane head face feet shell stem".split()
)
"""Parts that a thing has, rather than things beside it."""
_PEOPLE = frozenset("man woman boy girl person child lady guy kid".split())
"""Those whose picture would be a face alone."""
_ARTICLES = frozenset("a an the some his her its their my your this that these those".split())
_FILLERS = frozenset("is are of there being".split())
_MANY = frozenset("seven eight nine ten eleven twelve dozen many several hundred lots".split())
_MEDIUM = re.compile(
    r"^(?:an?\s+|the\s+)?(?:[\w-]+\s+){0,3}?"
    r"(?:painting|drawing|sketch|picture|image|photo|photograph|illustration|icon|portrait|sign|woodcut|silhouette)"
    r"\s+of\s+", re.IGNORECASE,
)  # fmt: skip
_POSTURE = re.compile(r"\w{2,}ing$")
_STYLE = re.compile(r",?\s+in the style of .*$", re.IGNORECASE)


@dataclass(frozen=True)
class Thing:
    """A thing that a scene shows in one place, or in several of the same kind.

    Args:
        name: the noun in the singular, with its adjectives but those below.
        number: how many, 1 to 6.
        colors: by name, in the order of the text.
        size: factor on its sides.
        parts: of it, as they are written: `green roof`.
        scenery: whether it is all around the others.
    """

    name: str
    number: int = 1
    colors: tuple[str, ...] = ()
    size: float = 1.0
    parts: tuple[str, ...] = ()
    scenery: bool = False

    @property
    def text(self) -> str:
        """One of it in words: what it is drawn by."""
        said = " ".join((*(" and ".join(self.colors),) * bool(self.colors), self.name))
        article = "an" if said[0] in "aeiou" else "a"
        return f"{article} {said}" + (f" with a {' and a '.join(self.parts)}" if self.parts else "")

    def described(self) -> str:
        """How it was read: `2 x red cat`."""
        notes = (*self.parts, *("all around",) * self.scenery)
        words = " ".join((" and ".join(self.colors), _without_posture(self.name))).strip()
        return " ".join((f"{self.number} x {words}", *(f"({note})" for note in notes)))

    @property
    def picture(self) -> str:
        """The words that its picture is sampled by: its parts and what it does are left out, people are whole."""
        name = _without_posture(self.name)
        return Thing(f"standing {name}" if name in _PEOPLE else name, colors=self.colors).text


@dataclass(frozen=True)
class Relation:
    """How things stand to others, each by its place among a scene's things."""

    subjects: tuple[int, ...]
    kind: str
    objects: tuple[int, ...]


@dataclass(frozen=True)
class Scene:
    """The reading of a prompt.

    Args:
        things: in the order of the text.
        relations: in the order of the text; things that are only listed stand beside each other.
        unread: the words without a meaning in the grammar.
    """

    things: tuple[Thing, ...] = ()
    relations: tuple[Relation, ...] = ()
    unread: tuple[str, ...] = field(default_factory=tuple)

    @property
    def has_places(self) -> bool:
        """Whether there is more to lay out than one thing in the middle."""
        colored = any(COLORS & set(part.split()) for thing in self.things for part in thing.parts)
        return len(self.things) > 1 or any(thing.number > 1 for thing in self.things) or colored

    def described(self) -> str:
        """The reading in one line."""
        told = [thing.described() for thing in self.things]
        related = [
            f"{_names(self.things, one.subjects)} {one.kind} {_names(self.things, one.objects)}"
            for one in self.relations
        ]
        unread = [f"not read: {', '.join(self.unread)}"] if self.unread else []
        return "; ".join([", ".join(told), *related, *unread])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the record of a run."""
        things = [
            {"name": t.name, "number": t.number, "colors": list(t.colors), "size": t.size, "parts": list(t.parts),
             "scenery": t.scenery} for t in self.things
        ]  # fmt: skip
        relations = [
            [_names(self.things, one.subjects), one.kind, _names(self.things, one.objects)] for one in self.relations
        ]
        return {"things": things, "relations": relations, "unread": list(self.unread)}


def _names(things: Sequence[Thing], numbers: Sequence[int]) -> str:
    return " and ".join(_without_posture(things[i].name) for i in numbers)


@dataclass(frozen=True)
class _Group:
    """The things that are listed in one place of the sentence, after the word that relates them to what was before."""

    relation: str
    phrases: tuple[tuple[str, ...], ...]


def read_scene(text: str) -> Scene:
    """The things in a text and how they relate.

    Args:
        text: a prompt; the medium that it may begin with, as `a painting of`, is not part of the scene.
    """
    plain = _STYLE.sub("", _MEDIUM.sub("", text.strip()))
    words = re.findall(r"[\w'-]+|[,&]", plain.lower())
    things: list[Thing] = []
    relations: list[Relation] = []
    unread: list[str] = []
    last: tuple[int, ...] = ()
    first: tuple[int, ...] = ()
    for group in _groups(words):
        found: list[int] = []
        for phrase in group.phrases:
            thing, missed = _read_thing(phrase)
            unread += missed
            if thing and group.relation == "with" and last and thing.name.split()[-1] in PARTS:
                things[last[-1]] = _with_part(things[last[-1]], thing)
            elif thing:
                found.append(len(things))
                things.append(_as_scenery(thing, group.relation))
        if not found:
            continue
        subjects = first if group.relation in ("riding", "holding", "wearing") else last
        if group.relation and subjects:
            relations.append(Relation(subjects, group.relation, tuple(found)))
        elif group.relation:
            unread.append(group.relation)
        first = first or tuple(found)
        last = last if all(things[i].scenery for i in found) and last else tuple(found)
    return Scene(tuple(things), tuple(relations), tuple(dict.fromkeys(unread)))


def _groups(words: Sequence[str]) -> Iterator[_Group]:
    """The phrases of a sentence, cut at its relations and its lists."""
    relation, phrases, phrase = "", [], []  # type: str, list[tuple[str, ...]], list[str]
    for kind, part in _cut(words):
        if kind == "and":
            if phrase:
                phrases.append(tuple(phrase))
                phrase = []
        elif kind:
            listed = (*phrases, *(tuple(phrase),) * bool(phrase))
            if listed:
                yield _Group(relation, listed)
            relation, phrases, phrase = kind, [], []
        else:
            phrase.append(part)
    listed = (*phrases, *(tuple(phrase),) * bool(phrase))
    if listed:
        yield _Group(relation, listed)


def _cut(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each word, or each run of words that means a relation with that relation."""
    at = 0
    while at < len(words):
        kind, length = _relation_at(words, at)
        if kind == "and" and 0 < at < len(words) - 1 and {words[at - 1], words[at + 1]} <= COLORS:
            kind = ""
        yield kind, " ".join(words[at : at + length])
        at += length


def _relation_at(words: Sequence[str], at: int) -> tuple[str, int]:
    for length in (4, 3, 2, 1):
        kind = _phrases_of_relations().get(" ".join(words[at : at + length]))
        if kind and at + length <= len(words):
            return kind, length
    return "", 1


@cache
def _phrases_of_relations() -> dict[str, str]:
    return {phrase: kind for kind, phrases in RELATIONS.items() for phrase in phrases}


def _read_thing(phrase: Sequence[str]) -> tuple[Thing | None, list[str]]:
    """The thing that a phrase names, and the words that mean nothing there."""
    number, size, colors, rest, unread = 1, 1.0, [], [], []  # type: int, float, list[str], list[str], list[str]
    determined = False
    for word in phrase:
        if not rest and word in _ARTICLES:
            determined = True
        elif not rest and word in NUMBERS:
            number, determined = NUMBERS[word], True
        elif not rest and word in _MANY:
            number, determined = 6, True
            unread.append(word)
        elif word in SIZES and not (rest and word == phrase[-1]):
            size *= SIZES[word]
        elif word in COLORS and not (word == phrase[-1] and not rest):
            colors.append(word)
        elif not (word == "and" or (word in _FILLERS and not (word == "of" and rest))):
            rest.append(word)
    if not rest:
        return None, [*unread, *(word for word in phrase if word not in _ARTICLES)]
    if not (determined or any(_is_noun(word) for word in rest)):
        return None, [*unread, *rest]
    name = _singular_phrase(rest) if number > 1 else " ".join(rest)
    return Thing(name, number, tuple(dict.fromkeys(colors)), size), unread


def _as_scenery(thing: Thing, relation: str) -> Thing:
    """The thing, all around the others if that is what it is."""
    around = relation in ("in", "on", "under", "beside") and thing.number == 1 and thing.name.split()[-1] in SCENERY
    return Thing(thing.name, thing.number, thing.colors, thing.size, thing.parts, True) if around else thing


def _with_part(thing: Thing, part: Thing) -> Thing:
    said = " ".join((*part.colors, part.name))
    return Thing(thing.name, thing.number, thing.colors, thing.size, (*thing.parts, said), thing.scenery)


def _is_posture(word: str) -> bool:
    return bool(_POSTURE.match(word)) and _singular(word) not in ("ring", "king", "wing", "string", "building")


def _without_posture(name: str) -> str:
    return " ".join(word for word in name.split() if not _is_posture(word)) or name


@cache
def _nouns() -> frozenset[str]:
    return frozenset(read_words())


def _is_noun(word: str) -> bool:
    return word in _nouns() or _singular(word) in _nouns()


def _singular_phrase(words: Sequence[str]) -> str:
    """The phrase with its head in the singular: that before `of`, else the last word that is not a posture."""
    head = words.index("of") - 1 if "of" in words[1:] else len(words) - 1
    while head > 0 and _is_posture(words[head]):
        head -= 1
    return " ".join([*words[:head], _singular(words[head]), *words[head + 1 :]])


_IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "mice": "mouse", "geese": "goose",
    "leaves": "leaf", "wolves": "wolf", "knives": "knife", "teeth": "tooth", "feet": "foot", "loaves": "loaf",
    "fish": "fish", "sheep": "sheep", "deer": "deer", "scissors": "scissors", "glasses": "glasses",
}  # fmt: skip
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("oes", "o"), ("s", ""))


def _singular(word: str) -> str:
    """The singular of a plural; what has none stays as it is."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _nouns() and not (word.endswith("s") and word[:-1] in _nouns()):
        return word
    for ending, other in _ENDINGS:
        if word.endswith(ending) and not word.endswith("ss") and len(word) > len(ending) + 1:
            return word[: -len(ending)] + other
    return word
