"""Where the time of a step goes: `python -m benchmarks.loop`. Prints JSON; times are medians in milliseconds."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import torch

from clipdraw import load_encoder, rasterize
from clipdraw.config import resolve

PROMPT = "a red heart"


def median_ms(work: Callable[[], object], *, repeat: int = 30) -> float:
    """The median time of one call after two that warm up."""
    work()
    work()
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def parts(strokes: int, views: int) -> dict[str, float]:
    """One step with the default preset, and its parts."""
    config = resolve(PROMPT, {"strokes": strokes, "views": views})
    problem = config.build(load_encoder("builtin"))
    run, recipe, encoder = problem.begin(), problem.recipe, problem.encoder
    for _ in range(20):
        run.step()
    side = recipe.resolution or encoder.view_size
    generator = torch.Generator().manual_seed(0)
    image = rasterize(run.drawing, height=side, width=side).detach().requires_grad_()
    batch = recipe.views.apply(image, encoder.view_size, generator=generator).detach().requires_grad_()

    def both_ways(forward: Callable[[], torch.Tensor]) -> float:
        return median_ms(lambda: forward().sum().backward())

    return {
        "rasterize": both_ways(lambda: rasterize(run.drawing, height=side, width=side)),
        "views": both_ways(lambda: recipe.views.apply(image, encoder.view_size, generator=generator)),
        "encoder": both_ways(lambda: encoder.encode_image(batch)),
        "step": median_ms(run.step),
    }


def main() -> None:
    report = {f"{strokes} strokes, 8 views": parts(strokes, 8) for strokes in (64, 256)}
    for times in report.values():
        times["250 steps, s"] = times["step"] * 250 / 1000
    print(json.dumps({"threads": torch.get_num_threads(), "both ways, ms": report}, indent=1))


if __name__ == "__main__":
    main()
