"""Vector drawings from words: Bezier strokes optimized against a text-image encoder.

    import clipdraw

    run = clipdraw.draw("a bonfire", strokes=64, steps=250, seed=3)
    print(run.folder, run.similarity)

Names are imported when they are first used, so that `import clipdraw` costs nothing.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Idle OpenMP threads must sleep: beside a busy process spinning ones slow every step down several times.
# It counts only if it is set before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

_HOMES = {
    "Canvas": "drawing",
    "Change": "optimization.steering",
    "ClipdrawError": "errors",
    "Config": "config",
    "Drawing": "drawing",
    "Optimization": "optimization.loop",
    "Problem": "optimization.loop",
    "Prompt": "optimization.losses",
    "RandomStrokes": "optimization.start",
    "Rates": "optimization.parameterization",
    "Recipe": "optimization.recipe",
    "Run": "runs",
    "Step": "optimization.loop",
    "Views": "optimization.views",
    "compare": "runs",
    "draw": "runs",
    "explain": "evaluate.explain",
    "film": "runs",
    "load_encoder": "encoders",
    "optimize": "optimization.loop",
    "rasterize": "raster",
    "resume": "runs",
    "score": "evaluate.score",
    "sweep": "runs.sweep",
}

__all__ = [
    "Canvas",
    "Change",
    "ClipdrawError",
    "Config",
    "Drawing",
    "Optimization",
    "Problem",
    "Prompt",
    "RandomStrokes",
    "Rates",
    "Recipe",
    "Run",
    "Step",
    "Views",
    "__version__",
    "compare",
    "draw",
    "explain",
    "film",
    "load_encoder",
    "optimize",
    "rasterize",
    "resume",
    "score",
    "sweep",
]

if TYPE_CHECKING:
    from clipdraw.config import Config
    from clipdraw.drawing import Canvas, Drawing
    from clipdraw.encoders import load_encoder
    from clipdraw.errors import ClipdrawError
    from clipdraw.evaluate.explain import explain
    from clipdraw.evaluate.score import score
    from clipdraw.optimization.loop import Optimization, Problem, Step, optimize
    from clipdraw.optimization.losses import Prompt
    from clipdraw.optimization.parameterization import Rates
    from clipdraw.optimization.recipe import Recipe
    from clipdraw.optimization.start import RandomStrokes
    from clipdraw.optimization.steering import Change
    from clipdraw.optimization.views import Views
    from clipdraw.raster import rasterize
    from clipdraw.runs import Run, compare, draw, film, resume
    from clipdraw.runs.sweep import sweep


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'clipdraw' has no attribute {name!r}")
    value = getattr(import_module(f"clipdraw.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
