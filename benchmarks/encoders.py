"""How close a CLIP ViT-B/32 comes to the machine's matrix products.

Weights are random, of the true size; nothing is downloaded. One pass is forward and backward to the pixels with
frozen weights, as in an optimization step. The yardstick is the matrix products of that very pass, of the same shapes
and over as many different weights, in turn with it in the same process, so that a busy machine slows down both.

    python benchmarks/encoders.py --views 8 --threads 2 --rounds 7 --out encoders.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: else a busy neighbor multiplies all times

import torch
import transformers

from clipdraw.encoders.precision import PRECISIONS, bfloat16_is_fast
from clipdraw.encoders.transformers import TransformersEncoder

Clock = Callable[[], float]
CLOCKS: dict[str, Clock] = {"wall": perf_counter, "thread": thread_time}
TOKENS, WIDTH, HIDDEN, LAYERS, PATCH = 50, 768, 3072, 12, 3 * 32 * 32


def vit_b32(dtype: torch.dtype) -> TransformersEncoder:
    """A CLIP ViT-B/32 with random weights; its text tower is only a stub."""
    config = transformers.CLIPConfig(text_config={"num_hidden_layers": 1}, projection_dim=512)
    torch.manual_seed(0)
    model = transformers.CLIPModel(config).to(dtype)
    half = torch.full((3,), 0.5)
    return TransformersEncoder("vit-b32", model, tokenizer=None, mean=half, std=half, pad_to_end=False)


def layer_shapes(views: int) -> list[tuple[int, int, int]]:
    """Rows, inputs and outputs of every matrix product of one forward pass but attention's own (1 %)."""
    rows = views * TOKENS
    block = [(rows, WIDTH, WIDTH)] * 4 + [(rows, WIDTH, HIDDEN), (rows, HIDDEN, WIDTH)]
    return [(views * (TOKENS - 1), PATCH, WIDTH), *block * LAYERS, (views, WIDTH, 512)]


def products(views: int, dtype: torch.dtype) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Inputs, weights and output gradients to multiply."""
    return [
        (torch.randn(rows, n, dtype=dtype), torch.randn(m, n, dtype=dtype), torch.randn(rows, m, dtype=dtype))
        for rows, n, m in layer_shapes(views)
    ]


def pass_flop(views: int) -> float:
    """Floating-point operations of a pass: each product once forward, once backward to its input."""
    attention = LAYERS * 2 * views * TOKENS * TOKENS * WIDTH * 2  # scores and mixing; backward is twice as much
    return 2 * sum(2.0 * rows * n * m for rows, n, m in layer_shapes(views)) + 3 * attention


def encoder_pass(encoder: TransformersEncoder, views: torch.Tensor, text: torch.Tensor, clock: Clock) -> float:
    """Seconds of one forward and backward pass."""
    views.grad = None
    start = clock()
    (encoder.encode_image(views) @ text).sum().neg().backward()
    return clock() - start


def products_pass(matrices: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], clock: Clock) -> float:
    """Seconds of the same pass's matrix products alone."""
    start = clock()
    for inputs, weights, gradients in matrices:
        torch.nn.functional.linear(inputs, weights)
        gradients @ weights
    return clock() - start


def measure(precision: str, views: int, rounds: int, clock: Clock) -> dict[str, Any]:
    """Times and rates of a pass and of its products, in turn; the first round is discarded."""
    dtype = PRECISIONS[precision]
    encoder, matrices = vit_b32(dtype), products(views, dtype)
    pixels = torch.rand(views, 3, 224, 224, requires_grad=True)
    text = torch.nn.functional.normalize(torch.randn(512), dim=0)
    times = [(encoder_pass(encoder, pixels, text, clock), products_pass(matrices, clock)) for _ in range(rounds + 1)][
        1:
    ]
    whole, alone = zip(*times, strict=True)
    flop, product_flop = pass_flop(views), 2 * sum(2.0 * rows * n * m for rows, n, m in layer_shapes(views))
    rate, yardstick = flop / min(whole) / 1e9, product_flop / min(alone) / 1e9
    return {
        "seconds_best": round(min(whole), 4),
        "seconds_median": round(median(whole), 4),
        "gflop": round(flop / 1e9, 2),
        "gflop_per_s": round(rate, 1),
        "products_seconds_best": round(min(alone), 4),
        "products_seconds_median": round(median(alone), 4),
        "products_gflop_per_s": round(yardstick, 1),
        "share_of_products": round(rate / yardstick, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
        "model": "CLIP ViT-B/32, random weights",
        "views": arguments.views,
        "threads": threads,
        "clock": arguments.clock,
        "machine": platform.processor() or platform.machine(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "auto_chooses": "bfloat16" if bfloat16_is_fast("cpu") else "float32",
        "precisions": {
            name: measure(name, arguments.views, arguments.rounds, CLOCKS[arguments.clock])
            for name in arguments.precisions
        },
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
