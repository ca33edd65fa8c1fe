"""What can be optimized: an image that is made of parameters, be they strokes, pixels or a generator's latents."""

from clipdraw.parameterizations.base import Parameter, Parameterization
from clipdraw.parameterizations.latents import Latents
from clipdraw.parameterizations.pixels import Pixels
from clipdraw.parameterizations.strokes import Rates, Strokes

__all__ = ["Latents", "Parameter", "Parameterization", "Pixels", "Rates", "Strokes"]
