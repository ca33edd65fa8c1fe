"""Fixtures of several tests: a tiny judge and a tiny drawing."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Canvas, Drawing
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import set_threads


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


@pytest.fixture(scope="session", autouse=True)
def _threads_at_first():
    """The threads of PyTorch before the first test."""
    return torch.get_num_threads()


@pytest.fixture(autouse=True)
def _threads_stay_as_they_were(_threads_at_first):
    """What a test sets is not left to others: an encoder that is loaded with other threads computes other bits."""
    yield
    torch.set_num_threads(_threads_at_first)
    set_threads(None)
