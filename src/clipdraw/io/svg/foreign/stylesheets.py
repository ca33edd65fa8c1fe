"""Style sheets of foreign SVG files: CSS declarations, and the rules that apply to an element."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import NamedTuple
from xml.etree.ElementTree import Element

import tinycss2
from cssselect2 import ElementWrapper, Matcher, SelectorError, compile_selector_list
from cssselect2.compiler import CompiledSelector
from tinycss2.ast import AtRule, Node, QualifiedRule
from tinycss2.ast import Declaration as DeclarationNode

from clipdraw.errors import FormatError
from clipdraw.io.svg.syntax import SVG

MAX_CHARACTERS = 2_000_000
"""The longest style sheets that are read, which takes some seconds."""

MAX_SELECTORS = 10_000
"""The most selectors of a file."""

MAX_STEPS = 5_000_000
"""The most work that finding the elements of selectors may be; one step is about a microsecond at most."""

MAX_NESTING = 20
"""The deepest nesting of brackets in a value that is read."""

_LONGEST_SELECTOR = 40
_SCREEN_MEDIA = frozenset({"", "all", "screen", "only screen"})
_UNSUPPORTED_RULES = frozenset({"import", "layer", "supports", "container", "scope"})
_SIMPLE = re.compile(r"[-\w\s#%.,:;()+]*")


class Declaration(NamedTuple):
    """A property, its value, and whether it is `!important`."""

    name: str
    value: str
    important: bool = False


def inline_declarations(text: str) -> list[Declaration]:
    """The declarations in a `style` attribute, in its order."""
    if not text:
        return []
    parts = text.split(";")
    simple = _SIMPLE.fullmatch(text) and "--" not in text
    if not simple or any(part.count("(") != part.count(")") for part in parts):
        return _declarations(tinycss2.parse_blocks_contents(text))
    pairs = (part.partition(":") for part in parts)
    return [Declaration(name.strip().lower(), value) for name, _, value in pairs if value.strip()]


def _declarations(nodes: Iterable[Node]) -> list[Declaration]:
    """The declarations among the parts of a block."""
    return [
        Declaration(node.name if node.name.startswith("--") else node.lower_name, _value(node), node.important)
        for node in nodes
        if isinstance(node, DeclarationNode)
    ]


def _value(node: DeclarationNode) -> str:
    """The text of a value; a question mark, which no property knows, if it nests too deep."""
    return tinycss2.serialize(node.value).strip() if is_shallow(node.value) else "?"


def _inner(node: Node) -> list[Node]:
    """The parts in the brackets of a part; none if it has no brackets."""
    parts: list[Node] | None = getattr(node, "arguments", None) or getattr(node, "content", None)
    return parts or []


def is_shallow(nodes: Iterable[Node], levels: int = MAX_NESTING) -> bool:
    """Whether brackets nest at most this deep."""
    return levels > 0 and all(is_shallow(_inner(node), levels - 1) for node in nodes)


class _Budget:
    """The steps that matching selectors may still take."""

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise FormatError("its style sheets take too long to apply")


class _Node(ElementWrapper):
    """An element as selectors see it, which spends a budget for each element that they look at."""

    def __init__(self, element: Element, parent: _Node | None, *place: object, **more: object) -> None:
        self.budget: _Budget = _Budget() if parent is None else parent.budget
        self.weight = 1 + sum(map(len, element.attrib.values())) // 5000
        self.budget.spend(8)
        super().__init__(element, parent, *place, **more)

    @property
    def ancestors(self) -> Iterator[_Node]:
        node = self.parent
        while node is not None:
            self.budget.spend(1)
            yield node
            node = node.parent

    @property
    def previous_siblings(self) -> Iterator[_Node]:
        node = self.previous
        while node is not None:
            self.budget.spend(1)
            yield node
            node = node.previous

    @property
    def etree_siblings(self) -> list[Element]:
        self.budget.spend(1 + len(self._siblings) // 4)
        return self._siblings

    @etree_siblings.setter
    def etree_siblings(self, siblings: list[Element]) -> None:
        self._siblings = siblings


class _Matcher(Matcher):
    """The rules of a file, which spend the budget of each element that they are tried on."""

    @staticmethod
    def add_relevant_selectors(element: _Node, selectors: Sequence[object], relevant_selectors: list[object]) -> None:
        element.budget.spend(len(selectors) * element.weight)
        Matcher.add_relevant_selectors(element, selectors, relevant_selectors)


@dataclass
class StyleSheets:
    """The style sheets of a file.

    Args:
        root: the tree of the file.
        notes: the parts of them and of other styles that were not understood.
        root_size: the size of the root's font in pixels.
        computed: the properties of elements as far as they were asked for.
    """

    root: Element
    notes: Counter[str] = field(default_factory=Counter)
    root_size: float = 16.0
    computed: dict[Element, dict[str, str]] = field(default_factory=dict)
    _noted: set[tuple[Element, str]] = field(default_factory=set)
    _declared: dict[Element, list[Declaration]] = field(default_factory=dict)

    def declared(self, element: Element) -> list[Declaration]:
        """The declarations of the rules that match an element, of lowest specificity first."""
        if not self._matcher.order:
            return []
        if element not in self._declared:
            matches = self._matcher.match(self._nodes[element])
            self._declared[element] = [each for *_, pseudo, rule in matches if pseudo is None for each in rule]
        return self._declared[element]

    @property
    def has_rules(self) -> bool:
        """Whether there is a rule, so that the properties of an element may depend on where it is."""
        return bool(self._matcher.order)

    def note(self, element: Element, text: str) -> None:
        """Count a part of an element that is not understood, once."""
        if (element, text) not in self._noted:
            self._noted.add((element, text))
            self.notes[text] += 1

    @cached_property
    def parents(self) -> dict[Element, Element]:
        """The parent of each element but the root."""
        return {child: parent for parent in self.root.iter() for child in parent}

    @cached_property
    def _nodes(self) -> dict[Element, _Node]:
        return {node.etree_element: node for node in _Node.from_xml_root(self.root).iter_subtree()}

    @cached_property
    def _matcher(self) -> _Matcher:
        matcher = _Matcher()
        namespaces: dict[str | None, str] = {}
        for rule in _rules(self.root):
            if isinstance(rule, QualifiedRule):
                self._add(rule, namespaces, matcher)
            elif rule.lower_at_keyword == "namespace":
                namespaces |= _namespace(rule)
            elif rule.lower_at_keyword in _UNSUPPORTED_RULES:
                self.notes[f"@{rule.lower_at_keyword} rules"] += 1
        return matcher

    def _add(self, rule: QualifiedRule, namespaces: dict[str | None, str], matcher: _Matcher) -> None:
        declared = None
        for selector in _selectors(rule.prelude):
            if matcher.order >= MAX_SELECTORS:
                raise FormatError(f"style sheets of more than {MAX_SELECTORS:,} selectors")
            compiled = _compiled(selector, namespaces)
            if compiled is None:
                self.notes["unreadable selectors"] += 1
                continue
            if declared is None:
                declared = _declarations(tinycss2.parse_blocks_contents(rule.content))
            matcher.add_selector(compiled, declared)


def _rules(root: Element) -> Iterator[QualifiedRule | AtRule]:
    """The rules of all `<style>` elements that are for screens, those of `@media` among them."""
    styles = (style for style in root.iter() if style.tag in (SVG + "style", "style") and _for_screens(style))
    texts = ["".join(style.itertext()) for style in styles]
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise FormatError(f"style sheets of more than {MAX_CHARACTERS:,} characters")
    for text in texts:
        rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
        yield from _without_media(rules, levels=3)


def _for_screens(style: Element) -> bool:
    return style.get("type", "").strip().lower() in ("", "text/css") and _is_screen(style.get("media", ""))


def _is_screen(media: str) -> bool:
    return any(" ".join(part.lower().split()) in _SCREEN_MEDIA for part in media[:200].split(","))


def _without_media(rules: Iterable[Node], *, levels: int) -> Iterator[QualifiedRule | AtRule]:
    """The rules, and in the place of each `@media` for screens the rules in it."""
    for rule in rules:
        if isinstance(rule, AtRule) and rule.lower_at_keyword == "media":
            media = tinycss2.serialize(rule.prelude) if is_shallow(rule.prelude) else "?"
            if levels and rule.content and _is_screen(media):
                inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
                yield from _without_media(inner, levels=levels - 1)
        elif isinstance(rule, QualifiedRule | AtRule):
            yield rule


def _namespace(rule: AtRule) -> dict[str | None, str]:
    parts = [part for part in rule.prelude if part.type not in ("whitespace", "comment")]
    prefix = parts.pop(0).value if len(parts) == 2 and parts[0].type == "ident" else None
    return {prefix: parts[0].value} if len(parts) == 1 and parts[0].type in ("url", "string") else {}


def _selectors(prelude: Sequence[Node]) -> Iterator[list[Node]]:
    """The selectors of a list, apart."""
    for is_comma, parts in groupby(prelude, key=lambda part: part == ","):
        if not is_comma:
            yield list(parts)


def _compiled(parts: list[Node], namespaces: dict[str | None, str]) -> CompiledSelector | None:
    """A selector that can be tried; None if it is not understood or too long."""
    if len(parts) > _LONGEST_SELECTOR or not is_shallow(parts, 5) or _count(parts) > _LONGEST_SELECTOR:
        return None
    try:
        (compiled,) = compile_selector_list(parts, namespaces)
    except (SelectorError, NotImplementedError, ValueError, SyntaxError):
        return None
    return compiled


def _count(parts: Iterable[Node]) -> int:
    return sum(1 + _count(_inner(part)) for part in parts)
