"""The prior of the built-in encoder: small pictures of what a text may look like, for drawings to start from.

An encoder's gradients refine a start better than they find one (Santurkar et al. 2019, Image Synthesis with a Single
(Robust) Classifier, arXiv 1906.09453, start from a Gaussian fitted to each class). Here the start is one of two kinds
of picture, of 32 x 32 pixels on white: a network's, for any text, or a stored drawing's whose name is near the
text (an exemplar), as it is or in a color that the text names. The encoder chooses among them.

Everything else needs `BuiltinPrior.sample` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders.base import remember
from clipdraw.encoders.builtin.spelling import spell_out
from clipdraw.encoders.builtin.storage import dequantize, quantize
from clipdraw.progress import log

SIZE = 32
"""Height and width of the pictures, in pixels."""
PICTURES = 16
"""How many the network makes of each text."""
MOST_SAMPLES = 128
"""Texts whose pictures are remembered: five megabytes."""


_SCORE_MARGIN, _MOST_PICTURES = 0.06, 3  # those within the margin of the best are kept, up to so many
_EXEMPLARS = 6  # candidates that each variant of a text brings
_NAME_WEIGHT = 0.5  # of the cosine between an exemplar's name and the text, in a candidate's score
_NETWORK_COSINE = 0.6  # in the place of such a cosine, for the network's pictures
_HUE_AGREEMENT, _HUE_PENALTY = 0.5, 0.1  # asked of an exemplar if the text names a color; the cost of a lack of 1


class BuiltinPrior:
    """Pictures of texts: candidates from a network and from exemplars, ranked by the encoder.

    Args:
        network: the maker of pictures.
        exemplars: the stored pictures.
        embed: texts to the unit vectors that both understand.
        cosines: pictures (pictures, 3, side, side) and a text to the encoder's cosines between them.
    """

    def __init__(
        self,
        network: PictureNetwork,
        exemplars: Exemplars,
        embed: Callable[[Sequence[str]], Tensor],
        cosines: Callable[[Tensor, str], Tensor],
    ) -> None:
        self._network, self._exemplars = network, exemplars
        self._embed, self._cosines = embed, cosines
        self._samples: dict[str, Tensor] = {}

    def sample(self, text: str) -> Float[Tensor, "pictures 3 side side"]:
        """Pictures of what the text may look like: the one that fits it best, and others nearly as good."""
        chosen = self._samples.get(text)
        if chosen is None:
            log.info("sampling pictures of %r", text)
            chosen = self._chosen(text)
            remember(self._samples, {text: chosen}, MOST_SAMPLES)
        return chosen

    @torch.no_grad()
    def _chosen(self, text: str) -> Float[Tensor, "pictures 3 side side"]:
        """The candidates that fit a text best."""
        pictures, biases = self._candidates(spell_out(text))
        cosines = self._cosines(pictures, text)
        scores = cosines + biases.to(cosines.device)
        order = scores.argsort(descending=True)
        good = int((scores > scores.max() - _SCORE_MARGIN).sum())
        return pictures.to(cosines.device)[order[: min(good, _MOST_PICTURES)]]

    def _candidates(self, text: str) -> tuple[Float[Tensor, "pictures 3 side side"], Float[Tensor, " pictures"]]:
        """Pictures that the text may mean, and what is added to the encoder's cosine of each."""
        variants = text_variants(text)
        vectors = self._embed(variants)
        made = self._network.pictures(vectors).flatten(0, 1)
        names = torch.cat([self._embed([toggle_plural(variants[0])]), vectors])
        coordinates, cosines, bonus = self._exemplars.nearest(names, _EXEMPLARS, whole=2)
        known = deepen(self._network.pictures_at(coordinates))
        bias, colors = _NAME_WEIGHT * cosines + bonus, list(named_colors(text))
        agreements = [hue_agreement(known, color) for color in colors] or [torch.ones(len(known))]
        as_it_is = bias - _HUE_PENALTY * (_HUE_AGREEMENT - torch.stack(agreements).amax(0)).clamp(min=0)
        biases = [torch.full((len(made),), _NAME_WEIGHT * _NETWORK_COSINE), as_it_is, bias.repeat(len(colors))]
        return torch.cat([made, known, *(tint(known, color) for color in colors)]), torch.cat(biases)


_WIDTH, _HIDDEN, _CODE, _COMPONENTS = 384, 1024, 96, 320
_DECODER = (_CODE, 512, 768)
_FAINT_INK = 0.1  # that is taken for none; and as much that lacks is taken for full
_INPUT_GAIN = 16.0  # a unit vector's entries are small


class PictureNetwork(nn.Module):
    """Sentence vectors to pictures, each decoded from a short code into a sum of principal components of drawings.

    It was trained so that at least one of its pictures is near the drawing that a text is the caption of
    (Guzman-Rivera et al. 2012, Multiple Choice Learning): they show different views and styles, not a blend.
    """

    mean: Tensor
    components: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(_WIDTH, _HIDDEN)
        self.hidden = nn.ModuleList(nn.Linear(_HIDDEN, _HIDDEN) for _ in range(2))
        self.codes = nn.Linear(_HIDDEN, PICTURES * _CODE)
        self.decoder = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise(_DECODER))
        self.out = nn.Linear(_DECODER[-1], _COMPONENTS)
        self.register_buffer("mean", torch.zeros(3 * SIZE**2))
        self.register_buffer("components", torch.zeros(_COMPONENTS, 3 * SIZE**2))

    def forward(self, vectors: Float[Tensor, "texts width"]) -> Float[Tensor, "texts pictures code"]:
        """A short code for each picture, which `decode` reads."""
        x = functional.silu(self.read(vectors * _INPUT_GAIN))
        for layer in self.hidden:
            x = x + functional.silu(layer(x))
        return self.codes(x).unflatten(1, (PICTURES, _CODE))

    def decode(self, codes: Float[Tensor, "*pictures code"]) -> Float[Tensor, "*pictures components"]:
        """Coordinates of the pictures along the components."""
        x = codes
        for layer in self.decoder:
            x = functional.silu(layer(x))
        return self.out(x)

    def pictures(self, vectors: Float[Tensor, "texts width"]) -> Float[Tensor, "texts pictures 3 size size"]:
        """Pictures on white, in [0, 1]."""
        return self.pictures_at(self.decode(self(vectors)))

    def pictures_at(self, coordinates: Float[Tensor, "*pictures components"]) -> Float[Tensor, "*pictures 3 size size"]:
        """The pictures with these coordinates along the components, on white, in [0, 1]."""
        ink = coordinates @ self.components + self.mean
        clear = (ink - _FAINT_INK) / (1 - 2 * _FAINT_INK)
        return (1 - clear).clamp(0, 1).unflatten(-1, (3, SIZE, SIZE))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> PictureNetwork:
        """The frozen network of weights, quantized or not.

        Raises:
            RuntimeError: they do not fit.
        """
        with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced
            network = cls()
        network.load_state_dict(dequantize(tensors), assign=True)
        return network.eval().requires_grad_(False)


_FINE = 64  # leading coordinates in 8 bits; the others are small and take 4


class Exemplars:
    """Openly licensed drawings of well-known things, found by the meaning of their names; the model card lists them.

    Args:
        axes: orthonormal directions in which names differ most.
        names: unit vectors of the names along them.
        coordinates: of the pictures along the components of `PictureNetwork`.
        bonus: how much better, as a cosine, each is than others of the same name would be.
    """

    def __init__(
        self,
        axes: Float[Tensor, "axes width"],
        names: Float[Tensor, "exemplars axes"],
        coordinates: Float[Tensor, "exemplars components"],
        bonus: Float[Tensor, " exemplars"],
    ) -> None:
        self._axes, self._names, self._coordinates, self._bonus = axes, names, coordinates, bonus

    def __len__(self) -> int:
        return len(self._names)

    def nearest(
        self, variants: Float[Tensor, "variants width"], count: int, *, whole: int = 1
    ) -> tuple[Float[Tensor, "exemplars components"], Float[Tensor, " exemplars"], Float[Tensor, " exemplars"]]:
        """The pictures whose names are the `count` nearest to any variant of a text.

        Args:
            variants: unit vectors, those of the whole text first.
            count: for each variant.
            whole: how many variants are of the whole text.

        Returns:
            The pictures' coordinates, the larger of the cosines between their names and the whole text, and their
            bonus.
        """
        cosines = functional.normalize(variants @ self._axes.T, dim=1) @ self._names.T
        chosen = cosines.topk(min(count, len(self)), dim=1).indices.flatten().unique()
        return self._coordinates[chosen], cosines[:whole, chosen].amax(0), self._bonus[chosen]

    def to_tensors(self) -> dict[str, Tensor]:
        """The tensors that `from_tensors` reads: names in 8 bits, coordinates in 8 and 4."""
        tensors = {"axes": self._axes.half().contiguous(), "worth": self._bonus.half()}
        few = {"names": (self._names, 8), "fine": (self._coordinates[:, :_FINE], 8)}
        few["coarse"] = (self._coordinates[:, _FINE:], 4)
        for name, (matrix, bits) in few.items():
            tensors[f"{name}.whole"], tensors[f"{name}.scale"] = quantize(matrix, bits)
        return tensors

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Exemplars:
        """The exemplars that `to_tensors` wrote.

        Raises:
            KeyError: one of them is missing.
        """
        wide = dequantize(tensors)
        names, coordinates = functional.normalize(wide["names"], dim=1), torch.cat([wide["fine"], wide["coarse"]], 1)
        return cls(wide["axes"], names, coordinates, wide["worth"])


_ARTICLE = re.compile(r"^(an?|the)\s+", re.IGNORECASE)  # captions of drawings have none
_PREPOSITION = re.compile(r"\s+(?:of|with|in|on|at|by|from|under|near)\s+", re.IGNORECASE)
_MEDIUM = re.compile(
    r"^(?:[\w-]+\s+){0,3}?(?:painting|drawing|sketch|picture|image|photo|photograph|illustration|icon|portrait)\s+of\s+",
    re.IGNORECASE,
)
_PLURALS = (  # an ending, and the one that the name's other number has; the first that fits
    (re.compile(r"(?<=[^aeiou])ies$"), "y"),
    (re.compile(r"(?<=s|x)es$|(?<=ch|sh)es$"), ""),
    (re.compile(r"(?<=[^su])s$"), ""),
    (re.compile(r"(?<=[^aeiou])y$"), "ies"),
    (re.compile(r"(?<=s|x)$|(?<=ch|sh)$"), "es"),
    (re.compile(r"$"), "s"),
)


def text_variants(text: str) -> list[str]:
    """The text without its medium and its article, and the names in it: pictures are known for short names.

    Of "a sketch of a slice of ripe melon": "slice of ripe melon", "slice", "ripe melon", "melon".
    """
    whole = _ARTICLE.sub("", _MEDIUM.sub("", text.strip()))
    parts = [_ARTICLE.sub("", part) for part in _PREPOSITION.split(whole)]
    last = [part.rsplit(" ", 1)[-1] for part in parts]
    return list(dict.fromkeys(variant for variant in (whole, *parts, *last) if variant))


def toggle_plural(name: str) -> str:
    """The plural of a name, or the singular of a plural, if English is regular there: "cherry" of "cherries"."""
    ending, other = next(pair for pair in _PLURALS if pair[0].search(name))
    return ending.sub(other, name, count=1)


_COLORS = {
    "red": (0.90, 0.15, 0.15), "orange": (0.98, 0.55, 0.10), "yellow": (0.98, 0.82, 0.10), "golden": (0.90, 0.70, 0.15),
    "green": (0.25, 0.65, 0.25), "turquoise": (0.20, 0.75, 0.75), "blue": (0.20, 0.45, 0.90),
    "purple": (0.55, 0.25, 0.75), "violet": (0.55, 0.30, 0.80), "pink": (0.98, 0.55, 0.70), "brown": (0.50, 0.30, 0.15),
    "black": (0.12, 0.12, 0.12), "gray": (0.55, 0.55, 0.55), "grey": (0.55, 0.55, 0.55),
}  # fmt: skip
_SHADE, _RELIEF = 0.95, 0.6  # of a color where the picture is as bright as on average, and by how much brighter it is
_GRAY = 0.03  # ink or color that counts as none
_MEAN_INK, _MOST_GAIN = 0.4, 3.0  # of a picture that is deep enough, where there is any; the most it is multiplied by


def named_colors(text: str) -> Iterator[tuple[float, float, float]]:
    """Red, green and blue in [0, 1] of each color that the text names."""
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _COLORS:
            yield _COLORS[word]


def tint(
    pictures: Float[Tensor, "pictures 3 side side"], color: tuple[float, float, float]
) -> Float[Tensor, "pictures 3 side side"]:
    """Pictures on white, in [0, 1], painted in shades of one color."""
    alpha = 1 - pictures.amin(1, keepdim=True)
    tone = pictures.mean(1, keepdim=True)
    average = (tone * alpha).sum((2, 3), keepdim=True) / alpha.sum((2, 3), keepdim=True).clamp(min=1e-6)
    paint = (_SHADE + _RELIEF * (tone - average)) * torch.tensor(color, device=pictures.device).reshape(3, 1, 1)
    return 1 - alpha * (1 - paint.clamp(0, 1))


def hue_agreement(
    pictures: Float[Tensor, "pictures 3 side side"], color: tuple[float, float, float]
) -> Float[Tensor, " pictures"]:
    """The mean cosine between hues of pictures and that of a color, weighted by how colored pixels are; 1 for grays."""
    hue = torch.tensor(color, device=pictures.device).reshape(3, 1, 1)
    hue, hues = hue - hue.mean(), pictures - pictures.mean(1, keepdim=True)
    if hue.norm() < _GRAY:
        return pictures.new_ones(len(pictures))
    colored = hues.norm(dim=1).sum((1, 2))
    along = (hues * hue).sum((1, 2, 3)) / hue.norm()
    return torch.where(colored > _GRAY, along / colored.clamp(min=_GRAY), 1.0)


def deepen(pictures: Float[Tensor, "pictures 3 side side"]) -> Float[Tensor, "pictures 3 side side"]:
    """Pictures on white, in [0, 1], the pale ones with more ink: a white swan has to be seen on white."""
    ink = 1 - pictures
    most = ink.amax(1, keepdim=True)
    there = (most > _GRAY).float()
    mean = (most * there).sum((2, 3), keepdim=True) / there.sum((2, 3), keepdim=True).clamp(min=1.0)
    return 1 - (ink * (_MEAN_INK / mean.clamp(min=1e-6)).clamp(1.0, _MOST_GAIN)).clamp(max=1.0)
