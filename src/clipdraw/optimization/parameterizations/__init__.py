"""What can be optimized: an image that is made of parameters, be they strokes, pixels or a generator's latents."""

from clipdraw.optimization.parameterizations.base import Parameter, Parameterization
from clipdraw.optimization.parameterizations.latents import Latents
from clipdraw.optimization.parameterizations.pixels import Pixels
from clipdraw.optimization.parameterizations.strokes import Rates, Strokes

__all__ = ["Latents", "Parameter", "Parameterization", "Pixels", "Rates", "Strokes"]
