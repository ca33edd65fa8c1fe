"""The cost of a step with CLIP or SigLIP as the judge, and how near it is to bare matrix products.

Weights are random, of the true size; nothing is downloaded. One pass is forward and backward to the pixels with
frozen weights, as in an optimization step. The yardstick is the matrix products of that very pass, of the same shapes
and over as many different weights. A step is a whole one of the preset `paper`: 256 strokes rasterized, distorted,
judged, and moved. All three are timed in turn in the same process, so that a busy machine slows all of them down.

    python -m benchmarks.encoders --views 8 --threads 2 --rounds 7 --out encoders.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: else a busy neighbor multiplies all times

import torch
import transformers

from clipdraw.config import resolve
from clipdraw.encoders.clip import TransformersEncoder
from clipdraw.encoders.devices import PRECISIONS, choose_precision

Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": perf_counter, "thread": thread_time}
WIDTH, HIDDEN, LAYERS, SIDE = 768, 3072, 12, 224


@dataclass(frozen=True)
class Judge:
    """A vision tower of base size.

    Args:
        about: whose it is.
        patch: its patches' side in pixels.
        extra: tokens that are no patches.
        head: products after the layers, as inputs and outputs, over all tokens or one a view.
    """

    about: str
    patch: int
    extra: int
    head: tuple[tuple[str, int, int], ...]

    @property
    def patches(self) -> int:
        return (SIDE // self.patch) ** 2

    @property
    def tokens(self) -> int:
        return self.patches + self.extra


JUDGES = {
    "clip": Judge("CLIP ViT-B/32", 32, 1, (("view", WIDTH, 512),)),
    "siglip": Judge(
        "SigLIP B/16 and SigLIP 2 B/16, whose vision towers are the same",
        16,
        0,
        (("token", WIDTH, 2 * WIDTH), ("view", WIDTH, HIDDEN), ("view", HIDDEN, WIDTH)),
    ),
}


def encoder_of(judge: str, dtype: torch.dtype) -> TransformersEncoder:
    """The encoder with random weights; its text tower is only a stub."""
    torch.manual_seed(0)
    stub = {"num_hidden_layers": 1, "vocab_size": 1000, "bos_token_id": 0, "eos_token_id": 2}
    if judge == "clip":
        model = transformers.CLIPModel(transformers.CLIPConfig(text_config=stub, projection_dim=512))
    else:
        model = transformers.SiglipModel(transformers.SiglipConfig(text_config=stub, vision_config={"patch_size": 16}))
    half = torch.full((3,), 0.5)
    return TransformersEncoder(judge, model.to(dtype), tokenizer=None, mean=half, std=half, pad_to_end=False)


def product_shapes(judge: Judge, views: int) -> list[tuple[int, int, int]]:
    """Rows, inputs and outputs of every matrix product of one forward pass but attention's own."""
    rows = views * judge.tokens
    block = [(rows, WIDTH, WIDTH)] * 4 + [(rows, WIDTH, HIDDEN), (rows, HIDDEN, WIDTH)]
    head = [(rows if over == "token" else views, n, m) for over, n, m in judge.head]
    return [(views * judge.patches, 3 * judge.patch**2, WIDTH), *block * LAYERS, *head]


def product_flop(judge: Judge, views: int) -> float:
    """Floating-point operations of these products: each once forward, once backward to its input."""
    return 2 * sum(2.0 * rows * n * m for rows, n, m in product_shapes(judge, views))


def pass_flop(judge: Judge, views: int) -> float:
    """Floating-point operations of a pass, with attention's scores and mixing; backward is twice as much of those."""
    attention = LAYERS * 2 * views * judge.tokens**2 * WIDTH * 2
    return product_flop(judge, views) + 3 * attention


@dataclass(frozen=True)
class Toward:
    """Asks the views to resemble a given embedding, as a prompt does whose text is encoded."""

    wanted: torch.Tensor
    name: str = "toward"

    def build(self, encoder: TransformersEncoder) -> Callable[[Any], torch.Tensor]:
        return lambda frame: -(frame.embeddings @ self.wanted).sum()


class Work:
    """The three things that are timed, for one judge in one format."""

    def __init__(self, judge: str, views: int, dtype: torch.dtype) -> None:
        self.encoder = encoder_of(judge, dtype)
        self.wanted = torch.nn.functional.normalize(torch.randn(self.encoder.dimensions), dim=0)
        self.pixels = torch.rand(views, 3, SIDE, SIDE, requires_grad=True)
        self.matrices = [
            (torch.randn(rows, n, dtype=dtype), torch.randn(m, n, dtype=dtype), torch.randn(rows, m, dtype=dtype))
            for rows, n, m in product_shapes(JUDGES[judge], views)
        ]
        config = resolve("a bonfire", {"preset": "paper", "views": views})
        self.run = replace(config.build(self.encoder), losses=(Toward(self.wanted),)).begin()

    def encoder_pass(self) -> None:
        self.pixels.grad = None
        (self.encoder.encode_image(self.pixels) @ self.wanted).sum().neg().backward()

    def products(self) -> None:
        for inputs, weights, gradients in self.matrices:
            torch.nn.functional.linear(inputs, weights)
            gradients @ weights

    def step(self) -> None:
        self.run.step()


def measure(judge: str, precision: str, views: int, rounds: int, clock: Clock) -> dict[str, Any]:
    """Times and rates of a pass, of its products and of a step, in turn; the first round is discarded."""
    work = Work(judge, views, PRECISIONS[precision])
    times: dict[str, list[float]] = {"encoder": [], "products": [], "step": []}
    parts = list(zip(times, (work.encoder_pass, work.products, work.step), strict=True))
    for number in range(rounds + 1):
        for name, part in parts:
            start = clock()
            part()
            if number:
                times[name].append(clock() - start)
    best = {name: min(seconds) for name, seconds in times.items()}
    flop = pass_flop(JUDGES[judge], views)
    rate = flop / best["encoder"] / 1e9
    yardstick = product_flop(JUDGES[judge], views) / best["products"] / 1e9
    return {
        **{f"{name}_seconds_best": round(seconds, 4) for name, seconds in best.items()},
        **{f"{name}_seconds_median": round(median(seconds), 4) for name, seconds in times.items()},
        "encoder_share_of_step": round(best["encoder"] / best["step"], 3),
        "encoder_gflop": round(flop / 1e9, 2),
        "encoder_gflop_per_s": round(rate, 1),
        "products_gflop_per_s": round(yardstick, 1),
        "encoder_rate_by_products_rate": round(rate / yardstick, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judges", nargs="+", choices=JUDGES, default=["clip"])
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="thread: computing time of one thread, for a busy machine"
    )
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=["float32", "bfloat16"])
    parser.add_argument("--out", type=Path, help="where to write the JSON as well")
    arguments = parser.parse_args()
    threads = 1 if arguments.clock == "thread" else arguments.threads
    torch.set_num_threads(threads)
    result = {
        "views": arguments.views,
        "threads": threads,
        "clock": arguments.clock,
        "machine": platform.processor() or platform.machine(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "auto_chooses": str(choose_precision("auto", torch.device("cpu"))).removeprefix("torch."),
        "judges": {
            f"{JUDGES[judge].about}, random weights": {
                name: measure(judge, name, arguments.views, arguments.rounds, CLOCKS[arguments.clock])
                for name in arguments.precisions
            }
            for judge in arguments.judges
        },
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
