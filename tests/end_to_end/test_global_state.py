"""What every public function leaves as it was: random numbers, threads and the like belong to whoever calls.

The calls are made in a process of their own: the type checker of the tests takes random numbers.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from inspect import isfunction
from pathlib import Path

import numpy as np
import pytest
import torch

import clipdraw
from clipdraw import raster
from tests import tiny_biggan
from tests.conftest import TinyEncoder

TINY = {"preset": "paper", "strokes": 3, "steps": 2, "views": 1, "canvas": (16.0, 8.0), "film_kinds": ()}


def state():
    """The state of the process that a call may not change."""
    return {
        "torch's random numbers": torch.get_rng_state().tolist(),
        "numpy's": str(np.random.get_state()),  # noqa: NPY002 - it is this one that others use
        "Python's": random.getstate(),
        "threads": (torch.get_num_threads(), raster.get_threads()),
        "precision": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "warnings": list(warnings.filters),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
    }


def drawing():
    return clipdraw.RandomStrokes(3)(clipdraw.Canvas(16, 8), torch.Generator().manual_seed(0))


def interrupted(out):
    def enough(step):
        raise clipdraw.ClipdrawError

    with pytest.raises(clipdraw.ClipdrawError):
        clipdraw.draw("a red heart", out=out, on_step=enough, **TINY)
    return out


def optimize():
    losses, recipe = [clipdraw.Prompt("a sun")], clipdraw.Recipe(2)
    return partial(list, clipdraw.optimize(drawing(), losses, encoder=TinyEncoder(), recipe=recipe))


def load_checkpoint(folder, kind):
    from tests import tiny_clip

    return partial(clipdraw.load_encoder, str(tiny_clip.save(folder, kind)))


CALLS: dict[str, Callable[[Path], Callable[[], object]]] = {
    "compare": lambda out: partial(
        clipdraw.compare,
        [clipdraw.Config("a sun", strokes=3, steps=2, threads=1)],
        generator=str(tiny_biggan.save(out / "biggan")),
        out=out / "compared",
    ),
    "draw": lambda out: partial(clipdraw.draw, "a sun", threads=1, out=out, **TINY),
    "draw with a prior": lambda out: partial(clipdraw.draw, "a sun", strokes=3, steps=1, out=out),
    "explain": lambda out: partial(clipdraw.explain, drawing(), [clipdraw.Prompt("a sun")], encoder=TinyEncoder()),
    "film": lambda out: partial(clipdraw.film, clipdraw.draw("a sun", out=out, **TINY).folder, out=out / "a.svg"),
    "load_encoder": lambda out: partial(clipdraw.load_encoder, "builtin"),
    "load_encoder of CLIP": lambda out: load_checkpoint(out, "clip"),
    "load_encoder of SigLIP": lambda out: load_checkpoint(out, "siglip"),
    "optimize": lambda out: optimize(),
    "rasterize": lambda out: partial(clipdraw.rasterize, drawing()),
    "resume": lambda out: partial(clipdraw.resume, interrupted(out)),
    "score": lambda out: partial(clipdraw.score, drawing(), ["a sun"], TinyEncoder()),
    "sweep": lambda out: partial(clipdraw.sweep, "a sun", seeds=[0, 1], threads=1, out=out, **TINY),
}
"""Makes a call of a public function ready, in a new folder."""


def changes(name):
    """What a call changes."""
    with tempfile.TemporaryDirectory() as folder:
        call = CALLS[name](Path(folder) / "out")
        before = state()
        call()
        after = state()
    return [part for part in before if before[part] != after[part]]


def test_each_public_function_is_called():
    functions = {name for name in clipdraw.__all__ if isfunction(getattr(clipdraw, name))}
    assert {name.partition(" ")[0] for name in CALLS} == functions


def test_no_call_changes_the_state_of_the_process():
    pytest.importorskip("transformers")
    command = [sys.executable, "-m", "tests.end_to_end.test_global_state"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {name: [] for name in CALLS}


if __name__ == "__main__":
    import torch._dynamo

    print(json.dumps({name: changes(name) for name in CALLS}))
