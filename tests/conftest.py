"""Fixtures of several tests: a tiny judge and a tiny drawing."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Canvas, Drawing
from clipdraw.optimization.start import RandomStrokes


class TinyEncoder:
    """A judge that wants a color: `red`, `green` or `blue` all over the picture."""

    name = "tiny"
    view_size = 16
    dimensions = 3
    device = torch.device("cpu")

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        table = {"red": (1.0, -1.0, -1.0), "green": (-1.0, 1.0, -1.0), "blue": (-1.0, -1.0, 1.0)}
        return functional.normalize(torch.tensor([table.get(text, (1.0, 1.0, 1.0)) for text in texts]), dim=1)

    def encode_image(self, views: Tensor) -> Tensor:
        return functional.normalize(views.mean((2, 3)) - 0.5 + 1e-3, dim=1)

    def truncated_tail(self, text: str) -> str:
        return text[20:]


@pytest.fixture
def encoder() -> TinyEncoder:
    return TinyEncoder()


@pytest.fixture
def drawing() -> Drawing:
    return RandomStrokes(12)(Canvas(), torch.Generator().manual_seed(3))
